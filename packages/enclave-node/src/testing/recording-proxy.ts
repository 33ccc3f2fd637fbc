/**
 * A proxy that keeps everything it passes on, and can be told what to do with a call first.
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy between two nodes. */
export interface RecordingProxy {
  readonly url: string
  /** Everything that went through, both ways. */
  readonly seen: Uint8Array[]
  /** Where calls go to. */
  target: string
  /** Called before each call goes on; null: the connection is cut instead. May answer with other bytes to send on. */
  before: (body: Uint8Array, path: string) => Promise<Uint8Array | null>
  /** Called when a call was answered, before its answer goes back; false: the connection is cut instead. */
  after: (path: string) => Promise<boolean>
  close(): Promise<void>
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return new Uint8Array(Buffer.concat(parts))
}

/** Starts one on a free port; set `target` before it is used. */
export async function recordingProxy(): Promise<RecordingProxy> {
  const seen: Uint8Array[] = []
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const path = request.url ?? '/'
      const given = await bodyOf(request)
      seen.push(new TextEncoder().encode(path), given)
      const body = await proxy.before(given, path)
      if (body === null) {
        response.destroy()
        return
      }
      const answer = await fetch(`${proxy.target}${path}`, {
        method: request.method ?? 'GET',
        ...(request.method === 'POST' ? { body: body as Uint8Array<ArrayBuffer> } : {}),
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
      })
      const bytes = new Uint8Array(await answer.arrayBuffer())
      seen.push(bytes)
      if (!(await proxy.after(path))) {
        response.destroy()
        return
      }
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'application/octet-stream',
      })
      response.end(bytes)
    }
    pass().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    target: '',
    before: async (body) => body,
    after: async () => true,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return proxy
}
