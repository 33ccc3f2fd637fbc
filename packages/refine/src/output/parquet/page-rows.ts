/**
 * Takes some rows out of a data page's body, as `encodeColumnPage` makes it, without reading what they say.
 * Source: as `plain-column.ts`.
 */
import type { ColumnType } from '../../schema/table-schema.js'
import { definitionLevels, type ParquetColumn, packBits } from './plain-column.js'

/** Bytes of one value, where all have the same number. */
const widths: Readonly<Partial<Record<ColumnType, number>>> = {
  integer: 8,
  decimal: 8,
  timestamp: 8,
  date: 4,
}

const bitAt = (bits: Uint8Array, index: number): number => ((bits[index >> 3] ?? 0) >> (index & 7)) & 1

/** Which rows have a value, and where the values begin; undefined when the levels are not such. */
function levelsOf(
  body: Uint8Array,
  count: number,
): { readonly present: Uint8Array; readonly end: number } | undefined {
  if (body.length < 4) return undefined
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true)
  const end = 4 + length
  const bits = body.subarray(Math.max(0, end - Math.ceil(count / 8)), end)
  const present = Uint8Array.from({ length: count }, (_, row) => bitAt(bits, row))
  // Whatever was read: a length, a header or bits that do not belong to so many rows are others than these.
  const levels = definitionLevels(present)
  return levels.every((byte, at) => byte === body[at]) && levels.length === end ? { present, end } : undefined
}

/** Begins and ends of texts; undefined when they do not fill the bytes exactly. */
function textStarts(values: Uint8Array, count: number): readonly number[] | undefined {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  const starts = [0]
  let offset = 0
  for (let index = 0; index < count; index += 1) {
    if (values.length - offset < 4) return undefined
    offset += 4 + view.getUint32(offset, true)
    starts.push(offset)
  }
  return offset === values.length ? starts : undefined
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}

/** The values at some positions, out of `count`. */
function valuesAt(
  type: ColumnType,
  values: Uint8Array,
  count: number,
  positions: readonly number[],
): Uint8Array | undefined {
  if (type === 'boolean') {
    if (values.length !== Math.ceil(count / 8)) return undefined
    return packBits(Uint8Array.from(positions, (position) => bitAt(values, position)))
  }
  const width = widths[type]
  const starts =
    width === undefined
      ? textStarts(values, count)
      : values.length === width * count
        ? Array.from({ length: count + 1 }, (_, index) => index * width)
        : undefined
  if (starts === undefined) return undefined
  return joined(positions.map((position) => values.subarray(starts[position], starts[position + 1])))
}

/**
 * The body of a page with some of a page's rows.
 *
 * @param column - the page's column
 * @param body - of the whole page
 * @param count - how many rows it has
 * @param rows - positions of the rows that are kept, each once, ascending
 * @returns what `encodeColumnPage` makes of these rows' values; undefined when the body is not one of so many rows of this column
 */
export function pageWithRows(
  column: Pick<ParquetColumn, 'type' | 'nullable'>,
  body: Uint8Array,
  count: number,
  rows: readonly number[],
): Uint8Array | undefined {
  if (!column.nullable) return valuesAt(column.type, body, count, rows)
  const levels = levelsOf(body, count)
  if (levels === undefined) return undefined
  const { present, end } = levels
  // Absent values take no place among the values.
  const place = new Uint32Array(count + 1)
  for (let row = 0; row < count; row += 1) place[row + 1] = (place[row] ?? 0) + (present[row] ?? 0)
  const kept = rows.filter((row) => present[row] === 1).map((row) => place[row] ?? 0)
  const values = valuesAt(column.type, body.subarray(end), place[count] ?? 0, kept)
  if (values === undefined) return undefined
  return joined([definitionLevels(Uint8Array.from(rows, (row) => present[row] ?? 0)), values])
}
