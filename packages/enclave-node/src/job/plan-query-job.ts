import type { JobManifest } from '@sealpool/compute'
import { digestOf, type JsonValue } from '@sealpool/crypto'
import { executePlan, explainPlan, planQuery, QueryError, type QueryPlan } from '@sealpool/query'
import type { PlannablePool } from '../ingest/served-pool.js'
import { requireViewColumns } from '../policy/admit-views.js'
import { JobRefusal } from './job-refusal.js'
import type { PlannedJob, PoolCharge } from './planned-job.js'

/**
 * Plans a query job.
 * @param manifest of kind query
 * @param pools its pools, in its order
 * @throws JobRefusal with the planner's code
 */
export async function planQueryJob<Pool extends PlannablePool>(
  manifest: JobManifest,
  pools: readonly Pool[],
): Promise<PlannedJob<Pool> & { readonly query: QueryPlan }> {
  if (manifest.query === null) throw JobRefusal.of('MANIFEST_INVALID')
  try {
    const plan = await planQuery({
      sql: manifest.query.sql,
      pools: pools.map(({ name, address, policy }) => ({ name, address, policy })),
      budget: manifest.privacy,
    })
    requireViewColumns(
      plan.columns.map(({ name }) => name),
      manifest,
    )
    const charges = plan.pools.flatMap(({ address, charge }): PoolCharge<Pool>[] => {
      const pool = pools.find((one) => one.address === address)
      if (pool === undefined) return []
      // A plan can have several releases; its leaves are the tables of all of them.
      const leaves = plan.leaves.filter((leaf) => leaf.startsWith(`${pool.name}.`))
      return [{ pool, charge, leaves }]
    })
    return {
      kind: 'query',
      query: plan,
      plan: plan as unknown as JsonValue,
      planDigest: digestOf(plan as unknown as JsonValue),
      code: null,
      charges,
      reached: plan.reached,
      explanation: explainPlan(plan) as unknown as JsonValue,
      run: async (engine, random) => (await executePlan({ plan, engine, random })) as unknown as JsonValue,
    }
  } catch (error) {
    if (error instanceof QueryError) throw JobRefusal.fromPlanner(error)
    throw error
  }
}
