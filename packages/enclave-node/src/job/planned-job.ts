import type { ProgramPlan } from '@sealpool/compute'
import type { Digest, JsonValue } from '@sealpool/crypto'
import type { Charge } from '@sealpool/privacy'
import type { QueryPlan, SqlEngine } from '@sealpool/query'
import type { PlannablePool, ServedPool } from '../ingest/served-pool.js'
import type { ProgramRunner } from '../program/program-runs.js'

/** What a job takes from one pool. */
export interface PoolCharge<Pool extends PlannablePool = ServedPool> {
  readonly pool: Pool
  readonly charge: Charge
  /** Tables that the job reads, as `pool.table`: the leaves that are charged. */
  readonly leaves: readonly string[]
}

/** A job after planning and before any data was touched. */
export interface PlannedJob<Pool extends PlannablePool = ServedPool> {
  readonly kind: 'query' | 'compute'
  /** Plain JSON; its digest stands in the receipt. */
  readonly plan: JsonValue
  readonly planDigest: Digest
  /** Digest of a computation's code; a query's plan is its code. */
  readonly code: Digest | null
  readonly charges: readonly PoolCharge<Pool>[]
  /** Columns that are reached in any clause, as `pool.table.column`. */
  readonly reached: readonly string[]
  /** What the consumer may know before paying: charges and expected errors. */
  readonly explanation: JsonValue
  /** Of a query. */
  readonly query?: QueryPlan
  /** Of a program of the pool's own. */
  readonly program?: ProgramPlan
  /**
   * Runs the plan on an engine that holds the tables of the charges' leaves.
   * @param runner runs a program; absent for plans that are none
   */
  run(engine: SqlEngine, random: (length: number) => Uint8Array, runner?: ProgramRunner): Promise<JsonValue>
}
