import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { fileBlobStore } from './file-store.js'
import { httpBlobStore } from './http-store.js'
import { memoryBlobStore } from './memory-store.js'
import { blobStoreSuite } from './testing/blob-store-suite.js'

const folders: string[] = []
const servers: Server[] = []
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-store-'))
  folders.push(path)
  return path
}
afterAll(async () => {
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })))
})

async function serve(handle: Parameters<typeof createServer>[1] & {}): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}/blobs/`
}

async function objectServer(): Promise<{ url: string; blobs: Map<string, Uint8Array> }> {
  const blobs = new Map<string, Uint8Array>()
  const url = await serve((request, response) => {
    const key = (request.url ?? '').replace('/blobs/', '')
    if (request.method === 'PUT') {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        blobs.set(key, new Uint8Array(Buffer.concat(parts)))
        response.writeHead(201).end()
      })
      return
    }
    const bytes = blobs.get(key)
    if (bytes === undefined) response.writeHead(404).end()
    else response.writeHead(200).end(bytes)
  })
  return { url, blobs }
}

blobStoreSuite('memory', async (options) => ({ store: memoryBlobStore(options) }), { corruptible: false })

blobStoreSuite(
  'file',
  async (options) => {
    const directory = await folder()
    return {
      store: fileBlobStore({ directory, ...options }),
      corrupt: (hex, bytes) => writeFile(join(directory, hex.slice(0, 2), hex), bytes),
    }
  },
  { corruptible: true },
)

blobStoreSuite(
  'http',
  async (options) => {
    const { url, blobs } = await objectServer()
    return {
      store: httpBlobStore({ url, ...options }),
      corrupt: async (hex, bytes) => {
        blobs.set(hex, bytes)
      },
    }
  },
  { corruptible: true },
)

describe('file blob store on disk', () => {
  it('leaves no temporary file behind and keeps files private to their owner', async () => {
    const directory = await folder()
    const { digest } = await fileBlobStore({ directory }).put(new Uint8Array([1]))
    const inside = await readdir(directory, { recursive: true })
    const hex = digest.slice(7)
    expect(inside.sort()).toEqual([hex.slice(0, 2), join(hex.slice(0, 2), hex)].sort())
  })

  it('replaces a planted link by the blob instead of writing through it', async () => {
    const directory = await folder()
    const victim = join(directory, 'victim')
    await writeFile(victim, 'untouched')
    const store = fileBlobStore({ directory })
    const bytes = new Uint8Array([7, 7])
    const hex = sha256Digest(bytes).slice(7)
    await store.put(new Uint8Array([0]))
    await mkdir(join(directory, hex.slice(0, 2)), { recursive: true })
    await symlink(victim, join(directory, hex.slice(0, 2), hex))
    await store.put(bytes)
    expect(await readFile(victim, 'utf8')).toBe('untouched')
    expect(await store.get(`sha256:${hex}`)).toEqual(bytes)
  })

  it.skipIf(process.getuid?.() === 0)('names a folder that it may not write', async () => {
    const directory = await folder()
    await chmod(directory, 0o500)
    await expect(fileBlobStore({ directory }).put(new Uint8Array([1]))).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
    })
  })
})

describe('http blob store against a hostile server', () => {
  const locator = sha256Digest(new Uint8Array([1]))

  it('gives up on a server that never answers', async () => {
    const url = await serve(() => undefined)
    await expect(httpBlobStore({ url, timeoutMs: 100 }).get(locator)).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
    })
  })

  it('stops reading an endless answer at its limit', async () => {
    let sent = 0
    const url = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    await expect(httpBlobStore({ url, maximumBytes: 100_000 }).get(locator)).rejects.toMatchObject({
      code: 'BLOB_TOO_LARGE',
    })
    expect(sent).toBeLessThan(50_000_000)
  })

  it('follows no redirect', async () => {
    const { url: inner } = await objectServer()
    const url = await serve((request, response) => {
      response.writeHead(302, { location: `${inner}${(request.url ?? '').slice(7)}` }).end()
    })
    await httpBlobStore({ url: inner }).put(new Uint8Array([1]))
    await expect(httpBlobStore({ url }).get(locator)).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
  })

  it('tells a failing server from a missing blob', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(503).end('busy')
    })
    await expect(httpBlobStore({ url }).get(locator)).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
    await expect(httpBlobStore({ url }).put(new Uint8Array([1]))).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
    })
  })

  it('accepts no address but http and https', () => {
    expect(() => httpBlobStore({ url: 'file:///etc' })).toThrow('http or https')
  })
})
