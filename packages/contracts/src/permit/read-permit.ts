import type { Client, Hex } from 'viem'
import { call, readContract } from 'viem/actions'
import { permissionsAbi } from '../abi/Permissions.js'
import type { Terms } from '../action/job-read.js'
import { advised } from '../action/permit-advice.js'
import { reading } from '../action/transaction.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError, type Revert } from '../errors.js'
import type { IssuerPlace } from './permit-calls.js'
import { permitDigest, type SignedPermit } from './query-permit.js'
import { redeemData } from './redeem-permit.js'

/** What a pool's vote lets an issuer give away. */
export interface Appointment {
  /** Permits name it; a newer appointment has another. */
  readonly number: number
  /** See `appointIssuerCall`. */
  readonly bounds: Required<Terms>
  /** Runs of the permits that were redeemed, used or not. */
  readonly issued: number
  /** Runs that can still be given away; 0 once it is over. */
  readonly left: number
  /** Dismissed, or resigned. Its window may be over besides. */
  readonly ended: boolean
}

/** How a permit stands. */
export interface PermitStanding {
  readonly digest: Hex
  readonly state: 'unused' | 'redeemed' | 'revoked'
  /** Whether a grant came of it, also when it was revoked since. How often that was used says `getGrant`. */
  readonly redeemed: boolean
  /** The newest appointment of its issuer for its digest; `null` when there was none. */
  readonly appointment: Appointment | null
  /** Why its grantee cannot redeem it now, with advice; `null` when it could. */
  readonly obstacle: { readonly revert: Revert; readonly text: string } | null
}

/**
 * Reads the newest appointment of an issuer.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `pool`; `issuer`; `jobDigest`
 * @returns it, also when it is over; `null` when there was none
 */
export async function getAppointment(client: Client, args: IssuerPlace): Promise<Appointment | null> {
  const { deployment, pool, issuer, jobDigest } = args
  const { bounds, number, issued, ended } = await reading('Permissions.appointmentOf', () =>
    readContract(client, {
      address: deployment.permissions,
      abi: permissionsAbi,
      functionName: 'appointmentOf',
      args: [pool, issuer, jobDigest],
    }),
  )
  return number === 0 ? null : { number, bounds, issued, left: ended ? 0 : bounds.runs - issued, ended }
}

/**
 * How a permit stands, and whether its grantee could redeem it now: tried without sending anything, so that signature, bounds,
 * reviews and consent are judged by the contract itself.
 *
 * @param client - a viem client on the deployment's chain
 * @param args - `deployment`; `signed`, as `parsePermit` gives it
 * @returns its state, what is left of its issuer's appointment, and what stands in the way
 * @throws {ContractsError} `ARGUMENT_INVALID` for a permit of another deployment; `CHAIN_UNREACHABLE`.
 */
export async function getPermit(
  client: Client,
  args: { readonly deployment: Deployment; readonly signed: SignedPermit },
): Promise<PermitStanding> {
  const { deployment, signed } = args
  const { permit } = signed
  const data = redeemData(deployment, signed)
  const digest = permitDigest({ deployment, permit })
  const [{ generation, revoked }, appointment, obstacle] = await Promise.all([
    reading('Permissions.redemptionOf', () =>
      readContract(client, {
        address: deployment.permissions,
        abi: permissionsAbi,
        functionName: 'redemptionOf',
        args: [digest],
      }),
    ),
    getAppointment(client, { deployment, ...permit }),
    obstacleTo(client, { account: permit.grantee, to: deployment.permissions, data }),
  ])
  const redeemed = generation !== 0
  const state = revoked ? 'revoked' : redeemed ? 'redeemed' : 'unused'
  return { digest, state, redeemed, appointment, obstacle }
}

async function obstacleTo(
  client: Client,
  request: { readonly account: `0x${string}`; readonly to: `0x${string}`; readonly data: Hex },
): Promise<PermitStanding['obstacle']> {
  try {
    await advised('Permissions.redeem', () => call(client, request))
    return null
  } catch (error) {
    if (!(error instanceof ContractsError) || error.revert === undefined) throw error
    return { revert: error.revert, text: error.message }
  }
}
