import { type Digest, sha256Digest } from '@sealpool/crypto'
import { BlobStoreError } from './blob-store-error.js'

/** Refuses more than `limit` bytes. @throws BlobStoreError `BLOB_TOO_LARGE` */
export function requireSize(size: number, limit: number, place: string): void {
  if (size > limit) {
    throw new BlobStoreError(
      'BLOB_TOO_LARGE',
      place,
      `${size} bytes are more than the limit of ${limit}; split the export or raise the limit`,
    )
  }
}

/** Returns the bytes when they are what their name says. @throws BlobStoreError `BLOB_DIGEST_MISMATCH` */
export function requireDigest(bytes: Uint8Array, digest: Digest): Uint8Array {
  if (sha256Digest(bytes) !== digest) {
    throw new BlobStoreError(
      'BLOB_DIGEST_MISMATCH',
      digest,
      'the stored bytes have another digest (truncated or altered); upload the blob again from its source',
    )
  }
  return bytes
}

/** The error for a blob that is not there. */
export function missing(digest: Digest): BlobStoreError {
  return new BlobStoreError('BLOB_MISSING', digest, 'the store has no such blob; upload it again')
}
