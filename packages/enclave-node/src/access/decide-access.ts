/**
 * Decides one call: by role, by whose the thing is, and by the caveats of the token.
 * @module
 */
import type { Capability, Caveat } from '@sealpool/client/access'
import type { Address } from '@sealpool/crypto'
import type { AccessRow, Permission } from './role-matrix.js'

/** What a call is about, as far as it could be found. */
export interface CallSubject {
  /** Whose it is; undefined when it is nobody's or was not found. */
  readonly owner?: Address | undefined
  readonly pools?: readonly Address[]
  readonly job?: string
}

/** A call to decide. */
export interface AccessQuestion {
  /** Method and path with parameters in braces. */
  readonly endpoint: string
  /** Undefined: there is no row, and so nobody may. */
  readonly row: AccessRow | undefined
  /** The settings leave open what is marked `open`. */
  readonly open: boolean
  /** Believed: its tag, its key set, its time and that it was not revoked were checked. Null: nobody in particular. */
  readonly capability: Capability | null
  readonly subject: CallSubject
}

/** Why a call is refused. */
export type AccessRefusal = 'SIGN_IN_REQUIRED' | 'ROLE_NOT_ALLOWED' | 'TOKEN_OUT_OF_SCOPE'

/** @returns null when the call may go on, else why not */
export function decideAccess(question: AccessQuestion): AccessRefusal | null {
  const { row, capability, endpoint, subject } = question
  if (row === undefined) return 'ROLE_NOT_ALLOWED'
  // What everybody may needs no token, and a narrow one takes nothing away.
  if (row.may.anonymous === 'yes') return null
  if (capability !== null && !capability.caveats.every((caveat) => allows(caveat, endpoint, subject)))
    return 'TOKEN_OUT_OF_SCOPE'
  if (row.may.anonymous === 'open' && question.open) return null
  if (capability === null) return 'SIGN_IN_REQUIRED'
  const { head } = capability
  const granted = (permission: Permission): boolean =>
    permission === 'yes' || (permission === 'own' && subject.owner === head.address)
  // An agent may what agents may and what the wallet behind it may: both. A session that was narrowed is an agent's.
  const byUse = !isAgent(capability) || granted(row.may.agent)
  return byUse && head.roles.some((role) => granted(row.may[role])) ? null : 'ROLE_NOT_ALLOWED'
}

function allows(caveat: Caveat, endpoint: string, { pools = [], job }: CallSubject): boolean {
  if ('pools' in caveat) return pools.length > 0 && pools.every((pool) => caveat.pools.includes(pool))
  if ('jobs' in caveat) return job !== undefined && caveat.jobs.includes(job)
  if ('endpoints' in caveat) return caveat.endpoints.includes(endpoint)
  // Time and revocation were checked with the token itself.
  return true
}

/** Whether a token is for somebody who acts for a wallet, and not for the wallet itself. */
export function isAgent({ head, caveats }: Capability): boolean {
  return head.use === 'agent' || caveats.length > 0
}

/** When a token ends: the earliest of what its head and its caveats say, in unix seconds. */
export function expiryOf({ head, caveats }: Capability): number {
  return caveats.reduce(
    (least, caveat) => ('expires' in caveat ? Math.min(least, caveat.expires) : least),
    head.expiresAt,
  )
}

/** Every id under which a token can be revoked. */
export function idsOf({ head, caveats }: Capability): readonly string[] {
  return [head.id, ...caveats.flatMap((caveat) => ('id' in caveat ? [caveat.id] : []))]
}
