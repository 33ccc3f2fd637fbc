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
 * The records of a segment. Field by field: the interpreter looks a name up once that way, and not for each record.
 *
 * @param segment - records that have the same keys in the same order
 * @returns one object per record
 */
function recordsOfSegment(names: readonly string[], { count, columns }: Segment): object[] {
  const records: Record<string, unknown>[] = []
  for (let row = 0; row < count; row += 1) records.push({})
  for (let at = 0; at < names.length; at += 1) {
    const column = columns[at] as readonly unknown[]
    // An object's key is kept as what the interpreter finds members by; a text that was parsed is hashed each time.
    const name = Object.keys({ [names[at] as string]: 0 })[0] as string
    // A field of this name must stay a field.
    if (name === '__proto__') {
      for (let row = 0; row < count; row += 1)
        Object.defineProperty(records[row] as object, name, {
          value: column[row],
          enumerable: true,
          writable: true,
          configurable: true,
        })
      continue
    }
    for (let row = 0; row < count; row += 1) (records[row] as Record<string, unknown>)[name] = column[row]
  }
  return records
}

/**
 * The records of the run's attachment.
 *
 * @returns one value per record, in order
 */
export function recordsOf(): readonly unknown[] {
  const segments = JSON.parse(sandboxBatch().attachment(0)) as readonly Segment[]
  const lists = segments.map((segment) =>
    segment.names === null ? (segment.columns[0] ?? []) : recordsOfSegment(segment.names, segment),
  )
  return lists.length === 1 ? (lists[0] as readonly unknown[]) : lists.flat()
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
 * members alone, each once and in their order. What the values are is not looked at.
 */
function columnsOfRows(rows: readonly unknown[], names: readonly string[]): unknown[][] | undefined {
  const columns = names.map((): unknown[] => [])
  const places = new Map(names.map((name, at) => [name, at]))
  const width = names.length
  const { getPrototypeOf, prototype } = Object
  for (let row = 0; row < rows.length; row += 1) {
    const given = rows[row]
    if (typeof given !== 'object' || given === null || getPrototypeOf(given) !== prototype) return undefined
    const cells = given as Readonly<Record<string, unknown>>
    let keys = 0
    // Own members alone, as `packRows` has seen to; a list of them would be made for each row.
    for (const name in cells) {
      const at = names[keys] === name ? keys : places.get(name)
      if (at === undefined) return undefined
      ;(columns[at] as unknown[])[row] = cells[name]
      keys += 1
    }
    if (keys === width) continue
    for (const column of columns) if (column.length === row) column.push(null)
  }
  return columns
}

/**
 * A column as a JSON list; undefined where a value is none that the host takes as it is. Text that has no null, list or object in it has been
 * made of texts, truth values and finite numbers alone; only what else is there is looked at one by one.
 */
function columnText(column: readonly unknown[]): string | undefined {
  let text: string
  try {
    text = JSON.stringify(column)
  } catch {
    return undefined
  }
  if (!text.includes('null') && !text.includes('{') && !text.includes('[', 1)) return text
  for (let row = 0; row < column.length; row += 1) {
    const value = column[row]
    if (value !== null && value !== undefined && !isCell(value)) return undefined
  }
  return text
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
  // What every object or list inherits may be what JSON is made of.
  if ('toJSON' in Array.prototype || Object.keys(Object.prototype).length > 0) return undefined
  const ready: { readonly table: string; readonly columns: readonly string[]; readonly text: string }[] = []
  for (const table of Object.keys(rows)) {
    const declared = Object.hasOwn(tables, table) ? tables[table] : undefined
    const columns = Object.keys(declared?.columns ?? {})
    if (declared === undefined) return undefined
    const lists = columnsOfRows(rows[table] ?? [], columns)
    if (lists === undefined) return undefined
    const texts: string[] = []
    for (const list of lists) {
      const text = columnText(list)
      if (text === undefined) return undefined
      texts.push(text)
    }
    ready.push({ table, columns, text: `[${texts.join(',')}]` })
  }
  const { attach } = sandboxBatch()
  const packed: Record<string, PackedTables[string]> = {}
  for (const { table, columns, text } of ready)
    packed[table] = { rows: (rows[table] ?? []).length, columns, attachment: attach(text) }
  return { packed }
}
