import { definitionLevels, packBits } from '../output/parquet/plain-column.js'
import type { BatchColumn, ColumnBatch } from './column-batch.js'

/** The values of `int64` and `int32` columns where there are any, closed up. */
function closedUp(column: BatchColumn, rows: number, width: 1 | 2): Uint8Array {
  const { numbers, present } = column
  let count = 0
  for (let row = 0; row < rows; row += 1) count += present[row] ?? 0
  const out = count === rows ? numbers.subarray(0, width * rows) : new Int32Array(width * count)
  if (count < rows) {
    let to = 0
    for (let row = 0; row < rows; row += 1) {
      if (present[row] === 0) continue
      out[to] = numbers[width * row] ?? 0
      if (width === 2) out[to + 1] = numbers[2 * row + 1] ?? 0
      to += width
    }
  }
  // Parquet is little-endian, and so is every machine that runs this (WebAssembly requires it, typed arrays show it).
  return new Uint8Array(out.buffer, out.byteOffset, out.byteLength)
}

function textPage(column: BatchColumn, rows: number): Uint8Array {
  const { bytes, ends, present } = column
  const total = rows === 0 ? 0 : (ends[rows - 1] ?? 0)
  const page = new Uint8Array(total + 4 * rows)
  let to = 0
  let from = 0
  for (let row = 0; row < rows; row += 1) {
    const end = ends[row] ?? 0
    if (present[row] === 1) {
      const length = end - from
      page[to] = length
      page[to + 1] = length >>> 8
      page[to + 2] = length >>> 16
      page[to + 3] = length >>> 24
      to += 4
      for (let at = from; at < end; at += 1, to += 1) page[to] = bytes[at] ?? 0
    }
    from = end
  }
  return page.subarray(0, to)
}

function valuesPage(column: BatchColumn, rows: number): Uint8Array {
  switch (column.store) {
    case 'int64':
      return closedUp(column, rows, 2)
    case 'int32':
      return closedUp(column, rows, 1)
    case 'text':
      return textPage(column, rows)
    case 'bit': {
      const { numbers, present } = column
      const bits = new Uint8Array(rows)
      let count = 0
      for (let row = 0; row < rows; row += 1) {
        if (present[row] === 0) continue
        bits[count] = numbers[row] ?? 0
        count += 1
      }
      return packBits(bits.subarray(0, count))
    }
  }
}

/** Bytes that the body of a column's page takes at most, in whole words. */
function mostBytes(column: BatchColumn, rows: number): number {
  const values =
    column.store === 'text'
      ? 4 * rows + (rows === 0 ? 0 : (column.ends[rows - 1] ?? 0))
      : { int64: 8, int32: 4, bit: 1 / 8 }[column.store] * rows
  const levels = column.column.nullable === true ? 16 + Math.ceil(rows / 8) : 0
  return 8 * Math.ceil((levels + values) / 8)
}

function putPage(column: BatchColumn, rows: number, into: Uint8Array): number {
  const values = valuesPage(column, rows)
  const levels =
    column.column.nullable === true ? definitionLevels(column.present.subarray(0, rows)) : new Uint8Array()
  into.set(levels)
  into.set(values, levels.length)
  return levels.length + values.length
}

/** Gives memory for the pages of a row group: at least so many bytes, from the beginning of a buffer on; what stands in it is no matter. */
export type PageRoom = (length: number) => Uint8Array<ArrayBuffer>

/**
 * The bodies of a row group's pages: `contributor` first, then the batch's columns. They are what `encodeColumnPage` makes of the
 * same rows.
 *
 * @param batch - rows as columns
 * @param contributor - the contributor's integer surrogate
 * @param room - gives their memory; default memory of their own
 * @returns one body per column, all in one buffer
 */
export function batchPages(
  batch: ColumnBatch,
  contributor: number,
  room: PageRoom = (length) => new Uint8Array(length),
): Uint8Array[] {
  const { rows, columns, writer } = batch
  const sizes = columns.map((column) => mostBytes(column, rows))
  const memory = room(8 * rows + sizes.reduce((sum, size) => sum + size, 0))
  new BigInt64Array(memory.buffer, memory.byteOffset, rows).fill(BigInt(contributor))
  const pages = [memory.subarray(0, 8 * rows)]
  let at = 8 * rows
  for (const [index, column] of columns.entries()) {
    const page = memory.subarray(at, at + (sizes[index] ?? 0))
    const written = writer?.page(column, rows)
    if (written !== undefined) page.set(written)
    pages.push(page.subarray(0, written?.length ?? putPage(column, rows, page)))
    at += page.length
  }
  return pages
}
