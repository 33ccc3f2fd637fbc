import type { JobManifest } from '@sealpool/compute'
import { QueryError, requireDivisible } from '@sealpool/query'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { LiveSets } from '../live/live-tables.js'
import { requireViews } from '../policy/admit-views.js'
import { refinedContributors } from '../state/contribution-table.js'
import { canAfford } from '../state/pglite-ledger.js'
import type { Sql } from '../state/state-store.js'
import { JobRefusal } from './job-refusal.js'
import { planComputeJob } from './plan-compute-job.js'
import { planQueryJob } from './plan-query-job.js'
import type { PlannedJob } from './planned-job.js'

/**
 * Plans a job of either kind.
 * @throws JobRefusal, for views too that a pool does not allow or that are not in the answer
 */
export async function planJob<Pool extends PlannablePool>(
  manifest: JobManifest,
  pools: readonly Pool[],
): Promise<PlannedJob<Pool>> {
  requireViews(pools, manifest)
  const planned = await (manifest.kind === 'query'
    ? planQueryJob(manifest, pools)
    : planComputeJob(manifest, pools))
  requireDealable(planned, manifest)
  return requireAllUsed(planned, pools)
}

/**
 * What several nodes count of some contributors each must make what one counts of all; all rows of a contributor are in one place.
 * @throws JobRefusal `NOT_DIVISIBLE`
 */
function requireDealable({ query }: Pick<PlannedJob, 'query'>, { handOff }: JobManifest): void {
  if (handOff?.shards === undefined || query === undefined) return
  try {
    requireDivisible(query, () => 'here')
  } catch (error) {
    if (error instanceof QueryError) throw JobRefusal.fromPlanner(error)
    throw error
  }
}

/**
 * Votes and payment of a pool that is not read would be for nothing, and its receipt would name no charge.
 * @returns the job
 * @throws JobRefusal `POOL_NOT_USED`
 */
export function requireAllUsed<Planned extends PlannedJob<PlannablePool>>(
  planned: Planned,
  pools: readonly PlannablePool[],
): Planned {
  if (planned.charges.length !== pools.length) throw JobRefusal.of('POOL_NOT_USED')
  return planned
}

/**
 * Checks what needs no data but the pools' public figures: enough contributors, enough budget.
 * @param charge name under which the job is charged
 * @param live what was fetched of live pools: their contributors are those that were had
 * @throws JobRefusal `TOO_FEW_CONTRIBUTORS`, `BUDGET_EXHAUSTED`
 */
export async function requireRunnable(
  sql: Sql,
  charge: string,
  planned: PlannedJob,
  live?: LiveSets,
): Promise<void> {
  for (const { pool } of planned.charges) {
    const had = live?.get(pool.address)
    const contributors =
      had === undefined
        ? await refinedContributors(sql, pool.address)
        : new Set(had.inputs.map(({ contributor }) => contributor)).size
    if (contributors < pool.policy.privacy.minimumContributors) throw JobRefusal.of('TOO_FEW_CONTRIBUTORS')
  }
  if (!(await canAfford(sql, chargeRequests(charge, planned)))) throw JobRefusal.of('BUDGET_EXHAUSTED')
}

/**
 * What the ledger is asked to book for a job.
 * @param name of the charge
 */
export function chargeRequests(name: string, planned: PlannedJob) {
  return planned.charges.map(({ pool, charge, leaves }) => ({
    pool: pool.address,
    job: name,
    leaves,
    charge,
  }))
}
