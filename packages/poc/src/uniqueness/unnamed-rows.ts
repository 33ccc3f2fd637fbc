import { cellOf, isPosition } from './cell-form.js'
import { coarseRows } from './coarse-rows.js'

/** Elements from which on lists beside each other, lists in a list and objects under names of their own are a table. */
const LEAST_ROWS = 8
const MOST_ITEMS = 200_000
/** Rows and cells with which rows that lack a cell are made, and how long such a row may be. */
const [MOST_ROWS, MOST_CELLS, LONGEST] = [10_000, 12, 2_000]
const DEEPEST = 64
/** Bits that a row must say so that two people's rows are not one by chance: a day and two numbers do, a day and one number do not. */
const LEAST_BITS = 18
const [DAY_BITS, NUMBER_BITS, DIGIT_BITS, CHARACTER_BITS] = [8, 6, 3, 1.5]
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i
const DAY = /^(day -?\d+|\d{4} \d{1,2} \d{1,2})$/

/** A file's items, of which rows have no names of columns. */
export interface UnnamedRows {
  /** Distinct items. */
  readonly items: readonly string[]
  /** Those of them that are coarse, see `coarseRows`: which column a value stands in is known here alone. */
  readonly coarse: ReadonlySet<string>
}

/** A row of a table: what stands in each of its columns. */
type Row = ReadonlyMap<string, unknown>

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
    if (items.size < MOST_ITEMS) items.add(item)
  }
  const take = (one: unknown, name: string, depth: number): void => {
    if (items.size >= MOST_ITEMS || depth > DEEPEST) return
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
      const named = joined(keepsNames ? row.values() : cells)
      const item = keepsNames ? named : joined(texts)
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

/**
 * The same row with a column less, each in its turn.
 *
 * @param rows how many the contribution has: of many none is given, so that the work stays bounded
 */
export function withoutOneCell(row: string, rows: number): readonly string[] {
  if (rows > MOST_ROWS || row.length > LONGEST) return []
  const cells = row.split('\u001e')
  return cells.length > MOST_CELLS
    ? []
    : cells.map((_, left) => cells.filter((_, at) => at !== left).join('\u001e'))
}

/**
 * Whether a row without names says so much that nobody else's is like it by chance, however large a pool is. Counted as a day 8 bits, a number of
 * two digits 6, of one digit 3, a text 1.5 bits a character (English has 0.6 to 1.3, Shannon 1951; names and codes have more).
 *
 * @param item of {@link unnamedRows}
 * @returns false for what says little, and for an item that has names
 */
export function isTelling(item: string): boolean {
  if (!item.startsWith('\u001f')) return false
  let bits = 0
  for (const cell of item.split('\u001e')) {
    const text = cell.slice(1)
    if (DAY.test(text)) bits += DAY_BITS
    else if (NUMBER.test(text))
      bits += Number.isInteger(Number(text)) && Math.abs(Number(text)) < 10 ? DIGIT_BITS : NUMBER_BITS
    else bits += CHARACTER_BITS * text.length
    if (bits >= LEAST_BITS) return true
  }
  return false
}

interface Table {
  readonly rows: readonly Row[]
  /** What is no part of the rows, with its name where it has one. */
  readonly rest: readonly (readonly [string | undefined, unknown])[]
}

function tableIn(value: object): Table {
  return Array.isArray(value) ? tableInList(value) : tableInObject(entriesOf(value))
}

function tableInList(list: readonly unknown[]): Table {
  const areRows = list.length >= LEAST_ROWS && list.every((one) => isListOfValues(one) && one.length > 1)
  const rows: Row[] = []
  const rest: (readonly [undefined, unknown])[] = []
  for (const one of list) {
    if (isObject(one)) rows.push(new Map(entriesOf(one)))
    else if (areRows && Array.isArray(one))
      rows.push(new Map(one.map((cell: unknown, at) => [`${at}`, cell])))
    else rest.push([undefined, one])
  }
  return { rows, rest }
}

function tableInObject(entries: readonly (readonly [string, unknown])[]): Table {
  const named = entries.filter(([, member]) => isObject(member))
  if (named.length >= LEAST_ROWS) {
    const rows = named.map(([name, member]) => new Map([['', name], ...entriesOf(member as object)]))
    return { rows, rest: entries.filter(([, member]) => !isObject(member)) }
  }
  const byLength = new Map<number, (readonly [string, readonly unknown[]])[]>()
  for (const [name, member] of entries) {
    if (!isListOfValues(member) || member.length < LEAST_ROWS) continue
    const columns = byLength.get(member.length) ?? []
    byLength.set(member.length, columns)
    columns.push([name, member])
  }
  const [columns = []] = [...byLength.values()].sort((a, b) => b.length - a.length)
  if (columns.length < 2) return { rows: [], rest: entries }
  const taken = new Set(columns.map(([name]) => name))
  const length = columns[0]?.[1].length ?? 0
  return {
    rows: Array.from({ length }, (_, at) => new Map(columns.map(([name, list]) => [name, list[at]]))),
    rest: entries.filter(([name]) => !taken.has(name)),
  }
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
  if (rows.length < LEAST_ROWS) return new Map()
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfValues(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null)
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
}

function nameOf(cell: string): string {
  return cell.slice(0, cell.indexOf('\u001f'))
}

function joined(cells: Iterable<string>): string {
  return [...new Set(cells)].sort(byCodeUnits).join('\u001e')
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
