import { sha256Digest } from '@sealpool/crypto'
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
  options: { readonly corruptible: boolean },
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
      await expect(store.get(locator, { signal: AbortSignal.abort() })).rejects.toThrow()
    })
  })
}
