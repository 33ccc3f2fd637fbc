import { requireEmbedder } from '../embedding/embedder.js'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { createPiiPass } from '../pii/pii-pass.js'
import { describedSchema } from './described-schema.js'
import type { RefineContribution } from './refine-batch.js'
import { type RefineOneOptions, refineOne } from './refine-one.js'
import { endedByClock } from './run-entry.js'

/** What {@link checkContribution} takes: that of `refineBatch` without the pool's secrets, and one file instead of many. */
export interface CheckContributionOptions extends RefineOneOptions {
  /** The opened file. */
  readonly contribution: Omit<RefineContribution, 'id' | 'contributor'>
}

/** Whether a refiner takes a contribution. */
export type ContributionCheck =
  | {
      readonly ok: true
      /** How many rows it gives, over all tables; a file that gives none is taken too. */
      readonly rows: number
    }
  | {
      readonly ok: false
      /** Why it would be refused. */
      readonly code: RefineErrorCode
      /** Where, without any private value. */
      readonly place: string
      /** The mapping's time was over: on another machine it may have come to an end. */
      readonly byClock: boolean
    }

/**
 * What rows are hashed under decides over none of them: hashes are all of one length. One for all checks, since a detector of personal data takes
 * longer to make than most files to refine.
 */
const pass = /* @__PURE__ */ createPiiPass({ key: /* @__PURE__ */ new Uint8Array(32) })

/**
 * Refines one contribution as `refineBatch` would, and gives none of its rows; see `checkContribution` of `../with-platform.ts`.
 *
 * @param options - see {@link CheckContributionOptions}
 * @returns how many rows it gives, or why it is refused
 */
export async function checkOneContribution({
  contribution,
  ...options
}: CheckContributionOptions): Promise<ContributionCheck> {
  const schema = await describedSchema(options)
  requireEmbedder(schema, options.embedder)
  const one = { ...contribution, id: '', contributor: 0 }
  try {
    const tables = await refineOne(one, schema, options, pass)
    return { ok: true, rows: [...tables.values()].reduce((sum, rows) => sum + rows.length, 0) }
  } catch (error) {
    // A model that does not work is no fault of the contribution.
    if (!(error instanceof RefineError) || error.code === 'EMBEDDER_FAILED') throw error
    return { ok: false, code: error.code, place: error.place, byClock: endedByClock(error) }
  }
}
