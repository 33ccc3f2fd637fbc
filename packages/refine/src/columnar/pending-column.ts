/**
 * Columns whose values a function of the refiner makes: the batch holds a number per row and the different values once; the
 * function is called for those alone.
 */
import { RefineError } from '../errors.js'
import { checkCell } from '../job/check-row.js'
import type { CellValue, DirectColumn, Scalar } from '../schema/table-schema.js'
import type { CellReader } from './cell-reader.js'
import { type BatchColumn, createColumn, reserveText, setCell } from './column-batch.js'

/** Most texts of one hash that are compared byte by byte. */
const longestBucket = 16

/** A column that waits for its function. */
export interface PendingColumn {
  readonly column: BatchColumn
  /** Name of the function. */
  readonly by: string
  /** The different values, in the order of their first row. */
  readonly values: Scalar[]
  /** Per row the number of its value. */
  readonly codes: Int32Array
  /** Number of a value, which is new or known. @param value - the value @returns its number */
  codeOf(value: Scalar): number
  /** Reads the bytes of a text. */
  readonly read: CellReader
}

/**
 * Makes a column that waits for its function.
 *
 * @param column - where the function's values go
 * @param spec - with `by`
 * @param capacity - rows
 * @returns the column
 */
export function createPendingColumn(
  column: BatchColumn,
  spec: DirectColumn,
  capacity: number,
): PendingColumn {
  const values: Scalar[] = []
  const codes = new Int32Array(capacity)
  const known = new Map<Scalar, number>()
  const texts = new Map<number, { readonly bytes: Uint8Array; readonly code: number }[]>()
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const codeOf = (value: Scalar) => {
    // Numbers and texts are different keys of a Map, as they are different values for a function.
    const before = known.get(value)
    if (before !== undefined) return before
    const code = values.push(value) - 1
    known.set(value, code)
    return code
  }
  return {
    column,
    by: spec.by ?? '',
    values,
    codes,
    codeOf,
    read: (bytes, start, end, row) => {
      if (end === start) {
        // An empty text is no value, as `scalarOf` says.
        codes[row] = codeOf(null)
        return true
      }
      let hash = 0x811c9dc5
      for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
      const list = texts.get(hash)
      for (const { bytes: text, code } of list ?? []) {
        if (text.length !== end - start) continue
        let at = 0
        while (at < text.length && bytes[start + at] === text[at]) at += 1
        if (at < text.length) continue
        codes[row] = code
        return true
      }
      // Texts made to collide go by the map of strings, whose hash nobody outside can foresee.
      if ((list?.length ?? 0) >= longestBucket) return false
      const text = bytes.slice(start, end)
      let value: string
      try {
        value = decoder.decode(text)
      } catch {
        throw new RefineError(
          'ENCODING_INVALID',
          `[${row}].${column.name}`,
          'A field is not UTF-8; export it as UTF-8',
        )
      }
      const code = codeOf(value)
      texts.set(hash, [...(list ?? []), { bytes: text, code }])
      codes[row] = code
      return true
    },
  }
}

/**
 * Fills a column with what its function gave.
 *
 * @param pending - the column
 * @param results - one value for each of `pending.values`
 * @param rows - rows of the batch
 * @param table - name of the table, for `place`
 * @throws RefineError as `checkRow`; `place` names the first row of the value
 */
export function fillPending(
  pending: PendingColumn,
  results: readonly unknown[],
  rows: number,
  table: string,
): void {
  const { column, codes, values } = pending
  const palette = createColumn(column.name, column.column, values.length, 16 * values.length)
  // Walked backwards, so that the first row of a value is what stays.
  const firstRows = new Int32Array(values.length)
  for (let row = rows - 1; row >= 0; row -= 1) firstRows[codes[row] ?? 0] = row
  const place = (code: number) => `${table}[${firstRows[code]}].${column.name}`
  for (let code = 0; code < values.length; code += 1) {
    const result = results[code]
    let cell: CellValue = null
    if (result !== null && result !== undefined) cell = checkCell(column.column, result, place(code))
    else if (column.column.nullable !== true)
      throw new RefineError('VALUE_MISSING', place(code), 'A value is missing')
    setCell(palette, code, cell)
  }
  let end = 0
  for (let row = 0; row < rows; row += 1) {
    const code = codes[row] ?? 0
    column.present[row] = palette.present[code] ?? 0
    if (column.store === 'text') {
      const from = code === 0 ? 0 : (palette.ends[code - 1] ?? 0)
      const to = palette.ends[code] ?? 0
      if (end + to - from > column.bytes.length) reserveText(column, end + to - from)
      for (let at = from; at < to; at += 1, end += 1) column.bytes[end] = palette.bytes[at] ?? 0
      column.ends[row] = end
    } else if (column.store === 'int64') {
      column.numbers[2 * row] = palette.numbers[2 * code] ?? 0
      column.numbers[2 * row + 1] = palette.numbers[2 * code + 1] ?? 0
    } else column.numbers[row] = palette.numbers[code] ?? 0
  }
}
