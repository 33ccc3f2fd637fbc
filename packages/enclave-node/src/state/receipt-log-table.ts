import type { Digest } from '@sealpool/crypto'
import { textOf } from './column.js'
import type { Sql } from './state-store.js'

/** One receipt in the log. */
export interface LoggedReceipt {
  readonly digest: Digest
  /** Decimal. */
  readonly job: string
  /** ISO time. */
  readonly issued: string
}

/** Appends a receipt, in the transaction that stores it; one that is there already keeps its place. */
export async function appendReceipt(tx: Sql, receipt: LoggedReceipt): Promise<void> {
  await tx.query(
    `insert into receipt_log (position, receipt, job, issued)
     select (select count(*) from receipt_log), $1, $2, $3 on conflict (receipt) do nothing`,
    [receipt.digest, receipt.job, receipt.issued],
  )
}

/** @returns receipts from a place on, in the order of the log */
export async function receiptsFrom(sql: Sql, position: number): Promise<readonly LoggedReceipt[]> {
  const rows = await sql.query(
    'select receipt, job::text as job, issued from receipt_log where position >= $1 order by position',
    [position],
  )
  return rows.map((row) => ({
    digest: textOf(row, 'receipt') as Digest,
    job: textOf(row, 'job'),
    issued: textOf(row, 'issued'),
  }))
}
