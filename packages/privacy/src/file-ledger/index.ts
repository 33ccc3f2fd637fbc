/**
 * The budget ledger in a file (Node only): append-only, hash-chained, fsynced.
 *
 * @module
 */
import type { LedgerAnchor } from '../accountant/ledger-anchor.js'
import { openStoredLedger, type StoredLedger } from '../accountant/stored-ledger.js'
import { fileStorage } from './file-storage.js'

export type { StoredLedger } from '../accountant/stored-ledger.js'
export { fileStorage } from './file-storage.js'

/**
 * Opens a budget ledger in a file; a new one where there is none.
 *
 * @param options - `path` of the file; `anchors`: points known from outside (a chain), which the ledger must contain.
 * @returns The ledger. Close it, or the next opening in this process is refused.
 * @throws PrivacyError `LEDGER_IN_USE`, `LEDGER_CHAIN_BROKEN`; errors of the file system as they are.
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { openFileLedger } from '@sealpool/privacy/file-ledger'
 * const ledger = await openFileLedger({ path: join(mkdtempSync(join(tmpdir(), 'ledger-')), 'budget.jsonl') })
 * await ledger.open('pay', { accounting: 'basic', epsilon: 6, delta: 1e-6 })
 * await ledger.charge({ pool: 'pay', job: '1', leaves: ['pay.workers'], charge: { epsilon: 1, delta: 0 } })
 * await ledger.close()
 * ```
 */
export async function openFileLedger(options: {
  readonly path: string
  readonly anchors?: readonly LedgerAnchor[]
}): Promise<StoredLedger> {
  const storage = await fileStorage(options.path)
  try {
    return await openStoredLedger(storage, options.anchors === undefined ? {} : { anchors: options.anchors })
  } catch (error) {
    await storage.close()
    throw error
  }
}
