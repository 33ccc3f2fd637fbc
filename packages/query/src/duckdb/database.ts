import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { contributorColumn } from '../catalogue/catalogue.js'
import type { Cell, Row, TableLoad } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import { identifier } from '../print/dialect.js'
import { text } from '../print/duckdb.js'
import { printLoad, splitName } from '../print/load.js'
import { lockSettings } from './lock.js'
import { statementFault } from './statement-check.js'

/** What DuckDB may use. */
export interface DatabaseLimits {
  readonly threads: number
  readonly memoryLimit: string
  /** Folder for what does not fit into memory, see `spill-folder.ts`; null refuses it. */
  readonly spillFolder?: string | null
  /** Secret text that renames contributors, see `engine/join-pseudonym.ts`; null keeps their integers. */
  readonly pseudonymKey?: string | null
}

/** A DuckDB database in memory: open until the first query, locked from then on. */
export interface Database {
  load(table: TableLoad): Promise<void>
  /** @param tables the tables that the statement must reach; null allows any that is loaded */
  query(sql: string, tables: readonly string[] | null): Promise<readonly Row[]>
  close(): void
}

/**
 * Opens a database. Errors of DuckDB quote values of the data, so none of them goes further than this file.
 *
 * @throws QueryError `ENGINE_UNAVAILABLE`
 */
export async function openDatabase(limits: DatabaseLimits): Promise<Database> {
  const spills = limits.spillFolder ?? null
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: limits.memoryLimit,
    // From the first moment on: what does not fit into memory must not be spilled to a disk in the clear.
    ...(spills === null
      ? { temp_directory: '', max_temp_directory_size: '0KB' }
      : {
          temp_directory: spills,
          max_temp_directory_size: '64GB',
          // DuckDB's own library for writing encrypted files (OpenSSL) is in an extension that would have to be downloaded.
          // The one that is built in encrypts with AES and takes its key from a generator that DuckDB calls unsafe.
          force_mbedtls_unsafe: 'true',
          temp_file_encryption: 'true',
        }),
  })
  const connection = await instance.connect()
  // Instants of files are written out in the session's zone, which would otherwise be the machine's.
  await connection.run("SET TimeZone = 'UTC'")
  const loaded = new Set<string>()
  let locked = false

  const lock = async (): Promise<void> => {
    if (locked) return
    locked = true
    for (const setting of lockSettings(spills !== null)) await connection.run(setting)
  }

  return {
    async load(table) {
      if (locked) throw new QueryError('ENGINE_LOCKED', table.name)
      const name = splitName(table.name)
      if (name === null || loaded.has(table.name)) throw new QueryError('ENGINE_LOAD_FAILED', table.name)
      try {
        if ('rows' in table) await stageRows(connection, table)
        else await stageParquet(connection, table)
        for (const statement of printLoad(name, table.columns, 'staging', limits.pseudonymKey ?? null))
          await connection.run(statement)
        await connection.run('DROP TABLE IF EXISTS staging')
      } catch {
        await connection.run('DROP TABLE IF EXISTS staging')
        throw new QueryError('ENGINE_LOAD_FAILED', table.name)
      }
      loaded.add(table.name)
    },
    async query(sql, tables) {
      try {
        await lock()
      } catch {
        throw new QueryError('ENGINE_FAILED', 'settings')
      }
      await check(connection, sql, tables ?? [], tables === null ? loaded : null)
      try {
        const answer = await connection.runAndReadAll(sql)
        return answer.getRowObjectsJson() as unknown as readonly Row[]
      } catch {
        // What fails after the data was touched is one and the same error, whatever the reason.
        throw new QueryError('ENGINE_FAILED', 'query')
      }
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function check(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly string[],
  loaded: ReadonlySet<string> | null,
): Promise<void> {
  let serialized: Cell | undefined
  try {
    const answer = await connection.runAndReadAll(`SELECT json_serialize_sql(${text(sql)}) AS tree`)
    serialized = (answer.getRowObjectsJson()[0] as Row | undefined)?.['tree']
  } catch {
    throw new QueryError('STATEMENT_REFUSED', 'not parsed')
  }
  const fault = statementFault(String(serialized), loaded ?? tables, loaded === null ? 'exactly' : 'within')
  if (fault !== null) throw new QueryError('STATEMENT_REFUSED', fault)
}

function columnNames(table: TableLoad): readonly string[] {
  return [contributorColumn, ...table.columns.map(({ name }) => name)]
}

/** Rows go through a table of texts, so that one path of typing serves rows and files. */
async function stageRows(
  connection: DuckDBConnection,
  table: Extract<TableLoad, { readonly rows: unknown }>,
): Promise<void> {
  const names = columnNames(table)
  const columns = names.map((name) => `${identifier(name)} VARCHAR`).join(', ')
  await connection.run(`CREATE TEMP TABLE staging (${columns})`)
  const appender = await connection.createAppender('staging', 'main', 'temp')
  try {
    for (const row of table.rows) {
      for (const name of names) {
        const cell = row[name]
        if (cell === null || cell === undefined) appender.appendNull()
        else appender.appendVarchar(String(cell))
      }
      appender.endRow()
    }
  } finally {
    appender.closeSync()
  }
}

/**
 * Files are copied whole before anything is filtered: with a filter that DuckDB 1.5 pushes down into the file, it fails
 * on encrypted pages with additional data (`Computed AES tag differs`), although key and file are right.
 */
async function stageParquet(
  connection: DuckDBConnection,
  table: Extract<TableLoad, { readonly parquet: unknown }>,
): Promise<void> {
  const { paths, key } = table.parquet
  const files = `[${paths.map(text).join(', ')}]`
  const names = columnNames(table).map(identifier).join(', ')
  const copy = (source: string) =>
    connection.run(`CREATE TEMP TABLE staging AS SELECT ${names} FROM ${source}`)
  if (key === undefined) {
    await copy(`read_parquet(${files})`)
    return
  }
  const name = `key_of_${table.name.replace('.', '_of_')}`
  await connection.run(`PRAGMA add_parquet_key(${text(name)}, ${text(Buffer.from(key).toString('base64'))})`)
  await copy(`read_parquet(${files}, encryption_config = {footer_key: ${text(name)}})`)
}
