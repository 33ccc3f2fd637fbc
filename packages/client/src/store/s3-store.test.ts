import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3BlobStoreOptions, s3BlobStore } from './s3-store.js'
import { blobStoreSuite } from './testing/blob-store-suite.js'
import { localServers } from './testing/local-server.js'
import { signatureGate } from './testing/signature-gate.js'

/*
 * S3's API as another implementation speaks it (s3rver). It does not check signatures of version 4, so a gate of the test's
 * own stands before it that does.
 */

const bucket = 'sealed-blobs'
const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
let directory: string
let server: S3rver
let endpoint: string
const servers = localServers()

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealpool-s3-'))
  server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    serviceEndpoint: 'localhost',
    vhostBuckets: true,
    configureBuckets: [{ name: bucket, configs: [] }],
  })
  const { port } = await server.run()
  endpoint = await servers.serve(signatureGate({ port, secrets: { S3RVER: 'S3RVER' } }))
})
afterAll(async () => {
  await servers.close()
  await server.close()
  await rm(directory, { recursive: true, force: true })
})

const open = (options: Partial<S3BlobStoreOptions> = {}) =>
  s3BlobStore({ endpoint, bucket, region: 'us-east-1', credentials, retryDelayMs: 1, ...options })

blobStoreSuite(
  's3',
  async (options) => ({
    store: open({ ...options, prefix: 'pool/pay/' }),
    corrupt: (hex, bytes) => writeFile(join(directory, bucket, `pool/pay/${hex}._S3rver_object`), bytes),
  }),
  { corruptible: true },
)

describe('s3 blob store', () => {
  const bytes = new Uint8Array([1, 2, 3])

  it('keeps the bytes under prefix and digest, as they are', async () => {
    const { digest } = await open({ prefix: 'a/' }).put(bytes)
    const file = join(directory, bucket, 'a', `${digest.slice(7)}._S3rver_object`)
    // The server answers before its file is whole on the disk.
    await expect.poll(async () => new Uint8Array(await readFile(file))).toEqual(bytes)
  })

  it('asks for credentials before every request', async () => {
    let asked = 0
    const store = open({
      credentials: () => {
        asked += 1
        return credentials
      },
    })
    const { locator } = await store.put(bytes)
    expect(await store.get(locator)).toEqual(bytes)
    expect(asked).toBe(2)
  })

  it.each([
    ['a wrong secret', { credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'hunter2-wrong' } }],
    ['an unknown key', { credentials: { accessKeyId: 'NOBODY', secretAccessKey: 'hunter2-wrong' } }],
    ['a clock that is a day off', { now: () => new Date(Date.now() - 86_400_000) }],
    ['a bucket that is not there', { bucket: 'no-such-bucket' }],
  ] as const)('is refused with %s, without a word of the secret', async (_name, change) => {
    const error = await open(change)
      .put(bytes)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toMatchObject({ name: 'BlobStoreError', code: 'BLOB_STORE_FAILED' })
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter2')
  })

  it('puts the bucket into the host name when told to', async () => {
    const seen: string[] = []
    const store = open({
      endpoint: 'https://s3.example.org',
      virtualHost: true,
      prefix: 'p/',
      fetch: async (url) => {
        seen.push(String(url))
        return new Response(null, { status: 200 })
      },
    })
    const { digest } = await store.put(bytes)
    expect(seen).toEqual([`https://${bucket}.s3.example.org/p/${digest.slice(7)}`])
  })

  it.each([
    { endpoint: 'file:///etc' },
    { endpoint: 'http://user:secret@127.0.0.1' },
    { bucket: '../other' },
    { bucket: 'UPPER' },
    { bucket: 'a' },
    { region: 'a/b' },
    { region: '' },
    { prefix: '../' },
    { prefix: 'a/./b' },
    { prefix: '/a' },
    { prefix: 'a?b' },
    { attempts: 0 },
    { timeoutMs: 0.5 },
    { retryDelayMs: -1 },
  ])('refuses the options %j at once', (change) => {
    expect(() => open(change)).toThrow(expect.objectContaining({ code: 'BLOB_STORE_FAILED' }))
  })
})
