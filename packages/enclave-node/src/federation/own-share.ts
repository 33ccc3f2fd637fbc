/**
 * Computes this node's share of a job from what was reserved of its own pools, at home and at the node that coordinates alike.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { type PlanShare, shareOfPlan } from '@sealpool/query'
import { jobMaterial } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import type { PlannedJob } from '../job/planned-job.js'
import { readTables, tableLoad } from '../job/run-on-engine.js'
import { reservedInputs, verdictsByPool } from '../release/job-inputs.js'
import type { Reservation } from '../state/job-table.js'
import type { SharedPlan } from './plan-shared-job.js'

/** What a home adds to a job. */
export interface OwnShare {
  readonly share: PlanShare
  /** This home's part of the noise's seed: the same for the same plan on the same inputs, 32 bytes. */
  readonly noise: Uint8Array
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}

/**
 * @param planned `own`: what is charged here; `shared`: over all pools
 * @throws JobRefusal `EXECUTION_FAILED`, whatever went wrong inside: the cause may depend on the data
 */
export async function ownShare(
  context: Pick<JobContext, 'store' | 'keys' | 'parts' | 'openEngine'>,
  planned: { readonly own: PlannedJob; readonly shared: SharedPlan },
  reservation: Reservation,
): Promise<OwnShare> {
  const material = await jobMaterial(context, planned.own, reservation)
  const held = new Map(material.tables.map((table) => [table.name, table]))
  const verdicts = verdictsByPool(await reservedInputs(context.store, reservation))
  const engine = context.openEngine({ pseudonymKey: material.pseudonyms })
  try {
    for (const table of readTables(planned.shared)) {
      // Other homes' tables are there without rows: every home asks its engine the same statements.
      const { paths, key } = held.get(table.name) ?? { paths: [], key: material.pseudonyms }
      await engine.load(tableLoad(table, { paths, key }))
    }
    const share = await shareOfPlan({ plan: planned.shared.query, engine })
    return { share, noise: material.share, verdicts }
  } catch (error) {
    throw JobRefusal.of('EXECUTION_FAILED', error)
  } finally {
    await engine.close()
  }
}
