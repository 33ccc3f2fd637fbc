import { NodeError } from '../errors.js'
import { markBatchRecorded } from '../state/contribution-table.js'
import {
  isCurrentBatch,
  keepVerdictBatch,
  markVerdictBatchRecorded,
  moveToBatch,
  replaceVerdictBatch,
  unrecordedBatches,
  type VerdictBatch,
} from '../state/verdict-table.js'
import { traced } from '../trace/tracer.js'
import { sumOfEach } from './each.js'
import type { IngestContext } from './ingest-context.js'
import { storeVerdictBatch } from './verdict-batch.js'

/**
 * Sends the signed batches that are not known to stand on the chain, oldest first. A batch that was sent before a
 * stop is recognised there and only noted. One that the chain does not take, because an owner withdrew a contribution in it,
 * is replaced by a batch of the others.
 * @returns how many batches were settled or replaced
 */
export async function recordVerdicts(context: IngestContext): Promise<number> {
  return sumOfEach(await unrecordedBatches(context.store), async (batch) => {
    if (!(await isCurrentBatch(context.store, batch))) return replaceBatch(context, batch)
    try {
      const about = { pool: batch.pool, batch: batch.id }
      const sent = await traced(context.trace, 'ingest.record', about, () =>
        context.chain.recordVerdicts(batch),
      )
      await context.store.transaction(async (tx) => {
        await markVerdictBatchRecorded(tx, batch.id, sent)
        await markBatchRecorded(tx, batch.id)
      })
      return 1
    } catch (error) {
      if (error instanceof NodeError && error.code === 'ENTRIES_GONE') return replaceBatch(context, batch)
      throw error
    }
  })
}

/**
 * Puts the entries that still wait into a batch of their own.
 * @returns 0 when the node has not read yet what became of any of them: the batch stays, and is tried again then
 */
function replaceBatch(context: IngestContext, batch: VerdictBatch): Promise<number> {
  return context.store.transaction(async (tx) => {
    const waiting = await replaceVerdictBatch(tx, batch)
    if (waiting.length === batch.entries.length) {
      await keepVerdictBatch(tx, batch)
      return 0
    }
    if (waiting.length > 0)
      await moveToBatch(tx, waiting, await storeVerdictBatch(context, tx, batch.pool, waiting))
    return 1
  })
}
