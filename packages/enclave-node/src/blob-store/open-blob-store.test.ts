import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Digest } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseNodeConfig } from '../config/node-config.js'
import { settingsWith } from '../testing/settings.js'
import { isReplicated, openBlobStore } from './open-blob-store.js'

/** A server that keeps what is put under a path, and notes what it was asked. */
const kept = new Map<string, Buffer>()
const seen: { readonly method: string; readonly path: string; readonly authorization: string }[] = []
let server: Server
let url: string
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    seen.push({ method, path, authorization: headers.authorization ?? '' })
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    if (method === 'PUT') kept.set(path, Buffer.concat(parts))
    const body = kept.get(path)
    response.statusCode = method === 'PUT' || body !== undefined ? 200 : 404
    response.end(method === 'GET' ? body : undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const bytes = new TextEncoder().encode('sealed bytes')
const digest = sha256Digest(bytes)
const s3 = { accessKeyId: 'AKEXAMPLE', secretAccessKey: 'my-secret' }
const open = (blobStore: object, secrets: { readonly s3: typeof s3 | null } = { s3: null }) =>
  openBlobStore(parseNodeConfig(settingsWith({ blobStore })), secrets)

describe('the blob store of the settings', () => {
  it('is an S3 bucket, with keys that come from the secrets and travel as signatures', async () => {
    const store = open(
      { kind: 's3', endpoint: url, bucket: 'pool-blobs', region: 'eu-central-1', prefix: 'a/' },
      { s3 },
    )
    expect(store.name).toBe('s3')
    const { locator } = await store.put(bytes)
    expect(locator).toBe(digest)
    expect(await store.get(locator)).toEqual(bytes)
    const put = seen.find(({ method }) => method === 'PUT')
    expect(put?.path).toBe(`/pool-blobs/a/${digest.slice(7)}`)
    expect(put?.authorization).toContain('AKEXAMPLE/')
    expect(JSON.stringify(seen)).not.toContain('my-secret')
    kept.set(put?.path ?? '', Buffer.from('other'))
    await expect(store.get(locator)).rejects.toMatchObject({ code: 'BLOB_DIGEST_MISMATCH' })
  })

  it('of S3 without keys is refused, and told how to give them', () => {
    expect(() => open({ kind: 's3', endpoint: url, bucket: 'pool-blobs', region: 'x' })).toThrow(
      expect.objectContaining({ code: 'SECRET_MISSING', place: 'AWS_ACCESS_KEY_ID' }),
    )
  })

  it('is a Kubo node', async () => {
    const store = open({ kind: 'ipfs', url, folder: '/pool' })
    expect(store.name).toBe('ipfs')
    await expect(store.get(digest)).rejects.toMatchObject({ code: expect.stringMatching(/^BLOB_/) })
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      path: expect.stringMatching(/^\/api\/v0\/files\/stat\?arg=%2Fpool%2F/),
    })
  })

  it('is several stores, of which one that loses a blob is passed over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealpool-replicas-'))
    try {
      const store = open(
        {
          kind: 'replicated',
          stores: [
            { kind: 's3', endpoint: url, bucket: 'first', region: 'x' },
            { kind: 'files', directory: folder },
          ],
        },
        { s3 },
      )
      expect(store.name).toBe('replicated')
      if (!isReplicated(store)) throw new Error('a replicated store has audits')
      const { locator } = await store.put(bytes)
      kept.delete(`/first/${digest.slice(7)}`)
      expect(await store.get(locator)).toEqual(bytes)
      expect(await store.audit(locator)).toEqual(['repaired', 'good'])
      expect(kept.get(`/first/${digest.slice(7)}`)).toEqual(Buffer.from(bytes))
      expect(isReplicated(open({ kind: 'files', directory: folder }))).toBe(false)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('of several of which one is S3 is refused without keys', () => {
    const stores = [
      { kind: 'files', directory: '/nowhere' },
      { kind: 's3', endpoint: url, bucket: 'b', region: 'x' },
    ]
    expect(() => open({ kind: 'replicated', stores })).toThrow(
      expect.objectContaining({ code: 'SECRET_MISSING' }),
    )
  })

  it.each([
    ['replicated in one store', { kind: 'replicated', stores: [{ kind: 'files', directory: '/a' }] }],
    [
      'replicated twice in one store',
      {
        kind: 'replicated',
        stores: [
          { kind: 'files', directory: '/a' },
          { directory: '/a', kind: 'files' },
        ],
      },
    ],
    [
      'replicated in stores that are replicated',
      {
        kind: 'replicated',
        stores: [
          { kind: 'files', directory: '/a' },
          { kind: 'replicated', stores: [] },
        ],
      },
    ],
    [
      'never audited',
      {
        kind: 'replicated',
        auditHours: 0,
        stores: [
          { kind: 'files', directory: '/a' },
          { kind: 'files', directory: '/b' },
        ],
      },
    ],
    ['s3 without a bucket', { kind: 's3', endpoint: 'http://127.0.0.1', region: 'x' }],
    [
      's3 with its keys in the settings',
      { kind: 's3', endpoint: 'http://127.0.0.1', bucket: 'b', region: 'x', ...s3 },
    ],
    ['ipfs without an address', { kind: 'ipfs' }],
    ['a kind that there is not', { kind: 'ftp', url: 'http://127.0.0.1' }],
  ])('cannot be %s', (_, blobStore) => {
    expect(() => open(blobStore, { s3 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
