/**
 * That rows went, noted beside the sealed rows while there is an image of the memory: it holds them still. Like a row, each note has a
 * name, a number and sealed bytes. Nothing rests on them: with a note too few or too many, rows do not come to what the head says.
 * @module
 */
import { encodeHex } from '@sealpool/crypto'
import { bytesOf, integerOf } from './column.js'
import type { SealedRow } from './sealed-rows.js'
import type { Sql } from './state-store.js'

/** Makes the table when it is not there. */
export async function prepareGoneRows(sql: Sql): Promise<void> {
  await sql.run(`
    create table if not exists sealed_gone (
      name bytea primary key,
      version bigint not null,
      sealed bytea not null
    );
  `)
}

/** Notes that rows went. */
export async function noteGoneRows(tx: Sql, gone: readonly SealedRow[]): Promise<void> {
  for (const { name, version, sealed } of gone) {
    await tx.query(
      `insert into sealed_gone (name, version, sealed) values (decode($1, 'hex'), $2, decode($3, 'hex'))
       on conflict (name) do update set version = excluded.version, sealed = excluded.sealed`,
      [encodeHex(name).slice(2), version, encodeHex(sealed).slice(2)],
    )
  }
}

/** @returns the rows that went after a commit */
export async function readGoneRows(sql: Sql, after: number): Promise<readonly SealedRow[]> {
  const rows = await sql.query(
    'select name, version::text, sealed from sealed_gone where version > $1 order by version',
    [after],
  )
  return rows.map((row) => ({
    name: bytesOf(row, 'name'),
    version: integerOf(row, 'version'),
    sealed: bytesOf(row, 'sealed'),
  }))
}

/** Forgets rows that went up to a commit, or all of them. */
export async function forgetGoneRows(sql: Sql, upTo?: number): Promise<void> {
  if (upTo === undefined) await sql.query('delete from sealed_gone')
  else await sql.query('delete from sealed_gone where version <= $1', [upTo])
}
