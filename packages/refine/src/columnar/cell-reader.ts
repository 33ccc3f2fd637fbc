/** Readers of one column's cells out of bytes: the common forms here, everything else by the rules that all paths share. */
import { directCell } from '../define/direct-cell.js'
import { RefineError } from '../errors.js'
import { checkCell } from '../job/check-row.js'
import { daysFromCivil } from '../schema/instant.js'
import type { CellValue, DirectColumn } from '../schema/table-schema.js'
import { type CellBounds, type CellForm, cellForm, isEmptyNull } from './cell-form.js'
import { type BatchColumn, reserveText, setCell, setInt64 } from './column-batch.js'

/** Reads `bytes[start, end)` into a row; false when the form is not the common one and nothing was set. */
export type CellReader = (bytes: Uint8Array, start: number, end: number, row: number) => boolean

const minus = 0x2d
const point = 0x2e
const zero = 0x30
const powers = Array.from({ length: 18 }, (_, exponent) => 10 ** exponent)
const largestExact = Number.MAX_SAFE_INTEGER

function integerReader(target: BatchColumn, { low, high }: CellBounds): CellReader {
  return (bytes, start, end, row) => {
    const negative = bytes[start] === minus
    let at = negative ? start + 1 : start
    if (end === at || end - at > 15) return false
    let value = 0
    for (; at < end; at += 1) {
      const digit = (bytes[at] ?? 0) - zero
      if (digit < 0 || digit > 9) return false
      value = value * 10 + digit
    }
    if (negative) value = -value
    if (value < low || value > high) return false
    setInt64(target, row, value)
    return true
  }
}

function decimalReader(target: BatchColumn, { low, high }: CellBounds): CellReader {
  const { decimals = 0 } = target.column
  return (bytes, start, end, row) => {
    const negative = bytes[start] === minus
    let at = negative ? start + 1 : start
    if (end - at > 16) return false
    const first = at
    let value = 0
    let places = -1
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0
      const digit = byte - zero
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit
        if (places >= 0) places += 1
      } else if (byte === point && places < 0 && at > first) places = 0
      else return false
    }
    // No digit, or none behind the point, or more places than the column: the rules decide.
    if (end === first || places === 0 || places > decimals) return false
    const scaled = value * (powers[decimals - Math.max(places, 0)] ?? 0)
    const signed = negative ? -scaled : scaled
    if (scaled > largestExact || value > 1e15 || signed < low || signed > high) return false
    setInt64(target, row, signed === 0 ? 0 : signed)
    return true
  }
}

const monthLengths = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** Day before the first of each month since year 0, found when first asked for; 0 is none that is asked for often. */
const monthStarts = /* @__PURE__ */ new Int32Array(10_000 * 12)

function dateReader(target: BatchColumn, { low, high }: CellBounds): CellReader {
  const { numbers, present } = target
  return (bytes, start, end, row) => {
    if (end - start !== 10 || bytes[start + 4] !== minus || bytes[start + 7] !== minus) return false
    const a = (bytes[start] ?? 0) - zero
    const b = (bytes[start + 1] ?? 0) - zero
    const c = (bytes[start + 2] ?? 0) - zero
    const d = (bytes[start + 3] ?? 0) - zero
    const e = (bytes[start + 5] ?? 0) - zero
    const f = (bytes[start + 6] ?? 0) - zero
    const g = (bytes[start + 8] ?? 0) - zero
    const h = (bytes[start + 9] ?? 0) - zero
    if (a < 0 || a > 9 || b < 0 || b > 9 || c < 0 || c > 9 || d < 0 || d > 9) return false
    if (e < 0 || e > 9 || f < 0 || f > 9 || g < 0 || g > 9 || h < 0 || h > 9) return false
    const year = a * 1000 + b * 100 + c * 10 + d
    const month = e * 10 + f
    const day = g * 10 + h
    // The 29th of February is rare enough for the slow path.
    if (year < 1 || day < 1 || day > (monthLengths[month] ?? 0)) return false
    const at = year * 12 + month - 1
    let before = monthStarts[at] ?? 0
    if (before === 0) {
      before = daysFromCivil(year, month, 1) - 1
      monthStarts[at] = before
    }
    const days = before + day
    if (days < low || days > high) return false
    numbers[row] = days
    present[row] = 1
    return true
  }
}

function textReader(target: BatchColumn, { maxLength }: { readonly maxLength: number }): CellReader {
  return (bytes, start, end, row) => {
    if (end - start > maxLength || end === start) return false
    let to = row === 0 ? 0 : (target.ends[row - 1] ?? 0)
    if (to + (end - start) > target.bytes.length) reserveText(target, to + (end - start))
    const into = target.bytes
    for (let at = start; at < end; at += 1, to += 1) {
      const byte = bytes[at] ?? 0
      // Beyond ASCII the rules check the encoding; U+0000 they refuse.
      if (byte === 0 || byte > 0x7f) return false
      into[to] = byte
    }
    target.ends[row] = to
    target.present[row] = 1
    return true
  }
}

/** A text that is known, and what it stands for. */
interface KnownText {
  readonly text: Uint8Array
  readonly cell: CellValue
  /** The cell's bytes in a column of text, its number in one of truth values. */
  readonly bytes: Uint8Array | undefined
  readonly bit: number
}

function knownText(target: BatchColumn, text: Uint8Array, cell: CellValue): KnownText {
  const bytes =
    target.store === 'text' && typeof cell === 'string' ? new TextEncoder().encode(cell) : undefined
  return { text, cell, bytes, bit: target.store === 'bit' && typeof cell === 'boolean' ? Number(cell) : -1 }
}

/** Known texts to ready cells: codes of `values`, a column's list of values, booleans. */
function tableReader(target: BatchColumn, entries: readonly (readonly [string, CellValue])[]): CellReader {
  const encoder = new TextEncoder()
  // By length and first byte, which tells short codes apart at once.
  const buckets: (KnownText[] | undefined)[] = new Array(64 * 256)
  for (const [text, cell] of entries) {
    const bytes = encoder.encode(text)
    // Longer codes go by the rules.
    if (bytes.length === 0 || bytes.length > 63) continue
    const key = bytes.length * 256 + (bytes[0] ?? 0)
    buckets[key] = [...(buckets[key] ?? []), knownText(target, bytes, cell)]
  }
  return (bytes, start, end, row) => {
    const bucket = end - start > 63 ? undefined : buckets[(end - start) * 256 + (bytes[start] ?? 0)]
    if (bucket === undefined || end === start) return false
    for (let index = 0; index < bucket.length; index += 1) {
      const known = bucket[index]
      if (known === undefined) return false
      const { text } = known
      let at = 1
      while (at < text.length && bytes[start + at] === text[at]) at += 1
      if (at < text.length) continue
      setKnown(target, row, known)
      return true
    }
    return false
  }
}

function setKnown(target: BatchColumn, row: number, { cell, bytes, bit }: KnownText): void {
  if (bit >= 0) {
    target.numbers[row] = bit
    target.present[row] = 1
  } else if (bytes !== undefined) {
    let to = row === 0 ? 0 : (target.ends[row - 1] ?? 0)
    if (to + bytes.length > target.bytes.length) reserveText(target, to + bytes.length)
    const into = target.bytes
    for (let at = 0; at < bytes.length; at += 1, to += 1) into[to] = bytes[at] ?? 0
    target.ends[row] = to
    target.present[row] = 1
  } else setCell(target, row, cell)
}

/**
 * The reader of a column's common forms.
 *
 * @param target - where values go
 * @param spec - where they come from
 * @returns the reader
 */
export function createCellReader(target: BatchColumn, spec: DirectColumn): CellReader {
  const read = valueReader(target, cellForm(target, spec))
  const { column, present, ends } = target
  if (!isEmptyNull(column, spec)) return read
  return (bytes, start, end, row) => {
    if (end > start) return read(bytes, start, end, row)
    present[row] = 0
    if (target.store === 'text') ends[row] = row === 0 ? 0 : (ends[row - 1] ?? 0)
    return true
  }
}

function valueReader(target: BatchColumn, form: CellForm): CellReader {
  switch (form.kind) {
    case 'table':
      return tableReader(target, form.entries)
    case 'integer':
      return integerReader(target, form)
    case 'decimal':
      return decimalReader(target, form)
    case 'date':
      return dateReader(target, form)
    case 'text':
      return textReader(target, form)
    case 'none':
      return () => false
  }
}
/**
 * Sets a cell by the rules that all paths share: what the fast forms leave over.
 *
 * @param target - where it goes
 * @param spec - where it comes from
 * @param value - text, or any JSON value
 * @param row - number of its row in the batch
 * @param table - name of the table, for `place`
 * @throws RefineError as `checkRow`, `place` naming the row of the batch
 */
export function setByRules(
  target: BatchColumn,
  spec: DirectColumn,
  value: unknown,
  row: number,
  table: string,
): void {
  const place = `${table}[${row}].${target.name}`
  const cell = directCell(target.column, spec, value)
  if (cell === null || cell === undefined) {
    if (target.column.nullable !== true) throw new RefineError('VALUE_MISSING', place, 'A value is missing')
    setCell(target, row, null)
  } else setCell(target, row, checkCell(target.column, cell, place))
}
