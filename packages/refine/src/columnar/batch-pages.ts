import { definitionLevels, packBits } from '../output/parquet/plain-column.js'
import type { BatchColumn, ColumnBatch } from './column-batch.js'

/** The values of `int64` and `int32` columns where there are any, closed up. */
function closedUp(column: BatchColumn, rows: number, width: 1 | 2): Uint8Array {
  const { numbers, present } = column
  let count = 0
  for (let row = 0; row < rows; row += 1) count += present[row] ?? 0
  // A copy always: the column serves the next piece, and the page is moved to another thread.
  const out = count === rows ? numbers.slice(0, width * rows) : new Int32Array(width * count)
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

/**
 * The bodies of a row group's pages: `contributor` first, then the batch's columns. They are what `encodeColumnPage` makes of the
 * same rows.
 *
 * @param batch - rows as columns
 * @param contributor - the contributor's integer surrogate
 * @returns one body per column
 */
export function batchPages(batch: ColumnBatch, contributor: number): Uint8Array[] {
  const { rows, columns } = batch
  const ids = new BigInt64Array(rows).fill(BigInt(contributor))
  return [
    new Uint8Array(ids.buffer),
    ...columns.map((column) => {
      const values = valuesPage(column, rows)
      if (column.column.nullable !== true) return values
      const levels = definitionLevels(column.present.subarray(0, rows))
      const page = new Uint8Array(levels.length + values.length)
      page.set(levels)
      page.set(values, levels.length)
      return page
    }),
  ]
}
