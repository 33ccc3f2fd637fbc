/**
 * Notes which rows a transaction changes, inside the working database: triggers write each row's last content into a table
 * of their own, from which the sealed store takes them when the transaction ends.
 * @module
 */
import { textOf, textOrNull } from './column.js'
import type { Sql } from './state-store.js'

/** A changed row. */
export interface ChangedRow {
  readonly table: string
  /** JSON array of the primary key's values; empty for "all rows of the table that are not named besides". */
  readonly key: string
  /** The row as JSON, or null when it is gone. */
  readonly row: string | null
}

const setUp = `
  create schema if not exists capture;
  create unlogged table if not exists capture.changed (
    tab text not null,
    pk text not null,
    line jsonb,
    primary key (tab, pk)
  );
  create or replace function capture.note() returns trigger language plpgsql as $body$
  declare
    now_key text;
    old_key text;
  begin
    if tg_op = 'TRUNCATE' then
      update capture.changed set line = null where tab = tg_table_name;
      insert into capture.changed values (tg_table_name, '', null) on conflict do nothing;
      return null;
    end if;
    if tg_op <> 'INSERT' then
      select jsonb_agg(to_jsonb(old) -> name order by place)::text into old_key
        from unnest(tg_argv) with ordinality as part (name, place);
    end if;
    if tg_op <> 'DELETE' then
      select jsonb_agg(to_jsonb(new) -> name order by place)::text into now_key
        from unnest(tg_argv) with ordinality as part (name, place);
    end if;
    if old_key is distinct from now_key and old_key is not null then
      insert into capture.changed values (tg_table_name, old_key, null)
        on conflict (tab, pk) do update set line = null;
    end if;
    if now_key is not null then
      insert into capture.changed values (tg_table_name, now_key, to_jsonb(new))
        on conflict (tab, pk) do update set line = excluded.line;
    end if;
    return null;
  end
  $body$;
`

const triggers = (table: string, columns: string): string => `
      create or replace trigger capture_rows after insert or update or delete on "${table}"
        for each row execute function capture.note(${columns});
      create or replace trigger capture_all after truncate on "${table}"
        for each statement execute function capture.note();
    `

/** How changes are noted, for copies of a working database: one of another form notes them otherwise. */
export const captureForm: string = setUp + triggers('', '')

/** Prepares a working database. */
export async function prepareCapture(sql: Sql): Promise<void> {
  await sql.run(setUp)
}

/** @returns whether a database was prepared */
export async function isPrepared(sql: Sql): Promise<boolean> {
  return (await sql.query(`select 1 from pg_namespace where nspname = 'capture'`)).length > 0
}

/** A table with the columns of its primary key. */
interface KeyedTable {
  readonly table: string
  readonly key: readonly string[]
}

/** @returns the tables, by name */
async function tablesOf(sql: Sql): Promise<readonly KeyedTable[]> {
  const rows = await sql.query(
    `select relname::text as name, (select string_agg(attname::text, ',' order by place)
       from pg_index, unnest(indkey) with ordinality as part (number, place)
       join pg_attribute on attnum = part.number
       where indrelid = pg_class.oid and indisprimary and attrelid = pg_class.oid) as key
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = 'public' and relkind = 'r' order by relname`,
  )
  return rows.map((row) => {
    const key = textOrNull(row, 'key')
    // Without a key, its rows could not be told apart where they are sealed.
    if (key === null) throw new RangeError(`table ${textOf(row, 'name')} has no primary key`)
    return { table: textOf(row, 'name'), key: key.split(',') }
  })
}

/** @returns what tables and columns there are: another text after a migration */
export async function shapeOf(sql: Sql): Promise<string> {
  const [row] = await sql.query(
    `select coalesce(md5(string_agg(concat_ws(' ', relname, attname, atttypid), ',' order by relname, attnum)), '') as shape
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace join pg_attribute on attrelid = pg_class.oid
     where nspname = 'public' and relkind = 'r' and attnum > 0 and not attisdropped`,
  )
  return row === undefined ? '' : textOf(row, 'shape')
}

/** Watches every table that there is now; call it again after tables were made. */
export async function watchTables(sql: Sql): Promise<void> {
  for (const { table, key } of await tablesOf(sql)) {
    const columns = key.map((name) => `'${name}'`).join(', ')
    await sql.run(triggers(table, columns))
  }
}

/** @returns what was changed since the last call; it counts as taken */
export async function takeChanges(tx: Sql): Promise<readonly ChangedRow[]> {
  const rows = await tx.query('delete from capture.changed returning tab, pk, line::text as line')
  return rows.map((row) => ({
    table: textOf(row, 'tab'),
    key: textOf(row, 'pk'),
    row: textOrNull(row, 'line'),
  }))
}

/** @returns every row of every table */
export async function allRows(tx: Sql): Promise<readonly ChangedRow[]> {
  const all: ChangedRow[] = []
  for (const { table, key } of await tablesOf(tx)) {
    const columns = key.map((name) => `to_jsonb(one) -> '${name}'`).join(', ')
    const rows = await tx.query(
      `select jsonb_build_array(${columns})::text as pk, to_jsonb(one)::text as line from "${table}" as one`,
    )
    all.push(...rows.map((row) => ({ table, key: textOf(row, 'pk'), row: textOf(row, 'line') })))
  }
  return all
}

/**
 * Puts rows back, without checks of references (they come in any order) and without noting them as changes.
 * @param rows JSON of rows of one table
 */
export async function putRows(tx: Sql, table: string, rows: readonly string[]): Promise<void> {
  await tx.run(`set local session_replication_role = 'replica'`)
  await tx.query(
    `insert into "${table}" select * from jsonb_populate_recordset(null::"${table}", $1::jsonb)`,
    [`[${rows.join(',')}]`],
  )
}

/** Rows of a table that are other rows now: those with these keys go, and these come. */
export interface ReplacedRows {
  /** JSON arrays of the primary key's values. */
  readonly keys: readonly string[]
  /** JSON of rows. */
  readonly rows: readonly string[]
}

const keysAtOnce = 500

/**
 * Brings tables up to date, without checks of references and without noting it as changes.
 * @throws RangeError for a table that is not there
 */
export async function replaceRows(tx: Sql, tables: ReadonlyMap<string, ReplacedRows>): Promise<void> {
  const keyed = new Map((await tablesOf(tx)).map(({ table, key }) => [table, key]))
  await tx.run(`set local session_replication_role = 'replica'`)
  for (const [table, { keys, rows }] of tables) {
    const columns = keyed.get(table)
    if (columns === undefined) throw new RangeError(`table ${table} is not there`)
    const parts = columns.map((name, index) => `'${name}', part -> ${index}`).join(', ')
    const same = columns.map((name) => `"${table}"."${name}" = gone."${name}"`).join(' and ')
    // All of them first: a row may come with what another one has had for its own.
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      await tx.query(
        `delete from "${table}" using jsonb_array_elements($1::jsonb) as part,
           jsonb_populate_record(null::"${table}", jsonb_build_object(${parts})) as gone where ${same}`,
        [`[${keys.slice(from, from + keysAtOnce).join(',')}]`],
      )
    }
    for (let from = 0; from < rows.length; from += keysAtOnce)
      await putRows(tx, table, rows.slice(from, from + keysAtOnce))
  }
}
