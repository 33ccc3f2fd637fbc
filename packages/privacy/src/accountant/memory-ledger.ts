import type { BudgetLedger } from './ledger.js'
import { ledgerBook } from './ledger-book.js'
import { budgetAfter, type LedgerEntry } from './ledger-entry.js'

/**
 * A budget ledger in memory: for tests, simulations and planning. It forgets with the process, so a node must
 * use a durable one.
 *
 * @param options - `entries`: chains to start from, as `entries()` returned them (verify them first).
 * @returns The ledger.
 * @example
 * ```ts
 * import { createMemoryLedger } from '@sealpool/privacy'
 * const ledger = createMemoryLedger()
 * await ledger.open('0xpool', { accounting: 'basic', epsilon: 6, delta: 1e-6 })
 * const { after } = await ledger.charge({ pool: '0xpool', job: '1', leaves: ['pay.workers'], charge: { epsilon: 2, delta: 2.5e-7 } })
 * console.assert(after.epsilonSpent === '2')
 * ```
 */
export function createMemoryLedger(
  options: { readonly entries?: readonly LedgerEntry[] } = {},
): BudgetLedger {
  const book = ledgerBook(options.entries ?? [])
  const head = (pool: string) => ({ pool, state: budgetAfter(book.newest(pool)) })
  const chargeAll: BudgetLedger['chargeAll'] = async (requests) => {
    const { entries, receipts } = book.draft(requests)
    book.commit(entries)
    return receipts
  }
  return {
    async open(pool, totals) {
      const opening = book.opening(pool, totals)
      if (opening !== undefined) book.commit([opening])
      return head(pool)
    },
    head: async (pool) => head(pool),
    async charge(request) {
      const [only] = await chargeAll([request])
      return only as NonNullable<typeof only>
    },
    chargeAll,
    entries: async (pool) => [...book.entries(pool)],
  }
}
