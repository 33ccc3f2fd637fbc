import type { Program } from '../plan/program.js'
import { type Dialect, integer, valuesOf } from './dialect.js'
import { type Part, type PrintedStatement, printStatement } from './statement.js'

/** A quoted text under standard_conforming_strings, which the engine sets. */
function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

const partNames = {
  year: 'year',
  month: 'month',
  day: 'day',
  'day-of-year': 'doy',
  week: 'week',
  'iso-year': 'isoyear',
} as const

const day = (days: string) => `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`

/** PostgreSQL: numbers are stored as integers in fixed point; wide integers are NUMERIC without a fraction. */
export const postgreSqlDialect: Dialect = {
  name: 'postgresql',
  column: (name) => name,
  wide: (value) => `CAST(${value} AS NUMERIC)`,
  noWide: 'CAST(NULL AS NUMERIC)',
  quotient: (left, right) => `div(${left}, ${right})`,
  remainder: (left, right) => `mod(${left}, ${right})`,
  term: (value) => value,
  asText: (value) => `CAST(${value} AS TEXT)`,
  noBoolean: 'CAST(NULL AS BOOLEAN)',
  order: (contributor, keys) =>
    `hashtextextended(CAST(${contributor} AS TEXT) || ${keys.map((key) => `'/' || CAST(${key} AS TEXT)`).join(' || ')}, 0), ${keys.join(', ')}`,
  text,
  translate: (value, from, to) => `translate(${value}, ${text(from)}, ${text(to)})`,
  trim: (value) => `btrim(${value}, ' ')`,
  // Once the text is at its end, PostgreSQL gives up for all `%` before (LIKE_ABORT in like_match.c).
  like: (value, pattern) => `(${value} LIKE ${text(pattern)})`,
  part: (value, from, length) => `substr(${value}, ${from}, ${length})`,
  length: (value) => `length(${value})`,
  concatenate: (left, right) => `(${left} || ${right})`,
  real: (value) => `CAST(${value} AS DOUBLE PRECISION)`,
  whole: (real) => `CAST(round(${real}) AS NUMERIC)`,
  integer,
  datePart: (part, days) => `date_part('${partNames[part]}', ${day(days)})`,
  monthsAdded: (days, months) =>
    `(CAST((${day(days)} + CAST(${months} AS INTEGER) * INTERVAL '1 month') AS DATE) - DATE '1970-01-01')`,
  rowValue: (name, value) => `${name}(${value})`,
  outerLink: () => [],
  publicRows: (relation, alias) =>
    valuesOf(relation, alias, { number: 'BIGINT', text: 'TEXT', boolean: 'BOOLEAN' }, text),
}

/**
 * Prints a program as one PostgreSQL SELECT, see `printStatement`.
 *
 * @param program - from a plan's release
 * @param part - what of it is asked for: a grouping set, one statistic's bins or values, a slice of the contributors; absent: all
 *   keys and contributors, and every statistic but bins
 * @returns the statement, and the tables that it must reach, as `pool.table`
 */
export function printPostgreSql(program: Program, part: Part = {}): PrintedStatement {
  return printStatement(program, postgreSqlDialect, part)
}
