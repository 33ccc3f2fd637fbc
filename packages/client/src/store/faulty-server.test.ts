import type { RequestListener } from 'node:http'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import type { BlobStore } from './blob-store.js'
import { httpBlobStore } from './http-store.js'
import { ipfsBlobStore } from './ipfs-store.js'
import { s3BlobStore } from './s3-store.js'
import { fakeKubo } from './testing/fake-kubo.js'
import { localServers, objectServer } from './testing/local-server.js'
import type { TransportOptions } from './transport.js'

/* Every adapter that talks HTTP, against servers that are slow, broken, lying or endless. */

const servers = localServers()
afterAll(() => servers.close())

type Limits = TransportOptions & { readonly maximumBytes?: number }
const adapters: Record<string, (url: string, limits?: Limits) => BlobStore> = {
  http: (url, limits) => httpBlobStore({ url, retryDelayMs: 1, ...limits }),
  s3: (endpoint, limits) =>
    s3BlobStore({
      endpoint,
      bucket: 'blobs',
      region: 'us-east-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      retryDelayMs: 1,
      ...limits,
    }),
  ipfs: (url, limits) => ipfsBlobStore({ url, retryDelayMs: 1, ...limits }),
}
const healthy = (name: string, blobs = new Map<string, Uint8Array>()): RequestListener =>
  name === 'ipfs' ? fakeKubo().handle : objectServer(blobs)
const bytes = new Uint8Array([5, 6, 7, 8])
const locator = sha256Digest(bytes)
const isFailed = { name: 'BlobStoreError', code: 'BLOB_STORE_FAILED' }
const all = (store: BlobStore) => [
  () => store.put(bytes),
  () => store.get(locator),
  () => store.getRange(locator, { start: 1, length: 2 }),
  () => store.remove(locator),
]

describe.each(Object.entries(adapters))('%s', (name, open) => {
  it('gives up on a server that never answers', async () => {
    const url = await servers.serve(() => undefined)
    for (const work of all(open(url, { timeoutMs: 40, attempts: 2 })))
      await expect(work()).rejects.toMatchObject(isFailed)
  })

  it('gives up on a body that never ends its first byte', async () => {
    const url = await servers.serve((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-length': 4 }).write('x')
    })
    await expect(open(url, { timeoutMs: 40, attempts: 2 }).get(locator)).rejects.toMatchObject(isFailed)
  })

  it.each([403, 405])('does not take %i for a removal', async (status) => {
    const url = await servers.serve((request, response) => {
      request.resume()
      response.writeHead(status).end()
    })
    await expect(open(url).remove(locator)).rejects.toMatchObject(isFailed)
  })

  it('is through when the server was busy twice, whatever it was asked', async () => {
    const inner = healthy(name)
    let asked = 0
    const url = await servers.serve((request, response) => {
      asked += 1
      if (asked % 3 === 0) return inner(request, response)
      request.resume()
      response.writeHead(asked % 3 === 1 ? 503 : 429).end('busy')
    })
    const store = open(url)
    await store.put(bytes)
    expect(await store.get(locator)).toEqual(bytes)
    expect(await store.getRange(locator, { start: 1, length: 2 })).toEqual(bytes.slice(1, 3))
  })

  it('is through when the connection broke in the middle of an answer', async () => {
    const inner = healthy(name)
    const store = open(await servers.serve(inner))
    await store.put(bytes)
    let asked = 0
    const url = await servers.serve((request, response) => {
      asked += 1
      if (asked % 2 === 0) return inner(request, response)
      request.resume()
      response.writeHead(200, { 'content-length': 400 })
      response.write('{', () => response.destroy())
    })
    const again = open(url)
    expect(await again.get(locator)).toEqual(bytes)
    await again.put(bytes)
    expect(await again.getRange(locator, { start: 1, length: 2 })).toEqual(bytes.slice(1, 3))
  })

  it('stops trying after as many times as it was told', async () => {
    let asked = 0
    const url = await servers.serve((request, response) => {
      asked += 1
      request.resume()
      response.writeHead(503).end()
    })
    await expect(open(url, { attempts: 4 }).get(locator)).rejects.toMatchObject(isFailed)
    expect(asked).toBe(4)
  })

  it('does not try again what is forbidden', async () => {
    let asked = 0
    const url = await servers.serve((request, response) => {
      asked += 1
      request.resume()
      response.writeHead(403).end('no')
    })
    for (const work of all(open(url))) await expect(work()).rejects.toMatchObject(isFailed)
    expect(asked).toBe(4)
  })

  it('follows no redirect', async () => {
    const seen: string[] = []
    const target = await servers.serve((request, response) => {
      seen.push(request.url ?? '')
      healthy(name)(request, response)
    })
    const url = await servers.serve((request, response) => {
      request.resume()
      response.writeHead(307, { location: `${target}${request.url}` }).end()
    })
    for (const work of all(open(url))) await expect(work()).rejects.toMatchObject(isFailed)
    expect(seen).toEqual([])
  })

  it('stops at once when it is told to, with the reason that it was given', async () => {
    const url = await servers.serve(() => undefined)
    const store = open(url)
    for (const work of [
      (signal: AbortSignal) => store.put(bytes, { signal }),
      (signal: AbortSignal) => store.get(locator, { signal }),
      (signal: AbortSignal) => store.getRange(locator, { start: 0, length: 1, signal }),
    ]) {
      const control = new AbortController()
      const reason = new Error('the page was left')
      const answer = work(control.signal)
      setTimeout(() => control.abort(reason), 5)
      await expect(answer).rejects.toBe(reason)
    }
  })

  it('stops while it waits for the next try', async () => {
    let asked = 0
    const control = new AbortController()
    const url = await servers.serve((request, response) => {
      asked += 1
      request.resume()
      response.writeHead(503).end()
      setTimeout(() => control.abort(new Error('enough')), 5)
    })
    const store = open(url, { retryDelayMs: 60_000 })
    await expect(store.get(locator, { signal: control.signal })).rejects.toThrow('enough')
    expect(asked).toBe(1)
  })

  it('is not misled by a server that closes at once', async () => {
    const url = await servers.serve((request) => request.socket.destroy())
    for (const work of all(open(url))) await expect(work()).rejects.toMatchObject(isFailed)
  })
})

describe.each(['http', 's3'] as const)('%s, objects', (name) => {
  const open = adapters[name] ?? adapters['http']
  if (open === undefined) throw new Error('no adapter')

  it('stops reading an endless answer at its limit', async () => {
    let sent = 0
    const url = await servers.serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    await expect(open(url, { maximumBytes: 100_000 }).get(locator)).rejects.toMatchObject({
      code: 'BLOB_TOO_LARGE',
    })
    expect(sent).toBeLessThan(50_000_000)
  })

  it('refuses an announced giant before it reads', async () => {
    const url = await servers.serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1e12 }).flushHeaders()
    })
    await expect(open(url, { maximumBytes: 1000, timeoutMs: 20_000 }).get(locator)).rejects.toMatchObject({
      code: 'BLOB_TOO_LARGE',
    })
  })

  it.each([
    ['another start', 206, 'bytes 0-1/4', 'xy'],
    ['more than was asked for', 206, 'bytes 1-3/4', 'xyz'],
    ['less than is there', 206, 'bytes 1-1/4', 'x'],
    ['more bytes than it says', 206, 'bytes 1-2/4', 'xyz'],
    ['fewer bytes than it says', 206, 'bytes 1-2/4', 'x'],
    ['a range that it does not name', 206, undefined, 'xy'],
    ['more of an unknown whole', 206, 'bytes 1-3/*', 'xyz'],
    ['nothing at all', 204, undefined, ''],
  ])('refuses a range answer with %s', async (_name, status, range, text) => {
    const url = await servers.serve((_request, response) => {
      response.writeHead(status, range === undefined ? {} : { 'content-range': range }).end(text)
    })
    await expect(open(url).getRange(locator, { start: 1, length: 2 })).rejects.toMatchObject(isFailed)
  })

  it('refuses a part where the whole was asked for', async () => {
    const url = await servers.serve((_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/9' }).end(bytes)
    })
    await expect(open(url).get(locator)).rejects.toMatchObject(isFailed)
  })

  it('checks the whole when a server without ranges sends it', async () => {
    const url = await servers.serve((_request, response) => response.writeHead(200).end('lies'))
    await expect(open(url).getRange(locator, { start: 1, length: 2 })).rejects.toMatchObject({
      code: 'BLOB_DIGEST_MISMATCH',
    })
  })

  it.each([404, 410])('says that a blob is missing at %i', async (status) => {
    const url = await servers.serve((_request, response) => response.writeHead(status).end())
    await expect(open(url).get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  })

  it('sends the bytes as they were when put was called, also on a second try', async () => {
    const blobs = new Map<string, Uint8Array>()
    const inner = objectServer(blobs)
    let asked = 0
    const url = await servers.serve((request, response) => {
      asked += 1
      if (asked > 1) return inner(request, response)
      request.resume()
      response.writeHead(500).end()
    })
    const mine = bytes.slice()
    const put = open(url).put(mine)
    mine.fill(0)
    await put
    expect(blobs.get(locator.slice(7))).toEqual(bytes)
  })
})

it('an address may hold no user, password, query or fragment', () => {
  for (const url of ['file:///etc', 'http://a:b@h', 'http://h?x=1', 'http://h#x', 'no address']) {
    expect(() => httpBlobStore({ url })).toThrow(expect.objectContaining(isFailed))
  }
})
