/**
 * What ties a pool's budget ledger to the chain: the hash of each of its entries, in their order, so that a disk that is
 * older than the chain is recognised, and nothing runs whose charge the chain has not seen.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import type { LedgerEntry } from '@sealpool/privacy'
import { integerOf, jsonOf } from './column.js'
import type { Sql } from './state-store.js'

/** One entry of a ledger as the chain takes it; entry 0, which only opens the budget, is not anchored. */
export interface BudgetAnchor {
  readonly pool: Address
  /** The entry's version, from 1. */
  readonly sequence: number
  readonly head: Digest
  /** Head of the entry before; null for version 1. */
  readonly previous: Digest | null
  readonly statement: SignedStatement
}

/** @returns where the ledgers of pools end, by address; a pool without one is left out */
export async function budgetHeads(
  sql: Sql,
  pools: Iterable<Address>,
): Promise<{ pool: Address; version: number; head: Digest }[]> {
  const heads: { pool: Address; version: number; head: Digest }[] = []
  for (const pool of [...pools].sort()) {
    const [row] = await sql.query(
      'select version, entry from ledger where pool = $1 order by version desc limit 1',
      [pool],
    )
    if (row === undefined) continue
    const { hash } = jsonOf<LedgerEntry>(row, 'entry')
    heads.push({ pool, version: integerOf(row, 'version'), head: hash as Digest })
  }
  return heads
}

/** @returns the entry of a version, or undefined when the ledger does not reach it */
export async function ledgerEntryAt(
  sql: Sql,
  pool: Address,
  version: number,
): Promise<LedgerEntry | undefined> {
  const [row] = await sql.query('select entry from ledger where pool = $1 and version = $2', [
    pool.toLowerCase(),
    version,
  ])
  return row === undefined ? undefined : jsonOf<LedgerEntry>(row, 'entry')
}
