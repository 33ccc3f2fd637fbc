import type { Expectation, Row, SqlEngine, TableLoad } from '../engine/engine.js'
import { mergeRows } from '../engine/merge-rows.js'
import { type RankedRow, rankedRows } from '../engine/stored-row.js'
import { QueryError } from '../errors.js'
import { identifier } from '../print/dialect.js'
import { splitName } from '../print/load.js'
import { checkStatement } from './statement-check.js'

/** What is needed of a connection: a `Client` of the npm package `pg` is one. */
export interface PostgreSqlClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

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
   * 10^-decimals, `contributor` and `row_rank` as BIGINT.
   */
  readonly tables?: readonly string[]
}

/** Rows in one INSERT. */
const batch = 500

/**
 * PostgreSQL as an engine, on one server or sharded by contributor over several. The same bounded statement goes to every
 * shard and partial rows are added; noise is added once, afterwards, so shards never see a budget. Statements run in
 * read-only transactions with a time limit; a printed statement is read by PostgreSQL's own parser first.
 *
 * @returns an engine; closing it does not close the connections, which are the caller's
 * @throws QueryError (from its methods) `ENGINE_LOAD_FAILED`, `ENGINE_FAILED`, `STATEMENT_REFUSED`, `ENGINE_CLOSED`
 */
export function createPostgreSqlEngine(options: PostgreSqlEngineOptions): SqlEngine {
  const { shards, timeoutMs = 30_000 } = options
  const loaded = new Set<string>(options.tables)
  let locked = false
  let closed = false
  const settings = [
    'SET standard_conforming_strings = on',
    'SET client_min_messages = error',
    "SET search_path = ''",
    `SET statement_timeout = ${Math.max(1, Math.floor(timeoutMs))}`,
  ]
  const ready = Promise.all(
    shards.map(async (client) => {
      for (const setting of settings) await client.query(setting)
    }),
  )
  ready.catch(() => {})
  const open = async (): Promise<void> => {
    if (closed || shards.length === 0) throw new QueryError('ENGINE_CLOSED', 'postgresql')
    try {
      await ready
    } catch {
      throw new QueryError('ENGINE_FAILED', 'settings')
    }
  }
  return {
    dialect: 'postgresql',
    shards: shards.length,
    async load(table) {
      await open()
      const name = splitName(table.name)
      if (locked) throw new QueryError('ENGINE_LOCKED', table.name)
      if (name === null || loaded.has(table.name) || !('rows' in table)) {
        throw new QueryError('ENGINE_LOAD_FAILED', table.name)
      }
      try {
        const rows = rankedRows(table.columns, table.rows)
        await Promise.all(
          shards.map((client, shard) =>
            loadShard(client, name, table, rows.filter((row) => shardOf(row, shards.length) === shard)),
          ),
        )
      } catch {
        throw new QueryError('ENGINE_LOAD_FAILED', table.name)
      }
      loaded.add(table.name)
    },
    async query(sql: string, expectation?: Expectation) {
      await open()
      locked = true
      await checkStatement(sql, expectation ?? { tables: [...loaded] })
      if (expectation?.tables.some((name) => !loaded.has(name)) === true) {
        throw new QueryError('STATEMENT_REFUSED', 'other tables')
      }
      let parts: readonly (readonly Row[])[]
      try {
        parts = await Promise.all(shards.map((client) => readOnly(client, sql)))
      } catch {
        // PostgreSQL's messages quote values: what fails after the data was touched is one and the same error.
        throw new QueryError('ENGINE_FAILED', 'query')
      }
      return parts.length === 1 ? (parts[0] ?? []) : mergeRows(parts)
    },
    async close() {
      closed = true
    },
  }
}

async function readOnly(client: PostgreSqlClient, sql: string): Promise<readonly Row[]> {
  await client.query('BEGIN TRANSACTION READ ONLY')
  try {
    return (await client.query(sql)).rows as readonly Row[]
  } finally {
    await client.query('ROLLBACK')
  }
}

function shardOf({ contributor }: RankedRow, shards: number): number {
  const count = BigInt(shards)
  return Number(((contributor % count) + count) % count)
}

async function loadShard(
  client: PostgreSqlClient,
  name: { readonly pool: string; readonly table: string },
  table: TableLoad,
  rows: readonly RankedRow[],
): Promise<void> {
  const target = `${identifier(name.pool)}.${identifier(name.table)}`
  const types = { integer: 'BIGINT', decimal: 'BIGINT', text: 'TEXT', boolean: 'BOOLEAN' } as const
  const columns = table.columns.map((column) => `${identifier(column.name)} ${types[column.type]}`)
  await client.query('BEGIN')
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${identifier(name.pool)}`)
    await client.query(
      `CREATE TABLE ${target} (${['contributor BIGINT NOT NULL', ...columns, 'row_rank BIGINT NOT NULL'].join(', ')})`,
    )
    for (let start = 0; start < rows.length; start += batch) {
      const values = rows.slice(start, start + batch).map(({ contributor, cells, rank }) => {
        const literals = cells.map((cell, index) => literalOf(cell, table.columns[index]?.type === 'text'))
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
