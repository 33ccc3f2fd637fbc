import { cellOf, isPosition } from './cell-form.js'
import { coarseRows } from './coarse-rows.js'
import { itemOfCells, mostItems } from './item-of-cells.js'
import { entriesOf, isObject, leastRows, type Row, tableIn } from './table-in.js'

const DEEPEST = 64

/** A file's items, of which rows have no names of columns. */
export interface UnnamedRows {
  /** Distinct items. */
  readonly items: readonly string[]
  /** Those of them that are coarse, see `coarseRows`: which column a value stands in is known here alone. */
  readonly coarse: ReadonlySet<string>
}

/**
 * What a file says, with rows that have no names of columns: names are the contributor's where a proof declares no `items`, and another name
 * for a column makes nothing new. Rows are objects in a list, lists in a list, lists of one length beside each other, and objects under names
 * of their own (the name is a cell). In what order columns stand, how rows are nested, and what more than nine of ten rows of a table say in a column
 * (a constant that was put beside them) does not count.
 *
 * Two columns of one row that change places make the same row of it. A row keeps its names where it has one cell alone, or a latitude or
 * longitude, of which the name says how many digits count.
 *
 * @param value of a JSON document or of a table
 * @returns at most 200,000 items, rows without names and everything else with them; undefined where no row is without names
 */
export function unnamedRows(value: unknown): UnnamedRows | undefined {
  const items = new Set<string>()
  const unnamedByNamed = new Map<string, string>()
  const add = (item: string): void => {
    if (items.size < mostItems) items.add(item)
  }
  const take = (one: unknown, name: string, depth: number): void => {
    if (items.size >= mostItems || depth > DEEPEST) return
    if (typeof one !== 'object' || one === null) {
      const cell = cellOf(name, one)
      if (cell !== undefined) add(cell)
      return
    }
    const { rows, rest } = tableIn(one)
    for (const [own, member] of rest) take(member, own ?? name, depth + 1)
    const flat = rows.map((row) => flatRow(row, (own, list) => take(list, own, depth + 1)))
    const common = commonCells(flat)
    for (const row of flat) {
      const cells = [...row].flatMap(([column, cell]) => (common.get(column) === cell ? [] : [cell]))
      const texts = [...new Set(cells.map((cell) => cell.slice(cell.indexOf('\u001f'))))]
      const keepsNames = texts.length < 2 || cells.some((cell) => isPosition(nameOf(cell)))
      const named = itemOfCells(new Set(keepsNames ? row.values() : cells))
      const item = keepsNames ? named : itemOfCells(texts)
      if (item !== '') add(item)
      if (!keepsNames && items.has(item)) unnamedByNamed.set(named, item)
    }
  }
  take(value, '', 0)
  if (unnamedByNamed.size === 0) return undefined
  const coarse = new Set<string>()
  for (const row of coarseRows([...unnamedByNamed.keys()])) coarse.add(unnamedByNamed.get(row) ?? row)
  return { items: [...items], coarse }
}

/** Cells of a row by their columns, of objects in it too; lists in it are given away. */
function flatRow(
  row: Row,
  takeList: (name: string, list: readonly unknown[]) => void,
): ReadonlyMap<string, string> {
  const cells = new Map<string, string>()
  const walk = (entries: Iterable<readonly [string, unknown]>, path: string, depth: number): void => {
    if (depth > DEEPEST) return
    for (const [name, member] of entries) {
      if (Array.isArray(member)) takeList(name, member)
      else if (isObject(member)) walk(entriesOf(member), `${path}${name}\u001e`, depth + 1)
      else {
        const cell = cellOf(name, member)
        if (cell !== undefined) cells.set(path + name, cell)
      }
    }
  }
  walk(row, '', 0)
  return cells
}

/** Of each column the cell that more than nine of ten rows have. */
function commonCells(rows: readonly ReadonlyMap<string, string>[]): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>()
  if (rows.length < leastRows) return new Map()
  for (const row of rows) {
    for (const [column, cell] of row) {
      const own = counts.get(column) ?? new Map<string, number>()
      counts.set(column, own)
      own.set(cell, (own.get(cell) ?? 0) + 1)
    }
  }
  const common = new Map<string, string>()
  for (const [column, own] of counts) {
    for (const [cell, count] of own) if (count * 10 > rows.length * 9) common.set(column, cell)
  }
  return common
}

function nameOf(cell: string): string {
  return cell.slice(0, cell.indexOf('\u001f'))
}
