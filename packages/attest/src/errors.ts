/**
 * What went wrong while reading untrusted bytes or documents. A *verdict* that says no is never an error: errors are only
 * for input that cannot be read at all, or for wrong use.
 *
 * - `BAD_DER`, `BAD_PEM`, `BAD_CERTIFICATE`, `BAD_CRL`: X.509 material that is not canonical or not of the supported kind
 * - `BAD_QUOTE`: bytes that are not a DCAP quote of a supported version
 * - `BAD_REPORT`: bytes that are not an SEV-SNP attestation report of a supported version
 * - `BAD_EVENT_LOG`: an event log that cannot be read; `BAD_IMAGE`: a firmware image that cannot be measured
 * - `BAD_LOG`: a transparency log's checkpoint, proof or tile that cannot be read
 * - `BAD_COLLATERAL`: TCB info, QE identity or their envelope cannot be read
 * - `BAD_EVIDENCE`, `BAD_POLICY`, `BAD_RECEIPT`, `BAD_SIMULATOR`: a JSON document that does not follow its schema
 * - `COLLATERAL_UNAVAILABLE`: a source of collateral does not have it, or did not answer in time or in its form
 * - `BAD_ARGUMENT`: a call that cannot be right whatever the data (for example an invalid date)
 */
export type AttestErrorCode =
  | 'BAD_ARGUMENT'
  | 'BAD_CERTIFICATE'
  | 'BAD_COLLATERAL'
  | 'BAD_CRL'
  | 'BAD_DER'
  | 'BAD_EVENT_LOG'
  | 'BAD_EVIDENCE'
  | 'BAD_IMAGE'
  | 'BAD_LOG'
  | 'BAD_PEM'
  | 'BAD_POLICY'
  | 'BAD_QUOTE'
  | 'BAD_RECEIPT'
  | 'BAD_REPORT'
  | 'BAD_SIMULATOR'
  | 'COLLATERAL_UNAVAILABLE'

/** Every code of {@link AttestError}, for exhaustive handling and tests. */
export const attestErrorCodes: readonly AttestErrorCode[] = [
  'BAD_ARGUMENT',
  'BAD_CERTIFICATE',
  'BAD_COLLATERAL',
  'BAD_CRL',
  'BAD_DER',
  'BAD_EVENT_LOG',
  'BAD_EVIDENCE',
  'BAD_IMAGE',
  'BAD_LOG',
  'BAD_PEM',
  'BAD_POLICY',
  'BAD_QUOTE',
  'BAD_RECEIPT',
  'BAD_REPORT',
  'BAD_SIMULATOR',
  'COLLATERAL_UNAVAILABLE',
]

/**
 * The one error class of this package.
 *
 * @example
 * ```ts no-run
 * try { parseQuote(bytes) } catch (error) {
 *   if (error instanceof AttestError && error.code === 'BAD_QUOTE') console.log(error.place)
 * }
 * ```
 */
export class AttestError extends Error {
  override readonly name = 'AttestError'
  /** Stable code, see {@link AttestErrorCode}. */
  readonly code: AttestErrorCode
  /** Where in the input it happened, for example `quote.header.version` or `byte 17`. Never a value of the input. */
  readonly place: string

  constructor(code: AttestErrorCode, place: string, message: string, options: { cause?: unknown } = {}) {
    super(`${message} (at ${place})`, options)
    this.code = code
    this.place = place
  }
}
