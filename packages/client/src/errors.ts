/**
 * Every reason for which a client call stops.
 *
 * - `OPTION_INVALID`: an option cannot be right (an address that is not http, a limit that is no positive number)
 * - `NODE_UNREACHABLE`: no complete answer in time, or a redirect; may pass when tried again
 * - `NODE_REFUSED`: the node answered with a reason; its code is in {@link ClientError.nodeCode}
 * - `NODE_ANSWER_INVALID`: the answer is too large, no JSON, of another shape, or about something else
 * - `CHAIN_READ_FAILED`: the chain does not answer, or the contracts are not where the deployment says
 * - `WRONG_CHAIN`: the chain client is connected to another chain than the deployment's
 * - `POOL_UNKNOWN`: the deployment's factory did not found this pool
 * - `POOL_NOT_SERVED`: no key is published for the pool yet, or this node does not serve it
 * - `NOT_READY`: a check of the node, its key or the policy failed; nothing was sealed or sent
 * - `ACCOUNT_REQUIRED`: the account cannot sign typed data
 * - `CAPABILITY_INVALID`: a token or caveat has no form that is known
 * - `SEALED_CALL_REFUSED`: a sealed call or answer was not made for these keys, or was changed on its way
 * - `SIGN_IN_FAILED`: the node did not take the sign-in; its code is in {@link ClientError.nodeCode}
 * - `OWN_STORE_REQUIRED`: the pool is live and keeps no copy; the contributor must name a store of his own
 * - `PREFLIGHT_FAILED`: a check of the app found the export unfit; nothing was sent
 * - `JOURNAL_INVALID`: the journal's entry cannot be read
 * - `JOURNAL_FAILED`: the journal could not be read or written; the contribution stopped there and can go on
 * - `JOURNAL_MISMATCH`: the journal's key stands for another contribution
 * - `NONCE_TAKEN`: the registry has something else under the owner's number
 * - `INSUFFICIENT_FUNDS`: the account cannot pay for any transaction; nothing was sealed or sent
 * - `NOT_SUPERSEDABLE`: the owner has no such contribution in the pool, or took it back or replaced it already
 * - `KEPT_INVALID`: what is given as kept evidence cannot be read, or is of another pool
 * - `GRANT_INVALID`: what is given as a data-portability grant has no known form
 * - `GRANT_NOT_SIGNED`: the grant's grantor did not sign it for this registry, or could not be asked
 * - `GRANT_OF_ANOTHER`: the grant is of another wallet's data, or for another reader
 * - `GRANT_SCOPE`: the grant does not let this scope be read
 * - `GRANT_EXPIRED`: the grant is over
 * - `GRANT_REVOKED`: its grantor took the grant back
 * - `GRANT_SUPERSEDED`: its grantor gave a newer one
 * - `GRANT_STATUS_UNKNOWN`: whether the grant still counts could not be learned; nothing was read
 * - `IMPORT_UNREACHABLE`: a personal server or gateway gave no complete answer in time; may pass when tried again
 * - `IMPORT_REFUSED`: a personal server or gateway does not give it
 * - `IMPORT_INVALID`: what it gave is too large, no JSON, of another shape, or about something else
 * - `CONTRIBUTION_LEFT_OUT`: the chain recorded others of the same transaction and not this one; it can be sent again
 * - `BLOB_STORE_INVALID`: the blob store did not answer with the digest of what it was given
 * - `JOB_REFUSED`: the node would not run the job; its reasons are in the message
 * - `JOB_NOT_ENDED`: the job has not ended within the time that was given
 * - `RESULT_MISSING`: the chain knows no released result of the job
 * - `NOT_FINAL`: the chain released the result in a block that is not final yet; may pass when tried again
 * - `RESULT_INVALID`: the opened bytes are not the result that the chain or receipt names, or not canonical JSON
 */
export type ClientErrorCode =
  | 'OPTION_INVALID'
  | 'NODE_UNREACHABLE'
  | 'NODE_REFUSED'
  | 'NODE_ANSWER_INVALID'
  | 'CHAIN_READ_FAILED'
  | 'WRONG_CHAIN'
  | 'POOL_UNKNOWN'
  | 'POOL_NOT_SERVED'
  | 'NOT_READY'
  | 'ACCOUNT_REQUIRED'
  | 'CAPABILITY_INVALID'
  | 'SEALED_CALL_REFUSED'
  | 'SIGN_IN_FAILED'
  | 'OWN_STORE_REQUIRED'
  | 'PREFLIGHT_FAILED'
  | 'JOURNAL_INVALID'
  | 'JOURNAL_FAILED'
  | 'JOURNAL_MISMATCH'
  | 'NONCE_TAKEN'
  | 'INSUFFICIENT_FUNDS'
  | 'NOT_SUPERSEDABLE'
  | 'KEPT_INVALID'
  | 'GRANT_INVALID'
  | 'GRANT_NOT_SIGNED'
  | 'GRANT_OF_ANOTHER'
  | 'GRANT_SCOPE'
  | 'GRANT_EXPIRED'
  | 'GRANT_REVOKED'
  | 'GRANT_SUPERSEDED'
  | 'GRANT_STATUS_UNKNOWN'
  | 'IMPORT_UNREACHABLE'
  | 'IMPORT_REFUSED'
  | 'IMPORT_INVALID'
  | 'CONTRIBUTION_LEFT_OUT'
  | 'BLOB_STORE_INVALID'
  | 'JOB_REFUSED'
  | 'JOB_NOT_ENDED'
  | 'RESULT_MISSING'
  | 'NOT_FINAL'
  | 'RESULT_INVALID'

/** What went wrong in a client call, where, and what to do about it. Never holds private values. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** Stable reason. */
  readonly code: ClientErrorCode
  /** Where it happened: a call, an endpoint or a field. */
  readonly place: string
  /** The node's own code, such as `RECEIPT_NOT_READY`; only with `NODE_REFUSED`. */
  readonly nodeCode: string | undefined

  /**
   * @param code stable reason
   * @param place a call, an endpoint or a field
   * @param message what happened and what to do
   * @param options the error underneath and the node's own code, when there are any
   */
  constructor(
    code: ClientErrorCode,
    place: string,
    message: string,
    options: { readonly cause?: unknown; readonly nodeCode?: string } = {},
  ) {
    super(`${code} at ${place}: ${message}`, options)
    this.code = code
    this.place = place
    this.nodeCode = options.nodeCode
  }
}
