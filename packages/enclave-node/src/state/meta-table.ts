import { integerOf, textOf } from './column.js'
import type { Sql } from './state-store.js'

/** @returns a named value, or undefined */
export async function getMeta(sql: Sql, key: string): Promise<string | undefined> {
  const [row] = await sql.query('select value from meta where key = $1', [key])
  return row === undefined ? undefined : textOf(row, 'value')
}

/** @returns the names that begin with a text, in order */
export async function metaKeys(sql: Sql, prefix: string): Promise<readonly string[]> {
  const rows = await sql.query('select key from meta where starts_with(key, $1) order by key', [prefix])
  return rows.map((row) => textOf(row, 'key'))
}

/** Sets a named value. */
export async function setMeta(sql: Sql, key: string, value: string): Promise<void> {
  await sql.query(
    'insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value',
    [key, value],
  )
}

/** Forgets a named value; one that is not there is no error. */
export async function deleteMeta(sql: Sql, key: string): Promise<void> {
  await sql.query('delete from meta where key = $1', [key])
}

/** How far the chain has been read. */
export interface ChainCursor {
  readonly blockNumber: bigint
  readonly blockHash: string
  /** Index of the last log that was taken in, -1 when the block was read to its end. */
  readonly logIndex: number
}

/** @returns the cursor of a chain (`<chain id>:<registry>`), or undefined before the first read */
export async function getCursor(sql: Sql, chain: string): Promise<ChainCursor | undefined> {
  const [row] = await sql.query(
    'select block_number::text, block_hash, log_index from chain_cursor where chain = $1',
    [chain],
  )
  if (row === undefined) return undefined
  return {
    blockNumber: BigInt(textOf(row, 'block_number')),
    blockHash: textOf(row, 'block_hash'),
    logIndex: integerOf(row, 'log_index'),
  }
}

/** Moves the cursor, in the transaction of what was read up to it. */
export async function setCursor(tx: Sql, chain: string, cursor: ChainCursor): Promise<void> {
  await tx.query(
    `insert into chain_cursor (chain, block_number, block_hash, log_index) values ($1, $2, $3, $4)
     on conflict (chain) do update set block_number = excluded.block_number, block_hash = excluded.block_hash,
       log_index = excluded.log_index`,
    [chain, cursor.blockNumber.toString(), cursor.blockHash, cursor.logIndex],
  )
}

/** Notes a blob that was fetched and found to be what its digest says. */
export async function noteBlob(
  sql: Sql,
  blob: { readonly digest: string; readonly purpose: 'contribution' | 'manifest'; readonly size: number },
): Promise<void> {
  await sql.query(
    'insert into blobs (digest, purpose, size) values ($1, $2, $3) on conflict (digest) do nothing',
    [blob.digest, blob.purpose, blob.size],
  )
}

/** @returns the sizes in bytes of blobs that were fetched before, by digest */
export async function blobSizes(sql: Sql, digests: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query(
    `select digest, size from blobs where digest = any (string_to_array($1, ','))`,
    [digests.join(',')],
  )
  return new Map(rows.map((row) => [textOf(row, 'digest'), integerOf(row, 'size')]))
}
