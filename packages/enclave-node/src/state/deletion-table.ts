import type { Deletion } from '@sealpool/attest'
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf, textOrNull } from './column.js'
import type { Sql, SqlRow } from './state-store.js'

/** A deletion that stands in no list yet. */
export interface NotedDeletion extends Deletion {
  /** Decimal. */
  readonly id: string
}

function read(row: SqlRow): NotedDeletion {
  return {
    id: textOf(row, 'id'),
    kind: textOf(row, 'kind') as Deletion['kind'],
    pool: textOrNull(row, 'pool') as Address | null,
    object: textOf(row, 'object'),
    digest: textOrNull(row, 'digest') as Digest | null,
    reason: textOf(row, 'reason') as Deletion['reason'],
    ...(textOrNull(row, 'kept') === null ? {} : { kept: ['fingerprint'] }),
  }
}

/**
 * Notes a deletion: as `done` in the transaction that deletes, or as `due` before something outside of the store is touched, so that a
 * stop in between leaves what is to be done. What is due already is not noted twice.
 */
export async function noteDeletion(tx: Sql, deletion: Deletion, state: 'due' | 'done'): Promise<void> {
  const { kind, pool, object, digest, reason, kept } = deletion
  await tx.query(
    `insert into deletions (id, kind, pool, object, digest, reason, kept, state)
     select (select coalesce(max(id), 0) + 1 from deletions), $1, $2, $3, $4, $5, $6, $7
     on conflict do nothing`,
    [kind, pool?.toLowerCase() ?? null, object, digest, reason, kept?.[0] ?? null, state],
  )
}

/** @returns noted deletions in one state after a number, oldest first */
export async function notedDeletions(
  sql: Sql,
  state: 'due' | 'done',
  page: { readonly after: string; readonly limit: number },
): Promise<readonly NotedDeletion[]> {
  const rows = await sql.query(
    `select id::text, kind, pool, object, digest, reason, kept from deletions
     where state = $1 and id > $2 order by deletions.id limit $3`,
    [state, page.after, page.limit],
  )
  return rows.map(read)
}

/** Notes that what was due is gone. */
export async function markDeleted(tx: Sql, id: string): Promise<void> {
  await tx.query(`update deletions set state = 'done' where id = $1 and state = 'due'`, [id])
}

/** Forgets deletions: they stand in a list, or are not to be any more. */
export async function dropDeletions(tx: Sql, ids: readonly string[]): Promise<void> {
  await tx.query(`delete from deletions where id = any (string_to_array($1, ',')::bigint[])`, [ids.join(',')])
}

/** @returns how many deletions are due */
export async function countDue(sql: Sql): Promise<number> {
  const [row] = await sql.query(`select count(*)::integer as count from deletions where state = 'due'`)
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** @returns number and digest of the newest list; undefined before the first */
export async function lastList(
  sql: Sql,
): Promise<{ readonly number: number; readonly digest: Digest } | undefined> {
  const [row] = await sql.query('select number, digest from deletion_lists order by number desc limit 1')
  return row === undefined
    ? undefined
    : { number: integerOf(row, 'number'), digest: textOf(row, 'digest') as Digest }
}

/** Stores a signed list. */
export async function insertList(
  tx: Sql,
  list: { readonly number: number; readonly digest: Digest; readonly statement: SignedStatement },
): Promise<void> {
  await tx.query('insert into deletion_lists (number, digest, statement) values ($1, $2, $3)', [
    list.number,
    list.digest,
    JSON.stringify(list.statement),
  ])
}

/** @returns signed lists from a number on, oldest first */
export async function listsFrom(
  sql: Sql,
  number: number,
  limit: number,
): Promise<readonly SignedStatement[]> {
  const rows = await sql.query(
    'select statement from deletion_lists where number >= $1 order by number limit $2',
    [number, limit],
  )
  return rows.map((row) => jsonOf<SignedStatement>(row, 'statement'))
}
