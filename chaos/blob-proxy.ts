/**
 * The blob store as the node sees it: a web server over the folder into which contributors put their sealed files.
 * @module
 */
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import { listen } from './listen.js'

/** What the store does with those who ask. */
export type BlobMode =
  | 'pass'
  /** Sends a few bytes at a time, with pauses. */
  | 'slow'
  /** Says that there is no such blob. */
  | 'missing'
  /** Turns a bit. */
  | 'corrupt'
  /** Answers 503. */
  | 'busy'
  /** Sends half and closes. */
  | 'cut'
  /** Does not answer until it is told otherwise, and closes then. */
  | 'stall'

/** A running store. */
export interface BlobProxy {
  readonly url: string
  set(mode: BlobMode): void
  /** Called once at the next request, before its answer. */
  onRequest(hook: () => Promise<void>): void
  readonly counts: { calls: number; altered: number }
  close(): Promise<void>
}

/**
 * Starts the store.
 * @param options.blobs what lies in it
 * @param options.onTraffic told every body that it sends
 */
export async function startBlobProxy(options: {
  readonly blobs: BlobStore
  readonly onTraffic: (body: Buffer) => void
}): Promise<BlobProxy> {
  let mode: BlobMode = 'pass'
  let hook: (() => Promise<void>) | undefined
  const counts = { calls: 0, altered: 0 }
  const stalled = new Set<ServerResponse>()
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    counts.calls += 1
    if (hook !== undefined) {
      const run = hook
      hook = undefined
      await run()
    }
    const present = mode
    if (present !== 'pass') counts.altered += 1
    if (present === 'stall') {
      stalled.add(response)
      return
    }
    if (present === 'busy' || present === 'missing') {
      response.writeHead(present === 'busy' ? 503 : 404).end()
      return
    }
    const bytes = await options.blobs.get(`sha256:${path.slice(1)}`).catch((error: unknown) => {
      if (error instanceof BlobStoreError && error.code !== 'BLOB_STORE_FAILED') return undefined
      throw error
    })
    if (bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    const body = Buffer.from(bytes)
    options.onTraffic(body)
    if (present === 'corrupt') body.writeUInt8(body.readUInt8(body.length >> 1) ^ 1, body.length >> 1)
    response.writeHead(200, { 'content-length': String(body.length) })
    if (present === 'cut') {
      response.write(body.subarray(0, body.length >> 1))
      await sleep(20)
      response.destroy()
      return
    }
    if (present === 'slow') {
      const step = Math.ceil(body.length / 8)
      for (let at = 0; at < body.length; at += step) {
        response.write(body.subarray(at, at + step))
        await sleep(60)
      }
      response.end()
      return
    }
    response.end(body)
  }
  const server = createServer((request, response) => {
    request.resume()
    if (request.method !== 'GET') {
      response.writeHead(405).end()
      return
    }
    answer(request.url ?? '/', response).catch(() => response.destroy())
  })
  const { url, close } = await listen(server)
  return {
    url,
    counts,
    set(next) {
      mode = next
      for (const response of stalled) response.destroy()
      stalled.clear()
    },
    onRequest(run) {
      hook = run
    },
    close,
  }
}
