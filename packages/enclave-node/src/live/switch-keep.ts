import type { AuditLog } from '../audit/audit-file.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { isAnyJobRunning } from '../state/expired-rows.js'
import { keptAs, makeEscrow, makeLive } from '../state/kept-as.js'

/**
 * Brings what is kept of a pool to what the settings say. It is called by a node that the registry lists with these settings; what jobs have
 * reserved is left to them first, and no new job reserves anything until it is done.
 * @returns how many pools were switched, 0 or 1
 */
export async function switchKeep(
  { store }: Pick<IngestContext, 'store'>,
  { address, keep }: Pick<ServedPool, 'address' | 'keep'>,
  audit: Pick<AuditLog, 'write'>,
): Promise<number> {
  if ((await keptAs(store, address)) === keep) return 0
  const switched = await store.transaction(async (tx) => {
    if (await isAnyJobRunning(tx)) return false
    await (keep === 'live' ? makeLive(tx, address) : makeEscrow(tx, address))
    return true
  })
  if (!switched) return 0
  audit.write({ event: 'pool-keeps', facts: { pool: address, keep } })
  return 1
}
