import { QueryError } from '../errors.js'
import { splitName } from '../print/load.js'
import type { Expectation, Row, SqlEngine, TableLoad } from './engine.js'
import { pseudonymText } from './join-pseudonym.js'
import { mergeRows } from './merge-rows.js'
import { requireTables } from './required-tables.js'
import { type RankedRow, rankedRows } from './stored-row.js'

/** One server that holds the rows of some of the contributors. Its errors go no further than the engine. */
export interface Shard {
  /** Brings the connection to the settings that printed statements count on; called once, before anything else. */
  prepare(): Promise<void>
  /** Makes a table and fills it, all or nothing. */
  load(
    name: { readonly pool: string; readonly table: string },
    columns: TableLoad['columns'],
    rows: readonly RankedRow[],
  ): Promise<void>
  /** Answers a printed statement, which must not be able to write. */
  query(sql: string): Promise<readonly Row[]>
}

/** What makes shards an engine. */
export interface ShardedEngineOptions {
  readonly dialect: SqlEngine['dialect']
  readonly shards: readonly Shard[]
  /** Tables that are there already, as `pool.table`. */
  readonly tables: readonly string[]
  /** Renames contributors, see `join-pseudonym.ts`; null keeps their integers. */
  readonly pseudonymKey: Uint8Array | null
  /** The second look at a printed statement. */
  check(sql: string, expectation: Expectation): Promise<void>
}

/**
 * An engine on servers that are sharded by contributor: the same bounded statement goes to every shard and partial rows are
 * added. All rows of a contributor are on shard `contributor mod shards`, so bounding and joins on the contributor are local.
 *
 * @throws QueryError (from its methods) `ENGINE_LOAD_FAILED`, `ENGINE_LOCKED`, `ENGINE_FAILED`, `STATEMENT_REFUSED`,
 *   `ENGINE_CLOSED`
 */
export function shardedEngine(options: ShardedEngineOptions): SqlEngine {
  const { dialect, shards, tables, check, pseudonymKey } = options
  const key = pseudonymKey === null ? null : pseudonymText(pseudonymKey)
  const loaded = new Set(tables)
  let locked = false
  let closed = false
  const ready = Promise.all(shards.map((shard) => shard.prepare()))
  // Whoever calls next is told; until then nobody listens.
  ready.catch(() => {})
  const open = async (): Promise<void> => {
    if (closed || shards.length === 0) throw new QueryError('ENGINE_CLOSED', dialect)
    try {
      await ready
    } catch {
      throw new QueryError('ENGINE_FAILED', 'settings')
    }
  }
  return {
    dialect,
    shards: shards.length,
    async load(table) {
      await open()
      const name = splitName(table.name)
      if (locked) throw new QueryError('ENGINE_LOCKED', table.name)
      if (name === null || loaded.has(table.name) || !('rows' in table)) {
        throw new QueryError('ENGINE_LOAD_FAILED', table.name)
      }
      try {
        const rows = rankedRows(table.columns, table.rows, key)
        await Promise.all(
          shards.map((shard, position) =>
            shard.load(
              name,
              table.columns,
              rows.filter((row) => shardOf(row, shards.length) === position),
            ),
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
      await check(sql, expectation ?? { tables: [...loaded] })
      if (expectation?.tables.some((name) => !loaded.has(name)) === true) {
        throw new QueryError('STATEMENT_REFUSED', 'other tables')
      }
      let parts: readonly (readonly Row[])[]
      try {
        parts = await Promise.all(shards.map((shard) => shard.query(sql)))
      } catch {
        // Servers' messages quote values: what fails after the data was touched is one and the same error.
        throw new QueryError('ENGINE_FAILED', 'query')
      }
      return parts.length === 1 ? (parts[0] ?? []) : mergeRows(parts)
    },
    async ready(names) {
      await open()
      requireTables(loaded, names)
      // A connection may have gone since.
      await Promise.all(shards.map((shard) => shard.query('SELECT 1')))
    },
    async close() {
      closed = true
    },
  }
}

function shardOf({ contributor }: RankedRow, shards: number): number {
  const count = BigInt(shards)
  return Number(((contributor % count) + count) % count)
}
