/**
 * Rows as columns of numbers and bytes: what exports are read into when their mapping is data. No object and no string is made per
 * row, so that a core keeps up with native readers.
 */
import { RefineError } from '../errors.js'
import { scaledDecimal } from '../schema/decimal.js'
import { daysFromCivil, instantMicroseconds } from '../schema/instant.js'
import type { CellValue, ColumnSchema } from '../schema/table-schema.js'
import type { PendingColumn } from './pending-column.js'

/** How a column's values are held. */
export type ColumnStore = 'int64' | 'int32' | 'bit' | 'text'

/** One column of a batch while it grows. */
export interface BatchColumn {
  readonly name: string
  readonly column: ColumnSchema
  readonly store: ColumnStore
  /** 1 where there is a value. */
  present: Uint8Array
  /** `int64`: low and high half of each value, one behind the other (little-endian); `int32`: days; `bit`: 0 or 1. */
  numbers: Int32Array
  /** `text`: UTF-8 of all values, one behind the other. */
  bytes: Uint8Array
  /** `text`: where each row's bytes end. */
  ends: Uint32Array
}

/** Rows as columns. */
export interface ColumnBatch {
  readonly rows: number
  readonly columns: readonly BatchColumn[]
  /** Columns among them that wait for a function of the refiner. */
  readonly pending: readonly PendingColumn[]
  /** Writes canonical texts of rows and bodies of pages, where the columns stand in a memory that can. */
  readonly writer?: RowWriter | undefined
}

/** Writes what becomes of rows. */
export interface RowWriter {
  /**
   * Prepares for rows.
   *
   * @param heads - what stands in front of the cell of each column, by its name, in order; the first begins with what stands in front of the row
   * @returns what gives a row's bytes, which are used again for the next one; undefined where this row's text is not plain. Undefined where no row can be written
   */
  of(
    heads: readonly { readonly head: Uint8Array; readonly column: string | undefined }[],
  ): ((row: number) => Uint8Array | undefined) | undefined
  /**
   * Makes the body of a column's page.
   *
   * @param column - one of the batch's columns
   * @param rows - how many rows it has
   * @returns the body, which stands in memory that is used again for the next one; undefined where it cannot be made there
   */
  page(column: BatchColumn, rows: number): Uint8Array | undefined
}

const storeOf: Readonly<Record<ColumnSchema['type'], ColumnStore>> = {
  integer: 'int64',
  decimal: 'int64',
  timestamp: 'int64',
  date: 'int32',
  boolean: 'bit',
  text: 'text',
  vector: 'text',
}

/** Gives memory, all zero: a buffer and where in it so many bytes begin, a multiple of eight. */
export type ColumnRoom = (length: number) => { readonly buffer: ArrayBuffer; readonly at: number }

const ownRoom: ColumnRoom = (length) => ({ buffer: new ArrayBuffer(length), at: 0 })

/**
 * Makes an empty column.
 *
 * @param name - its name
 * @param column - its definition
 * @param capacity - rows it must hold
 * @param textBytes - bytes that its text is expected to need; it grows
 * @param room - gives its memory; default memory of its own
 * @returns the column
 */
export function createColumn(
  name: string,
  column: ColumnSchema,
  capacity: number,
  textBytes: number,
  room: ColumnRoom = ownRoom,
): BatchColumn {
  const store = storeOf[column.type]
  const count = store === 'text' ? 0 : store === 'int64' ? 2 * capacity : capacity
  const present = room(capacity)
  const numbers = room(4 * count)
  const bytes = room(store === 'text' ? textBytes : 0)
  const ends = room(store === 'text' ? 4 * capacity : 0)
  return {
    name,
    column,
    store,
    present: new Uint8Array(present.buffer, present.at, capacity),
    numbers: new Int32Array(numbers.buffer, numbers.at, count),
    bytes: new Uint8Array(bytes.buffer, bytes.at, store === 'text' ? textBytes : 0),
    ends: new Uint32Array(ends.buffer, ends.at, store === 'text' ? capacity : 0),
  }
}

const two32 = 2 ** 32
const encoder = new TextEncoder()

/** Sets a 64-bit value that a double holds exactly. */
export function setInt64(column: BatchColumn, row: number, value: number): void {
  const low = value | 0
  column.numbers[2 * row] = low
  // `| 0` keeps the low 32 bits up to 2^53 as well; most values fit into them.
  column.numbers[2 * row + 1] = low === value ? low >> 31 : Math.floor(value / two32)
  column.present[row] = 1
}

/** Makes room for more text. */
export function reserveText(column: BatchColumn, length: number): void {
  if (length <= column.bytes.length) return
  const grown = new Uint8Array(Math.max(length, 2 * column.bytes.length))
  grown.set(column.bytes)
  column.bytes = grown
}

/**
 * Sets a value that was checked (`checkCell`).
 *
 * @param column - where it goes
 * @param row - number of its row
 * @param value - the cell, null included
 * @throws RefineError with `VALUE_TYPE` when the cell was not checked
 */
export function setCell(column: BatchColumn, row: number, value: CellValue): void {
  const before = row === 0 ? 0 : (column.ends[row - 1] ?? 0)
  if (value === null) {
    column.present[row] = 0
    if (column.store === 'text') column.ends[row] = before
    return
  }
  const fault = () =>
    new RefineError('VALUE_TYPE', column.name, 'A cell was not checked before it was stored')
  column.present[row] = 1
  switch (column.column.type) {
    case 'integer':
      if (typeof value !== 'number') throw fault()
      setInt64(column, row, value)
      return
    case 'decimal':
    case 'timestamp': {
      const big =
        column.column.type === 'decimal'
          ? scaledDecimal(String(value), column.column.decimals ?? 0)
          : instantMicroseconds(String(value))
      if (typeof big !== 'bigint') throw fault()
      column.numbers[2 * row] = Number(BigInt.asIntN(32, big))
      column.numbers[2 * row + 1] = Number(big >> 32n)
      return
    }
    case 'date': {
      const [year = 1970, month = 1, day = 1] = String(value).split('-').map(Number)
      column.numbers[row] = daysFromCivil(year, month, day)
      return
    }
    case 'boolean':
      column.numbers[row] = value === true ? 1 : 0
      return
    case 'text':
    case 'vector': {
      const bytes = encoder.encode(String(value))
      reserveText(column, before + bytes.length)
      column.bytes.set(bytes, before)
      column.ends[row] = before + bytes.length
    }
  }
}
