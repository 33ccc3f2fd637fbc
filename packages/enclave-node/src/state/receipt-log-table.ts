import type { Digest } from '@sealpool/crypto'
import { textOf } from './column.js'
import type { Sql } from './state-store.js'

/** One entry of the public log: a receipt, or a list of deletions. */
export interface LoggedStatement {
  readonly kind: 'receipt' | 'deletion'
  readonly digest: Digest
  /** Decimal: of the job, or of the list. */
  readonly number: string
  /** ISO time. */
  readonly issued: string
}

/** Appends an entry, in the transaction that stores what it is about; one that is there already keeps its place. */
export async function appendToLog(tx: Sql, entry: LoggedStatement): Promise<void> {
  await tx.query(
    `insert into receipt_log (position, receipt, number, issued, kind)
     select (select count(*) from receipt_log), $1, $2, $3, $4 on conflict (receipt) do nothing`,
    [entry.digest, entry.number, entry.issued, entry.kind],
  )
}

/** @returns entries from a place on, in the order of the log */
export async function logFrom(sql: Sql, position: number): Promise<readonly LoggedStatement[]> {
  const rows = await sql.query(
    'select receipt, number::text as number, issued, kind from receipt_log where position >= $1 order by position',
    [position],
  )
  return rows.map((row) => ({
    kind: textOf(row, 'kind') as LoggedStatement['kind'],
    digest: textOf(row, 'receipt') as Digest,
    number: textOf(row, 'number'),
    issued: textOf(row, 'issued'),
  }))
}
