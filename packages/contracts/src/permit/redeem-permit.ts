import type { Address, Client, Hex } from 'viem'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { permissionsAbi } from '../abi/Permissions.js'
import { encodeCall } from '../action/encode-call.js'
import { advised, permitErrors } from '../action/permit-advice.js'
import { type Sent, send, type WriteOptions } from '../action/transaction.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { dismissIssuerCall, type IssuerPlace, revokePermitCall } from './permit-calls.js'
import { permitDigest, permitWords, type QueryPermit, type SignedPermit } from './query-permit.js'

/**
 * Turns a permit into a grant, which replaces the sender's older one for the digest unless a vote gave that and it is not over.
 * A job that was proposed before is approved by {@link approveByGrant}, a later one at once.
 *
 * @param client - a viem client with the grantee's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `signed`, what the issuer gave
 * @returns the mined transaction, and the permit's digest
 * @throws {ContractsError} `ARGUMENT_INVALID` for a permit of another deployment; `REVERTED`: `OnlyGrantee`, `IssuerNotAppointed`,
 * `PermitAlreadyRedeemed`, `PermitIsRevoked`, `PermitSignatureInvalid`, `PermitTooCheap`, `PermitOutsideWindow`, `PermitRunsExceeded`,
 * `PermitScopeOther`, `GrantOfVoteStands`, `TermsInvalid` (it is over), `ReviewMissing`, `ConsentMissing`.
 */
export async function redeemPermit(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly signed: SignedPermit },
): Promise<Sent & { readonly digest: Hex }> {
  const { deployment, signed } = args
  const target = { to: deployment.permissions, data: redeemData(deployment, signed), errors: permitErrors() }
  const sent = await advised('Permissions.redeem', () => send(client, 'Permissions.redeem', target, args))
  return { ...sent, digest: permitDigest({ deployment, permit: signed.permit }) }
}

/**
 * The call data that redeems a permit.
 *
 * @throws {ContractsError} `ARGUMENT_INVALID` for a permit of another deployment
 */
export function redeemData(
  deployment: Pick<Deployment, 'chainId' | 'permissions'>,
  { chainId, permissions, permit, signature }: SignedPermit,
): Hex {
  if (chainId !== deployment.chainId || permissions.toLowerCase() !== deployment.permissions.toLowerCase()) {
    throw new ContractsError(
      'ARGUMENT_INVALID',
      'redeemPermit',
      `the permit is for the contract ${permissions} on chain ${chainId}, not of this deployment`,
    )
  }
  return encodeCall({
    abi: permissionsAbi,
    functionName: 'redeem',
    args: [permitWords(permit), signature],
  })
}

/**
 * Ends a permit at once, without a vote: before it was redeemed it never is, afterwards its grant pays for no further run. What was
 * funded goes on, and the permit's runs count as given away.
 *
 * @param client - a viem client with the issuer's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `permit`
 * @returns the mined transaction, and the permit's digest
 * @throws {ContractsError} `REVERTED`: `OnlyPoolTimelock` (the sender is not its issuer), `PermitIsRevoked`.
 */
export async function revokePermit(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly permit: QueryPermit },
): Promise<Sent & { readonly digest: Hex }> {
  const { target: to, data } = revokePermitCall(args)
  const place = 'Permissions.revokePermit'
  const sent = await advised(place, () => send(client, place, { to, data, errors: permitErrors() }, args))
  return { ...sent, digest: permitDigest(args) }
}

/**
 * Ends the sender's own appointment, without a vote: none of its permits is redeemed any more. For an issuer whose key may be
 * another's, too.
 *
 * @param client - a viem client with the issuer's account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `pool`; `issuer`, the sender; `jobDigest`
 * @returns the mined transaction
 * @throws {ContractsError} `REVERTED`: `IssuerNotAppointed`, `OnlyPoolTimelock`.
 */
export function resignIssuer(client: Client, args: WriteOptions & IssuerPlace): Promise<Sent> {
  const { target: to, data } = dismissIssuerCall(args)
  const place = 'Permissions.dismissIssuer'
  return advised(place, () => send(client, place, { to, data, errors: permitErrors() }, args))
}

/**
 * Has a grant that came after a job's proposal approve it for one pool, as a vote would. Anyone.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `jobId`; `pool`, one of the job's
 * @returns the mined transaction
 * @throws {ContractsError} `REVERTED`: `GrantMissing`, `GrantIsRevoked`, `GrantOutsideWindow`, `GrantExhausted`, `ScopeOther`,
 * `AlreadyApproved`, `TransitionNotAllowed`, `PoolNotInJob`.
 */
export function approveByGrant(
  client: Client,
  args: WriteOptions & { readonly deployment: Deployment; readonly jobId: bigint; readonly pool: Address },
): Promise<Sent> {
  const data = encodeCall({
    abi: jobBoardAbi,
    functionName: 'approveByGrant',
    args: [args.jobId, args.pool],
  })
  return send(client, 'JobBoard.approveByGrant', { to: args.deployment.jobBoard, data }, args)
}
