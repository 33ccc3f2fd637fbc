import type { SqlJsStatic } from 'sql.js'
import { RefineError } from '../errors.js'
import type { Tables } from '../job/content-digest.js'
import { toDdl } from '../schema/ddl.js'
import {
  type CellValue,
  type ColumnSchema,
  contributorColumn,
  type RefinerSchema,
} from '../schema/table-schema.js'
import { vectorValues } from '../schema/vector.js'

type StoredColumn = Pick<ColumnSchema, 'type' | 'embedding'>

/** A vector as SQLite's extensions for vectors read it: float32 values, low bytes first. */
function vectorBytes(text: string, dimensions: number, place: string): Uint8Array {
  const values = vectorValues(text, dimensions)
  if (values === undefined)
    throw new RefineError('VALUE_TYPE', place, 'A value is no vector of its column; pass rows of refineBatch')
  const bytes = new Uint8Array(4 * dimensions)
  const view = new DataView(bytes.buffer)
  values.forEach((value, at) => {
    view.setFloat32(4 * at, value, true)
  })
  return bytes
}

/** Digits that SQLite's numbers keep of a decimal. */
const decimalDigits = 15

function stored(value: CellValue, column: StoredColumn, place: string): string | number | Uint8Array | null {
  const { type, embedding } = column
  if (embedding !== undefined && typeof value === 'string')
    return vectorBytes(value, embedding.dimensions, place)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (
    type === 'decimal' &&
    typeof value === 'string' &&
    value.replace(/^-?0*\.?0*|\./g, '').length > decimalDigits
  ) {
    throw new RefineError(
      'VALUE_RANGE',
      place,
      `SQLite keeps ${decimalDigits} digits of a decimal; this one has more`,
    )
  }
  return value
}

/**
 * The tables as one SQLite database, built by the schema's SQLite DDL, whose checks every row passes. This is the layout that
 * the existing network's query engine opens: plain tables with plain columns, one file.
 *
 * @param sql - what `initSqlJs()` of `sql.js` gave
 * @param schema - the refiner's schema
 * @param tables - tables as `refineBatch` returns them
 * @returns the database file, not encrypted; encrypt it before it leaves memory
 * @throws RefineError with `ARGUMENT_INVALID` for rows of no table, `VALUE_RANGE` for a decimal of more than 15 digits,
 *   `VALUE_TYPE` for a row that the DDL refuses
 */
export function toSqliteFile(sql: SqlJsStatic, schema: RefinerSchema, tables: Tables): Uint8Array {
  const database = new sql.Database()
  try {
    database.run(toDdl(schema, 'sqlite'))
    for (const [name, rows] of Object.entries(tables)) {
      const table = Object.hasOwn(schema.tables, name) ? schema.tables[name] : undefined
      if (table === undefined)
        throw new RefineError('ARGUMENT_INVALID', `tables.${name}`, 'The schema has no such table')
      const columns: [string, StoredColumn][] = [
        [contributorColumn, { type: 'integer' }],
        ...Object.entries(table.columns),
      ]
      const insert = database.prepare(
        `INSERT INTO "${name}" (${columns.map(([column]) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      )
      try {
        database.run('BEGIN')
        for (const [index, row] of rows.entries()) {
          const values = columns.map(([column, definition]) =>
            stored(row[column] ?? null, definition, `${name}[${index}].${column}`),
          )
          try {
            insert.run(values)
          } catch {
            // SQLite's message may quote the value.
            throw new RefineError(
              'VALUE_TYPE',
              `${name}[${index}]`,
              'The DDL refuses the row; pass rows of refineBatch',
            )
          }
        }
        database.run('COMMIT')
      } finally {
        insert.free()
      }
    }
    return database.export()
  } finally {
    database.close()
  }
}
