import type { Program } from '../plan/program.js'
import type { PublicRelation } from '../type/relation.js'
import { type Dialect, identifier, integer } from './dialect.js'
import { type Part, type PrintedStatement, printStatement } from './statement.js'

/** A quoted text: ClickHouse reads backslash escapes in plain strings. */
function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Larger integer literals would be read as floats, so every integer names its type. */
function constant(units: string): string {
  return `toInt128('${integer(units).replace(/[()]/g, '')}')`
}

const columnTypes = {
  number: 'Nullable(Int64)',
  text: 'Nullable(String)',
  boolean: 'Nullable(Bool)',
} as const

function publicRows(relation: PublicRelation, alias: string): string {
  const structure = relation.columns.map(({ name, type }) => `${identifier(name)} ${columnTypes[type]}`)
  const rows = relation.rows.map((row) => {
    const cells = row.map((cell, index) => {
      if (cell === null) return 'NULL'
      if (typeof cell === 'boolean') return cell ? 'true' : 'false'
      return relation.columns[index]?.type === 'number' ? integer(cell).replace(/[()]/g, '') : text(cell)
    })
    return `(${cells.join(', ')})`
  })
  return `values(${text(structure.join(', '))}, ${rows.join(', ')}) AS ${alias}`
}

const partNames = {
  year: 'toYear',
  month: 'toMonth',
  day: 'toDayOfMonth',
  'day-of-year': 'toDayOfYear',
  week: 'toISOWeek',
  'iso-year': 'toISOYear',
} as const

/** Days from 1900-01-01, five cycles later, so that they are positive. */
const sinceCycle = (days: string) => `(${days} + ${constant(String(25_567 + 5 * 146_097))})`

/** Cycles of 400 years (146,097 days, whole weeks) from 1900 on, after which the calendar is the same again. */
const cycle = (days: string) => `(intDiv(${sinceCycle(days)}, 146097) - 5)`

/** The same day of the calendar between 1900 and 2299: all that ClickHouse's own calendar has. */
const cycleDay = (days: string) =>
  `addDays(toDate32('1900-01-01'), toInt32(modulo(${sinceCycle(days)}, 146097)))`

/**
 * ClickHouse: numbers are stored as integers in fixed point, wide integers are Int128, and nulls follow SQL's rules under
 * the settings that the engine sends with every statement.
 */
export const clickHouseDialect: Dialect = {
  name: 'clickhouse',
  column: (name) => name,
  wide: (value) => `CAST(${value} AS Nullable(Int128))`,
  noWide: 'CAST(NULL AS Nullable(Int128))',
  // Both branches of a CASE may be computed for every row: the divisor is never zero, also where it does not count.
  quotient: (left, right) =>
    `intDiv(${left}, CASE WHEN (${right} = 0) THEN ${constant('1')} ELSE ${right} END)`,
  remainder: (left, right) =>
    `modulo(${left}, CASE WHEN (${right} = 0) THEN ${constant('1')} ELSE ${right} END)`,
  term: (value) => value,
  asText: (value) => `toString(${value})`,
  noBoolean: 'CAST(NULL AS Nullable(Bool))',
  order: (contributor, keys) =>
    `sipHash64(${[contributor, ...keys].map((key) => `coalesce(toString(${key}), '')`).join(', ')}), ${keys.join(', ')}`,
  text,
  translate: (value, from, to) => `translate(${value}, ${text(from)}, ${text(to)})`,
  trim: (value) => `replaceRegexpAll(${value}, '^ +| +$', '')`,
  // ClickHouse searches for plain texts and reads all other patterns with RE2.
  like: (value, pattern) => `(${value} LIKE ${text(pattern)})`,
  part: (value, from, length) => `substringUTF8(${value}, ${from}, ${length})`,
  length: (value) => `lengthUTF8(${value})`,
  concatenate: (left, right) => `concat(${left}, ${right})`,
  real: (value) => `CAST(${value} AS Nullable(Float64))`,
  whole: (real) => `CAST(round(${real}) AS Nullable(Int128))`,
  integer: constant,
  // Zero on both sides, for every row.
  datePart: (part, days) => {
    const value = `${partNames[part]}(${cycleDay(days)})`
    return part === 'year' || part === 'iso-year' ? `(${value} + ${cycle(days)} * 400)` : value
  },
  monthsAdded: (days, months) => {
    const start = cycleDay(days)
    const within = `toInt32(modulo(${months} + ${constant(String(4800 * 1000))}, 4800))`
    // A sum past the last year of the calendar is counted from the cycle before.
    const past = `((toYear(${start}) * 12 + toMonth(${start}) - 1 + ${within}) >= 27600)`
    const day = `addMonths(${start}, CASE WHEN ${past} THEN (${within} - 4800) ELSE ${within} END)`
    const cycles = `(${cycle(days)} + (intDiv(${months} + ${constant(String(4800 * 1000))}, 4800) - 1000) + CASE WHEN ${past} THEN 1 ELSE 0 END)`
    return `(dateDiff('day', toDate32('1970-01-01'), ${day}) + (${cycles} * 146097))`
  },
  rowValue: (name, value) => `${name}_respect_nulls(${value})`,
  outerLink: (left, right) => {
    const zero = (column: string) => `(coalesce(length(toString(${column})), 0) * 0)`
    return [`(${zero(left)} = ${zero(right)})`]
  },
  publicRows,
}

/**
 * Prints a program as one ClickHouse SELECT, see `printStatement`.
 *
 * @param program - from a plan's release
 * @param part - what of it is asked for: a grouping set, one statistic's bins or values, a slice of the contributors; absent: all
 *   keys and contributors, and every statistic but bins
 * @returns the statement, and the tables that it must reach, as `pool.table`
 */
export function printClickHouse(program: Program, part: Part = {}): PrintedStatement {
  return printStatement(program, clickHouseDialect, part)
}
