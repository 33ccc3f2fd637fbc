import { printDecimal } from '../schema/decimal.js'
import { civilFromDays, printInstant } from '../schema/instant.js'
import { contributorColumn } from '../schema/table-schema.js'
import type { BatchColumn, ColumnBatch } from './column-batch.js'

const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const colon = 0x3a
const microsecondsPerDay = 86_400_000_000
/** A text may begin with what is a mark in front of a file. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const nothing = Uint8Array.from([0x6e, 0x75, 0x6c, 0x6c])

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

function putByte(buffer: RowText, byte: number): void {
  reserve(buffer, 1)
  buffer.bytes[buffer.length] = byte
  buffer.length += 1
}

/** Digits of an integer from 0 to 2^53, at least so many; no text is made of them, which would be garbage for each cell. */
function putDigits(buffer: RowText, value: number, least: number): void {
  let count = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) count += 1
  if (count < least) count = least
  reserve(buffer, count)
  let rest = value
  for (let at = buffer.length + count - 1; at >= buffer.length; at -= 1) {
    const next = Math.floor(rest / 10)
    buffer.bytes[at] = zero + (rest - 10 * next)
    rest = next
  }
  buffer.length += count
}

const days = new Map<number, Uint8Array>()
const mostDays = 100_000

/** A day between quotes; exports have few different ones. */
function dayBytes(day: number): Uint8Array {
  const known = days.get(day)
  if (known !== undefined) return known
  const [year, month, date] = civilFromDays(day)
  const bytes = new TextEncoder().encode(
    `"${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}"`,
  )
  if (days.size < mostDays) days.set(day, bytes)
  return bytes
}

function putInteger(buffer: RowText, value: number | bigint): void {
  if (typeof value === 'bigint') {
    putAscii(buffer, String(value))
    return
  }
  if (value < 0) putByte(buffer, minus)
  putDigits(buffer, Math.abs(value), 1)
}

function putDecimal(buffer: RowText, value: number | bigint, decimals: number): void {
  putByte(buffer, quote)
  if (typeof value === 'bigint') putAscii(buffer, printDecimal(value, decimals))
  else {
    if (value < 0) putByte(buffer, minus)
    putDigits(buffer, Math.abs(value), decimals + 1)
    if (decimals > 0) {
      reserve(buffer, 1)
      const from = buffer.length - decimals
      buffer.bytes.copyWithin(from + 1, from, buffer.length)
      buffer.bytes[from] = point
      buffer.length += 1
    }
  }
  putByte(buffer, quote)
}

function putInstant(buffer: RowText, value: number | bigint): void {
  if (typeof value === 'bigint') {
    putAscii(buffer, `"${printInstant(value)}"`)
    return
  }
  const day = Math.floor(value / microsecondsPerDay)
  const inDay = value - day * microsecondsPerDay
  const seconds = Math.floor(inDay / 1e6)
  const text = dayBytes(day)
  putBytes(buffer, text, 0, text.length - 1)
  putByte(buffer, 0x54)
  putDigits(buffer, Math.floor(seconds / 3600), 2)
  putByte(buffer, colon)
  putDigits(buffer, Math.floor(seconds / 60) % 60, 2)
  putByte(buffer, colon)
  putDigits(buffer, seconds % 60, 2)
  const fraction = inDay - seconds * 1e6
  if (fraction > 0) {
    putByte(buffer, point)
    putDigits(buffer, fraction, 6)
    while (buffer.bytes[buffer.length - 1] === zero) buffer.length -= 1
  }
  putByte(buffer, 0x5a)
  putByte(buffer, quote)
}

function putText(buffer: RowText, column: BatchColumn, row: number): void {
  const from = row === 0 ? 0 : (column.ends[row - 1] ?? 0)
  const to = column.ends[row] ?? 0
  reserve(buffer, to - from + 2)
  const start = buffer.length
  const { bytes } = buffer
  bytes[start] = quote
  let into = start + 1
  for (let at = from; at < to; at += 1, into += 1) {
    const byte = column.bytes[at] ?? 0
    if (byte < 0x20 || byte === quote || byte === backslash) {
      const json = new TextEncoder().encode(JSON.stringify(decoder.decode(column.bytes.subarray(from, to))))
      putBytes(buffer, json, 0, json.length)
      return
    }
    bytes[into] = byte
  }
  bytes[into] = quote
  buffer.length = into + 1
}

function putCell(buffer: RowText, column: BatchColumn, row: number): void {
  if (column.present[row] === 0) {
    putBytes(buffer, nothing, 0, nothing.length)
    return
  }
  if (column.store === 'text') {
    putText(buffer, column, row)
    return
  }
  switch (column.column.type) {
    case 'decimal':
      putDecimal(buffer, int64Of(column, row), column.column.decimals ?? 0)
      return
    case 'timestamp':
      putInstant(buffer, int64Of(column, row))
      return
    case 'date': {
      const text = dayBytes(column.numbers[row] ?? 0)
      putBytes(buffer, text, 0, text.length)
      return
    }
    case 'boolean':
      putAscii(buffer, column.numbers[row] === 1 ? 'true' : 'false')
      return
    default:
      putInteger(buffer, int64Of(column, row))
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
  const encoder = new TextEncoder()
  const parts: { readonly head: Uint8Array; readonly column: BatchColumn | undefined }[] = [
    { name: contributorColumn, column: undefined },
    ...batch.columns.map((column) => ({ name: column.name, column })),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, column }, index) => ({
      head: encoder.encode(`${index === 0 ? '{' : ','}"${name}":${column === undefined ? contributor : ''}`),
      column,
    }))
  const buffer: RowText = { bytes: new Uint8Array(1024), length: 0 }
  putBytes(buffer, prefix, 0, prefix.length)
  const write = batch.writer?.of(
    parts.map(({ head, column }, index) => ({
      head: index === 0 ? Uint8Array.from([...prefix, ...head]) : head,
      column: column?.name,
    })),
  )
  for (let row = 0; row < batch.rows; row += 1) {
    const written = write?.(row)
    if (written !== undefined) {
      onRow(written)
      continue
    }
    buffer.length = prefix.length
    for (const { head, column } of parts) {
      putBytes(buffer, head, 0, head.length)
      if (column !== undefined) putCell(buffer, column, row)
    }
    putByte(buffer, 0x7d)
    onRow(buffer.bytes.subarray(0, buffer.length))
  }
}
