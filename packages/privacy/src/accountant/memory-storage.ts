import type { LedgerStorage } from './stored-ledger.js'

/**
 * Append-only storage in memory, whose bytes can be looked at and begun with: for tests and single runs. What is put into it is lost
 * with the process.
 *
 * @param initial - Bytes that are there already; none when absent.
 * @returns `storage` for `openStoredLedger`, `openRecordLog` and their like; `bytes` gives a copy of what it holds.
 */
export function createMemoryStorage(initial: Uint8Array = new Uint8Array()): {
  readonly storage: LedgerStorage
  readonly bytes: () => Uint8Array
} {
  let stored = initial.slice()
  return {
    bytes: () => stored.slice(),
    storage: {
      read: async () => stored.slice(),
      async append(added) {
        const both = new Uint8Array(stored.length + added.length)
        both.set(stored)
        both.set(added, stored.length)
        stored = both
      },
      async truncate(length) {
        stored = stored.slice(0, length)
      },
      close: async () => undefined,
    },
  }
}
