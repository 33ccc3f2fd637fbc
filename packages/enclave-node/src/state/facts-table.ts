import type { Address, Digest, JsonObject, SignedStatement } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf, textOrNull } from './column.js'
import type { Sql, SqlRow } from './state-store.js'

/** What a set of facts is computed on, and paid with. */
export interface FactsReservation {
  readonly plan: Digest
  /** Under which the tables are sealed; absent of sets of earlier releases. */
  readonly policy?: Digest
  /** Version of the budget ledger's entry. */
  readonly version: number
  /** Time of the chain's head, unix seconds. */
  readonly at: number
  readonly inputs: Digest
  readonly contributions: number
  readonly contributors: number
  /** Numbers of the refinements. */
  readonly refinements: readonly string[]
}

/** Facts of one table. */
export interface TableFacts {
  readonly table: string
  /** What they are about; its digest is the statement's commitment. */
  readonly input: JsonObject
  readonly statement: SignedStatement
}

/** A set of facts about a pool. */
export interface FactsRow {
  readonly number: number
  readonly reservation: FactsReservation
  readonly state: 'reserved' | 'signed' | 'given-up'
  readonly statements: readonly TableFacts[] | null
}

function read(row: SqlRow): FactsRow {
  return {
    number: integerOf(row, 'number'),
    reservation: jsonOf<FactsReservation>(row, 'reservation'),
    state: textOf(row, 'state') as FactsRow['state'],
    statements: textOrNull(row, 'statements') === null ? null : jsonOf<TableFacts[]>(row, 'statements'),
  }
}

/** @returns all sets of a pool, oldest first */
export async function factsOf(sql: Sql, pool: Address): Promise<readonly FactsRow[]> {
  const rows = await sql.query(
    'select number, reservation, state, statements from dataset_facts where pool = $1 order by number',
    [pool.toLowerCase()],
  )
  return rows.map(read)
}

/** Stores a reservation, in the transaction that books its charge. */
export async function reserveFacts(
  tx: Sql,
  pool: Address,
  number: number,
  reservation: FactsReservation,
): Promise<void> {
  await tx.query(
    `insert into dataset_facts (pool, number, reservation, state) values ($1, $2, $3, 'reserved')`,
    [pool.toLowerCase(), number, JSON.stringify(reservation)],
  )
}

/** Ends a reservation: with statements, or without any when there is nothing to compute on any more. */
export async function endFacts(
  sql: Sql,
  pool: Address,
  number: number,
  statements: readonly TableFacts[] | null,
): Promise<void> {
  await sql.query(
    `update dataset_facts set state = $3, statements = $4 where pool = $1 and number = $2 and state = 'reserved'`,
    [
      pool.toLowerCase(),
      number,
      statements === null ? 'given-up' : 'signed',
      statements === null ? null : JSON.stringify(statements),
    ],
  )
}
