import type { Row, SqlEngine, TableLoad } from '../engine/engine.js'
import { shardedEngine } from '../engine/sharded-engine.js'
import type { RankedRow } from '../engine/stored-row.js'
import { identifier } from '../print/dialect.js'
import { checkStatement } from './statement-check.js'

/** What is needed of a connection: a `Client` of the npm package `pg` is one. */
export interface PostgreSqlClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

/** Connections of a PostgreSQL engine, its time limit, and the tables that its servers hold already. */
export interface PostgreSqlEngineOptions {
  /**
   * One connection for each shard, to servers that nobody else writes to. A contributor's rows go to shard
   * `contributor mod shards.length`; pools that are joined must be loaded through the same list.
   */
  readonly shards: readonly PostgreSqlClient[]
  /** Milliseconds for one statement, 30000 by default: the server stops it then. */
  readonly timeoutMs?: number
  /**
   * Tables that are there already, as `pool.table`, in the form that `load` makes: numbers as BIGINT counts of
   * 10^-decimals, dates as days and timestamps as microseconds since 1970 in UTC, `contributor` and `row_rank` as BIGINT.
   */
  readonly tables?: readonly string[]
  /** 32 secret bytes under which contributors get other integers than the loader's, see `createDuckDbEngine`. */
  readonly pseudonymKey?: Uint8Array
}

/** Rows in one INSERT. */
const batch = 500

/**
 * PostgreSQL as an engine, on one server or sharded by contributor over several. The same bounded statement goes to every
 * shard and partial rows are added; noise is added once, afterwards, so shards never see a budget. Statements run in
 * read-only transactions with a time limit, one after the other on each connection; a printed statement is read by PostgreSQL's own
 * parser first.
 *
 * @param options - connections and limits
 * @returns an engine; closing it does not close the connections, which are the caller's
 * @throws QueryError (from its methods) `ENGINE_LOAD_FAILED`, `ENGINE_FAILED`, `STATEMENT_REFUSED`, `ENGINE_CLOSED`
 */
export function createPostgreSqlEngine(options: PostgreSqlEngineOptions): SqlEngine {
  const { shards, timeoutMs = 30_000, tables = [], pseudonymKey = null } = options
  const settings = [
    'SET standard_conforming_strings = on',
    'SET client_min_messages = error',
    "SET search_path = ''",
    `SET statement_timeout = ${Math.max(1, Math.floor(timeoutMs))}`,
  ]
  return shardedEngine({
    dialect: 'postgresql',
    tables,
    pseudonymKey,
    check: checkStatement,
    shards: shards.map((client) => ({
      prepare: () =>
        alone(client, async () => {
          for (const setting of settings) await client.query(setting)
        }),
      load: (name, columns, rows) => alone(client, () => loadShard(client, name, columns, rows)),
      query: (sql) => alone(client, () => readOnly(client, sql)),
    })),
  })
}

/** The last turn on each connection, of whichever engine. */
const turns = new WeakMap<PostgreSqlClient, Promise<unknown>>()

/**
 * One after the other on a connection, whose transaction all its statements share: the end of one plan's transaction would leave
 * another's statement outside of any, and a failure of one would fail the other.
 */
function alone<Result>(client: PostgreSqlClient, work: () => Promise<Result>): Promise<Result> {
  const turn = (turns.get(client) ?? Promise.resolve()).then(work)
  turns.set(
    client,
    turn.catch(() => {}),
  )
  return turn
}

async function readOnly(client: PostgreSqlClient, sql: string): Promise<readonly Row[]> {
  await client.query('BEGIN TRANSACTION READ ONLY')
  try {
    return (await client.query(sql)).rows as readonly Row[]
  } finally {
    await client.query('ROLLBACK')
  }
}

async function loadShard(
  client: PostgreSqlClient,
  name: { readonly pool: string; readonly table: string },
  columns: TableLoad['columns'],
  rows: readonly RankedRow[],
): Promise<void> {
  const target = `${identifier(name.pool)}.${identifier(name.table)}`
  const types = {
    integer: 'BIGINT',
    decimal: 'BIGINT',
    text: 'TEXT',
    boolean: 'BOOLEAN',
    date: 'BIGINT',
    timestamp: 'BIGINT',
  } as const
  const defined = columns.map((column) => `${identifier(column.name)} ${types[column.type]}`)
  await client.query('BEGIN')
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${identifier(name.pool)}`)
    await client.query(
      `CREATE TABLE ${target} (${['contributor BIGINT NOT NULL', ...defined, 'row_rank BIGINT NOT NULL'].join(', ')})`,
    )
    for (let start = 0; start < rows.length; start += batch) {
      const values = rows.slice(start, start + batch).map(({ contributor, cells, rank }) => {
        const literals = cells.map((cell, index) => literalOf(cell, columns[index]?.type === 'text'))
        return `(${[String(contributor), ...literals, String(rank)].join(', ')})`
      })
      await client.query(`INSERT INTO ${target} VALUES ${values.join(', ')}`)
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

function literalOf(cell: string | boolean | null, isText: boolean): string {
  if (cell === null) return 'NULL'
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE'
  // PostgreSQL has no text with a zero byte.
  return isText ? `'${cell.replaceAll('\u0000', '').replaceAll("'", "''")}'` : cell
}
