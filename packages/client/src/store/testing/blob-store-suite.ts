import {
  deriveKeyPair,
  digestOf,
  hpkeIdentity,
  hpkeRecipient,
  openRange,
  platformRandom,
  type RangeSource,
  sealBytes,
  sha256Digest,
} from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { BlobStore } from '../blob-store.js'
import { BlobStoreError, type BlobStoreErrorCode } from '../blob-store-error.js'

/** A store under test; `corrupt` where what it holds can be harmed behind its back. */
export interface BlobStoreFixture {
  readonly store: BlobStore
  /** Replaces the stored bytes of a blob. */
  readonly corrupt?: (hex: string, bytes: Uint8Array) => Promise<void>
}

/** The promises that every adapter of the `BlobStore` port keeps. */
export function blobStoreSuite(
  name: string,
  open: (options: { readonly maximumBytes: number }) => Promise<BlobStoreFixture>,
  options: { readonly corruptible: boolean /** Default: true. */; readonly ranges?: boolean },
): void {
  const bytes = new TextEncoder().encode('sealed bytes')
  const refusal = async (work: Promise<unknown>): Promise<BlobStoreErrorCode | undefined> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(BlobStoreError)
    return error instanceof BlobStoreError ? error.code : undefined
  }

  describe(`${name} blob store`, () => {
    it('gives back what it was given, under the SHA-256 digest of the bytes', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const stored = await store.put(bytes)
      expect(stored).toEqual({ locator: sha256Digest(bytes), digest: sha256Digest(bytes) })
      expect(await store.get(stored.locator)).toEqual(bytes)
    })

    it('takes the same bytes twice and the empty blob', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const first = await store.put(bytes)
      expect(await store.put(bytes)).toEqual(first)
      const empty = await store.put(new Uint8Array(0))
      expect(await store.get(empty.locator)).toEqual(new Uint8Array(0))
    })

    it('does not see later changes of the bytes that it was given or gave', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const mine = bytes.slice()
      const { locator } = await store.put(mine)
      mine[0] = 0
      const given = await store.get(locator)
      given[1] = 0
      expect(await store.get(locator)).toEqual(bytes)
    })

    it('takes many blobs at once', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const all = Array.from({ length: 40 }, (_, index) => new Uint8Array([index, index + 1]))
      const stored = await Promise.all(all.map((one) => store.put(one)))
      expect(await Promise.all(stored.map((one) => store.get(one.locator)))).toEqual(all)
    })

    it('has no blob any more that it was told to remove, takes it again, and leaves others alone', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const other = await store.put(new Uint8Array([1, 2, 3]))
      const { locator } = await store.put(bytes)
      await store.remove(locator)
      expect(await refusal(store.get(locator))).toBe('BLOB_MISSING')
      expect(await refusal(store.getRange(locator, { start: 0, length: 1 }))).toBe('BLOB_MISSING')
      await store.remove(locator)
      await store.remove(`sha256:${'0'.repeat(64)}`)
      expect(await store.get(other.locator)).toEqual(new Uint8Array([1, 2, 3]))
      expect(await store.put(bytes)).toMatchObject({ locator })
      expect(await store.get(locator)).toEqual(bytes)
    })

    it('removes nothing under a name that is no locator, or when it was cancelled before', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const { locator } = await store.put(bytes)
      expect(await refusal(store.remove('../etc/passwd'))).toBe('BLOB_LOCATOR_INVALID')
      const reason = new Error('enough')
      await expect(store.remove(locator, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await store.get(locator)).toEqual(bytes)
    })

    it('says that a blob is missing', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      expect(await refusal(store.get(`sha256:${'0'.repeat(64)}`))).toBe('BLOB_MISSING')
    })

    it.each([
      '../../../etc/passwd',
      `sha256:${'../'.repeat(21)}a`,
      `sha256:${'A'.repeat(64)}`,
      `sha256:${'0'.repeat(63)}`,
      `sha256:${'0'.repeat(64)}\n`,
      'http://127.0.0.1/x',
      '',
    ])('refuses the locator %j', async (locator) => {
      const { store } = await open({ maximumBytes: 1000 })
      expect(await refusal(store.get(locator))).toBe('BLOB_LOCATOR_INVALID')
    })

    it('refuses more than its limit on the way in and more than the caller asks for on the way out', async () => {
      const { store } = await open({ maximumBytes: 12 })
      expect(await refusal(store.put(new Uint8Array(13)))).toBe('BLOB_TOO_LARGE')
      const { locator } = await store.put(bytes)
      expect(await refusal(store.get(locator, { maximumBytes: 11 }))).toBe('BLOB_TOO_LARGE')
      expect(await store.get(locator, { maximumBytes: 12 })).toEqual(bytes)
    })

    it.runIf(options.corruptible)('refuses altered, truncated and swollen bytes', async () => {
      const { store, corrupt } = await open({ maximumBytes: 1000 })
      if (corrupt === undefined)
        throw new Error('the fixture of a corruptible store must be able to corrupt it')
      const { locator } = await store.put(bytes)
      const hex = locator.slice('sha256:'.length)
      await corrupt(hex, bytes.slice(0, 5))
      expect(await refusal(store.get(locator))).toBe('BLOB_DIGEST_MISMATCH')
      await corrupt(hex, Uint8Array.from([...bytes.slice(0, -1), 0]))
      expect(await refusal(store.get(locator))).toBe('BLOB_DIGEST_MISMATCH')
      await corrupt(hex, new Uint8Array(1001))
      expect(await refusal(store.get(locator))).toBe('BLOB_TOO_LARGE')
      await store.put(bytes)
      expect(await store.get(locator)).toEqual(bytes)
    })

    it('stops when it is told to', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const { locator } = await store.put(bytes)
      const reason = new Error('no longer wanted')
      const signal = AbortSignal.abort(reason)
      await expect(store.get(locator, { signal })).rejects.toBe(reason)
      await expect(store.getRange(locator, { start: 0, length: 1, signal })).rejects.toBe(reason)
      const other = new Uint8Array([9, 9])
      await expect(store.put(other, { signal })).rejects.toBe(reason)
      expect(await refusal(store.get(sha256Digest(other)))).toBe('BLOB_MISSING')
    })

    it.each([
      [0, 12, 'sealed bytes'],
      [7, 5, 'bytes'],
      [7, 500, 'bytes'],
      [11, 1, 's'],
      [12, 1, ''],
      [500, 5, ''],
      [3, 0, ''],
    ])('gives the part from %i of at most %i bytes', async (start, length, text) => {
      const { store } = await open({ maximumBytes: 1000 })
      const { locator } = await store.put(bytes)
      expect(new TextDecoder().decode(await store.getRange(locator, { start, length }))).toBe(text)
    })

    it('refuses parts that cannot be, parts of what is missing, and parts above its limit', async () => {
      const { store } = await open({ maximumBytes: 1000 })
      const { locator } = await store.put(bytes)
      for (const [start, length] of [
        [-1, 2],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
        [Number.MAX_SAFE_INTEGER, 2],
      ] as const) {
        expect(await refusal(store.getRange(locator, { start, length }))).toBe('BLOB_RANGE_INVALID')
      }
      expect(await refusal(store.getRange(locator, { start: 0, length: 1001 }))).toBe('BLOB_TOO_LARGE')
      const missing = `sha256:${'0'.repeat(64)}`
      expect(await refusal(store.getRange(missing, { start: 0, length: 0 }))).toBe('BLOB_MISSING')
      expect(await refusal(store.getRange(missing, { start: 3, length: 2 }))).toBe('BLOB_MISSING')
      expect(await refusal(store.getRange('x', { start: 3, length: 2 }))).toBe('BLOB_LOCATOR_INVALID')
    })

    it('opens any part of a sealed file without fetching the rest', async () => {
      const { store } = await open({ maximumBytes: 400_000 })
      const key = deriveKeyPair(new Uint8Array(32).fill(3))
      const plaintext = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251)
      const context = {
        chainId: 1,
        pool: `0x${'ab'.repeat(20)}`,
        policyDigest: digestOf('policy'),
        epoch: 1,
        mediaType: 'application/octet-stream',
      } as const
      const sealed = await sealBytes(plaintext, {
        recipients: [hpkeRecipient({ publicKey: key.publicKey })],
        context,
        chunkSize: 65_536,
        random: platformRandom,
      })
      const { locator } = await store.put(sealed)
      let fetched = 0
      const source: RangeSource = {
        size: sealed.length,
        read: async (start, length) => {
          const part = await store.getRange(locator, { start, length })
          fetched += part.length
          return part
        },
      }
      const identities = [hpkeIdentity({ privateKey: key.privateKey })]
      const part = await openRange({ source, identities, start: 200_000, end: 200_010 })
      expect(part.plaintext).toEqual(plaintext.slice(200_000, 200_010))
      if (options.ranges !== false) expect(fetched).toBeLessThan(150_000)
    })
  })
}
