/** Every reason for which a client call stops. */
export type ClientErrorCode =
  | 'NODE_UNREACHABLE'
  | 'NODE_REFUSED'
  | 'NODE_ANSWER_INVALID'
  | 'POOL_NOT_SERVED'
  | 'NOT_READY'
  | 'ACCOUNT_REQUIRED'
  | 'RESULT_MISSING'
  | 'RESULT_INVALID'

/** What went wrong in a client call, where, and what to do about it. Never holds private values. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** Stable reason. */
  readonly code: ClientErrorCode
  /** Where it happened: a call, an endpoint or a field. */
  readonly place: string

  /**
   * @param code stable reason
   * @param place a call, an endpoint or a field
   * @param message what happened and what to do
   * @param options the error underneath, when there is one
   */
  constructor(code: ClientErrorCode, place: string, message: string, options?: { readonly cause?: unknown }) {
    super(`${code} at ${place}: ${message}`, options)
    this.code = code
    this.place = place
  }
}
