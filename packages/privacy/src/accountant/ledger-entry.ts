import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'
import {
  applyCharge,
  type BudgetTotals,
  type Charge,
  chargeUnits,
  createFilter,
  type FilterState,
  type SpentBudget,
  spentBudget,
} from './filter.js'

/** A link of a pool's budget ledger: plain JSON. Entry 0 opens the budget, every later one books one job. */
export interface LedgerEntry {
  readonly pool: string
  /** Position in the pool's chain, from 0. */
  readonly version: number
  /** Null for the opening entry. */
  readonly job: string | null
  /** The (contributor set, table) leaves that the job reads, for example `pay.workers`. */
  readonly leaves: readonly string[]
  /** Null for the opening entry. */
  readonly charge: Charge | null
  /** The filter after this entry. */
  readonly state: FilterState
  /** Hash of the entry before; `sha256:` and zeros for the opening entry. */
  readonly previous: string
  /** SHA-256 over all of the above, see {@link hashLedgerEntry}. */
  readonly hash: string
}

/** A budget as receipts show it. Amounts are decimal strings. */
export interface BudgetState extends SpentBudget {
  /** Version of the last ledger entry. */
  readonly version: number
  /** Hash of the last ledger entry; anchored on chain. */
  readonly head: string
}

/** What is asked of a ledger. */
export interface ChargeRequest {
  readonly pool: string
  /** Names the job; charging the same job again books nothing. */
  readonly job: string
  readonly leaves: readonly string[]
  readonly charge: Charge
}

/** `previous` of an opening entry. */
export const NO_ENTRY = `sha256:${'0'.repeat(64)}`

/**
 * The first entry of a pool's ledger.
 *
 * @param pool - Pool's identifier (its address).
 * @param totals - Lifetime budget, from the pool's policy.
 * @returns Entry of version 0.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function openingEntry(pool: string, totals: BudgetTotals): LedgerEntry {
  return hashed({
    pool,
    version: 0,
    job: null,
    leaves: [],
    charge: null,
    state: createFilter(totals),
    previous: NO_ENTRY,
  })
}

/**
 * The entry that books a charge after `last`. Pure: a ledger adapter stores it in the same transaction in
 * which it read `last`.
 *
 * @param last - The pool's newest entry.
 * @param request - What to book.
 * @returns The next entry.
 * @throws PrivacyError `BUDGET_EXHAUSTED` with `remaining`; `PARAMETER_INVALID` for a malformed request.
 */
export function nextEntry(last: LedgerEntry, request: ChargeRequest): LedgerEntry {
  if (request.pool !== last.pool) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'pool',
      'The request concerns another pool than the ledger entry before it.',
    )
  }
  if (request.job === '')
    throw new PrivacyError('PARAMETER_INVALID', 'job', 'A charge needs the name of its job.')
  if (request.leaves.length === 0) {
    throw new PrivacyError('PARAMETER_INVALID', 'leaves', 'A charge needs the tables that the job reads.')
  }
  const leaves = [...new Set(request.leaves)].sort()
  const { epsilon, delta, zcdp } = request.charge
  return hashed({
    pool: last.pool,
    version: last.version + 1,
    job: request.job,
    leaves,
    charge:
      zcdp === undefined
        ? { epsilon, delta }
        : { epsilon, delta, zcdp: { rho: zcdp.rho, delta: zcdp.delta } },
    state: applyCharge(last.state, request.charge),
    previous: last.hash,
  })
}

/**
 * The budget as it stands after an entry.
 *
 * @param entry - Any entry.
 * @returns Decimal strings, version and head.
 */
export function budgetAfter(entry: LedgerEntry): BudgetState {
  return { ...spentBudget(entry.state), version: entry.version, head: entry.hash }
}

/**
 * Whether a stored entry is the same charge as a request, so that repeating the request is harmless.
 *
 * @param entry - Entry of the same pool and job.
 * @param request - The repeated request.
 * @throws PrivacyError `LEDGER_CONFLICT` when the job was charged for something else.
 */
export function assertSameCharge(entry: LedgerEntry, request: ChargeRequest): void {
  const booked = entry.charge === null ? null : chargeUnits(entry.state.accounting, entry.charge)
  const asked = chargeUnits(entry.state.accounting, request.charge)
  const leaves = [...new Set(request.leaves)].sort()
  const same =
    booked?.primary === asked.primary &&
    booked.delta === asked.delta &&
    leaves.length === entry.leaves.length &&
    leaves.every((leaf, index) => leaf === entry.leaves[index])
  if (same) return
  throw new PrivacyError(
    'LEDGER_CONFLICT',
    'job',
    'This job was charged before with another amount or other tables. Give the changed job a name of its own.',
  )
}

/**
 * SHA-256 of an entry: a domain tag, then every field as UTF-8 behind its length in bytes (four bytes, big
 * endian), lists behind their count. No two different entries share an encoding.
 *
 * @param entry - Entry; its own `hash` does not count.
 * @returns `sha256:` and 64 lower-case hexadecimal digits.
 */
export function hashLedgerEntry(entry: Omit<LedgerEntry, 'hash'>): string {
  const { charge, state } = entry
  const fields = [
    entry.pool,
    String(entry.version),
    entry.job === null ? 'open' : 'charge',
    entry.job ?? '',
    String(entry.leaves.length),
    ...entry.leaves,
    charge === null ? '' : String(charge.epsilon),
    charge === null ? '' : String(charge.delta),
    charge?.zcdp === undefined ? '' : String(charge.zcdp.rho),
    charge?.zcdp === undefined ? '' : String(charge.zcdp.delta),
    state.accounting,
    String(state.epsilon),
    String(state.delta),
    state.primaryTotal,
    state.deltaTotal,
    state.primarySpent,
    state.deltaSpent,
    entry.previous,
  ]
  const hash = sha256.create().update(utf8ToBytes('sealpool/ledger-entry/1\0'))
  for (const field of fields) {
    const bytes = utf8ToBytes(field)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    hash.update(length).update(bytes)
  }
  return `sha256:${bytesToHex(hash.digest())}`
}

function hashed(entry: Omit<LedgerEntry, 'hash'>): LedgerEntry {
  return { ...entry, hash: hashLedgerEntry(entry) }
}
