import type { Address, Hex } from '@sealpool/crypto'
import { hashTypedData, recoverTypedDataAddress } from 'viem'
import { ClientError, type ClientErrorCode } from '../errors.js'
import { untilAborted } from '../until-aborted.js'
import type { VerifyContractSignature } from './contract-signature.js'
import { type GrantRegistry, grantTypedData, type PortabilityGrant } from './portability-grant.js'
import { coversScope, isScope } from './scope.js'

/** What a registry of grants says about one of them now. */
export interface GrantStatus {
  readonly grantorAddress: Address
  readonly granteeId: Hex
  /** Scopes of the newest grant between the two. */
  readonly scopes: readonly string[]
  /** The newest version between the two. */
  readonly grantVersion: bigint
  readonly revoked: boolean
}

/**
 * Reads what became of a grant: from the registry, or from a gateway that keeps it.
 *
 * @returns undefined when the registry knows no such grant
 */
export type GrantStatusPort = (
  grant: PortabilityGrant,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<GrantStatus | undefined>

/** What a grant must say. */
export interface GrantDemand {
  readonly grant: PortabilityGrant
  /** The contract for which it must be signed. */
  readonly registry: GrantRegistry
  /** Whose data is wanted. */
  readonly grantor: Address
  /** Who reads: the grantee's number in the registry. */
  readonly granteeId: Hex
  /** What is to be read, such as `spotify.savedTracks`; no wildcard. */
  readonly scope: string
  /**
   * Who is asked whether the grant was revoked or replaced. `'server'`: nobody here; the personal server refuses then, or does not, and every
   * answer says that it was not checked.
   */
  readonly status: GrantStatusPort | 'server'
  /** Asks contract wallets. Absent: only signatures of plain keys are known. */
  readonly contractSignature?: VerifyContractSignature
  readonly now: () => Date
  readonly signal?: AbortSignal | undefined
}

/** One question about a grant. */
export interface GrantCheck {
  readonly id: 'signature' | 'grantor' | 'grantee' | 'scope' | 'expiry' | 'status'
  readonly result: 'pass' | 'fail' | 'not-checked'
  /** The error that a call ends with which needs this check; null where it passed. */
  readonly code: ClientErrorCode | null
  /** For people: what was found, without an address or a scope. */
  readonly detail: string
  /** Why it could not be checked, where something failed. */
  readonly cause?: unknown
}

/** The verdict on a grant. */
export interface GrantVerdict {
  /** Every check passed; what was not checked is not ok. */
  readonly ok: boolean
  readonly checks: readonly GrantCheck[]
}

/**
 * Verifies a grant: signature, whose data, for whom, scope, expiry, and what became of it. Its status is asked for only when all else holds.
 *
 * @param demand - the grant, and what it must say
 * @returns the checks; a no is an answer
 * @throws ClientError `OPTION_INVALID` for a scope that is none; the signal's reason
 */
export async function verifyGrantAt(demand: GrantDemand): Promise<GrantVerdict> {
  const { grant, scope, signal } = demand
  signal?.throwIfAborted()
  if (!isScope(scope))
    throw new ClientError(
      'OPTION_INVALID',
      'scope',
      'expected {source}.{category}[.{subcategory}], no wildcard',
    )
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const seconds = BigInt(Math.floor(demand.now().getTime() / 1000))
  const offline: GrantCheck[] = [
    await signatureCheck(demand),
    yesOrNo('grantor', same(grant.grantorAddress, demand.grantor), 'GRANT_OF_ANOTHER', [
      'the data is whose it is said to be',
      'another wallet gave the grant than the one whose data is wanted',
    ]),
    yesOrNo('grantee', same(grant.granteeId, demand.granteeId), 'GRANT_OF_ANOTHER', [
      'the grant is for this reader',
      'the grant is for another reader',
    ]),
    yesOrNo('scope', coversScope(grant.scopes, scope), 'GRANT_SCOPE', [
      'the scope is granted',
      'the grant does not let this scope be read; ask for a grant that names it',
    ]),
    yesOrNo('expiry', grant.expiresAt === 0n || grant.expiresAt > seconds, 'GRANT_EXPIRED', [
      grant.expiresAt === 0n ? 'the grant does not end by itself' : 'the grant has not ended',
      'the grant is over; ask for a new one',
    ]),
  ]
  const status: GrantCheck = offline.every(({ result }) => result === 'pass')
    ? await statusCheck(demand)
    : notChecked('status', 'not asked, because something before it does not hold')
  const checks = [...offline, status]
  return { ok: checks.every(({ result }) => result === 'pass'), checks }
}

/**
 * Demands a grant that holds. With `status: 'server'` the status alone may be unchecked.
 *
 * @param demand - as for {@link verifyGrantAt}
 * @returns how its status is known: `active` by the port's word, `server` not at all
 * @throws ClientError with the code of the first check that does not hold: `GRANT_NOT_SIGNED`, `GRANT_OF_ANOTHER`, `GRANT_SCOPE`,
 *   `GRANT_EXPIRED`, `GRANT_REVOKED`, `GRANT_SUPERSEDED`, `GRANT_STATUS_UNKNOWN`; as {@link verifyGrantAt}
 */
export async function requireGrant(demand: GrantDemand): Promise<'active' | 'server'> {
  const { checks } = await verifyGrantAt(demand)
  const left = checks.filter(({ result }) => result !== 'pass')
  const [first] = left
  if (first === undefined) return 'active'
  if (demand.status === 'server' && left.length === 1 && first.id === 'status') return 'server'
  throw new ClientError(first.code ?? 'GRANT_STATUS_UNKNOWN', `grant.${first.id}`, first.detail, {
    cause: first.cause,
  })
}

function yesOrNo(
  id: GrantCheck['id'],
  holds: boolean,
  code: ClientErrorCode,
  [yes, no]: readonly [string, string],
): GrantCheck {
  return holds ? { id, result: 'pass', code: null, detail: yes } : { id, result: 'fail', code, detail: no }
}

function notChecked(id: 'signature' | 'status', detail: string, cause?: unknown): GrantCheck {
  const code = id === 'status' ? 'GRANT_STATUS_UNKNOWN' : 'GRANT_NOT_SIGNED'
  return { id, result: 'not-checked', code, detail, ...(cause === undefined ? {} : { cause }) }
}

async function signatureCheck(demand: GrantDemand): Promise<GrantCheck> {
  const { grant, registry, contractSignature, signal } = demand
  const { signature, grantorAddress } = grant
  const id = 'signature'
  const data = grantTypedData({ registry, grant })
  // A plain key's signature has 65 bytes; anything else can only be a contract's.
  const signer =
    signature.length === 132
      ? await recoverTypedDataAddress({ ...data, signature }).catch(() => undefined)
      : undefined
  if (signer?.toLowerCase() === grantorAddress.toLowerCase())
    return { id, result: 'pass', code: null, detail: 'its grantor signed it for this registry' }
  const no = 'its grantor did not sign this for this registry'
  if (contractSignature === undefined)
    return {
      id,
      result: 'fail',
      code: 'GRANT_NOT_SIGNED',
      detail: `${no}; if the grantor is a contract wallet, give contractSignature`,
    }
  try {
    const { chainId } = registry
    const asked = contractSignature({
      address: grantorAddress,
      chainId,
      hash: hashTypedData(data),
      signature,
    })
    return yesOrNo(id, await untilAborted(asked, signal), 'GRANT_NOT_SIGNED', [
      'its grantor, a contract wallet, says that it signed',
      no,
    ])
  } catch (cause) {
    signal?.throwIfAborted()
    return notChecked(id, 'the contract wallet could not be asked; try again', cause)
  }
}

async function statusCheck({ grant, status, signal }: GrantDemand): Promise<GrantCheck> {
  const id = 'status'
  if (status === 'server')
    return notChecked(
      id,
      'nobody was asked whether it was revoked: the personal server refuses it, or does not',
    )
  let found: GrantStatus | undefined
  try {
    found = await untilAborted(status(grant, { signal }), signal)
  } catch (cause) {
    signal?.throwIfAborted()
    return notChecked(id, 'the registry of grants gave no answer; try again', cause)
  }
  if (found === undefined) return notChecked(id, 'the registry of grants does not know it')
  const aboutIt =
    found.grantorAddress.toLowerCase() === grant.grantorAddress.toLowerCase() &&
    found.granteeId.toLowerCase() === grant.granteeId.toLowerCase()
  if (!aboutIt) return notChecked(id, 'the registry of grants answered about another grant')
  const fail = (code: ClientErrorCode, detail: string): GrantCheck => ({ id, result: 'fail', code, detail })
  if (found.revoked) return fail('GRANT_REVOKED', 'its grantor took it back')
  if (found.grantVersion > grant.grantVersion)
    return fail('GRANT_SUPERSEDED', 'its grantor gave a newer one; use that')
  if (found.grantVersion < grant.grantVersion)
    return notChecked(id, 'the registry of grants has only an older one; register it first')
  // Two grants may be signed under one version; the registry takes one.
  const sameScopes =
    found.scopes.length === grant.scopes.length &&
    found.scopes.every((scope, index) => scope === grant.scopes[index])
  if (!sameScopes) return fail('GRANT_SUPERSEDED', 'the registry has another grant under its version')
  return { id, result: 'pass', code: null, detail: 'the registry says that it counts' }
}
