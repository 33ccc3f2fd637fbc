import { PrivacyError } from '../errors.js'
import type { BudgetTotals } from './filter.js'
import type { BudgetLedger, ChargeReceipt } from './ledger.js'
import {
  assertSameCharge,
  budgetAfter,
  type ChargeRequest,
  type LedgerEntry,
  nextEntry,
  openingEntry,
} from './ledger-entry.js'

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
  const chains = new Map<string, LedgerEntry[]>()
  for (const entry of options.entries ?? [])
    chains.set(entry.pool, [...(chains.get(entry.pool) ?? []), entry])

  const chainOf = (pool: string): readonly LedgerEntry[] => {
    const chain = chains.get(pool)
    if (chain === undefined) throw unknownPool()
    return chain
  }
  const headOf = (chain: readonly LedgerEntry[]): LedgerEntry => {
    const last = chain.at(-1)
    if (last === undefined) throw unknownPool()
    return last
  }
  // One synchronous step: nothing can run between reading the newest entries and storing their successors.
  const chargeAll = (requests: readonly ChargeRequest[]): ChargeReceipt[] => {
    const drafts = new Map<string, LedgerEntry[]>()
    const receipts = requests.map((request) => {
      const chain = drafts.get(request.pool) ?? [...chainOf(request.pool)]
      const booked = chain.findIndex(({ job }) => job === request.job)
      const entry = chain[booked]
      if (entry !== undefined) {
        assertSameCharge(entry, request)
        return receipt(headOf(chain.slice(0, booked)), entry)
      }
      const last = headOf(chain)
      const next = nextEntry(last, request)
      drafts.set(request.pool, [...chain, next])
      return receipt(last, next)
    })
    for (const [pool, chain] of drafts) chains.set(pool, chain)
    return receipts
  }
  return {
    async open(pool, totals) {
      const first = chains.get(pool)?.[0]
      if (first === undefined) chains.set(pool, [openingEntry(pool, totals)])
      else assertSameTotals(first, totals)
      return { pool, state: budgetAfter(headOf(chainOf(pool))) }
    },
    async head(pool) {
      return { pool, state: budgetAfter(headOf(chainOf(pool))) }
    },
    async charge(request) {
      const [only] = chargeAll([request])
      if (only === undefined) throw unknownPool()
      return only
    },
    async chargeAll(requests) {
      return chargeAll(requests)
    },
    async entries(pool) {
      return [...chainOf(pool)]
    },
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
export function receipt(before: LedgerEntry, after: LedgerEntry): ChargeReceipt {
  return { before: budgetAfter(before), after: budgetAfter(after), head: after.hash }
}

function unknownPool(): PrivacyError {
  return new PrivacyError(
    'LEDGER_UNKNOWN_POOL',
    'pool',
    'No budget is open for this pool. Open it with the totals of its policy first.',
  )
}
