import { type ProgramPlan, planJson, type RegressionPlan } from '@sealpool/compute'
import { digestOf, type JsonObject, type JsonValue } from '@sealpool/crypto'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { PlannedJob, PoolCharge } from './planned-job.js'

/** What every planned computation says of itself, whatever it computes. */
export type ComputationHead<Pool extends PlannablePool> = Pick<
  PlannedJob<Pool>,
  'kind' | 'plan' | 'planDigest' | 'code' | 'charges' | 'reached'
> & { readonly explanation: JsonObject }

/**
 * What follows from a computation's plan alone: what is charged, what is read, and what its consumer may know before.
 * @param plan of the computation
 * @param pools of the job, in its order; one of which the plan reads no table is charged nothing
 * @returns all of the planned job but how it is run
 */
export function computationHead<Pool extends PlannablePool>(
  plan: ProgramPlan | RegressionPlan,
  pools: readonly Pool[],
): ComputationHead<Pool> {
  const json = planJson(plan)
  return {
    kind: 'compute',
    plan: json,
    planDigest: digestOf(json),
    code: plan.code,
    charges: pools.flatMap((pool): PoolCharge<Pool>[] => {
      const charge = plan.charge[pool.address]
      const read = plan.columns.filter((column) => column.pool === pool.name)
      const leaves = [...new Set(read.map(({ table }) => `${pool.name}.${table}`))]
      return charge === undefined || leaves.length === 0 ? [] : [{ pool, charge, leaves }]
    }),
    reached: plan.columns.map(({ pool, table, column }) => `${pool}.${table}.${column}`),
    explanation: {
      computation: plan.computation,
      code: plan.code,
      charge: plan.charge as unknown as JsonValue,
      columns: plan.columns as unknown as JsonValue,
      mechanism: plan.mechanism as unknown as JsonValue,
      minimumContributors: plan.minimumContributors,
    },
  }
}
