import { RefineError } from '../errors.js'
import { isCalendarDay } from '../schema/calendar-day.js'
import { printDecimal, scaledBound, scaledDecimal } from '../schema/decimal.js'
import { instantMicroseconds, printInstant } from '../schema/instant.js'
import {
  type CellValue,
  type ColumnSchema,
  contributorColumn,
  type NamedTable,
  type Row,
} from '../schema/table-schema.js'
import { vectorValues } from '../schema/vector.js'

const loneSurrogate = /\p{Surrogate}/u

function typeFault(column: ColumnSchema, place: string): RefineError {
  return new RefineError('VALUE_TYPE', place, `Expected ${column.type}`)
}

function rangeFault(place: string): RefineError {
  return new RefineError('VALUE_RANGE', place, 'The value lies outside its column')
}

function checkNumber(column: ColumnSchema, value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw typeFault(column, place)
  if (typeof column.min === 'number' && value < column.min) throw rangeFault(place)
  if (typeof column.max === 'number' && value > column.max) throw rangeFault(place)
  // -0 and 0 are one integer and must be one text in the digest.
  return value === 0 ? 0 : value
}

function checkDecimal(column: ColumnSchema, value: unknown, place: string): string {
  const decimals = column.decimals ?? 0
  if (typeof value !== 'string' && !(typeof value === 'number' && Number.isFinite(value)))
    throw typeFault(column, place)
  const scaled = scaledDecimal(String(value), decimals)
  if (scaled === 'form') throw typeFault(column, place)
  if (scaled === 'range') throw rangeFault(place)
  if (scaled === 'places') {
    throw new RefineError(
      'DECIMAL_PLACES',
      place,
      `The value has more than ${decimals} places; round it in the mapping, nothing is rounded silently`,
    )
  }
  if (column.min !== undefined && scaled < scaledBound(column.min, decimals)) throw rangeFault(place)
  if (column.max !== undefined && scaled > scaledBound(column.max, decimals)) throw rangeFault(place)
  return printDecimal(scaled, decimals)
}

function checkText(column: ColumnSchema, value: unknown, place: string): string {
  // A lone surrogate has no UTF-8, and U+0000 cannot be stored in PostgreSQL.
  if (typeof value !== 'string' || loneSurrogate.test(value) || value.includes('\u0000'))
    throw typeFault(column, place)
  if (value.length > (column.maxLength ?? 1024)) throw rangeFault(place)
  return value
}

function checkDay(column: ColumnSchema, value: unknown, place: string): string {
  if (typeof value !== 'string' || !isCalendarDay(value)) throw typeFault(column, place)
  if (typeof column.min === 'string' && value < column.min) throw rangeFault(place)
  if (typeof column.max === 'string' && value > column.max) throw rangeFault(place)
  return value
}

function checkInstant(column: ColumnSchema, value: unknown, place: string): string {
  const micro = typeof value === 'string' ? instantMicroseconds(value) : undefined
  const text = micro === undefined ? undefined : printInstant(micro)
  if (micro === undefined || text === undefined) throw typeFault(column, place)
  if (typeof column.min === 'string' && micro < (instantMicroseconds(column.min) ?? 0n))
    throw rangeFault(place)
  if (typeof column.max === 'string' && micro > (instantMicroseconds(column.max) ?? 0n))
    throw rangeFault(place)
  return text
}

function checkVector(column: ColumnSchema, value: unknown, place: string): string {
  if (typeof value !== 'string' || vectorValues(value, column.embedding?.dimensions ?? 0) === undefined)
    throw typeFault(column, place)
  return value
}

function checkType(column: ColumnSchema, value: unknown, place: string): CellValue {
  switch (column.type) {
    case 'integer':
      return checkNumber(column, value, place)
    case 'decimal':
      return checkDecimal(column, value, place)
    case 'text':
      return checkText(column, value, place)
    case 'date':
      return checkDay(column, value, place)
    case 'timestamp':
      return checkInstant(column, value, place)
    case 'vector':
      return checkVector(column, value, place)
    case 'boolean':
      if (typeof value !== 'boolean') throw typeFault(column, place)
      return value
  }
}

/**
 * Checks a value that is not null and brings it into its one form.
 *
 * @param column - its column
 * @param value - the value
 * @param place - for errors
 * @returns the cell
 * @throws RefineError with `VALUE_TYPE`, `VALUE_RANGE`, `VALUE_NOT_ALLOWED` or `DECIMAL_PLACES`
 */
export function checkCell(column: ColumnSchema, value: unknown, place: string): CellValue {
  const cell = checkType(column, value, place)
  if (column.values !== undefined && cell !== null && !column.values.includes(cell)) {
    throw new RefineError('VALUE_NOT_ALLOWED', place, 'The value is not among those allowed')
  }
  return cell
}

/**
 * Checks one row that a mapping returned and brings it into its one form: columns in the schema's order with
 * `contributor` first, absent values null, decimals as text with exactly the column's places.
 *
 * @param table - the row's table
 * @param row - what the mapping returned
 * @param contributor - the contributor's integer surrogate
 * @param index - number of the row within its contribution and table, for `place`
 * @returns the row
 * @throws RefineError with `MAP_OUTPUT_INVALID`, `COLUMN_UNKNOWN`, `VALUE_MISSING`, `VALUE_TYPE`, `VALUE_RANGE`,
 *   `VALUE_NOT_ALLOWED` or `DECIMAL_PLACES`; `place` is `table[index].column`
 */
export function checkRow(table: NamedTable, row: unknown, contributor: number, index: number): Row {
  const place = `${table.name}[${index}]`
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new RefineError('MAP_OUTPUT_INVALID', place, 'A row must be an object')
  }
  const given = row as Readonly<Record<string, unknown>>
  for (const name of Object.keys(given)) {
    // The unknown name is not quoted: a mapping that is wrong may have put a value there.
    if (!Object.hasOwn(table.columns, name)) {
      throw new RefineError('COLUMN_UNKNOWN', place, 'A row has a column that its table does not have')
    }
  }
  const out: [string, CellValue][] = [[contributorColumn, contributor]]
  for (const [name, column] of Object.entries(table.columns)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value === undefined || value === null) {
      if (column.nullable !== true) {
        throw new RefineError('VALUE_MISSING', `${place}.${name}`, 'A value is missing')
      }
      out.push([name, null])
      continue
    }
    out.push([name, checkCell(column, value, `${place}.${name}`)])
  }
  return Object.fromEntries(out)
}
