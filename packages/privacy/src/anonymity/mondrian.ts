import { PrivacyError } from '../errors.js'
import { cellOf, type MicrodataRow } from './equivalence-class.js'

/** A quasi-identifier that Mondrian generalises; its range or values are public. */
export type MondrianColumn =
  | {
      readonly name: string
      readonly kind: 'integer'
      /** Values outside of min and max count as the nearer end. */
      readonly min: number
      readonly max: number
    }
  | {
      readonly name: string
      readonly kind: 'category'
      /** All values that there are, neighbours in the list being most alike. A cut leaves a part of the list on either side. */
      readonly values: readonly string[]
    }

/** A generalised value: a public range, or some of the public values. */
export type Generalised =
  | { readonly min: number; readonly max: number }
  | { readonly values: readonly string[] }

/** A generalised table. */
export interface MondrianTable {
  /** One for each group of rows that look alike. */
  readonly groups: readonly {
    /** Generalised quasi-identifiers by column. */
    readonly ranges: Readonly<Record<string, Generalised>>
    /** Numbers of the rows of the input, ascending. */
    readonly rows: readonly number[]
    readonly contributors: number
  }[]
}

/** What every group must keep. */
export interface MondrianLimits {
  /** Least contributors of a group. */
  readonly k: number
  /** Least distinct values of the sensitive column in a group. */
  readonly l?: number
  readonly sensitive?: string
  readonly contributor?: string
}

/**
 * Generalises a table by strict Mondrian cuts (LeFevre, DeWitt, Ramakrishnan 2006): the part whose widest column is cut at the
 * median, as long as both sides keep the limits. Ranges are those of the cuts within the public range, never the smallest and
 * largest value of the data.
 *
 * k-anonymity stops linking by quasi-identifiers. It is not differential privacy: it does not compose, and the cuts themselves
 * tell where medians lie. Use it for extracts under a contract, not for an open audience.
 *
 * @param rows - The table.
 * @param options - `columns`: from 1 to 50 quasi-identifiers, and {@link MondrianLimits}.
 * @returns Groups that together hold every row once.
 * @throws PrivacyError `PARAMETER_INVALID`: a malformed column or value, or a table that as a whole does not keep the limits.
 * @example
 * ```ts
 * import { mondrian } from '@sealpool/privacy/anonymity'
 * const rows = [23, 25, 41, 47].map((age) => ({ age }))
 * const { groups } = mondrian(rows, { columns: [{ name: 'age', kind: 'integer', min: 18, max: 99 }], k: 2 })
 * console.assert(groups.length === 2 && JSON.stringify(groups[0]?.ranges) === '{"age":{"min":18,"max":25}}')
 * ```
 */
export function mondrian(
  rows: readonly MicrodataRow[],
  options: MondrianLimits & { readonly columns: readonly MondrianColumn[] },
): MondrianTable {
  const { columns } = options
  checkOptions(options)
  const coded = columns.map((column) => codes(rows, column))
  const limits = limitCheck(rows, options)
  const everyone = Int32Array.from(rows.keys())
  if (!limits(everyone)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'k',
      'The table as a whole does not keep the limits. Gather more contributors, or ask for less.',
    )
  }
  const done: Part[] = []
  const people = contributorCodes(rows, options.contributor)
  const open: Part[] = [{ box: columns.map(fullCut), rows: everyone }]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const sides = cut(part, coded, columns, limits)
    if (sides === undefined) done.push(part)
    else open.push(...sides)
  }
  const groups = done.map(({ box, rows: members }) => ({
    ranges: Object.fromEntries(columns.map((column, index) => [column.name, rangeOf(column, box[index])])),
    rows: [...members].sort((a, b) => a - b),
    contributors: distinct(members, people),
  }))
  return { groups: groups.sort((a, b) => (a.rows[0] ?? 0) - (b.rows[0] ?? 0)) }
}

/** Part of a column: codes from low to high, both inclusive. */
interface Cut {
  readonly low: number
  readonly high: number
}

interface Part {
  readonly box: readonly Cut[]
  readonly rows: Int32Array
}

/** Cuts a part in two along the column that is widest relative to its public range, or the next one that can be cut. */
function cut(
  part: Part,
  coded: readonly Float64Array[],
  columns: readonly MondrianColumn[],
  limits: (rows: Int32Array) => boolean,
): Part[] | undefined {
  const spans = coded.map((values, index) => {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const row of part.rows) {
      const value = values[row] ?? 0
      if (value < low) low = value
      if (value > high) high = value
    }
    const column = columns[index]
    const whole = column === undefined ? { low: 0, high: 1 } : fullCut(column)
    return { index, width: (high - low) / Math.max(1, whole.high - whole.low) }
  })
  spans.sort((a, b) => b.width - a.width || a.index - b.index)
  for (const { index, width } of spans) {
    const values = coded[index]
    const range = part.box[index]
    if (width <= 0 || values === undefined || range === undefined) continue
    const sorted = Float64Array.from(part.rows, (row) => values[row] ?? 0).sort()
    const middle = sorted[(sorted.length - 1) >> 1] ?? 0
    // Where the median is the largest value too, the cut goes below it.
    const last = sorted.at(-1) ?? middle
    const at = middle < last ? middle : (sorted.findLast((value) => value < last) ?? middle)
    const left = part.rows.filter((row) => (values[row] ?? 0) <= at)
    const right = part.rows.filter((row) => (values[row] ?? 0) > at)
    if (!limits(left) || !limits(right)) continue
    const side = (own: Cut, members: Int32Array): Part => ({
      box: part.box.map((other, position) => (position === index ? own : other)),
      rows: members,
    })
    return [side({ low: range.low, high: at }, left), side({ low: at + 1, high: range.high }, right)]
  }
  return undefined
}

function limitCheck(
  rows: readonly MicrodataRow[],
  options: MondrianLimits,
): (members: Int32Array) => boolean {
  const people = contributorCodes(rows, options.contributor)
  const { k, l = 1, sensitive } = options
  const values = sensitive === undefined ? undefined : numbered(rows, sensitive)
  return (members) =>
    members.length >= k &&
    (people === undefined || distinct(members, people) >= k) &&
    (values === undefined || distinct(members, values) >= l)
}

function contributorCodes(
  rows: readonly MicrodataRow[],
  contributor: string | undefined,
): Int32Array | undefined {
  return contributor === undefined ? undefined : numbered(rows, contributor)
}

/** A number for each different value of a column. */
function numbered(rows: readonly MicrodataRow[], column: string): Int32Array {
  const known = new Map<unknown, number>()
  return Int32Array.from(rows, (row, index) => {
    const value = cellOf(row, column, index)
    const number = known.get(value) ?? known.size
    known.set(value, number)
    return number
  })
}

function distinct(members: Int32Array, values: Int32Array | undefined): number {
  return values === undefined ? members.length : new Set(Array.from(members, (row) => values[row])).size
}

function codes(rows: readonly MicrodataRow[], column: MondrianColumn): Float64Array {
  const places =
    column.kind === 'category' ? new Map(column.values.map((value, index) => [value, index])) : undefined
  return Float64Array.from(rows, (row, index) => {
    const value = cellOf(row, column.name, index)
    if (column.kind === 'integer' && typeof value === 'number' && Number.isSafeInteger(value)) {
      return Math.min(column.max, Math.max(column.min, value))
    }
    const place = typeof value === 'string' ? places?.get(value) : undefined
    if (place !== undefined) return place
    throw new PrivacyError(
      'PARAMETER_INVALID',
      `rows[${index}].${column.name}`,
      column.kind === 'integer'
        ? 'The column holds something else than a whole number.'
        : 'The value is not among the public ones.',
    )
  })
}

function fullCut(column: MondrianColumn): Cut {
  return column.kind === 'integer'
    ? { low: column.min, high: column.max }
    : { low: 0, high: column.values.length - 1 }
}

function rangeOf(column: MondrianColumn, part: Cut = fullCut(column)): Generalised {
  return column.kind === 'integer'
    ? { min: part.low, max: part.high }
    : { values: column.values.slice(part.low, part.high + 1) }
}

function checkOptions(options: MondrianLimits & { readonly columns: readonly MondrianColumn[] }): void {
  const refuse = (place: string, message: string): never => {
    throw new PrivacyError('PARAMETER_INVALID', place, message)
  }
  const { columns, k, l, sensitive } = options
  if (!Number.isSafeInteger(k) || k < 1) refuse('k', 'k must be a whole number of at least 1.')
  if (l !== undefined && (!Number.isSafeInteger(l) || l < 1 || sensitive === undefined)) {
    refuse('l', 'l must be a whole number of at least 1, and needs a sensitive column.')
  }
  if (columns.length < 1 || columns.length > 50) refuse('columns', 'Give between 1 and 50 quasi-identifiers.')
  if (new Set(columns.map(({ name }) => name)).size < columns.length)
    refuse('columns', 'A column is named twice.')
  for (const [index, column] of columns.entries()) {
    if (column.kind === 'integer') {
      if (
        !(Number.isSafeInteger(column.min) && Number.isSafeInteger(column.max) && column.min <= column.max)
      ) {
        refuse(`columns[${index}]`, 'min and max must be whole numbers, min not above max.')
      }
    } else if (column.values.length === 0 || new Set(column.values).size < column.values.length) {
      refuse(`columns[${index}].values`, 'Public values must be different, and at least one.')
    }
  }
}
