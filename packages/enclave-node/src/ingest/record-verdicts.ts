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
import type { IngestContext } from './ingest-context.js'
import { storeVerdictBatch } from './verdict-batch.js'

/**
 * Sends the signed batches that are not known to stand on the chain, oldest first. A batch that was sent before a
 * stop is recognised there and only noted. One that the chain does not take, because an owner withdrew a contribution in it,
 * is replaced by a batch of the others.
 * @returns how many batches were settled or replaced
 */
export async function recordVerdicts(context: IngestContext): Promise<number> {
  const batches = await unrecordedBatches(context.store)
  let done = 0
  for (const batch of batches) {
    try {
      if (!(await isCurrentBatch(context.store, batch))) {
        done += (await replaceBatch(context, batch)) ? 1 : 0
        continue
      }
      const sent = await context.chain.recordVerdicts(batch)
      await context.store.transaction(async (tx) => {
        await markVerdictBatchRecorded(tx, batch.id, sent)
        await markBatchRecorded(tx, batch.id)
      })
      done += 1
    } catch (error) {
      if (!(error instanceof NodeError && error.code === 'ENTRIES_GONE')) throw error
      done += (await replaceBatch(context, batch)) ? 1 : 0
    }
  }
  return done
}

/**
 * Puts the entries that still wait into a batch of their own.
 * @returns false when the node has not read yet what became of any of them: the batch stays, and is tried again then
 */
function replaceBatch(context: IngestContext, batch: VerdictBatch): Promise<boolean> {
  return context.store.transaction(async (tx) => {
    const waiting = await replaceVerdictBatch(tx, batch)
    if (waiting.length === batch.entries.length) {
      await keepVerdictBatch(tx, batch)
      return false
    }
    if (waiting.length > 0)
      await moveToBatch(tx, waiting, await storeVerdictBatch(context, tx, batch.pool, waiting))
    return true
  })
}
