import { PrivacyError } from '../errors.js'
import { chargeUnits, createFilter } from './filter.js'
import { type BudgetState, budgetAfter, hashLedgerEntry, type LedgerEntry, NO_ENTRY } from './ledger-entry.js'

/**
 * Checks a pool's whole ledger: links, hashes, sums, limits, and that no job was charged twice. Needs nothing
 * but the entries.
 *
 * @param entries - All entries of one pool, oldest first.
 * @param expect - `head`: hash that was anchored elsewhere, so that a shortened chain is found out.
 * @returns The budget after the last entry.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN` with the place of the first fault.
 */
export function verifyLedgerChain(
  entries: readonly LedgerEntry[],
  expect: { readonly head?: string } = {},
): BudgetState {
  let before: LedgerEntry | undefined
  const jobs = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const require = (holds: boolean, field: string, what: string): void => {
      if (!holds) throw broken(`entries[${index}].${field}`, what)
    }
    require(entry.hash === hashLedgerEntry(entry), 'hash', 'is not the hash of the entry')
    require(entry.previous === (before?.hash ?? NO_ENTRY), 'previous', 'does not name the entry before')
    require(entry.version === index, 'version', 'does not count from 0 without gaps')
    if (before === undefined) {
      require(entry.job === null &&
        entry.charge === null &&
        opensHonestly(entry), 'state', 'is not that of a fresh budget')
    } else {
      require(entry.pool === before.pool, 'pool', 'differs from the entry before')
      require(entry.job !== null && !jobs.has(entry.job), 'job', 'is missing or was charged before')
      require(entry.charge !== null, 'charge', 'is missing')
      require(addsUp(before, entry), 'state', 'is not the state before plus the charge, within the total')
      jobs.add(entry.job ?? '')
    }
    before = entry
  }
  if (before === undefined) throw broken('entries', 'are empty: a ledger has at least its opening entry')
  if (expect.head !== undefined && expect.head !== before.hash) {
    throw broken(
      'entries',
      'do not end in the expected head: entries are missing or another history is shown',
    )
  }
  return budgetAfter(before)
}

function opensHonestly(entry: LedgerEntry): boolean {
  const { state } = entry
  try {
    const fresh = createFilter(state)
    // Platforms may differ in the last digit of a logarithm; a unit is 1e-12 of rho.
    const slack = state.accounting === 'zcdp' ? 1n : 0n
    return (
      BigInt(state.primaryTotal) <= BigInt(fresh.primaryTotal) + slack &&
      state.deltaTotal === fresh.deltaTotal &&
      state.primarySpent === '0' &&
      state.deltaSpent === '0'
    )
  } catch {
    return false
  }
}

function addsUp(before: LedgerEntry, entry: LedgerEntry): boolean {
  const { state } = entry
  if (entry.charge === null) return false
  try {
    const units = chargeUnits(before.state.accounting, entry.charge)
    const primary = BigInt(before.state.primarySpent) + units.primary
    const delta = BigInt(before.state.deltaSpent) + units.delta
    const same = (['accounting', 'epsilon', 'delta', 'primaryTotal', 'deltaTotal'] as const).every(
      (field) => state[field] === before.state[field],
    )
    return (
      same &&
      state.primarySpent === primary.toString() &&
      state.deltaSpent === delta.toString() &&
      primary <= BigInt(state.primaryTotal) &&
      delta <= BigInt(state.deltaTotal)
    )
  } catch {
    return false
  }
}

function broken(place: string, what: string): PrivacyError {
  return new PrivacyError(
    'LEDGER_CHAIN_BROKEN',
    place,
    `The budget ledger does not verify: ${place} ${what}. Do not release anything from this pool.`,
  )
}
