import type { Expectation, Row, SqlEngine, TableLoad } from '../engine/engine.js'
import { shardedEngine } from '../engine/sharded-engine.js'
import type { RankedRow } from '../engine/stored-row.js'
import { QueryError } from '../errors.js'
import { identifier } from '../print/dialect.js'
import { statementFault } from './statement-check.js'

/** What is needed of a connection: what `createClient` of the npm package `@clickhouse/client` gives is one. */
export interface ClickHouseClient {
  query(request: {
    readonly query: string
    readonly format: 'JSONEachRow'
    readonly clickhouse_settings: Record<string, string | number>
  }): Promise<{ json(): Promise<unknown> }>
  command(request: {
    readonly query: string
    readonly clickhouse_settings: Record<string, string | number>
  }): Promise<unknown>
}

/** Connections of a ClickHouse engine, its limits, and the tables that its servers hold already. */
export interface ClickHouseEngineOptions {
  /**
   * One connection for each shard, to servers that nobody else writes to. A contributor's rows go to shard
   * `contributor mod shards.length`; pools that are joined must be loaded through the same list.
   */
  readonly shards: readonly ClickHouseClient[]
  /** Seconds for one statement, 30 by default: the server stops it then. */
  readonly timeoutSeconds?: number
  /** Bytes that a server may use for one statement, 1 GB by default. */
  readonly memoryBytes?: number
  /**
   * Tables that are there already, as `pool.table`, in the form that `load` makes: numbers as Nullable(Int64) counts of
   * 10^-decimals, `contributor` and `row_rank` as Int64.
   */
  readonly tables?: readonly string[]
  /** 32 secret bytes under which contributors get other integers than the loader's, see `createDuckDbEngine`. */
  readonly pseudonymKey?: Uint8Array
}

/** Rows in one INSERT. */
const batch = 5000

/** What gives statements the meaning that they were printed for. */
const meaning = {
  join_use_nulls: 1,
  transform_null_in: 0,
  aggregate_functions_null_for_empty: 0,
  count_distinct_implementation: 'uniqExact',
  prefer_column_name_to_alias: 1,
  enable_analyzer: 1,
} as const

/** Printed statements are long where public tables are, and the server's log must not have their literals. */
const room = {
  max_query_size: 67_108_864,
  max_ast_elements: 1_000_000,
  max_expanded_ast_elements: 2_000_000,
  log_queries: 0,
} as const

/**
 * ClickHouse as an engine, on one server or sharded by contributor over several. The same bounded statement goes to every
 * shard and partial rows are added; noise is added once, afterwards, so shards never see a budget. The server may only read
 * (`readonly = 2`) within a time and a memory limit; before it runs, a printed statement is read by ClickHouse's own parser
 * (`EXPLAIN AST`), which must find one SELECT of known functions over exactly the planned tables.
 *
 * @param options connections and limits
 * @returns an engine; closing it does not close the connections, which are the caller's
 * @throws QueryError (from its methods) `ENGINE_LOAD_FAILED`, `ENGINE_LOCKED`, `ENGINE_FAILED`, `STATEMENT_REFUSED`,
 *   `ENGINE_CLOSED`
 * @example
 * ```ts no-run
 * import { createClient } from '@clickhouse/client'
 * const engine = createClickHouseEngine({ shards: [createClient({ url: 'http://127.0.0.1:8123' })] })
 * ```
 */
export function createClickHouseEngine(options: ClickHouseEngineOptions): SqlEngine {
  const {
    shards,
    timeoutSeconds = 30,
    memoryBytes = 1_000_000_000,
    tables = [],
    pseudonymKey = null,
  } = options
  const [first] = shards
  const settings = {
    ...meaning,
    ...room,
    max_execution_time: Math.max(1, Math.ceil(timeoutSeconds)),
    max_memory_usage: Math.max(1, Math.floor(memoryBytes)),
    readonly: 2,
  }
  const read = async (client: ClickHouseClient, sql: string): Promise<readonly Row[]> => {
    const answer = await client.query({ query: sql, format: 'JSONEachRow', clickhouse_settings: settings })
    return (await answer.json()) as readonly Row[]
  }
  return shardedEngine({
    dialect: 'clickhouse',
    tables,
    pseudonymKey,
    async check(sql: string, { tables: expected }: Expectation) {
      let lines: readonly Row[] = []
      try {
        // Parsing looks at no table; one parser is enough. As a subquery it has no FORMAT or INTO OUTFILE.
        if (first !== undefined) lines = await read(first, `EXPLAIN AST SELECT count(*) FROM (${sql}\n)`)
      } catch {
        throw new QueryError('STATEMENT_REFUSED', 'not parsed')
      }
      const fault = statementFault(
        lines.map(({ explain }) => String(explain)),
        expected,
      )
      if (fault !== null) throw new QueryError('STATEMENT_REFUSED', fault)
    },
    shards: shards.map((client) => ({
      async prepare() {
        await read(client, 'SELECT 1')
      },
      load: (name, columns, rows) => loadShard(client, name, columns, rows),
      query: (sql) => read(client, sql),
    })),
  })
}

const storedTypes = {
  integer: 'Nullable(Int64)',
  decimal: 'Nullable(Int64)',
  text: 'Nullable(String)',
  boolean: 'Nullable(Bool)',
  date: 'Nullable(Int64)',
  timestamp: 'Nullable(Int64)',
} as const

async function loadShard(
  client: ClickHouseClient,
  name: { readonly pool: string; readonly table: string },
  columns: TableLoad['columns'],
  rows: readonly RankedRow[],
): Promise<void> {
  const target = `${identifier(name.pool)}.${identifier(name.table)}`
  const defined = columns.map((column) => `${identifier(column.name)} ${storedTypes[column.type]}`)
  const command = (query: string) => client.command({ query, clickhouse_settings: { ...room } })
  await command(`CREATE DATABASE IF NOT EXISTS ${identifier(name.pool)}`)
  // A table of this name that is there already is somebody's: nothing is dropped for it.
  await command(
    `CREATE TABLE ${target} (${['contributor Int64', ...defined, 'row_rank Int64'].join(', ')}) ENGINE = MergeTree ORDER BY (contributor, row_rank)`,
  )
  try {
    for (let start = 0; start < rows.length; start += batch) {
      const lines = rows.slice(start, start + batch).map(({ contributor, cells, rank }) => {
        const named = columns.map(({ name: column }, index) => [column, cells[index] ?? null] as const)
        return JSON.stringify({
          contributor: String(contributor),
          ...Object.fromEntries(named),
          row_rank: rank,
        })
      })
      await command(`INSERT INTO ${target} FORMAT JSONEachRow ${lines.join('\n')}`)
    }
  } catch (error) {
    await command(`DROP TABLE IF EXISTS ${target}`)
    throw error
  }
}
