/**
 * Checks that what a pool would have judged again was sealed by people who agreed to it.
 * @module
 */
import { type Address, digestOf, type JsonValue, parseDigest } from '@sealpool/crypto'
import { type PoolPolicy, parsePoolPolicy } from '@sealpool/privacy'
import type { PoolRescoring } from '../config/rescoring-settings.js'
import { NodeError } from '../errors.js'
import type { ServedRescoring } from '../ingest/served-pool.js'

/**
 * Holds the earlier policies of a pool's settings against its present one. That contributions were sealed under them shows when they are
 * opened: their keys follow from the policy's digest.
 * @param present the pool's policy, as it stands on the chain
 * @returns the policies with the proofs that judged under them
 * @throws NodeError `CONFIG_POOL_MISMATCH` naming the policy that does not allow it; PrivacyError `POLICY_INVALID` for what is none
 */
export function serveEarlier(
  address: Address,
  present: PoolPolicy,
  {
    rescoring,
    policy: text,
    place: list,
  }: {
    readonly rescoring: Pick<PoolRescoring, 'earlier'>
    /** The present policy, as it was voted on. */
    readonly policy: Readonly<Record<string, unknown>>
    /** Where the settings list the pool. */
    readonly place: 'pools' | 'validates.pools'
  },
): ServedRescoring['earlier'] {
  const refuse = (place: string, message: string): NodeError =>
    new NodeError('CONFIG_POOL_MISMATCH', `${list} ${address} rescoring${place}`, message)
  const seen = new Set([digestOf(text as JsonValue)])
  return rescoring.earlier.map((given, index) => {
    const place = `.earlier.${index}`
    const policyDigest = digestOf(given as JsonValue)
    const policy = parsePoolPolicy(given)
    const { poc, rescoring: allowed } = policy.code
    if (seen.has(policyDigest))
      throw refuse(place, 'the policy is the present one, or stands there twice; name each older one once')
    seen.add(policyDigest)
    if (allowed === undefined || (allowed !== 'voted' && !allowed.includes(present.code.poc)))
      throw refuse(
        `${place}.code.rescoring`,
        'who sealed under this policy has not agreed that the present proof judges it; remove the policy from the list',
      )
    if (poc === present.code.poc)
      throw refuse(place, 'the present proof has judged under this policy already; remove it from the list')
    // Who sealed under it chose which machines may open it.
    if (digestOf(policy.attestation as JsonValue) !== digestOf(present.attestation as JsonValue))
      throw refuse(
        `${place}.attestation`,
        'the policy lets other machines open what is sealed than the present one does; remove it from the list',
      )
    return { policyDigest, poc: parseDigest(poc) }
  })
}
