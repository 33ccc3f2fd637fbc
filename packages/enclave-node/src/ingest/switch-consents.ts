import type { AuditLog } from '../audit/audit-file.js'
import { applyConsents, consentsApply, countWithheld } from '../state/consent-table.js'
import { isAnyJobRunning } from '../state/expired-rows.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'

/**
 * Has a pool's tables made by the consents that its settings name. What jobs have reserved of it is left to them first, and no new job reserves
 * anything of it until it is done.
 * @returns how many pools were switched, 0 or 1
 */
export async function switchConsents(
  { store }: Pick<IngestContext, 'store'>,
  { address, consents }: Pick<ServedPool, 'address' | 'consents'>,
  audit: Pick<AuditLog, 'write'>,
): Promise<number> {
  if (await consentsApply(store, address, consents)) return 0
  const withheld = await store.transaction(async (tx) => {
    if (await isAnyJobRunning(tx, address)) return undefined
    await applyConsents(tx, address, consents)
    return countWithheld(tx, address)
  })
  if (withheld === undefined) return 0
  audit.write({
    event: 'pool-consents',
    facts: { pool: address, accepted: consents?.length ?? 'any', withheld },
  })
  return 1
}
