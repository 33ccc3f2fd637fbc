/** Stable codes of {@link PrivacyError}. */
export type PrivacyErrorCode =
  | 'POLICY_INVALID'
  | 'PARAMETER_INVALID'
  | 'BUDGET_EXHAUSTED'
  | 'LEDGER_UNKNOWN_POOL'
  | 'LEDGER_CONFLICT'
  | 'LEDGER_CHAIN_BROKEN'
  | 'LEDGER_WRITE_FAILED'
  | 'LEDGER_IN_USE'
  | 'NOISE_NOT_RESERVED'
  | 'OUTPUT_REFUSED'

/** What is left of a budget, as decimal strings. */
export interface RemainingBudget {
  readonly epsilon: string
  readonly delta: string
}

/**
 * The one error of this package.
 *
 * The message says what is wrong, where, and how to mend it. It never holds a private value: everything it
 * quotes comes from a policy, a request or a ledger, all of which are public.
 */
export class PrivacyError extends Error {
  override readonly name = 'PrivacyError'
  readonly code: PrivacyErrorCode
  /** Where the offending value stands, for example `tables[0].columns[2].min`. */
  readonly place: string
  /** Present on `BUDGET_EXHAUSTED`: what the pool still has. */
  readonly remaining?: RemainingBudget

  /**
   * @param code - Stable code.
   * @param place - Path of the offending value.
   * @param message - What, where and the remedy.
   * @param options - `cause` of the failure and, for `BUDGET_EXHAUSTED`, what remains.
   */
  constructor(
    code: PrivacyErrorCode,
    place: string,
    message: string,
    options: { readonly cause?: unknown; readonly remaining?: RemainingBudget } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.place = place
    if (options.remaining !== undefined) this.remaining = options.remaining
  }
}
