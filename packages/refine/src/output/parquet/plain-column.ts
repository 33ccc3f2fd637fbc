/**
 * A column's values as the body of one Parquet data page, version 1: definition levels, then PLAIN values.
 * Source: parquet-format, Encodings.md (PLAIN, RLE) and README.md (data pages); LogicalTypes.md (DECIMAL, DATE, STRING).
 */
import { RefineError } from '../../errors.js'
import { isCalendarDay } from '../../schema/calendar-day.js'
import { scaledDecimal } from '../../schema/decimal.js'
import { instantMicroseconds } from '../../schema/instant.js'
import type { CellValue, ColumnType } from '../../schema/table-schema.js'

/** A column as it stands in the file. */
export interface ParquetColumn {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** Places after the point of a decimal. */
  readonly decimals: number
}

const utf8 = new TextEncoder()
const dayMilliseconds = 86_400_000

function mismatch(column: ParquetColumn): RefineError {
  return new RefineError(
    'VALUE_TYPE',
    column.name,
    `A value does not fit its column of type ${column.type}; pass rows as refineBatch returns them`,
  )
}

/**
 * Bits, the first one lowest (RLE/bit-packing of width 1).
 *
 * @param bits - the bits, a byte of 0 or 1 each
 * @returns bytes
 */
export function packBits(bits: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(bits.length / 8))
  for (let index = 0; index < bits.length; index += 1) {
    if (bits[index] === 1) packed[index >> 3] = (packed[index >> 3] ?? 0) | (1 << (index & 7))
  }
  return packed
}

/**
 * Definition levels of a flat optional column: one bit-packed run of width 1, with its length in front.
 *
 * @param present - 1 where there is a value, 0 where there is none, per row
 * @returns the levels' bytes
 */
export function definitionLevels(present: Uint8Array): Uint8Array {
  const packed = packBits(present)
  const header: number[] = []
  let rest = ((packed.length << 1) | 1) >>> 0
  for (; rest > 0x7f; rest >>>= 7) header.push((rest & 0x7f) | 0x80)
  header.push(rest)
  const levels = new Uint8Array(4 + header.length + packed.length)
  new DataView(levels.buffer).setUint32(0, header.length + packed.length, true)
  levels.set(header, 4)
  levels.set(packed, 4 + header.length)
  return levels
}

function int64s(values: readonly CellValue[], convert: (value: CellValue) => bigint): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => {
    view.setBigInt64(8 * index, convert(value), true)
  })
  return bytes
}

function texts(values: readonly CellValue[], column: ParquetColumn): Uint8Array {
  const encoded = values.map((value) => {
    if (typeof value !== 'string') throw mismatch(column)
    return utf8.encode(value)
  })
  const bytes = new Uint8Array(encoded.reduce((sum, text) => sum + 4 + text.length, 0))
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const text of encoded) {
    view.setUint32(offset, text.length, true)
    bytes.set(text, offset + 4)
    offset += 4 + text.length
  }
  return bytes
}

function days(values: readonly CellValue[], column: ParquetColumn): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => {
    // Date.parse alone would take 2023-02-29 for the first of March.
    if (typeof value !== 'string' || !isCalendarDay(value)) throw mismatch(column)
    view.setInt32(4 * index, Date.parse(`${value}T00:00:00Z`) / dayMilliseconds, true)
  })
  return bytes
}

function plain(values: readonly CellValue[], column: ParquetColumn): Uint8Array {
  switch (column.type) {
    case 'integer':
      return int64s(values, (value) => {
        if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw mismatch(column)
        return BigInt(value)
      })
    case 'decimal':
      return int64s(values, (value) => {
        const scaled = typeof value === 'string' ? scaledDecimal(value, column.decimals) : undefined
        if (typeof scaled !== 'bigint') throw mismatch(column)
        return scaled
      })
    case 'text':
    case 'vector':
      return texts(values, column)
    case 'date':
      return days(values, column)
    case 'timestamp':
      return int64s(values, (value) => {
        const micro = typeof value === 'string' ? instantMicroseconds(value) : undefined
        if (micro === undefined) throw mismatch(column)
        return micro
      })
    case 'boolean':
      return packBits(
        Uint8Array.from(values, (value) => {
          if (typeof value !== 'boolean') throw mismatch(column)
          return value ? 1 : 0
        }),
      )
  }
}

/**
 * Encodes one column of a row group as a data page's body.
 *
 * @param column - the column
 * @param values - one value per row, null only when the column is nullable
 * @returns definition levels (nullable columns only) and PLAIN values, not compressed
 * @throws RefineError with `VALUE_TYPE` for a value of another type, `VALUE_MISSING` for a null that may not be
 */
export function encodeColumnPage(column: ParquetColumn, values: readonly CellValue[]): Uint8Array {
  const present = Uint8Array.from(values, (value) => (value === null ? 0 : 1))
  if (!column.nullable) {
    if (present.includes(0)) {
      throw new RefineError('VALUE_MISSING', column.name, 'A null stands in a column that is not nullable')
    }
    return plain(values, column)
  }
  const levels = definitionLevels(present)
  const body = plain(
    values.filter((value) => value !== null),
    column,
  )
  const page = new Uint8Array(levels.length + body.length)
  page.set(levels)
  page.set(body, levels.length)
  return page
}
