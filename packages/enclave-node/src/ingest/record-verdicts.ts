import { markBatchRecorded } from '../state/contribution-table.js'
import { markVerdictBatchRecorded, unrecordedBatches } from '../state/verdict-table.js'
import type { IngestContext } from './ingest-context.js'

/**
 * Sends the signed batches that are not known to stand on the chain, oldest first. A batch that was sent before a
 * stop is recognised there and only noted.
 * @returns how many batches were settled
 */
export async function recordVerdicts(context: IngestContext): Promise<number> {
  const batches = await unrecordedBatches(context.store)
  for (const batch of batches) {
    const transaction = await context.chain.recordVerdicts(batch)
    await context.store.transaction(async (tx) => {
      await markVerdictBatchRecorded(tx, batch.id, transaction)
      await markBatchRecorded(tx, batch.id)
    })
  }
  return batches.length
}
