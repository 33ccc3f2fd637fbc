import { PrivacyError } from '../errors.js'
import type { BudgetTotals } from './filter.js'
import type { ChargeReceipt } from './ledger.js'
import {
  assertSameCharge,
  budgetAfter,
  type ChargeRequest,
  type LedgerEntry,
  nextEntry,
  openingEntry,
} from './ledger-entry.js'

/**
 * The entries of all pools and how new ones follow from them. Nothing here waits, so nothing can run between reading the newest
 * entries and writing their successors.
 */
export interface LedgerBook {
  /** The entry that opens a pool's budget, or none when it is open already. @throws PrivacyError `LEDGER_CONFLICT` */
  opening(pool: string, totals: BudgetTotals): LedgerEntry | undefined
  /** The entries that charges need, for all of them or (by an error) none, and their receipts. */
  draft(requests: readonly ChargeRequest[]): {
    readonly entries: readonly LedgerEntry[]
    readonly receipts: ChargeReceipt[]
  }
  /** Adds entries that follow the newest ones. */
  commit(entries: readonly LedgerEntry[]): void
  /** @throws PrivacyError `LEDGER_UNKNOWN_POOL` */
  newest(pool: string): LedgerEntry
  /** @throws PrivacyError `LEDGER_UNKNOWN_POOL` */
  entries(pool: string): readonly LedgerEntry[]
  pools(): string[]
}

/**
 * A book of ledger chains.
 *
 * @param start - Verified entries to start from, each pool's oldest first.
 * @returns The book.
 */
export function ledgerBook(start: readonly LedgerEntry[]): LedgerBook {
  const chains = new Map<
    string,
    { readonly entries: LedgerEntry[]; readonly jobs: Map<string, LedgerEntry> }
  >()
  const chainOf = (pool: string) => {
    const chain = chains.get(pool)
    if (chain === undefined) throw unknownPool()
    return chain
  }
  const newest = (pool: string): LedgerEntry => {
    const last = chainOf(pool).entries.at(-1)
    if (last === undefined) throw unknownPool()
    return last
  }
  const commit = (entries: readonly LedgerEntry[]): void => {
    for (const entry of entries) {
      const chain = chains.get(entry.pool) ?? { entries: [], jobs: new Map<string, LedgerEntry>() }
      chains.set(entry.pool, chain)
      chain.entries.push(entry)
      if (entry.job !== null) chain.jobs.set(entry.job, entry)
    }
  }
  commit(start)
  return {
    opening(pool, totals) {
      const first = chains.get(pool)?.entries[0]
      if (first === undefined) return openingEntry(pool, totals)
      assertSameTotals(first, totals)
      return undefined
    },
    draft(requests) {
      const heads = new Map<string, LedgerEntry>()
      const drafted = new Map<string, { readonly before: LedgerEntry; readonly entry: LedgerEntry }>()
      const receipts = requests.map((request) => {
        const chain = chainOf(request.pool)
        const name = JSON.stringify([request.pool, request.job])
        const booked = chain.jobs.get(request.job)
        const known =
          booked === undefined
            ? drafted.get(name)
            : { before: chain.entries[booked.version - 1] ?? booked, entry: booked }
        if (known !== undefined) {
          assertSameCharge(known.entry, request)
          return receipt(known.before, known.entry)
        }
        const before = heads.get(request.pool) ?? newest(request.pool)
        const entry = nextEntry(before, request)
        heads.set(request.pool, entry)
        drafted.set(name, { before, entry })
        return receipt(before, entry)
      })
      return { entries: [...drafted.values()].map(({ entry }) => entry), receipts }
    },
    commit,
    newest,
    entries: (pool) => chainOf(pool).entries,
    pools: () => [...chains.keys()].sort(),
  }
}

/**
 * Refuses to reopen a budget with other totals.
 *
 * @param first - The pool's opening entry.
 * @param totals - Totals that were asked for now.
 * @throws PrivacyError `LEDGER_CONFLICT`.
 */
export function assertSameTotals(first: LedgerEntry, totals: BudgetTotals): void {
  const { accounting, epsilon, delta } = first.state
  if (accounting === totals.accounting && epsilon === totals.epsilon && delta === totals.delta) return
  throw new PrivacyError(
    'LEDGER_CONFLICT',
    'totals',
    'This pool has a budget with other totals. A lifetime budget does not change; found a new pool for new terms.',
  )
}

/** Receipt of an entry and the one before it. */
function receipt(before: LedgerEntry, after: LedgerEntry): ChargeReceipt {
  return { before: budgetAfter(before), after: budgetAfter(after), head: after.hash }
}

function unknownPool(): PrivacyError {
  return new PrivacyError(
    'LEDGER_UNKNOWN_POOL',
    'pool',
    'No budget is open for this pool. Open it with the totals of its policy first.',
  )
}
