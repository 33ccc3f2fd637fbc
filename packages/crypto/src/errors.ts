/** Every reason for which this package refuses; stable, so that callers may switch on it. */
export type CryptoErrorCode =
  | 'ADDRESS_INVALID'
  | 'AGE_INVALID'
  | 'AGE_REFUSED'
  | 'AGGREGATE_INVALID'
  | 'ARMOR_INVALID'
  | 'BACKUP_INVALID'
  | 'BACKUP_REFUSED'
  | 'CHUNK_REFUSED'
  | 'CLAIMS_MISSING'
  | 'COHORT_REFUSED'
  | 'COMMITMENT_INVALID'
  | 'CONTEXT_INVALID'
  | 'CONTEXT_MISMATCH'
  | 'DECRYPTION_CLAIMED'
  | 'DIGEST_INVALID'
  | 'ECIES_REFUSED'
  | 'ENCODING_INVALID'
  | 'ENVELOPE_REFUSED'
  | 'EPOCH_INVALID'
  | 'EPOCH_RETIRED'
  | 'HEADER_INVALID'
  | 'HEADER_NOT_CANONICAL'
  | 'HEADER_REFUSED'
  | 'HEADER_TOO_LARGE'
  | 'HPKE_OPEN_REFUSED'
  | 'JSON_INVALID'
  | 'JSON_NOT_CANONICAL'
  | 'JSON_TOO_DEEP'
  | 'KEY_INVALID'
  | 'KEY_SET_INVALID'
  | 'MERKLE_INPUT_INVALID'
  | 'NATIVE_CRYPTO_MISSING'
  | 'NOT_SEALED_FILE'
  | 'NO_MATCHING_IDENTITY'
  | 'OPENPGP_REFUSED'
  | 'OPTION_INVALID'
  | 'RANDOM_INVALID'
  | 'RANGE_INVALID'
  | 'RECIPIENT_INVALID'
  | 'RECIPIENT_UNSUPPORTED'
  | 'RECOVERY_CODE_INVALID'
  | 'SESSION_INVALID'
  | 'SHARES_MISSING'
  | 'SHARE_INVALID'
  | 'SIGNATURE_INVALID'
  | 'SOURCE_FAILED'
  | 'STATEMENT_INVALID'
  | 'TRANSCRIPT_INVALID'
  | 'TRUNCATED'
  | 'VERSION_UNSUPPORTED'
  | 'WRAP_REFUSED'

/**
 * The one error class of `@sealpool/crypto`. The message says what is wrong, where, and the remedy; it never
 * holds a key, a plaintext or another private value.
 *
 * @example
 * ```ts
 * import { CryptoError, decodeHex } from '@sealpool/crypto'
 * try {
 *   decodeHex('0xabc')
 * } catch (error) {
 *   if (error instanceof CryptoError) console.log(error.code, error.place) // ENCODING_INVALID hex
 * }
 * ```
 */
export class CryptoError extends Error {
  override readonly name = 'CryptoError'
  /** Stable reason, one of {@link CryptoErrorCode}. */
  readonly code: CryptoErrorCode
  /** Where the offending value stood (a path such as `$.context.pool`, or the name of an argument). */
  readonly place: string

  /**
   * @param code - stable reason
   * @param place - where the offending value stood
   * @param message - what is wrong and the remedy, without private values
   * @param options - `cause`: the error underneath, if there is one
   */
  constructor(code: CryptoErrorCode, place: string, message: string, options?: { readonly cause?: unknown }) {
    // A caller without types may have given anything as the place that some functions take.
    const named = typeof place === 'string' ? place : 'value'
    super(`${message} (at ${named})`, options)
    this.code = code
    this.place = named
  }
}
