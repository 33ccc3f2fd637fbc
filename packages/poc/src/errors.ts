/**
 * What went wrong with a proof of contribution itself or with the call. A contribution that is not worth anything is
 * no error: it gets a verdict with a refusal.
 */
export type PocErrorCode =
  /** The code's SHA-256 is not the approved digest. */
  | 'CODE_MISMATCH'
  /** The code does not load, or has no entry `evaluate` or `describe`. */
  | 'CODE_INVALID'
  /** A Python proof ended without a result: it threw on the files that it was given, or needed more than its limits. */
  | 'PROOF_WITHOUT_RESULT'
  /** The code gave something that is no verdict, or put a text into it that is not in the approved code. */
  | 'VERDICT_INVALID'
  /** An option is outside its range; the place names it. */
  | 'OPTION_INVALID'
  /** A signed statement does not hold: its type, body, context, signature or signer; the place says which. */
  | 'STATEMENT_INVALID'
  /** A signed verdict is of a pool that the reader did not name. */
  | 'VERDICT_OF_ANOTHER_POOL'
  /** A signed verdict is on a contribution that the reader did not name. */
  | 'VERDICT_OF_ANOTHER_CONTRIBUTION'
  /** A signed verdict is by code that the reader did not name. */
  | 'VERDICT_BY_OTHER_CODE'
  /** A signed verdict was judged by other facts than the reader named, or by facts where none were named. */
  | 'VERDICT_OVER_OTHER_INPUTS'
  /** Two signed verdicts are no evidence of a dispute: they agree. */
  | 'NO_DISPUTE'
  /** The runtime was lost or refused the call; the same call may work on another runtime. */
  | 'RUNTIME_FAILED'
  /** The builder's module does not bundle. */
  | 'BUNDLE_FAILED'
  /** The file of an index is damaged, of another version or kind, or made under another pool's key; the place says which. */
  | 'INDEX_INVALID'
  /** The key of a fingerprint or an issuer's public key is not one. */
  | 'KEY_INVALID'

/**
 * The one error class of this package. Messages name the place and the remedy, never what a contribution holds.
 *
 * @example
 * ```ts
 * import { contentFingerprint, PocError } from '@sealpool/poc'
 * try {
 *   contentFingerprint({ key: new Uint8Array(3), mediaType: 'text/plain', bytes: new Uint8Array() })
 * } catch (error) {
 *   if (error instanceof PocError) console.log(error.code) // KEY_INVALID
 * }
 * ```
 */
export class PocError extends Error {
  override readonly name = 'PocError'
  /** Stable reason. */
  readonly code: PocErrorCode
  /** Where it is, for example `poc.digest` or `attributes.title`. */
  readonly place: string

  /**
   * @param code stable reason
   * @param place where it is; never a private value
   * @param message what is wrong and what to do about it
   * @param options `cause`: the error underneath, if any
   */
  constructor(code: PocErrorCode, place: string, message: string, options: { cause?: unknown } = {}) {
    super(`${message} (${place})`, options)
    this.code = code
    this.place = place
  }
}
