import { columnDecimals, contributorColumn, rankColumn } from '../catalogue/catalogue.js'
import type { EngineColumn } from '../engine/engine.js'
import { pseudonymSql } from '../engine/join-pseudonym.js'
import { parseDecimal, rescale } from '../type/decimal.js'
import { storedRange } from '../type/moment.js'
import { identifier } from './dialect.js'

/** Digits that a stored number may have: its count of 10^-decimals stays below 2^53, exact in JSON. */
const largest = 9_007_199_254_740_991n

/** Splits `pool.table`. */
export function splitName(name: string): { readonly pool: string; readonly table: string } | null {
  const match = /^([a-z][a-z0-9_]{0,62})\.([a-z][a-z0-9_]{0,62})$/.exec(name)
  const [, pool, table] = match ?? []
  return pool === undefined || table === undefined ? null : { pool, table }
}

/**
 * Prints the statement that makes a pool's table of a relation with untyped values.
 *
 * The stored table is what every plan counts on: a contributor in every row, numbers in fixed decimals and within
 * their bounds, nothing that fails to cast later, and a rank among the contributor's rows. The rank is drawn from a
 * hash of the row, so it needs no clock and no randomness and does not depend on other contributors.
 *
 * @param from name of a table in DuckDB that holds the values as they came
 * @param key secret text that renames contributors, see `engine/join-pseudonym.ts`; null keeps their integers
 */
export function printLoad(
  name: { readonly pool: string; readonly table: string },
  columns: readonly EngineColumn[],
  from: string,
  key: string | null = null,
): readonly string[] {
  const target = `${identifier(name.pool)}.${identifier(name.table)}`
  const typed = columns.map((column) => `${printStored(column)} AS ${identifier(column.name)}`)
  const contributor = `TRY_CAST(${contributorColumn} AS BIGINT) AS ${contributorColumn}`
  const order = [
    `hash(${[contributorColumn, ...columns.map(({ name: column }) => identifier(column))].join(', ')})`,
    ...columns.map(({ name: column }) => identifier(column)),
  ]
  const rank = `row_number() OVER (PARTITION BY ${contributorColumn} ORDER BY ${order.join(', ')})`
  const rows = `SELECT ${[contributor, ...typed].join(', ')} FROM ${from}`
  const ranked = `SELECT *, ${rank} AS ${rankColumn} FROM (${rows}) AS typed WHERE ${contributorColumn} IS NOT NULL`
  // Ranks stay those of the data, whatever contributors are called here. Each is hashed once, not each of its rows.
  const named = `SELECT ${contributorColumn} AS before, ${pseudonymSql(key ?? '', contributorColumn)} AS pseudonym FROM (SELECT DISTINCT ${contributorColumn} FROM (${ranked}) AS each_one) AS people`
  const renamed = `SELECT n.pseudonym AS ${contributorColumn}, ${[...columns.map(({ name: column }) => identifier(column)), rankColumn].map((column) => `r.${column}`).join(', ')} FROM (${ranked}) AS r JOIN (${named}) AS n ON n.before = r.${contributorColumn}`
  return [
    `CREATE SCHEMA IF NOT EXISTS ${identifier(name.pool)}`,
    `CREATE TABLE ${target} AS ${key === null ? ranked : renamed}`,
  ]
}

function printStored(column: EngineColumn): string {
  const name = identifier(column.name)
  if (column.type === 'text') return `TRY_CAST(${name} AS VARCHAR)`
  if (column.type === 'boolean') return `TRY_CAST(${name} AS BOOLEAN)`
  const range = storedRange(column)
  if (range !== null) return printMoment(range, name)
  const decimals = columnDecimals(column)
  const type = `DECIMAL(18, ${decimals})`
  const bound = (value: number | undefined, otherwise: bigint, round: 'down' | 'up') => {
    const decimal = value === undefined ? null : parseDecimal(String(value))
    return printFixed(decimal === null ? otherwise : rescale(decimal, decimals, round), decimals)
  }
  const low = bound(column.min, -largest, 'down')
  const high = bound(column.max, largest, 'up')
  // DECIMAL(38) holds what a bound must still be compared with; what does not fit even there becomes null.
  const wide = `TRY_CAST(${name} AS DECIMAL(38, ${decimals}))`
  const stored =
    column.min === undefined && column.max === undefined
      ? `CASE WHEN ${wide} BETWEEN ${low} AND ${high} THEN ${wide} END`
      : `CASE WHEN ${wide} < ${low} THEN ${low} WHEN ${wide} > ${high} THEN ${high} ELSE ${wide} END`
  return `TRY_CAST(${stored} AS ${decimals === 0 ? 'BIGINT' : type})`
}

/**
 * Days or microseconds since 1970 of a value that is a moment or reads like one (`parseDay`, `parseInstant` of the policy), within
 * its bounds. Files have moments of their own type; DuckDB writes them in the one form that is read here.
 */
function printMoment(
  { type, low, high }: { readonly type: 'date' | 'timestamp'; readonly low: bigint; readonly high: bigint },
  name: string,
): string {
  const text = `CAST(${name} AS VARCHAR)`
  // The year as well: with `text >= '0100'` DuckDB 1.5 compares instants, and nothing, since that text is none.
  const day = '(0[1-9]|[1-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}'
  const form =
    type === 'date'
      ? day
      : `${day}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|\\+00(:00)?)?)?`
  const units =
    type === 'date'
      ? `date_diff('day', DATE '1970-01-01', TRY_CAST(${text} AS DATE))`
      : `epoch_us(TRY_CAST(regexp_replace(${text}, '(Z|\\+00(:00)?)$', '') AS TIMESTAMP))`
  const read = `CASE WHEN regexp_full_match(${text}, '${form}') THEN ${units} END`
  // least and greatest skip nulls; here a missing moment stays missing.
  return `CAST(CASE WHEN ${read} IS NOT NULL THEN least(greatest(${read}, ${low}), ${high}) END AS BIGINT)`
}

function printFixed(units: bigint, decimals: number): string {
  const negative = units < 0n
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  const number = decimals === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`
  return `CAST('${negative ? '-' : ''}${number}' AS DECIMAL(38, ${decimals}))`
}
