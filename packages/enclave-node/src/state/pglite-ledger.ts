/**
 * The privacy budgets in the node's own store, so that a charge and the answer that it pays for stand or fall together.
 * @module
 */
import {
  affordable,
  assertSameCharge,
  assertSameTotals,
  type BudgetLedger,
  type BudgetTotals,
  budgetAfter,
  type Charge,
  type ChargeReceipt,
  type ChargeRequest,
  type LedgerEntry,
  nextEntry,
  openingEntry,
  PrivacyError,
  verifyLedgerChain,
} from '@sealpool/privacy'
import { jsonOf } from './column.js'
import type { Sql, StateStore } from './state-store.js'

/**
 * A budget ledger on the node's store.
 * @param store the migrated store
 * @returns the port's adapter; each call is one transaction
 */
export function storedLedger(store: StateStore): BudgetLedger {
  return {
    open: (pool, totals) => store.transaction((tx) => openBudget(tx, pool, totals)),
    async head(pool) {
      return { pool, state: budgetAfter(await newestEntry(store, pool)) }
    },
    async charge(request) {
      const [only] = await store.transaction((tx) => chargeBudgets(tx, [request]))
      if (only === undefined) throw unknownPool()
      return only
    },
    chargeAll: (requests) => store.transaction((tx) => chargeBudgets(tx, requests)),
    entries: (pool) => ledgerEntries(store, pool),
  }
}

/** Opens a pool's budget inside a transaction. @throws PrivacyError `LEDGER_CONFLICT` */
async function openBudget(tx: Sql, pool: string, totals: BudgetTotals) {
  const [first] = await ledgerEntries(tx, pool, 1)
  if (first === undefined) await append(tx, openingEntry(pool, totals))
  else assertSameTotals(first, totals)
  return { pool, state: budgetAfter(await newestEntry(tx, pool)) }
}

/**
 * Books the charges of one job inside the caller's transaction: in all pools or in none.
 * @param tx the transaction that also stores what the charge pays for
 * @param requests one for each pool
 * @returns budget before and after, in the order of the requests
 * @throws PrivacyError `BUDGET_EXHAUSTED`, `LEDGER_UNKNOWN_POOL`, `LEDGER_CONFLICT`, `PARAMETER_INVALID`; the caller's
 * transaction must then be rolled back
 */
export async function chargeBudgets(tx: Sql, requests: readonly ChargeRequest[]): Promise<ChargeReceipt[]> {
  const receipts: ChargeReceipt[] = []
  for (const request of requests) {
    const booked = await entryOfJob(tx, request.pool, request.job)
    if (booked !== undefined) {
      assertSameCharge(booked.entry, request)
      receipts.push(receiptOf(booked.before, booked.entry))
      continue
    }
    const last = await newestEntry(tx, request.pool)
    const next = nextEntry(last, request)
    await append(tx, next)
    receipts.push(receiptOf(last, next))
  }
  return receipts
}

/**
 * Whether charges would be booked now.
 * @returns false when one of them does not fit; a job that is booked already fits
 */
export async function canAfford(sql: Sql, requests: readonly ChargeRequest[]): Promise<boolean> {
  for (const request of requests) {
    if ((await entryOfJob(sql, request.pool, request.job)) !== undefined) continue
    if (!affordable((await newestEntry(sql, request.pool)).state, request.charge)) return false
  }
  return true
}

/**
 * What was booked under a name.
 * @returns budget before and after, and the charge, or undefined when nothing was
 */
export async function bookedCharge(
  sql: Sql,
  pool: string,
  name: string,
): Promise<{ readonly receipt: ChargeReceipt; readonly charge: Charge } | undefined> {
  const booked = await entryOfJob(sql, pool, name)
  if (booked === undefined || booked.entry.charge === null) return undefined
  return { receipt: receiptOf(booked.before, booked.entry), charge: booked.entry.charge }
}

/**
 * Checks every pool's chain of entries.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN`
 */
export async function verifyLedgers(store: Sql): Promise<void> {
  const pools = await store.query('select distinct pool from ledger')
  for (const row of pools) verifyLedgerChain(await ledgerEntries(store, String(row['pool'])))
}

function receiptOf(before: LedgerEntry, after: LedgerEntry): ChargeReceipt {
  return { before: budgetAfter(before), after: budgetAfter(after), head: after.hash }
}

async function ledgerEntries(sql: Sql, pool: string, limit?: number): Promise<LedgerEntry[]> {
  const rows = await sql.query('select entry from ledger where pool = $1 order by version limit $2', [
    pool,
    limit ?? null,
  ])
  return rows.map((row) => jsonOf<LedgerEntry>(row, 'entry'))
}

async function newestEntry(sql: Sql, pool: string): Promise<LedgerEntry> {
  const [row] = await sql.query('select entry from ledger where pool = $1 order by version desc limit 1', [
    pool,
  ])
  if (row === undefined) throw unknownPool()
  return jsonOf<LedgerEntry>(row, 'entry')
}

async function entryOfJob(
  sql: Sql,
  pool: string,
  job: string,
): Promise<{ readonly before: LedgerEntry; readonly entry: LedgerEntry } | undefined> {
  const [row] = await sql.query(
    `select entry, (select entry from ledger before where before.pool = booked.pool and before.version = booked.version - 1)
       as before from ledger booked where pool = $1 and (entry::jsonb) ->> 'job' = $2`,
    [pool, job],
  )
  return row === undefined
    ? undefined
    : { before: jsonOf<LedgerEntry>(row, 'before'), entry: jsonOf<LedgerEntry>(row, 'entry') }
}

/** The primary key refuses a second entry of one version, so two writers cannot fork a chain. */
async function append(tx: Sql, entry: LedgerEntry): Promise<void> {
  await tx.query('insert into ledger (pool, version, entry, head) values ($1, $2, $3, $4)', [
    entry.pool,
    entry.version,
    JSON.stringify(entry),
    entry.hash,
  ])
}

function unknownPool(): PrivacyError {
  return new PrivacyError(
    'LEDGER_UNKNOWN_POOL',
    'pool',
    'No budget is open for this pool. Open it with the totals of its policy first.',
  )
}
