/**
 * Lets a consumer's job at the pools' data, or not: by their access conditions, judged in here from what the chain says.
 * @module
 */
import type { ReceiptPool } from '@sealpool/attest'
import type { JobManifest } from '@sealpool/compute'
import { type AccessVerdict, decideAccess, parseAccessRules } from '@sealpool/contracts'
import { type Address, digestOf, digestToHex, type JsonObject } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'

/** What a pool's access conditions came to, as a receipt has it. */
export type PoolAccess = NonNullable<ReceiptPool['access']>

/** @returns the access rules of a pool, the policy's first, then those of its restrictions */
function rulesOf({ policy, accessAdded = [] }: PlannablePool): readonly JsonObject[] {
  return [...(policy.access === undefined ? [] : [policy.access as JsonObject]), ...accessAdded]
}

/**
 * Judges the access conditions of a job's pools for its consumer, all of them at one block under the confirmations.
 * @param context - `chain`: it is asked only when a pool has a condition
 * @param asked - the manifest, and the job planned from it under the pools' restrictions
 * @returns the job, its pools with what their conditions came to
 * @throws JobRefusal `ACCESS_DENIED` when one is not met, `ACCESS_UNKNOWN` when one cannot be told, with what they came to; NodeError
 * `CHAIN_DISAGREES`, `CHAIN_STALE`; ContractsError `CHAIN_UNREACHABLE`: then nothing is decided
 */
export async function admitConsumer<Pool extends PlannablePool>(
  { chain }: { readonly chain: Pick<ChainPort, 'access'> },
  { manifest, planned }: { readonly manifest: JobManifest; readonly planned: PlannedJob<Pool> },
): Promise<PlannedJob<Pool>> {
  const judged = planned.charges.flatMap(({ pool }) =>
    rulesOf(pool).map((rules) => ({ pool: pool.address, rules, condition: parseAccessRules(rules).use })),
  )
  if (judged.length === 0) return planned
  const subject = {
    wallet: manifest.consumer.address,
    code: planned.code === null ? null : digestToHex(planned.code),
  }
  const readings = await chain.access({ ...subject, conditions: judged.map(({ condition }) => condition) })
  const verdicts: AccessVerdict[] = []
  const access = new Map<Address, PoolAccess>()
  for (const [index, { pool, rules, condition }] of judged.entries()) {
    const reading = readings[index]
    if (reading === undefined) throw new RangeError('the chain port answered another number of conditions')
    const { verdict } = decideAccess(condition, subject, reading)
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

/** @returns the pool with what its access conditions came to, where it has any */
export function withAccess<Pool extends PlannablePool>(
  pool: Pool,
  access: ReadonlyMap<Address, PoolAccess>,
): Pool {
  const own = access.get(pool.address)
  return own === undefined ? pool : { ...pool, access: own }
}
