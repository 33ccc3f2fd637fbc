import { type Digest, sha256Digest } from '@sealpool/crypto'
import { missing, requireDigest, requireSize } from './blob-check.js'
import {
  type BlobReadOptions,
  type BlobStore,
  defaultMaximumBlobBytes,
  parseBlobLocator,
  requireRange,
} from './blob-store.js'

/**
 * A blob store that forgets everything with the process; for tests and for single-process experiments.
 * @param options `maximumBytes`: largest blob
 * @returns the store
 */
export function memoryBlobStore(options: { readonly maximumBytes?: number } = {}): BlobStore {
  const limit = options.maximumBytes ?? defaultMaximumBlobBytes
  const blobs = new Map<Digest, Uint8Array>()
  return {
    name: 'memory',
    async put(bytes, write = {}) {
      write.signal?.throwIfAborted()
      requireSize(bytes.length, limit, 'put')
      const digest = sha256Digest(bytes)
      blobs.set(digest, bytes.slice())
      return { locator: digest, digest }
    },
    async get(locator: string, read: BlobReadOptions = {}) {
      const { digest } = parseBlobLocator(locator)
      read.signal?.throwIfAborted()
      const bytes = blobs.get(digest)
      if (bytes === undefined) throw missing(digest)
      requireSize(bytes.length, Math.min(limit, read.maximumBytes ?? limit), digest)
      return requireDigest(bytes.slice(), digest)
    },
    async getRange(locator, range) {
      const { digest } = parseBlobLocator(locator)
      requireRange(range, limit)
      range.signal?.throwIfAborted()
      const bytes = blobs.get(digest)
      if (bytes === undefined) throw missing(digest)
      return bytes.slice(range.start, range.start + range.length)
    },
    async remove(locator, write = {}) {
      const { digest } = parseBlobLocator(locator)
      write.signal?.throwIfAborted()
      blobs.delete(digest)
    },
  }
}
