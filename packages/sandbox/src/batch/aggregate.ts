import { BatchError, type Column, cellAt, type Table } from './table.js'

/** One figure over the rows of a group. */
export interface Aggregate {
  readonly of?: string
  readonly operation: 'count' | 'present' | 'distinct' | 'sum' | 'mean' | 'min' | 'max'
}

const operations: ReadonlySet<unknown> = new Set([
  'count',
  'present',
  'distinct',
  'sum',
  'mean',
  'min',
  'max',
])

/** A figure: a number, a text for the least or greatest of texts, null where there is no row to tell of. */
export type Figure = number | string | null

/**
 * Figures by group, groups in the order in which their first row stands. Sums run in the order of rows, so the last bit is the
 * same on every machine.
 *
 * @param table the rows
 * @param wanted figures by name
 * @param by column whose values make the groups; one group of all rows when absent
 * @param tick told of the work done
 * @throws BatchError for a column or operation that is not there
 */
export function aggregate(
  table: Table,
  wanted: Readonly<Record<string, Aggregate>>,
  by: string | undefined,
  tick: (steps: number) => void,
): { readonly group: Figure; readonly figures: Readonly<Record<string, Figure>> }[] {
  const keys = by === undefined ? undefined : columnOf(table, by)
  const groups = new Map<Figure, number[]>()
  if (keys === undefined) groups.set(null, [])
  for (let row = 0; row < table.count; row++) {
    const key = keys === undefined ? null : valueAt(keys, row)
    const rows = groups.get(key)
    if (rows === undefined) groups.set(key, [row])
    else rows.push(row)
  }
  tick(table.count)
  const entries = Object.entries(wanted)
  return [...groups].map(([group, rows]) => ({
    group,
    figures: Object.fromEntries(
      entries.map(([name, one]) => {
        tick(rows.length)
        return [name, figureOf(table, rows, one)]
      }),
    ),
  }))
}

function columnOf(table: Table, name: string | undefined): Column {
  const column = name === undefined ? undefined : table.columns.get(name)
  if (column === undefined) throw new BatchError('the table has no column of this name')
  return column
}

function valueAt(column: Column, row: number): Figure {
  const value = cellAt(column, row)
  return typeof value === 'number' && Number.isNaN(value) ? null : value
}

/** Numbers come before texts. */
function isBefore(a: number | string, b: number | string): boolean {
  return typeof a === typeof b ? a < b : typeof a === 'number'
}

function figureOf(table: Table, rows: readonly number[], { of, operation }: Aggregate): Figure {
  if (!operations.has(operation)) throw new BatchError('there is no aggregate of this name')
  if (operation === 'count') return rows.length
  const column = columnOf(table, of)
  const values: (number | string)[] = []
  for (const row of rows) {
    const value = valueAt(column, row)
    if (value !== null) values.push(value)
  }
  if (operation === 'present') return values.length
  if (operation === 'distinct') return new Set(values).size
  if (operation === 'min' || operation === 'max') {
    let best: Figure = null
    for (const value of values) {
      if (best === null || (operation === 'min' ? isBefore(value, best) : isBefore(best, value))) best = value
    }
    return best
  }
  if (column.type !== 'number') throw new BatchError('sum and mean need a column of numbers')
  if (values.length === 0) return null
  let sum = 0
  for (const value of values) sum += Number(value)
  const figure = operation === 'sum' ? sum : sum / values.length
  return Number.isFinite(figure) ? figure : null
}
