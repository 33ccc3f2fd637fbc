import { type BlobStore, BlobStoreError, parseOwnLocation } from '@sealpool/client'
import type { ServedPool } from '../ingest/served-pool.js'
import type { OwnCopies } from './own-copies.js'

/** Where sealed files of contributions can be. */
export interface CopySources {
  readonly blobStore: BlobStore
  readonly ownCopies: OwnCopies
}

/**
 * Reads a pool's sealed files as the pool keeps them: a live pool's from their owners' stores alone, wherever else copies may lie; others from
 * the node's blob store first, which gets what an owner's store gives where `keeping` says so.
 * @returns what reads them, as a blob store would
 */
export function copiesOf(
  { blobStore, ownCopies }: CopySources,
  { keep }: Pick<ServedPool, 'keep'>,
  { keeping = false }: { readonly keeping?: boolean } = {},
): Pick<BlobStore, 'get'> {
  return {
    async get(locator, options = {}) {
      const own = parseOwnLocation(locator)
      if (own === undefined) {
        if (keep === 'escrow') return blobStore.get(locator, options)
        throw new BlobStoreError(
          'BLOB_LOCATOR_INVALID',
          'locator',
          'a live pool reads from its owners’ stores alone',
        )
      }
      const limit = { maximumBytes: options.maximumBytes ?? Number.POSITIVE_INFINITY }
      if (keep === 'live') return ownCopies.get(own, limit)
      try {
        return await blobStore.get(own.digest, options)
      } catch (error) {
        if (!(error instanceof BlobStoreError) || !absent.includes(error.code)) throw error
      }
      const bytes = await ownCopies.get(own, limit)
      if (keeping) await blobStore.put(bytes)
      return bytes
    },
  }
}

/** The blob store has no whole copy. */
const absent: readonly BlobStoreError['code'][] = ['BLOB_MISSING', 'BLOB_DIGEST_MISMATCH']
