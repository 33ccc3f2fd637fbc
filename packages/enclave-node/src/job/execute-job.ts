import { ComputeError } from '@sealpool/compute'
import type { JsonValue } from '@sealpool/crypto'
import { lastingScope } from '../ingest/served-pool.js'
import type { Reservation } from '../state/job-table.js'
import { poolRefinements, type Refinement } from '../state/refinement-table.js'
import type { Sql } from '../state/state-store.js'
import type { JobContext } from './job-context.js'
import { jobNoise } from './job-noise.js'
import { JobRefusal } from './job-refusal.js'
import { jobSecret } from './job-secret.js'
import type { PlannedJob } from './planned-job.js'

/**
 * Sees to it that everything that was reserved for a job is still there to be read.
 * @throws JobRefusal `EXECUTION_FAILED` when an owner took something of it back: other inputs would give another answer
 * under the same charge
 */
export async function requireInputs(sql: Sql, { inputs }: Reservation): Promise<void> {
  for (const { pool, refinements } of inputs) {
    const kept = new Set((await poolRefinements(sql, pool)).map(({ id }) => id))
    if (!refinements.every((id) => kept.has(id))) throw JobRefusal.of('EXECUTION_FAILED')
  }
}

/**
 * Runs a planned job on what was reserved for it, on an engine of its own, which ends with it.
 * @returns the answer, already private; it must not leave before its charge is stored
 * @throws JobRefusal `EXECUTION_FAILED`, whatever went wrong inside: the cause may depend on the data;
 *   `TOO_FEW_CONTRIBUTORS_AFTER_NOISE` when the computation's noisy count says so
 */
export async function executeJob(
  context: JobContext,
  planned: PlannedJob,
  reservation: Reservation,
): Promise<JsonValue> {
  await requireInputs(context.store, reservation)
  const refinements = new Map<string, readonly Refinement[]>()
  for (const { pool } of planned.charges) {
    const reserved = reservation.inputs.find((one) => one.pool === pool.address)?.refinements ?? []
    const kept = await poolRefinements(context.store, pool.address)
    refinements.set(
      pool.address,
      kept.filter(({ id }) => reserved.includes(id)),
    )
  }
  const secrets = {
    keys: context.keys,
    planned,
    contributions: new Map(
      [...refinements].map(([pool, ones]) => [pool, ones.flatMap((one) => one.contributions)]),
    ),
  }
  // Nobody's number in one job says anything in another, or outside of the engine.
  const engine = context.openEngine({ pseudonymKey: jobSecret('job-pseudonyms', secrets) })
  try {
    for (const { pool, leaves } of planned.charges) {
      for (const leaf of leaves) {
        const table = pool.policy.tables.find(({ name }) => `${pool.name}.${name}` === leaf)
        if (table === undefined) continue
        const parts = (refinements.get(pool.address) ?? []).flatMap((refinement) =>
          refinement.parts.filter((part) => part.table === table.name),
        )
        const columns = table.columns.map(({ name, type, decimals, min, max, earliest, latest }) => ({
          name,
          type,
          decimals,
          min,
          max,
          earliest,
          latest,
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
    return await planned.run(engine, jobNoise(secrets))
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
