/**
 * Where sealed rows lie: two tables of a store whose owner may be anybody. `sealed_rows` has a name, a number and bytes for
 * each row; `sealed_head` says how many commits there were and, sealed, what all rows together must come to.
 * @module
 */
import { encodeHex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { bytesOf, integerOf, textOf } from './column.js'
import type { RowCipher } from './row-cipher.js'
import type { Sql, StateStore } from './state-store.js'

/** A row as it lies there. */
export interface SealedRow {
  readonly name: Uint8Array
  /** Number of the commit that wrote it. */
  readonly version: number
  readonly sealed: Uint8Array
}

/** The one line of `sealed_head`. */
export interface SealedHead {
  /** Random bytes of this store. */
  readonly store: Uint8Array
  readonly keyId: Uint8Array
  /** Number of the last commit. */
  readonly version: number
  readonly sealed: Uint8Array
}

/** What one commit writes. */
export interface SealedCommit {
  readonly added: readonly SealedRow[]
  /** With the number that each row must still have. */
  readonly changed: readonly (SealedRow & { readonly before: number })[]
  readonly removed: readonly { readonly name: Uint8Array; readonly before: number }[]
  readonly head: Pick<SealedHead, 'version' | 'sealed'>
}

/** Rows in one statement that writes. */
const rowsAtOnce = 500
/** Characters of one answer after which fewer pages are asked for. */
const charactersReadAtOnce = 8_000_000
const mostPagesAtOnce = 256

/** Makes the two tables when they are not there. @throws NodeError `STATE_NOT_SEALED` when the store holds open tables */
export async function prepareSealedRows(store: StateStore): Promise<void> {
  const open = await store.query(`select 1 from pg_tables where tablename = 'schema_migrations'`)
  if (open.length > 0) {
    throw new NodeError(
      'STATE_NOT_SEALED',
      'data directory',
      'an earlier release wrote it in the clear, and nobody can tell who has changed it since; start with an empty one: the chain gives contributions and jobs back',
    )
  }
  await store.run(`
    create table if not exists sealed_head (
      one boolean primary key default true check (one),
      store bytea not null,
      key_id bytea not null,
      version bigint not null,
      sealed bytea not null
    );
    create table if not exists sealed_rows (
      name bytea primary key,
      version bigint not null,
      sealed bytea not null
    );
  `)
}

/** @returns the head, or undefined when there is none */
export async function readHead(sql: Sql): Promise<SealedHead | undefined> {
  const [row] = await sql.query('select store, key_id, version::text, sealed from sealed_head')
  return row === undefined
    ? undefined
    : {
        store: bytesOf(row, 'store'),
        keyId: bytesOf(row, 'key_id'),
        version: integerOf(row, 'version'),
        sealed: bytesOf(row, 'sealed'),
      }
}

/** Writes the first head. */
export async function insertHead(sql: Sql, head: SealedHead): Promise<void> {
  await sql.query('insert into sealed_head (store, key_id, version, sealed) values ($1, $2, $3, $4)', [
    head.store,
    head.keyId,
    head.version,
    head.sealed,
  ])
}

/**
 * Reads all rows as they lie, some pages at a time: names are random, so that in their order each row would be another page of the
 * disk. As one text, since drivers take far longer over many values than over a long one.
 * @param options `after`, `upTo`: number of a commit: only rows of later ones are read, or of it and earlier ones; `pagesAtOnce`: most of one read
 */
export async function* readSealedRows(
  sql: Sql,
  decode: RowCipher['decode'],
  options: { readonly after?: number; readonly upTo?: number; readonly pagesAtOnce?: number } = {},
): AsyncGenerator<SealedRow> {
  const { after, upTo, pagesAtOnce = mostPagesAtOnce } = options
  const newer = after === undefined ? '' : `and version > ${BigInt(after)}`
  const older = upTo === undefined ? '' : `and version <= ${BigInt(upTo)}`
  const [table] = await sql.query(
    `select (pg_relation_size('sealed_rows') / current_setting('block_size')::integer)::integer as pages`,
  )
  const pages = table === undefined ? 0 : integerOf(table, 'pages')
  let atOnce = 1
  for (let from = 0; from < pages; ) {
    const [part] = await sql.query(
      `select coalesce(string_agg(encode(int4send(length(name)) || name || int8send(version) || sealed, 'base64'), ','), '') as rows
       from sealed_rows where ctid >= $1::text::tid and ctid < $2::text::tid ${newer} ${older}`,
      [`(${from},0)`, `(${from + atOnce},0)`],
    )
    const text = part === undefined ? '' : textOf(part, 'rows')
    if (text !== '') for (const row of text.split(',')) yield sealedRowOf(decode(row))
    from += atOnce
    // A page has six rows or hundreds, by how large they are: those that are large lie elsewhere.
    atOnce = text.length > charactersReadAtOnce ? Math.ceil(atOnce / 8) : Math.min(2 * atOnce, pagesAtOnce)
  }
}

/** Reads length of the name, name, number and what is sealed, behind each other. */
function sealedRowOf(bytes: Uint8Array): SealedRow {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const name = bytes.subarray(4, 4 + view.getUint32(0))
  const version = view.getBigInt64(4 + name.length)
  if (version < 0n || version > BigInt(Number.MAX_SAFE_INTEGER))
    throw tampered('a row has a number that no commit has')
  return { name, version: Number(version), sealed: bytes.subarray(12 + name.length) }
}

/**
 * Puts what was read of a store into an empty one.
 * @throws NodeError `STATE_NOT_EMPTY` when it holds a node's state already
 */
export async function putSealedContents(
  store: StateStore,
  { head, sealed }: { readonly head: SealedHead; readonly sealed: readonly SealedRow[] },
): Promise<void> {
  await prepareSealedRows(store)
  await store.transaction(async (tx) => {
    if ((await readHead(tx)) !== undefined) {
      throw new NodeError(
        'STATE_NOT_EMPTY',
        'state',
        'it holds the state of a node; restore into an empty database',
      )
    }
    await insertHead(tx, head)
    for (const rows of slices(sealed)) {
      await tx.query(
        `insert into sealed_rows (name, version, sealed)
         select decode(name, 'hex'), version::bigint, decode(sealed, 'hex')
         from unnest(string_to_array($1, ','), string_to_array($2, ','), string_to_array($3, ',')) as one (name, version, sealed)`,
        [
          list(rows.map(({ name }) => hexOf(name))),
          list(rows.map(({ version }) => String(version))),
          list(rows.map((row) => hexOf(row.sealed))),
        ],
      )
    }
  })
}

/**
 * Writes a commit whole.
 * @throws NodeError `STATE_TAMPERED` when a row or the head is not as this node wrote it; nothing is written then
 */
export async function writeCommit(tx: Sql, commit: SealedCommit): Promise<void> {
  for (const rows of slices(commit.added)) {
    await requireAll(
      rows,
      tx.query(
        `insert into sealed_rows (name, version, sealed)
         select decode(name, 'hex'), $2, decode(sealed, 'hex')
         from unnest(string_to_array($1, ','), string_to_array($3, ',')) as one (name, sealed)
         on conflict do nothing returning 1 as done`,
        [
          list(rows.map(({ name }) => hexOf(name))),
          commit.head.version,
          list(rows.map(({ sealed }) => hexOf(sealed))),
        ],
      ),
    )
  }
  for (const rows of slices(commit.changed)) {
    await requireAll(
      rows,
      tx.query(
        `update sealed_rows set version = $2, sealed = decode(one.sealed, 'hex')
         from unnest(string_to_array($1, ','), string_to_array($3, ','), string_to_array($4, ',')) as one (name, sealed, before)
         where sealed_rows.name = decode(one.name, 'hex') and sealed_rows.version = one.before::bigint returning 1 as done`,
        [
          list(rows.map(({ name }) => hexOf(name))),
          commit.head.version,
          list(rows.map(({ sealed }) => hexOf(sealed))),
          list(rows.map(({ before }) => String(before))),
        ],
      ),
    )
  }
  for (const rows of slices(commit.removed)) {
    await requireAll(
      rows,
      tx.query(
        `delete from sealed_rows using unnest(string_to_array($1, ','), string_to_array($2, ',')) as one (name, before)
         where sealed_rows.name = decode(one.name, 'hex') and sealed_rows.version = one.before::bigint returning 1 as done`,
        [list(rows.map(({ name }) => hexOf(name))), list(rows.map(({ before }) => String(before)))],
      ),
    )
  }
  await requireAll(
    [commit.head],
    tx.query('update sealed_head set version = $1, sealed = $2 where version = $3 returning 1 as done', [
      commit.head.version,
      commit.head.sealed,
      commit.head.version - 1,
    ]),
  )
}

/** What it says when stored rows are not what this node has written. */
export function tampered(what: string): NodeError {
  return new NodeError(
    'STATE_TAMPERED',
    'state',
    `${what}; somebody else wrote to the database or the disk: restore the newest copy that the node itself has written`,
  )
}

async function requireAll(rows: readonly unknown[], done: Promise<readonly unknown[]>): Promise<void> {
  if ((await done).length !== rows.length)
    throw tampered('a row to be written was changed, added or taken away')
}

/** Without the 0x that PostgreSQL does not take. */
function hexOf(bytes: Uint8Array): string {
  return encodeHex(bytes).slice(2)
}

function list(values: readonly string[]): string {
  return values.join(',')
}

function* slices<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) yield rows.slice(from, from + rowsAtOnce)
}
