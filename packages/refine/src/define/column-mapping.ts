/** A mapping of whole columns; runs in the sandbox, where the host holds what is in them. */
import type { BatchTable, JsonValue } from '@sealpool/sandbox'
import type { SourceField, TableSchema } from '../schema/table-schema.js'
import { sandboxBatch } from './packed-rows.js'

/** Tables whose rows stand in attachments of the run, as the named columns (`PackedColumns`). */
export type PackedTables = Readonly<
  Record<string, { readonly rows: number; readonly columns: readonly string[]; readonly attachment: number }>
>

interface ColumnMapping {
  readonly mapColumns: (table: BatchTable) => Readonly<Record<string, BatchTable | undefined>>
  readonly tables: Readonly<Record<string, TableSchema>>
}

/**
 * A field's value as a column has it: text whatever the format, as CSV gives it, so that nothing depends on what else stands in a batch.
 * Numbers in the shortest form of JSON, what is nested as JSON text.
 */
function fieldText(value: JsonValue | undefined): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Records as a table of the fields that are named. @param records - objects @param fields - names @returns the table */
export function columnsOf(records: readonly JsonValue[], fields: readonly SourceField[]): BatchTable {
  const names = fields.map(({ name }) => name)
  const columns = names.map((name) =>
    records.map((record) => {
      if (typeof record !== 'object' || record === null || Array.isArray(record))
        throw new TypeError('a record is no object')
      return fieldText(
        Object.hasOwn(record, name) ? (record as Readonly<Record<string, JsonValue>>)[name] : null,
      )
    }),
  )
  return sandboxBatch().table('columns', JSON.stringify({ names, columns }))
}

/** The columns of a table that are declared, and those of them whose numbers are truth values. */
function declaredOf(table: BatchTable, { columns }: TableSchema): { names: string[]; booleans: string[] } {
  const names = table.columns.filter((name) => Object.hasOwn(columns, name))
  if (names.length === 0) throw new TypeError('the mapping gives none of the columns of its table')
  return { names, booleans: names.filter((name) => columns[name]?.type === 'boolean') }
}

/** A mapping's tables with their definitions. @throws TypeError for one that is not declared */
function mapped({ mapColumns, tables }: ColumnMapping, table: BatchTable) {
  return Object.entries(mapColumns(table)).flatMap(([name, given]) => {
    const declared = Object.hasOwn(tables, name) ? tables[name] : undefined
    if (declared === undefined) throw new TypeError('the mapping gives a table that is not declared')
    return given === undefined ? [] : [{ name, given, declared }]
  })
}

/**
 * Maps a table and gives rows.
 *
 * @param options - the mapping, and the `table`
 * @returns rows by table
 */
export function mapOfColumns(options: ColumnMapping & { readonly table: BatchTable }): {
  readonly tables: { readonly [table: string]: readonly unknown[] }
} {
  const tables: Record<string, readonly unknown[]> = {}
  for (const name of Object.keys(options.tables)) tables[name] = []
  for (const { name, given, declared } of mapped(options, options.table)) {
    const { names, booleans } = declaredOf(given, declared)
    tables[name] = given.rows(0, given.count, names).map((row) => {
      const out: Record<string, JsonValue> = { ...row }
      // As the attached columns have them; the host refuses what is neither.
      for (const column of booleans)
        if (out[column] === 1 || out[column] === 0) out[column] = out[column] === 1
      return out
    })
  }
  return { tables }
}

/**
 * Maps the table of the run's attachment and attaches what comes out.
 *
 * @param mapping - see `RefinerDefinition`
 * @returns where the rows are
 */
export function packColumns(mapping: ColumnMapping): { readonly packed: PackedTables } {
  const packed: Record<string, PackedTables[string]> = {}
  for (const { name, given, declared } of mapped(
    mapping,
    sandboxBatch().table('columns', { attachment: 0 }),
  )) {
    const { names, booleans } = declaredOf(given, declared)
    packed[name] = { rows: given.count, columns: names, attachment: given.attach(names, booleans, true) }
  }
  return { packed }
}
