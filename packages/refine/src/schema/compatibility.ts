import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import { requiredPosition } from './bound.js'
import { tableOf } from './table-of.js'
import type { ColumnSchema, RefinerSchema, Row } from './table-schema.js'

/**
 * `full`: both ways. `backward`: every old row is a row of the new schema. `forward`: every new row is a row of the old one,
 * once what the old does not know is left out. `breaking`: neither.
 */
export type CompatibilityClass = 'full' | 'backward' | 'forward' | 'breaking'

/** One difference between two schemas. */
export interface SchemaChange {
  /** `table` or `table.column`. */
  readonly place: string
  /** What changed. */
  readonly change: string
  /** May old rows be read under the new schema? */
  readonly backward: boolean
  /** May new rows be read under the old schema? */
  readonly forward: boolean
}

/** What {@link compareSchemas} found. */
export interface SchemaComparison {
  readonly compatibility: CompatibilityClass
  readonly changes: readonly SchemaChange[]
}

/** The values that a column lists, or that its type has few enough to list. */
function listed({ type, values }: ColumnSchema): ColumnSchema['values'] {
  return values ?? (type === 'boolean' ? [false, true] : undefined)
}

/** Is every value of `inner` a value of `outer`? Columns of one type and with the same places. */
function contains(outer: ColumnSchema, inner: ColumnSchema): boolean {
  if (inner.nullable === true && outer.nullable !== true) return false
  const values = listed(inner)
  const allowed = listed(outer)
  if (allowed !== undefined) return values?.every((value) => allowed.includes(value)) ?? false
  const positions = (bounds: readonly (number | string | boolean)[]) =>
    bounds.map((bound) => requiredPosition(outer, bound))
  for (const [side, sign] of [
    ['min', 1n],
    ['max', -1n],
  ] as const) {
    const bound = outer[side]
    if (bound === undefined) continue
    const limit = sign * requiredPosition(outer, bound)
    const own = inner[side]
    const reached = values ?? (own === undefined ? undefined : [own])
    if (reached === undefined || positions(reached).some((position) => sign * position < limit)) return false
  }
  const longest =
    values === undefined
      ? (inner.maxLength ?? 1024)
      : Math.max(...values.map((value) => String(value).length))
  return inner.type !== 'text' || longest <= (outer.maxLength ?? 1024)
}

function columnChange(place: string, from: ColumnSchema, to: ColumnSchema): SchemaChange | undefined {
  const typed = (change: string): SchemaChange => ({ place, change, backward: false, forward: false })
  if (from.type !== to.type) return typed(`type ${from.type} became ${to.type}`)
  if (from.unit !== to.unit) return typed('the unit changed')
  if (from.decimals !== to.decimals) return typed('the places of the decimal changed')
  // Vectors of two models cannot be compared, and those of another text say something else.
  const made = ({ embedding }: ColumnSchema) =>
    embedding === undefined ? '' : `${embedding.from} ${embedding.model} ${embedding.dimensions}`
  if (made(from) !== made(to)) return typed('the embedding is made in another way')
  const backward = contains(to, from) && (to.pii === undefined || to.pii === from.pii)
  const forward = contains(from, to) && (from.pii === undefined || to.pii === from.pii)
  if (from.pii !== to.pii) {
    return { place, change: 'personal data is treated in another way', backward, forward }
  }
  if (backward && forward) return undefined
  const change = backward ? 'takes more values' : forward ? 'takes fewer values' : 'takes other values'
  return { place, change, backward, forward }
}

/**
 * Compares two versions of a schema by what their rows may be. A new column that may be null is compatible both ways, one that
 * may not is forward only: old rows lack it. A promise about personal data (`pii`) that is new is forward, one that went is backward,
 * another one is breaking. Descriptions and notes do not count.
 *
 * @param from - the older schema
 * @param to - the newer schema
 * @returns the class and every change that is not compatible in both ways by itself
 * @throws RefineError with `SCHEMA_INVALID` for bounds that are no values of their columns
 *
 * @example
 * ```ts no-run
 * compareSchemas(v1, v2).compatibility // 'backward'
 * ```
 */
export function compareSchemas(from: RefinerSchema, to: RefinerSchema): SchemaComparison {
  const changes: SchemaChange[] = []
  for (const [name, table] of Object.entries(from.tables)) {
    const next = Object.hasOwn(to.tables, name) ? to.tables[name] : undefined
    if (next === undefined) {
      changes.push({ place: name, change: 'the table went', backward: false, forward: true })
      continue
    }
    for (const [column, definition] of Object.entries(table.columns)) {
      const place = `${name}.${column}`
      const other = Object.hasOwn(next.columns, column) ? next.columns[column] : undefined
      if (other === undefined) {
        changes.push({
          place,
          change: 'the column went',
          backward: false,
          forward: definition.nullable === true,
        })
      } else {
        const change = columnChange(place, definition, other)
        if (change !== undefined) changes.push(change)
      }
    }
    for (const [column, definition] of Object.entries(next.columns)) {
      if (Object.hasOwn(table.columns, column)) continue
      const backward = definition.nullable === true
      changes.push({ place: `${name}.${column}`, change: 'the column is new', backward, forward: true })
    }
  }
  for (const name of Object.keys(to.tables)) {
    if (!Object.hasOwn(from.tables, name))
      changes.push({ place: name, change: 'the table is new', backward: true, forward: true })
  }
  const backward = changes.every((change) => change.backward)
  const forward = changes.every((change) => change.forward)
  const compatibility = backward ? (forward ? 'full' : 'backward') : forward ? 'forward' : 'breaking'
  return { compatibility, changes }
}

/** How a row of the older table becomes one of the newer: old column to rename, new value, or a function of the old row. */
export interface Migration {
  readonly table: string
  /** New column to old column of another name. */
  readonly rename?: Readonly<Record<string, string>>
  /** New column to the value that old rows get. */
  readonly fill?: Readonly<Record<string, string | number | boolean | null>>
  /** New column to a pure function of the old row. */
  readonly compute?: Readonly<Record<string, (row: Row) => unknown>>
}

/**
 * Brings rows of an older schema under a newer one. Columns of one name are kept; what the newer table does not have is
 * dropped; every row is checked as a mapping's rows are.
 *
 * @param rows - rows of the older schema
 * @param to - the newer schema
 * @param migration - see {@link Migration}
 * @returns rows of the newer schema
 * @throws RefineError with `ARGUMENT_INVALID` for an unknown table or a column that is not there, old or new, or what `checkRow` throws, `place` naming row and column
 */
export function migrateRows(rows: readonly Row[], to: RefinerSchema, migration: Migration): readonly Row[] {
  const table = tableOf(to, migration.table)
  const { rename = {}, fill = {}, compute = {} } = migration
  for (const name of [...Object.keys(rename), ...Object.keys(fill), ...Object.keys(compute)]) {
    if (!Object.hasOwn(table.columns, name)) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        `migration.${name}`,
        'The migration names a column that the newer table lacks',
      )
    }
  }
  for (const name of Object.values(rename)) {
    if (rows.some((row) => !Object.hasOwn(row, name))) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        'migration.rename',
        'The migration renames a column that the older rows do not have',
      )
    }
  }
  return rows.map((row, index) => {
    const made: Record<string, unknown> = {}
    for (const name of Object.keys(table.columns)) {
      const computed = Object.hasOwn(compute, name) ? compute[name] : undefined
      const renamed = Object.hasOwn(rename, name) ? rename[name] : undefined
      if (computed !== undefined) made[name] = computed(row)
      else if (renamed !== undefined) made[name] = row[renamed]
      else if (Object.hasOwn(fill, name)) made[name] = fill[name]
      else made[name] = row[name]
    }
    return checkRow(table, made, Number(row['contributor']), index)
  })
}
