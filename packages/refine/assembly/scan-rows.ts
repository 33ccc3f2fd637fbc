// Rows of CSV and JSON Lines into columns, as far as they have the common form: AssemblyScript, compiled by scripts/assemble.mjs into
// src/columnar/scan-module.ts. Where a row has any other form it stops in front of it; the readers in TypeScript take that one and say what is
// wrong with it. All memory is laid out by src/columnar/scan-memory.ts; the offsets here and there are the same.
import { fill, isSame, STRING_STOPS, take, takeBoolean, takeNull, takeNumber } from './cell-readers'
import { KEY, KEY_BYTES, KEY_LENGTH, KEY_TARGET } from './layout'

export { canonical } from './canonical-text'
export { page } from './page-body'

let rowsRead: i32 = 0
/** The row behind the last one that was read. */
export function row(): i32 {
  return rowsRead
}

// Bytes at which a field without quotes may end.
const STOPS = memory.data(256)

/** Once, before anything else. */
export function prepare(): void {
  store<u8>(STOPS + 0x2c, 1)
  store<u8>(STOPS + 0x0a, 1)
  store<u8>(STOPS + 0x0d, 1)
  store<u8>(STOPS + 0x22, 1)
  for (let byte: usize = 0; byte < 256; byte += 1) {
    if (byte < 0x20 || byte > 0x7f || byte == 0x22 || byte == 0x5c) store<u8>(STRING_STOPS + byte, 1)
  }
}

/**
 * Reads rows of CSV.
 *
 * @param from - where the first row begins
 * @param end - behind the last byte, where a quote must stand
 * @param first - number of the first row
 * @param until - number of the row in front of which to stop
 * @param fields - target of each field, 0 where nobody reads it
 * @param count - how many fields a row has
 * @param unfilled - the columns that are null in every row, then 0
 * @param longest - most bytes of a field
 * @returns where the first row begins that was not read
 */
export function csv(
  from: usize,
  end: usize,
  first: i32,
  until: i32,
  fields: usize,
  count: i32,
  unfilled: usize,
  longest: u32,
): usize {
  let row = first
  let begin = from
  while (begin < end && row < until) {
    let at = begin
    // Empty lines are nothing where a row has several fields.
    if (count > 1 && (load<u8>(at) == 0x0a || load<u8>(at) == 0x0d)) break
    let field = 0
    for (; field < count; field += 1) {
      let start = at
      let stop: usize
      if (load<u8>(at) == 0x22) {
        start = at + 1
        at = start
        while (load<u8>(at) != 0x22) at += 1
        stop = at
        at += 1
        // The quote behind the end, or one that stands for a quote.
        if (stop >= end || load<u8>(at) == 0x22) break
      } else {
        while (load<u8>(STOPS + load<u8>(at)) == 0) at += 1
        stop = at
      }
      if (stop - start > longest) break
      const target = <usize>load<u32>(fields + ((<usize>field) << 2))
      if (target != 0) {
        if (!take(target, start, stop, row)) break
      } else {
        // Its encoding would have to be checked.
        let byte = start
        while (byte < stop && load<u8>(byte) < 0x80) byte += 1
        if (byte < stop) break
      }
      if (field < count - 1) {
        if (load<u8>(at) != 0x2c) break
        at += 1
      } else {
        if (load<u8>(at) == 0x0d) at += 1
        if (load<u8>(at) != 0x0a || at >= end) break
        at += 1
      }
    }
    if (field < count) break
    fill(unfilled, row)
    row += 1
    begin = at
  }
  rowsRead = row
  return begin
}

/** How many line feeds stand in bytes. */
export function lineFeeds(from: usize, end: usize): i32 {
  let count = 0
  let at = from
  for (; at + 16 <= end; at += 16) count += popcnt(i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0x0a))))
  for (; at < end; at += 1) if (load<u8>(at) == 0x0a) count += 1
  return count
}

/** A number as JSON writes it (RFC 8259, section 6), without an exponent and of at most 15 digits, which a double holds for certain. */
function numberEnd(target: usize, from: usize, row: i32): usize {
  const start = load<u8>(from) == 0x2d ? from + 1 : from
  let at = start
  let value: i64 = 0
  let byte: u32 = load<u8>(at)
  for (; byte - 0x30 <= 9; byte = load<u8>(at)) {
    value = value * 10 + (byte - 0x30)
    at += 1
  }
  let digits = at - start
  if (digits == 0 || (digits > 1 && load<u8>(start) == 0x30)) return 0
  let places: usize = 0
  if (byte == 0x2e) {
    at += 1
    const fraction = at
    for (byte = load<u8>(at); byte - 0x30 <= 9; byte = load<u8>(at)) {
      value = value * 10 + (byte - 0x30)
      at += 1
    }
    places = at - fraction
    if (places == 0 || byte == 0x2e) return 0
    digits += places
  }
  // Of more digits the value is none.
  if (digits > 15) return 0
  return takeNumber(target, from, at, value, <i32>places, row) ? at : 0
}

/** The first byte of a string at which it may end, or is none that is copied as it stands: sixteen at a time. */
function stringStop(from: usize): usize {
  let at = from
  let mask = 0
  for (;;) {
    const bytes = v128.load(at)
    // Below a blank, and as signed bytes what is no ASCII.
    const stops = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
      i8x16.lt_s(bytes, i8x16.splat(0x20)),
    )
    mask = i8x16.bitmask(stops)
    if (mask != 0) break
    at += 16
  }
  return at + ctz(mask)
}

/** The value at a place; where it ends, or 0 where it is no common one. */
function value(target: usize, from: usize, row: i32, longest: u32): usize {
  const first: u32 = load<u8>(from)
  if (first == 0x22) {
    const at = stringStop(from + 1)
    if (load<u8>(at) != 0x22 || at - from > longest) return 0
    return take(target, from + 1, at, row) ? at + 1 : 0
  }
  if (first == 0x2d || first - 0x30 <= 9) return numberEnd(target, from, row)
  const word = load<u32>(from)
  // `null`, `true`, `false`
  if (word == 0x6c6c756e) return takeNull(target, row) ? from + 4 : 0
  if (word == 0x65757274) return takeBoolean(target, 1, from, row) ? from + 4 : 0
  if (word == 0x736c6166 && load<u8>(from + 4) == 0x65)
    return takeBoolean(target, 0, from, row) ? from + 5 : 0
  return 0
}

/**
 * Reads lines of JSON that have the expected keys in their order.
 *
 * @param from - where the first line begins
 * @param end - behind the last byte, which must be a line feed; sixteen bytes more must be readable
 * @param first - number of the first line's row
 * @param until - number of the row in front of which to stop
 * @param keys - the expected keys
 * @param count - how many there are, at least one
 * @param unfilled - the columns that are null in every row, then 0
 * @param longest - most bytes of a string
 * @returns where the first line begins that was not read
 */
export function json(
  from: usize,
  end: usize,
  first: i32,
  until: i32,
  keys: usize,
  count: i32,
  unfilled: usize,
  longest: u32,
): usize {
  let row = first
  let begin = from
  while (begin < end && row < until) {
    if (load<u8>(begin) != 0x7b) break
    let at = begin + 1
    let index = 0
    for (; index < count; index += 1) {
      if (index > 0) {
        if (load<u8>(at) != 0x2c) break
        at += 1
      }
      if (load<u8>(at) == 0x20) at += 1
      const key = keys + <usize>index * KEY
      const length = <usize>load<u32>(key + KEY_LENGTH)
      if (at + length > end || !isSame(at, load<u32>(key + KEY_BYTES), length)) break
      at += length
      if (load<u8>(at) == 0x20) at += 1
      at = value(load<u32>(key + KEY_TARGET), at, row, longest)
      if (at == 0) break
    }
    if (index < count || load<u8>(at) != 0x7d) break
    at += 1
    if (load<u8>(at) == 0x0d) at += 1
    if (load<u8>(at) != 0x0a) break
    fill(unfilled, row)
    row += 1
    begin = at + 1
  }
  rowsRead = row
  return begin
}
