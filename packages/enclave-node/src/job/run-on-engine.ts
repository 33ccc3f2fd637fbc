import { ComputeError } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import type { EngineColumn, SqlEngine, TableLoad } from '@sealpool/query'
import type { PlannablePool, ServedPool } from '../ingest/served-pool.js'
import type { ProgramRunner } from '../program/program-runs.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/** One table of the pools that a job reads. */
export interface ReadTable<Pool extends PlannablePool = ServedPool> {
  /** `pool.table`. */
  readonly name: string
  readonly pool: Pool
  /** Its name in the pool. */
  readonly table: string
  readonly columns: readonly EngineColumn[]
}

/** @returns the tables that a plan charges, in its order */
export function readTables<Pool extends PlannablePool>(
  planned: PlannedJob<Pool>,
): readonly ReadTable<Pool>[] {
  return planned.charges.flatMap(({ pool, leaves }) =>
    leaves.flatMap((name): ReadTable<Pool>[] => {
      const table = pool.policy.tables.find((one) => `${pool.name}.${one.name}` === name)
      if (table === undefined) return []
      const columns = table.columns.map(
        ({ name: column, type, decimals, min, max, earliest, latest }): EngineColumn => ({
          name: column,
          type,
          decimals,
          min,
          max,
          earliest,
          latest,
        }),
      )
      return [{ name, pool, table: table.name, columns }]
    }),
  )
}

/** @returns how an engine is given a table that lies in encrypted files; without files it is empty */
export function tableLoad(
  { name, columns }: Pick<ReadTable, 'name' | 'columns'>,
  parquet: { readonly paths: readonly string[]; readonly key: Uint8Array },
): TableLoad {
  return parquet.paths.length === 0 ? { name, columns, rows: [] } : { name, columns, parquet }
}

/**
 * Runs a planned job on an engine of its own, which ends with it.
 * @param options `tables`: what {@link readTables} names, loaded; `pseudonymKey`, `noise`: secrets of this job; `runner`: of a program
 * @returns the answer, already private
 * @throws JobRefusal `EXECUTION_FAILED`, whatever went wrong inside: the cause may depend on the data;
 *   `TOO_FEW_CONTRIBUTORS_AFTER_NOISE` when the computation's noisy count says so; JobPutOff of the runner
 */
export function runOnEngine(
  options: EngineRun & {
    readonly planned: PlannedJob<PlannablePool>
    readonly noise: (length: number) => Uint8Array
    readonly runner?: ProgramRunner
  },
): Promise<JsonValue> {
  const { planned, noise, runner } = options
  return onEngine(options, (engine) => planned.run(engine, noise, runner))
}

/** An engine for one job, and what it holds. */
export interface EngineRun {
  readonly openEngine: JobContext['openEngine']
  readonly tables: readonly TableLoad[]
  readonly pseudonymKey: Uint8Array
}

/**
 * Asks an engine of its own, which ends with what is asked.
 * @param run `tables`: what {@link readTables} names, loaded; `pseudonymKey`: a secret of this job
 * @returns what `ask` returns
 * @throws as {@link runOnEngine}
 */
export async function onEngine<Result>(
  run: EngineRun,
  ask: (engine: SqlEngine) => Promise<Result>,
): Promise<Result> {
  const { tables, pseudonymKey } = run
  // Nobody's number in one job says anything in another, or outside of the engine.
  const engine = run.openEngine({ pseudonymKey })
  try {
    for (const table of tables) await engine.load(table)
    return await ask(engine)
  } catch (error) {
    // The node stops: nothing was decided.
    if (error instanceof JobPutOff) throw error
    // Decided on a noisy count that the charge pays for: this reason may be told.
    if (error instanceof ComputeError && error.code === 'TOO_FEW_CONTRIBUTORS') {
      throw JobRefusal.of('TOO_FEW_CONTRIBUTORS_AFTER_NOISE', error)
    }
    throw JobRefusal.of('EXECUTION_FAILED', error)
  } finally {
    await engine.close()
  }
}
