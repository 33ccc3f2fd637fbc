/**
 * The port through which sealed bytes come and go. A blob is named by nothing but its SHA-256 digest, so that the
 * same locator works in every adapter and no locator can ever name a path, a host or a query of the caller's choice.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { requireSize } from './blob-check.js'
import { BlobStoreError } from './blob-store-error.js'

/** Limits and cancellation of one read. */
export interface BlobReadOptions {
  /** Largest accepted size in bytes; the store's own limit applies when absent. */
  readonly maximumBytes?: number
  /** Cancels the read. */
  readonly signal?: AbortSignal | undefined
}

/** Cancellation of one write or removal. */
export interface BlobWriteOptions {
  /** Cancels the write; a blob that was half written is not there, or is found out by its digest. */
  readonly signal?: AbortSignal | undefined
}

/** A part of a blob. */
export interface BlobRange {
  /** First byte, from 0. */
  readonly start: number
  /** Bytes at most; fewer come back at the blob's end, none behind it. */
  readonly length: number
  /** Cancels the read. */
  readonly signal?: AbortSignal | undefined
}

/** What a store answers when it has taken a blob: the text that goes on chain, and the digest it stands for. */
export interface StoredBlob {
  /** `sha256:<64 hex>`; equal in every adapter. */
  readonly locator: string
  readonly digest: Digest
}

/** Stores sealed bytes under their own digest. Every adapter passes `testing/blob-store-suite.ts`. */
export interface BlobStore {
  /** Name of the adapter for logs and status pages. */
  readonly name: 'memory' | 'files' | 'http' | 's3' | 'ipfs' | 'replicated'
  /**
   * Stores bytes; storing the same bytes twice is harmless.
   * @throws BlobStoreError `BLOB_TOO_LARGE`, `BLOB_STORE_FAILED`; the signal's reason when it was cancelled
   */
  put(bytes: Uint8Array, options?: BlobWriteOptions): Promise<StoredBlob>
  /**
   * Fetches bytes and checks them against the digest in the locator.
   * @throws BlobStoreError `BLOB_LOCATOR_INVALID`, `BLOB_MISSING`, `BLOB_DIGEST_MISMATCH`, `BLOB_TOO_LARGE`, `BLOB_STORE_FAILED`;
   *   the signal's reason when it was cancelled
   */
  get(locator: string, options?: BlobReadOptions): Promise<Uint8Array>
  /**
   * Fetches a part of a blob. A part cannot be checked against the digest of the whole: use it only for what
   * authenticates itself piece by piece, as a sealed file does (`sealedReader` of `@sealpool/crypto`).
   * @returns at most `range.length` bytes
   * @throws BlobStoreError as {@link get}, and `BLOB_RANGE_INVALID`
   */
  getRange(locator: string, range: BlobRange): Promise<Uint8Array>
  /**
   * Takes a blob out of the store; one that is not there is no error. A later read says `BLOB_MISSING`. What a store keeps besides
   * (versions, copies of its own, blocks until its next collection) is the store's affair.
   * @throws BlobStoreError `BLOB_LOCATOR_INVALID`; `BLOB_STORE_FAILED` also of a store that does not allow it; the signal's reason
   */
  remove(locator: string, options?: BlobWriteOptions): Promise<void>
}

/** Largest blob that a store takes or gives unless told otherwise: 64 MiB. */
export const defaultMaximumBlobBytes = 64 * 1024 * 1024

/**
 * Checks a range before anybody is asked.
 * @param range from the caller
 * @param limit the store's largest blob in bytes
 * @throws BlobStoreError `BLOB_RANGE_INVALID` unless both are whole numbers from 0; `BLOB_TOO_LARGE`
 */
export function requireRange({ start, length }: BlobRange, limit: number): void {
  if (![start, length, start + length].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw new BlobStoreError(
      'BLOB_RANGE_INVALID',
      'range',
      'start and length of a range are whole numbers from 0 up',
    )
  }
  requireSize(length, limit, 'range')
}

const locatorPattern = /^sha256:([0-9a-f]{64})$/

/**
 * Reads a locator.
 * @param locator text from the chain, from anyone
 * @returns the digest and its 64 hex digits (the blob's only file name)
 * @throws BlobStoreError `BLOB_LOCATOR_INVALID`
 */
export function parseBlobLocator(locator: string): { readonly digest: Digest; readonly hex: string } {
  const hex = locator.length === 71 ? locatorPattern.exec(locator)?.[1] : undefined
  if (hex === undefined) {
    throw new BlobStoreError(
      'BLOB_LOCATOR_INVALID',
      'locator',
      'a blob locator is sha256: followed by 64 lower-case hex digits; store the blob again and use the locator that the store returns',
    )
  }
  return { digest: `sha256:${hex}`, hex }
}
