import type { AuditLog } from '../audit/audit-file.js'
import { isAnyJobRunning } from '../state/expired-rows.js'
import { applyPolicy, isPolicyNoted, policyApplies } from '../state/policy-table.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'

/**
 * Has a pool's tables made under the policy that its settings name. What jobs have reserved of them is left to them first, and no new job reserves
 * anything of them until it is done.
 * @returns how many pools were switched, 0 or 1
 */
export async function switchPolicy(
  { store }: Pick<IngestContext, 'store'>,
  { address, policyDigest }: Pick<ServedPool, 'address' | 'policyDigest'>,
  audit: Pick<AuditLog, 'write'>,
): Promise<number> {
  if (await isPolicyNoted(store, address, policyDigest)) return 0
  const waiting = await store.transaction(async (tx) => {
    // Nothing is told of a pool that never had another one.
    if (await policyApplies(tx, address, policyDigest))
      return (await applyPolicy(tx, address, policyDigest)) || undefined
    return (await isAnyJobRunning(tx, address)) ? undefined : applyPolicy(tx, address, policyDigest)
  })
  if (waiting === undefined) return 0
  audit.write({ event: 'pool-policy', facts: { pool: address, policy: policyDigest, waiting } })
  return 1
}
