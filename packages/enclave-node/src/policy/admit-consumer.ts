/**
 * Lets a consumer's job at the pools' data, or not: by their access conditions, judged in here from what the chain says.
 * @module
 */
import type { ReceiptPool } from '@sealpool/attest'
import type { JobManifest } from '@sealpool/compute'
import {
  type AccessVerdict,
  type CredentialCondition,
  decideAccess,
  leavesOf,
  parseAccessRules,
} from '@sealpool/contracts'
import { type Address, digestOf, digestToHex, type JsonObject } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import { conditionDigest } from '../credential/condition-digest.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import { presentedUntil } from '../state/presented-credential.js'

/** What a pool's access conditions came to, as a receipt has it. */
export type PoolAccess = NonNullable<ReceiptPool['access']>

/** What is known of credentials that consumers have presented to this node. */
export type PresentedContext = Pick<JobContext, 'store' | 'now'>

/** @returns the access rules of a pool, the policy's first, then those of its restrictions */
export function accessRulesOf({
  policy,
  accessAdded = [],
}: Pick<PlannablePool, 'policy' | 'accessAdded'>): readonly JsonObject[] {
  return [...(policy.access === undefined ? [] : [policy.access as JsonObject]), ...accessAdded]
}

/**
 * Judges the access conditions of a job's pools for its consumer, all of them at one block under the confirmations.
 * @param context - `chain`: it is asked only when a pool has a condition; `presented`: where presentations are noted, absent at a node to
 * which nobody presents anything
 * @param asked - the manifest, and the job planned from it under the pools' restrictions
 * @returns the job, its pools with what their conditions came to
 * @throws JobRefusal `CREDENTIAL_NOT_HANDED_OFF`; `ACCESS_DENIED` when one is not met, `ACCESS_UNKNOWN` when one cannot be told, with what they came to; NodeError
 * `CHAIN_DISAGREES`, `CHAIN_STALE`; ContractsError `CHAIN_UNREACHABLE`: then nothing is decided
 */
export async function admitConsumer<Pool extends PlannablePool>(
  { chain, presented }: { readonly chain: Pick<ChainPort, 'access'>; readonly presented?: PresentedContext },
  { manifest, planned }: { readonly manifest: JobManifest; readonly planned: PlannedJob<Pool> },
): Promise<PlannedJob<Pool>> {
  const judged = planned.charges.flatMap(({ pool }) =>
    accessRulesOf(pool).map((rules) => ({
      pool: pool.address,
      rules,
      condition: parseAccessRules(rules).use,
    })),
  )
  if (judged.length === 0) return planned
  const asked = judged.flatMap(({ pool, condition }) =>
    leavesOf(condition).flatMap(({ leaf }) =>
      'credential' in leaf ? [{ pool, credential: leaf.credential }] : [],
    ),
  )
  // Nothing was presented to a runner, and the home node's word is none to it: the job would find that out when it has been charged.
  if (asked.length > 0 && manifest.handOff !== undefined) throw JobRefusal.of('CREDENTIAL_NOT_HANDED_OFF')
  const subject = {
    wallet: manifest.consumer.address,
    code: planned.code === null ? null : digestToHex(planned.code),
  }
  const ends = await presentationEnds(presented, subject.wallet, asked)
  const readings = await chain.access({ ...subject, conditions: judged.map(({ condition }) => condition) })
  const verdicts: AccessVerdict[] = []
  const access = new Map<Address, PoolAccess>()
  for (const [index, { pool, rules, condition }] of judged.entries()) {
    const reading = readings[index]
    if (reading === undefined) throw new RangeError('the chain port answered another number of conditions')
    // Whoever sets this machine's clock back does not make a presentation count for longer.
    const at = Math.max(reading.block.timestamp, presented?.now() ?? 0)
    const { verdict } = decideAccess(
      condition,
      subject,
      reading,
      (credential) => (ends.get(presentationKey(pool, credential)) ?? 0) > at,
    )
    verdicts.push(verdict)
    const { number, hash } = reading.block
    const conditions = [...(access.get(pool)?.conditions ?? []), { rules: digestOf(rules), verdict }]
    access.set(pool, { block: number.toString(), hash, conditions })
  }
  if (verdicts.includes('no')) throw JobRefusal.forAccess('ACCESS_DENIED', access)
  if (!verdicts.every((verdict) => verdict === 'yes')) throw JobRefusal.forAccess('ACCESS_UNKNOWN', access)
  const charges = planned.charges.map((charge) => ({ ...charge, pool: withAccess(charge.pool, access) }))
  return { ...planned, charges }
}

/** @returns until when each presentation counts that was made; 0 for one that was not */
async function presentationEnds(
  presented: PresentedContext | undefined,
  consumer: Address,
  asked: readonly { readonly pool: Address; readonly credential: CredentialCondition }[],
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  if (presented === undefined) return ends
  const wallet = consumer.toLowerCase() as Address
  for (const { pool, credential } of asked) {
    const condition = conditionDigest(credential)
    ends.set(
      presentationKey(pool, credential),
      await presentedUntil(presented.store, { wallet, pool, condition }),
    )
  }
  return ends
}

function presentationKey(pool: Address, credential: CredentialCondition): string {
  return `${pool} ${conditionDigest(credential)}`
}

/** @returns the pool with what its access conditions came to, where it has any */
export function withAccess<Pool extends PlannablePool>(
  pool: Pool,
  access: ReadonlyMap<Address, PoolAccess>,
): Pool {
  const own = access.get(pool.address)
  return own === undefined ? pool : { ...pool, access: own }
}
