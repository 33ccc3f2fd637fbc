import type { DatePart } from '../type/expression.js'
import type { PublicRelation } from '../type/relation.js'

/** What engines write differently. Everything else is printed alike for all of them. */
export interface Dialect {
  readonly name: 'duckdb' | 'postgresql' | 'clickhouse'
  /** A column as an integer count of 10^-decimals. */
  column(name: string, decimals: number): string
  /** The same integer in a type that the ranges of the planner never leave. */
  wide(value: string): string
  readonly noWide: string
  /** Division of wide integers towards zero; the divisor is never zero. */
  quotient(left: string, right: string): string
  remainder(left: string, right: string): string
  /** A sum's term in the type that sums fastest without overflow. */
  term(value: string): string
  asText(value: string): string
  readonly noBoolean: string
  /** A hash that puts a contributor's groups in an order that no data decides. */
  order(contributor: string, keys: readonly string[]): string
  text(value: string): string
  /** Letters of `from` become those of `to` at the same place. */
  translate(value: string, from: string, to: string): string
  trim(value: string): string
  /** Whether a text is like a pattern without escapes, in time that grows with the text's length alone: a test that takes for ever tells of its text. */
  like(value: string, pattern: string): string
  part(value: string, from: number, length: number): string
  length(value: string): string
  concatenate(left: string, right: string): string
  /** A floating-point number. */
  real(value: string): string
  /** A finite floating-point number as the nearest wide integer. */
  whole(real: string): string
  /** An integer of at most 38 digits. */
  integer(units: string): string
  /** A part of the day that is so many days (an integer between years 1 and 290000) after 1970-01-01. */
  datePart(part: DatePart, days: string): string
  /** Days after so many months; a day that the month has not becomes its last one. */
  monthsAdded(days: string, months: string): string
  /** The value of a frame's first or last row, null where that is null. */
  rowValue(name: 'first_value' | 'last_value', value: string): string
  /** A condition that always holds, for engines that join outer rows by an equality of both sides only; empty elsewhere. */
  outerLink(left: string, right: string): readonly string[]
  publicRows(relation: PublicRelation, alias: string): string
}

/** A quoted name: policies' names are lower-case ASCII, quotes are doubled all the same. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** An integer literal; anything else would be a fault of the planner. */
export function integer(units: string): string {
  if (!/^-?[0-9]{1,38}$/.test(units)) throw new RangeError('not an integer of at most 38 digits')
  return units.startsWith('-') ? `(${units})` : units
}

/** Rows of a public table as standard VALUES. */
export function valuesOf(
  relation: PublicRelation,
  alias: string,
  types: { readonly number: string; readonly text: string; readonly boolean: string },
  text: (value: string) => string,
): string {
  const cell = (value: string | boolean | null, type: 'number' | 'text' | 'boolean'): string => {
    if (value === null) return `CAST(NULL AS ${types[type]})`
    if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
    return type === 'number'
      ? `CAST(${integer(value)} AS ${types.number})`
      : `CAST(${text(value)} AS ${types.text})`
  }
  const rows = relation.rows.map(
    (row) => `(${relation.columns.map(({ type }, index) => cell(row[index] ?? null, type)).join(', ')})`,
  )
  const names = relation.columns.map(({ name }) => identifier(name)).join(', ')
  return `(VALUES ${rows.join(', ')}) AS ${alias}(${names})`
}
