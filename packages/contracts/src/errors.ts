/** What can go wrong in this package; stable, so that callers may switch on it. */
export type ContractsErrorCode =
  | 'ANVIL_FAILED'
  | 'ANVIL_NOT_FOUND'
  | 'ARGUMENT_INVALID'
  | 'CHAIN_DISAGREES'
  | 'CHAIN_REORGANISED'
  | 'CHAIN_STALE'
  | 'CHAIN_UNREACHABLE'
  | 'CHAIN_UNSUITABLE'
  | 'DEPLOYMENT_MISMATCH'
  | 'NOT_FOUND'
  | 'NO_ACCOUNT'
  | 'REVERTED'
  | 'TRANSACTION_REJECTED'
  | 'TRANSACTION_TIMEOUT'

/** The decoded error of a contract. */
export interface Revert {
  /** Name of the Solidity error, for example `EpochNotCurrent`; `Panic`, `Error` or `Unknown` when it is none of ours. */
  readonly name: string
  /** Its arguments, in order. */
  readonly args: readonly unknown[]
}

/**
 * The one error of this package.
 *
 * `code` says what kind of failure it is, `place` which action or contract call it happened in, the message what to
 * do about it. For `REVERTED`, `revert` is the decoded contract error.
 */
export class ContractsError extends Error {
  override readonly name = 'ContractsError'
  readonly code: ContractsErrorCode
  readonly place: string
  readonly revert: Revert | undefined

  constructor(
    code: ContractsErrorCode,
    place: string,
    message: string,
    options: { readonly cause?: unknown; readonly revert?: Revert } = {},
  ) {
    super(`${place}: ${message}`, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.place = place
    this.revert = options.revert
  }
}
