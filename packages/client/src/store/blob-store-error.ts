/** Every reason for which a blob store refuses. */
export type BlobStoreErrorCode =
  | 'BLOB_LOCATOR_INVALID'
  | 'BLOB_MISSING'
  | 'BLOB_RANGE_INVALID'
  | 'BLOB_DIGEST_MISMATCH'
  | 'BLOB_TOO_LARGE'
  | 'BLOB_STORE_FAILED'

/** A blob store's refusal. `BLOB_STORE_FAILED` may pass when tried again; the others will not. */
export class BlobStoreError extends Error {
  override readonly name = 'BlobStoreError'
  readonly code: BlobStoreErrorCode
  /** Where it happened: the operation or the blob's digest, never its content. */
  readonly place: string

  /**
   * @param code stable reason
   * @param place operation or digest
   * @param message what happened and what to do
   * @param options the error underneath, when there is one
   */
  constructor(
    code: BlobStoreErrorCode,
    place: string,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(`${code} at ${place}: ${message}`, options)
    this.code = code
    this.place = place
  }
}
