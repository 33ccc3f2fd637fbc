import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { fileBlobStore } from './file-store.js'
import { httpBlobStore } from './http-store.js'
import { memoryBlobStore } from './memory-store.js'
import { blobStoreSuite } from './testing/blob-store-suite.js'
import { localServers, objectServer } from './testing/local-server.js'

const folders: string[] = []
const servers = localServers()
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-store-'))
  folders.push(path)
  return path
}
afterAll(async () => {
  await servers.close()
  await Promise.all(folders.map((path) => rm(path, { recursive: true, force: true })))
})

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
    const blobs = new Map<string, Uint8Array>()
    const url = await servers.serve(objectServer(blobs))
    return {
      store: httpBlobStore({ url: `${url}/blobs/`, ...options }),
      corrupt: async (hex, bytes) => {
        blobs.set(hex, bytes)
      },
    }
  },
  { corruptible: true },
)

blobStoreSuite(
  'http without ranges',
  async (options) => {
    const url = await servers.serve(objectServer(new Map(), { ranges: false }))
    return { store: httpBlobStore({ url, ...options }) }
  },
  { corruptible: false, ranges: false },
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
