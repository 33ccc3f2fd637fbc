import type { Program } from '../plan/program.js'
import { type Dialect, integer, valuesOf } from './dialect.js'
import { type Part, type PrintedStatement, printStatement } from './statement.js'

/** A quoted text: DuckDB reads no escapes in plain strings. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/**
 * DuckDB searches for patterns without `_` piece by piece, but where `_` stands beside `%` it tries all ways to divide the text,
 * 2 to the number of `%`. RE2 reads the text once.
 */
function like(value: string, pattern: string): string {
  if (!pattern.includes('_') || !pattern.includes('%')) return `(${value} LIKE ${text(pattern)})`
  const expression = pattern
    .replace(/[^A-Za-z0-9 %_]/g, (sign) => `\\${sign}`)
    .replace(/%+/g, '.*')
    .replaceAll('_', '.')
  return `regexp_full_match(${value}, ${text(`(?s)${expression}`)})`
}

const wide = (value: string) => `CAST(${value} AS HUGEINT)`

const partNames = {
  year: 'year',
  month: 'month',
  day: 'day',
  'day-of-year': 'dayofyear',
  week: 'week',
  'iso-year': 'isoyear',
} as const

const day = (days: string) => `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`

/** DuckDB: decimals are stored as they are, integers have up to 128 bits. */
export const duckDbDialect: Dialect = {
  name: 'duckdb',
  // The loader stores integers as BIGINT. TRY makes a value that does not fit null, never an error.
  column: (name, decimals) =>
    decimals === 0 ? name : `TRY(CAST(round(${name} * 1${'0'.repeat(decimals)}) AS BIGINT))`,
  wide,
  noWide: 'CAST(NULL AS HUGEINT)',
  quotient: (left, right) => `(${left} // ${right})`,
  remainder: (left, right) => `(${left} % ${right})`,
  term: (value) => value,
  asText: (value) => `CAST(${value} AS VARCHAR)`,
  noBoolean: 'CAST(NULL AS BOOLEAN)',
  order: (contributor, keys) => `hash(${[contributor, ...keys].join(', ')}), ${keys.join(', ')}`,
  text,
  translate: (value, from, to) => `translate(${value}, ${text(from)}, ${text(to)})`,
  trim: (value) => `rtrim(ltrim(${value}, ' '), ' ')`,
  like,
  part: (value, from, length) => `substr(${value}, ${from}, ${length})`,
  length: (value) => `length(${value})`,
  concatenate: (left, right) => `(${left} || ${right})`,
  real: (value) => `CAST(${value} AS DOUBLE)`,
  whole: (real) => `CAST(round(${real}) AS HUGEINT)`,
  integer,
  datePart: (part, days) => `${partNames[part]}(${day(days)})`,
  monthsAdded: (days, months) =>
    `date_diff('day', DATE '1970-01-01', CAST((${day(days)} + to_months(CAST(${months} AS INTEGER))) AS DATE))`,
  rowValue: (name, value) => `${name}(${value})`,
  outerLink: () => [],
  publicRows: (relation, alias) =>
    valuesOf(relation, alias, { number: 'BIGINT', text: 'VARCHAR', boolean: 'BOOLEAN' }, text),
}

/**
 * Prints a program as one DuckDB SELECT, see `printStatement`.
 *
 * @param program - from a plan's release
 * @param part - what of it is asked for: a grouping set, one statistic's bins or values, a slice of the contributors; absent: all
 *   keys and contributors, and every statistic but bins
 * @returns the statement, and the tables that it must reach, as `pool.table`
 */
export function printDuckDb(program: Program, part: Part = {}): PrintedStatement {
  return printStatement(program, duckDbDialect, part)
}
