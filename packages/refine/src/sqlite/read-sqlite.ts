import type { SqlJsStatic, SqlValue } from 'sql.js'
import type { JsonValue } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import type { TableReader } from '../source/table-reader.js'

function invalid(place: string, message: string): RefineError {
  return new RefineError('SQLITE_INVALID', place, message)
}

function cellOf(value: SqlValue | bigint | undefined, place: string): JsonValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value)
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(place, 'A number is not finite')
    return value
  }
  if (typeof value === 'string') return value
  throw invalid(place, 'A column holds bytes; convert it first')
}

/** What `sql.js` can address: databases are read whole. */
const mostBytes = 2 ** 31 - 1

/** The part of a statement that `@types/sql.js` lacks. */
interface WideStatement {
  get(parameters: null, config: { readonly useBigInt: boolean }): (SqlValue | bigint)[]
}

/** SQLite itself takes a file that was cut off for a smaller one (file format, 1.3: page size at 16, pages at 28). */
function checkLength(bytes: Uint8Array): void {
  if (bytes.length < 100) throw invalid('file', 'The export is not an SQLite database')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pageBytes = view.getUint16(16) === 1 ? 65_536 : view.getUint16(16)
  if (view.getUint32(28) * pageBytes !== bytes.length)
    throw invalid('file', 'The database is not as long as it says')
}

/** What stands for bytes that are no text: `sql.js` puts it there without a word. */
const replaced = '\ufffd'
const encodings: Readonly<Record<string, string>> = {
  'UTF-8': 'utf-8',
  'UTF-16le': 'utf-16le',
  'UTF-16be': 'utf-16be',
}

/** Are all texts of a table what they are said to be? Asked only of a table in which something may have been replaced. */
function checkTexts(
  database: InstanceType<SqlJsStatic['Database']>,
  quoted: string,
  names: readonly string[],
): void {
  const encoding = encodings[String(database.exec('PRAGMA encoding')[0]?.values[0]?.[0])] ?? 'utf-8'
  const bytes = names.map((name) => {
    const column = `t."${name.replaceAll('"', '""')}"`
    return `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) END`
  })
  const decoder = () => new TextDecoder(encoding, { fatal: true })
  const statement = database.prepare(`SELECT ${bytes.join(', ')} FROM ${quoted} AS t`)
  try {
    for (let row = 1; statement.step(); row += 1) {
      for (const value of statement.get()) if (value instanceof Uint8Array) checkText(decoder(), value, row)
    }
  } catch (error) {
    if (error instanceof RefineError) throw error
    throw invalid('table', 'The table cannot be read')
  } finally {
    statement.free()
  }
}

function checkText(decoder: TextDecoder, bytes: Uint8Array, row: number): void {
  try {
    decoder.decode(bytes)
  } catch {
    throw new RefineError('ENCODING_INVALID', `row ${row}`, 'A text is not in the encoding of its database')
  }
}

/**
 * A reader of SQLite databases over `sql.js`. Only plain tables are read: views, triggers, virtual tables and generated columns
 * of an untrusted file never run.
 *
 * @param sql - what `initSqlJs()` of `sql.js` gave
 * @returns the reader; it throws RefineError `SQLITE_INVALID` or `LIMIT_EXCEEDED`
 */
export function createSqliteReader(sql: SqlJsStatic): TableReader {
  return async function* (access, limits, choice = {}) {
    if (access.size > mostBytes) {
      const message = `A database of more than ${mostBytes} bytes cannot be read; split it`
      throw new RefineError('LIMIT_EXCEEDED', 'file', message)
    }
    const bytes = await access.read(0, access.size)
    checkLength(bytes)
    let database: InstanceType<SqlJsStatic['Database']>
    let names: string[]
    try {
      database = new sql.Database(bytes)
    } catch {
      throw invalid('file', 'The export is not an SQLite database')
    }
    try {
      try {
        database.run('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;')
        // The table's own CHECK is code of whoever made the file, run for each row; what a row may be, the refiner says.
        database.run('PRAGMA ignore_check_constraints = ON;')
        const listed = database.exec(
          "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )
        names = (listed[0]?.values ?? [])
          .filter(([, statement]) => typeof statement === 'string' && /^\s*CREATE\s+TABLE\b/i.test(statement))
          .map(([name]) => String(name))
      } catch {
        throw invalid('file', 'The export is not an SQLite database, or damaged')
      }
      const name = choice.table ?? (names.length === 1 ? names[0] : undefined)
      if (name === undefined || !names.includes(name)) {
        throw invalid('table', `The database has ${names.length} tables; name the one to read`)
      }
      const quoted = `"${name.replaceAll('"', '""')}"`
      const statement = (() => {
        try {
          const hidden = database.exec(`PRAGMA table_xinfo(${quoted})`)[0]?.values ?? []
          if (hidden.some((row) => row[6] !== 0))
            throw invalid('table', 'A column is generated; copy the table first')
          // Of this table alone, and behind the columns: what another one generates would be made to be checked.
          const judged = database.exec(`PRAGMA quick_check(${quoted})`)[0]?.values[0]?.[0]
          if (judged !== 'ok') throw invalid('file', 'The database is damaged')
          return database.prepare(`SELECT * FROM ${quoted}`)
        } catch (error) {
          if (error instanceof RefineError) throw error
          throw invalid('table', 'The table cannot be read')
        }
      })()
      try {
        const columns = statement.getColumnNames()
        if (columns.length > limits.columns) {
          throw new RefineError(
            'LIMIT_EXCEEDED',
            'table',
            `The export has more than ${limits.columns} columns`,
          )
        }
        if (columns.some((column) => column.includes(replaced)))
          throw new RefineError('ENCODING_INVALID', 'table', 'The name of a column is no text')
        let doubtful = true
        for (let row = 1; step(); row += 1) {
          if (row > limits.records) {
            throw new RefineError(
              'LIMIT_EXCEEDED',
              'table',
              `The export has more than ${limits.records} rows; split it`,
            )
          }
          // Integers past 2^53 must not be rounded on their way out.
          const values = (statement as unknown as WideStatement).get(null, { useBigInt: true })
          if (doubtful && values.some((value) => typeof value === 'string' && value.includes(replaced))) {
            checkTexts(database, quoted, columns)
            doubtful = false
          }
          yield Object.fromEntries(
            columns.map((column, index) => [column, cellOf(values[index], `row ${row}`)]),
          )
        }
      } finally {
        statement.free()
      }
      function step(): boolean {
        try {
          return statement.step()
        } catch {
          throw invalid('table', 'The database is damaged')
        }
      }
    } finally {
      database.close()
    }
  }
}
