/** The way of many records into a mapping and of its rows out of it by column; runs in the sandbox. */
import type { Batch } from '@sealpool/sandbox'
import type { TableSchema } from '../schema/table-schema.js'
import type { PackedTables } from './column-mapping.js'

interface Segment {
  readonly names: readonly string[] | null
  readonly count: number
  readonly columns: readonly (readonly unknown[])[]
}

/** What the sandbox gives to code. @returns its batch functions @throws Error outside of the sandbox */
export function sandboxBatch(): Batch {
  const { batch } = globalThis as { readonly batch?: Batch }
  if (batch === undefined) throw new Error('columns are mapped in the sandbox alone')
  return batch
}

/**
 * The records of the run's attachment.
 *
 * @returns one value per record, in order
 */
export function recordsOf(): unknown[] {
  const records: unknown[] = []
  for (const { names, count, columns } of JSON.parse(sandboxBatch().attachment(0)) as readonly Segment[]) {
    if (names === null) {
      for (const document of columns[0] ?? []) records.push(document)
      continue
    }
    const width = names.length
    // A field of this name must stay a field.
    const isPlain = !names.includes('__proto__')
    for (let row = 0; row < count; row += 1) {
      const record: Record<string, unknown> = {}
      for (let at = 0; at < width; at += 1) {
        const name = names[at] as string
        const value = (columns[at] as readonly unknown[])[row]
        if (isPlain) record[name] = value
        else
          Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true })
      }
      records.push(record)
    }
  }
  return records
}

/** A value that is the same on the other side, whatever JSON makes of others. */
function isCell(value: unknown): boolean {
  const type = typeof value
  return (
    type === 'string' || type === 'boolean' || value === null || (type === 'number' && Number.isFinite(value))
  )
}

/**
 * The rows of a table by column; undefined where one of them is no plain object of its columns. As JSON does, it reads own enumerable
 * members alone, each once and in their order.
 */
function columnsOfRows(rows: readonly unknown[], names: readonly string[]): unknown[][] | undefined {
  const columns = names.map((): unknown[] => [])
  const places = new Map(names.map((name, at) => [name, at]))
  const width = names.length
  for (let row = 0; row < rows.length; row += 1) {
    const given = rows[row]
    if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype)
      return undefined
    const cells = given as Readonly<Record<string, unknown>>
    const keys = Object.keys(cells)
    for (let key = 0; key < keys.length; key += 1) {
      const name = keys[key] as string
      const at = names[key] === name ? key : places.get(name)
      if (at === undefined) return undefined
      const value = cells[name]
      if (value !== undefined && !isCell(value)) return undefined
      ;(columns[at] as unknown[])[row] = value ?? null
    }
    if (keys.length === width) continue
    for (const column of columns) if (column.length === row) column.push(null)
  }
  return columns
}

/**
 * Rows as columns in attachments of the run.
 *
 * @param rows - what the mapping gave, by table
 * @param tables - the declared tables
 * @returns where they are; undefined where the host has to look at the rows themselves, because some are no rows of their table
 */
export function packRows(
  rows: Readonly<Record<string, readonly unknown[]>>,
  tables: Readonly<Record<string, TableSchema>>,
): { readonly packed: PackedTables } | undefined {
  const ready: {
    readonly table: string
    readonly columns: readonly string[]
    readonly lists: unknown[][]
  }[] = []
  for (const table of Object.keys(rows)) {
    const declared = Object.hasOwn(tables, table) ? tables[table] : undefined
    const columns = Object.keys(declared?.columns ?? {})
    // What every object inherits may be what JSON is made of.
    if (declared === undefined || 'toJSON' in Object.prototype) return undefined
    const lists = columnsOfRows(rows[table] ?? [], columns)
    if (lists === undefined) return undefined
    ready.push({ table, columns, lists })
  }
  const { attach } = sandboxBatch()
  const packed: Record<string, PackedTables[string]> = {}
  for (const { table, columns, lists } of ready)
    packed[table] = { rows: (rows[table] ?? []).length, columns, attachment: attach(JSON.stringify(lists)) }
  return { packed }
}
