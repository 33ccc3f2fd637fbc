import { printDecimal } from '../schema/decimal.js'
import { civilFromDays, printInstant } from '../schema/instant.js'
import { contributorColumn } from '../schema/table-schema.js'
import type { BatchColumn, ColumnBatch } from './column-batch.js'

const quote = 0x22
const backslash = 0x5c

/** Grows a buffer while rows are written into it one after the other. */
interface RowText {
  bytes: Uint8Array
  length: number
}

function reserve(buffer: RowText, more: number): void {
  if (buffer.length + more <= buffer.bytes.length) return
  const grown = new Uint8Array(Math.max(2 * buffer.bytes.length, buffer.length + more))
  grown.set(buffer.bytes.subarray(0, buffer.length))
  buffer.bytes = grown
}

function putAscii(buffer: RowText, text: string): void {
  reserve(buffer, text.length)
  for (let at = 0; at < text.length; at += 1) buffer.bytes[buffer.length + at] = text.charCodeAt(at)
  buffer.length += text.length
}

function putBytes(buffer: RowText, bytes: Uint8Array, from: number, to: number): void {
  reserve(buffer, to - from)
  for (let at = from; at < to; at += 1) buffer.bytes[buffer.length + at - from] = bytes[at] ?? 0
  buffer.length += to - from
}

function int64Of(column: BatchColumn, row: number): number | bigint {
  const low = column.numbers[2 * row] ?? 0
  const high = column.numbers[2 * row + 1] ?? 0
  const value = high * 2 ** 32 + (low >>> 0)
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) + BigInt(low >>> 0)
}

const days = new Map<number, string>()
const mostDays = 100_000

function dayText(day: number): string {
  const known = days.get(day)
  if (known !== undefined) return known
  const [year, month, date] = civilFromDays(day)
  const text = `"${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}"`
  if (days.size < mostDays) days.set(day, text)
  return text
}

function decimalJson(value: number | bigint, decimals: number): string {
  if (typeof value === 'bigint') return `"${printDecimal(value, decimals)}"`
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0')
  const sign = value < 0 ? '-' : ''
  if (decimals === 0) return `"${sign}${digits}"`
  return `"${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}"`
}

function putText(buffer: RowText, column: BatchColumn, row: number): void {
  const from = row === 0 ? 0 : (column.ends[row - 1] ?? 0)
  const to = column.ends[row] ?? 0
  let plain = true
  for (let at = from; at < to && plain; at += 1) {
    const byte = column.bytes[at] ?? 0
    plain = byte >= 0x20 && byte !== quote && byte !== backslash
  }
  if (plain) {
    reserve(buffer, to - from + 2)
    buffer.bytes[buffer.length] = quote
    buffer.length += 1
    putBytes(buffer, column.bytes, from, to)
    buffer.bytes[buffer.length] = quote
    buffer.length += 1
    return
  }
  const json = new TextEncoder().encode(
    JSON.stringify(new TextDecoder().decode(column.bytes.subarray(from, to))),
  )
  putBytes(buffer, json, 0, json.length)
}

function putCell(buffer: RowText, column: BatchColumn, row: number): void {
  if (column.present[row] === 0) putAscii(buffer, 'null')
  else if (column.store === 'text') putText(buffer, column, row)
  else putAscii(buffer, cellJson(column, row))
}

/** JSON of a value that is held as numbers. */
function cellJson(column: BatchColumn, row: number): string {
  switch (column.column.type) {
    case 'decimal':
      return decimalJson(int64Of(column, row), column.column.decimals ?? 0)
    case 'timestamp':
      return `"${printInstant(BigInt(int64Of(column, row)))}"`
    case 'date':
      return dayText(column.numbers[row] ?? 0)
    case 'boolean':
      return column.numbers[row] === 1 ? 'true' : 'false'
    default:
      return String(int64Of(column, row))
  }
}

/**
 * The canonical text (RFC 8785) of each row of a batch, which `contentDigest` hashes, without making the rows.
 *
 * @param batch - rows as columns
 * @param contributor - the contributor's integer surrogate
 * @param prefix - bytes in front of every row: what the Merkle tree and the salt put there
 * @param onRow - gets prefix and row; the bytes are used again for the next one
 */
export function canonicalRows(
  batch: ColumnBatch,
  contributor: number,
  prefix: Uint8Array,
  onRow: (bytes: Uint8Array) => void,
): void {
  // Names are lower-case identifiers: RFC 8785's order of UTF-16 units is the order of their characters.
  const parts: { readonly head: string; readonly column: BatchColumn | undefined }[] = [
    { name: contributorColumn, column: undefined },
    ...batch.columns.map((column) => ({ name: column.name, column })),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, column }, index) => ({ head: `${index === 0 ? '{' : ','}"${name}":`, column }))
  const id = String(contributor)
  const buffer: RowText = { bytes: new Uint8Array(1024), length: 0 }
  putBytes(buffer, prefix, 0, prefix.length)
  for (let row = 0; row < batch.rows; row += 1) {
    buffer.length = prefix.length
    for (const { head, column } of parts) {
      putAscii(buffer, head)
      if (column === undefined) putAscii(buffer, id)
      else putCell(buffer, column, row)
    }
    putAscii(buffer, '}')
    onRow(buffer.bytes.subarray(0, buffer.length))
  }
}
