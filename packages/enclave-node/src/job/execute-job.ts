import { ComputeError } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import { lastingScope } from '../ingest/served-pool.js'
import { poolRefinements } from '../state/refinement-table.js'
import type { JobContext } from './job-context.js'
import { jobNoise } from './job-noise.js'
import { JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/**
 * Runs a planned job on an engine of its own, which ends with it.
 * @returns the answer, already private; it must not leave before its charge is stored
 * @throws JobRefusal `EXECUTION_FAILED`, whatever went wrong inside: the cause may depend on the data;
 *   `TOO_FEW_CONTRIBUTORS_AFTER_NOISE` when the computation's noisy count says so
 */
export async function executeJob(context: JobContext, planned: PlannedJob): Promise<JsonValue> {
  const engine = context.openEngine()
  const contributions = new Map<string, readonly string[]>()
  try {
    for (const { pool, leaves } of planned.charges) {
      const refinements = await poolRefinements(context.store, pool.address)
      contributions.set(
        pool.address,
        refinements.flatMap((refinement) => refinement.contributions),
      )
      for (const leaf of leaves) {
        const table = pool.policy.tables.find(({ name }) => `${pool.name}.${name}` === leaf)
        if (table === undefined) continue
        const parts = refinements.flatMap((refinement) =>
          refinement.parts.filter((part) => part.table === table.name),
        )
        const columns = table.columns.map(({ name, type, decimals, min, max }) => ({
          name,
          type,
          decimals,
          min,
          max,
        }))
        await engine.load(
          parts.length === 0
            ? { name: leaf, columns, rows: [] }
            : {
                name: leaf,
                columns,
                parquet: {
                  paths: context.parts.paths(pool, parts),
                  key: context.keys.poolSecret('table-storage', lastingScope(pool)),
                },
              },
        )
      }
    }
    return await planned.run(engine, jobNoise({ keys: context.keys, planned, contributions }))
  } catch (error) {
    // Decided on a noisy count that the charge pays for: this reason may be told.
    if (error instanceof ComputeError && error.code === 'TOO_FEW_CONTRIBUTORS') {
      throw JobRefusal.of('TOO_FEW_CONTRIBUTORS_AFTER_NOISE', error)
    }
    throw JobRefusal.of('EXECUTION_FAILED', error)
  } finally {
    await engine.close()
  }
}
