import type { Address, Hex } from 'viem'
import { permissionsAbi } from '../abi/Permissions.js'
import { encodeCall } from '../action/encode-call.js'
import type { ProposedCall } from '../action/governance.js'
import { type Terms, termsOf } from '../action/job-read.js'
import type { Deployment } from '../deploy/deployment.js'
import { permitWords, type QueryPermit } from './query-permit.js'

/** Whom a pool lets give away runs of which digest. */
export interface IssuerPlace {
  readonly deployment: Pick<Deployment, 'permissions'>
  readonly pool: Address
  readonly issuer: Address
  /** Of a job's manifest, or of a template. */
  readonly jobDigest: Hex
}

/**
 * The call by which a pool's vote appoints an issuer of permits for one digest: for `propose`. It replaces the issuer's appointment
 * for this digest, and with it every permit that was not redeemed.
 *
 * @param args - `deployment`; `pool`; `issuer`, a plain account or a contract wallet; `jobDigest`, of the job or template
 * @param args.bounds Price and pool tokens: the least that a permit asks. `runs`: the most of all its permits together.
 * `opensAt` and `closesAt`: around every permit's. `scopeDigest`: every permit's. Under a template give one: without it nodes run no
 * manifest that was not voted on itself.
 * @returns the call, which only the pool's timelock may make
 */
export function appointIssuerCall(args: IssuerPlace & { readonly bounds: Terms }): ProposedCall {
  const { deployment, pool, issuer, jobDigest, bounds } = args
  const data = encodeCall({
    abi: permissionsAbi,
    functionName: 'appointIssuer',
    args: [pool, issuer, jobDigest, termsOf(bounds)],
  })
  return { target: deployment.permissions, data }
}

/**
 * The call by which a pool's vote ends an appointment: for `propose`. Grants that came of redeemed permits stay until they are
 * revoked (`revokePermitCall`, `revokeGrantCall`).
 *
 * @param args - `deployment`; `pool`; `issuer`; `jobDigest`
 * @returns the call, which the pool's timelock may make; the issuer itself resigns by `resignIssuer`
 */
export function dismissIssuerCall(args: IssuerPlace): ProposedCall {
  const { deployment, pool, issuer, jobDigest } = args
  const data = encodeCall({
    abi: permissionsAbi,
    functionName: 'dismissIssuer',
    args: [pool, issuer, jobDigest],
  })
  return { target: deployment.permissions, data }
}

/**
 * The call by which a pool's vote revokes one permit, redeemed or not: for `propose`. The issuer does the same without a vote
 * (`revokePermit`). `revokeGrantCall` ends a grantee's grant and lets no permit renew it.
 *
 * @param args - `deployment`; `permit`
 * @returns the call, which only the timelock of the permit's pool may make
 */
export function revokePermitCall(args: {
  readonly deployment: Pick<Deployment, 'permissions'>
  readonly permit: QueryPermit
}): ProposedCall {
  const data = encodeCall({
    abi: permissionsAbi,
    functionName: 'revokePermit',
    args: [permitWords(args.permit)],
  })
  return { target: args.deployment.permissions, data }
}
