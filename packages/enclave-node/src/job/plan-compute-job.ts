import {
  type Coefficient,
  ComputeError,
  type JobManifest,
  type JoinedRow,
  planComputation,
  type RegressionPlan,
  type ReleasedOutput,
  runComputation,
} from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import type { Cell, SqlEngine } from '@sealpool/query'
import type { PlannablePool } from '../ingest/served-pool.js'
import { requireViewColumns } from '../policy/admit-views.js'
import { computationHead } from './computation-head.js'
import { JobRefusal } from './job-refusal.js'
import { programJob } from './plan-program-job.js'
import type { PlannedJob } from './planned-job.js'

/** What a computation's answer says of each coefficient, and of each output of a program: the columns of its rows. */
const coefficientFields = ['name', 'value', 'low', 'high'] satisfies (keyof Coefficient &
  keyof ReleasedOutput)[]

/**
 * Plans a computation.
 * @param manifest of kind compute
 * @param pools its pools, in its order
 * @throws JobRefusal with the planner's code
 */
export async function planComputeJob<Pool extends PlannablePool>(
  manifest: JobManifest,
  pools: readonly Pool[],
): Promise<PlannedJob<Pool>> {
  try {
    const plan = planComputation({ manifest, policies: pools.map(({ policy }) => policy) })
    requireViewColumns(coefficientFields, manifest)
    const [only] = pools
    if (plan.computation === 'program') {
      if (only === undefined) throw JobRefusal.of('MANIFEST_INVALID')
      return programJob(plan, only)
    }
    return {
      ...computationHead(plan, pools),
      run: async (engine, random) =>
        runComputation({ plan, rows: await joinedRows(plan, pools, engine), random }) as unknown as JsonValue,
    }
  } catch (error) {
    if (error instanceof ComputeError) throw JobRefusal.fromPlanner(error)
    throw error
  }
}

/**
 * One row for each contributor who is in every table of the plan. The names in the statement come from policies, which
 * allow lower-case identifiers only; the engine checks the statement's tree a second time.
 */
async function joinedRows(
  plan: RegressionPlan,
  pools: readonly PlannablePool[],
  engine: SqlEngine,
): Promise<readonly JoinedRow[]> {
  const tables = [...new Set(plan.columns.map(({ pool, table }) => `${pool}.${table}`))]
  const alias = (name: string): string => `t${tables.indexOf(name)}`
  const select = plan.columns.map(
    ({ pool, table, column }, index) => `${alias(`${pool}.${table}`)}."${column}" AS c${index}`,
  )
  const from = tables.map((name, index) => {
    const [pool, table] = name.split('.')
    const relation = `"${pool}"."${table}" AS t${index}`
    return index === 0 ? `FROM ${relation}` : `JOIN ${relation} ON t0.contributor = t${index}.contributor`
  })
  const first = tables.map((_, index) => `t${index}.row_rank <= 1`)
  const rows = await engine.query(
    `SELECT t0.contributor AS contributor, ${select.join(', ')} ${from.join(' ')} WHERE ${first.join(' AND ')}`,
    { tables },
  )
  const numeric = plan.columns.map(({ pool, table, column }) => {
    const policy = pools.find(({ name }) => name === pool)?.policy
    const type = policy?.tables
      .find(({ name }) => name === table)
      ?.columns.find(({ name }) => name === column)?.type
    return type === 'integer' || type === 'decimal'
  })
  return rows.map((row) => {
    const values: Record<string, Cell> = {}
    plan.columns.forEach(({ key }, index) => {
      const cell = row[`c${index}`] ?? null
      // The engine gives exact numbers as text; a regression works in floating point anyway.
      values[key] = numeric[index] === true && typeof cell === 'string' ? Number(cell) : cell
    })
    return { ...values, contributor: row['contributor'] as number | string }
  })
}
