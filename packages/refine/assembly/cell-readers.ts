// Cells of the common forms: what src/columnar/cell-reader.ts reads, without a value or an object for any.
import {
  BUCKETS,
  BYTES,
  CAPACITY,
  DATE,
  DECIMAL,
  DECIMALS,
  DICTIONARY,
  EMPTY_IS_NULL,
  ENDS,
  ENTRIES,
  ENTRY,
  ENTRY_BIT,
  ENTRY_CELL,
  ENTRY_CELL_LENGTH,
  ENTRY_NEXT,
  ENTRY_TEXT,
  FLAGS,
  HIGH,
  INTEGER,
  IS_TEXT,
  LARGEST_EXACT,
  LOW,
  MAX_LENGTH,
  MOST_PROBES,
  MOST_TEXTS,
  NEXT,
  NUMBERS,
  PRESENT,
  SLOTS,
  TABLE,
  TAKES_BOOLEAN,
  TAKES_CODE,
  TAKES_NULL,
  TAKES_NUMBER,
  TEXT,
  TEXTS,
  textEnd,
} from './layout'

// Bytes at which a string of JSON may end, or is none that is copied as it stands.
export const STRING_STOPS = memory.data(256)

function setPresent(target: usize, row: i32, present: u32): void {
  store<u8>(<usize>load<u32>(target + PRESENT) + <usize>row, present)
}

export function setNull(target: usize, row: i32): void {
  if (load<u32>(target) == DICTIONARY) {
    store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), 0)
    return
  }
  setPresent(target, row, 0)
  if (load<u32>(target + FLAGS) & IS_TEXT) {
    store<u32>(<usize>load<u32>(target + ENDS) + ((<usize>row) << 2), textEnd(target, row))
  }
}

function setInt64(target: usize, row: i32, value: i64): void {
  store<i64>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 3), value)
  setPresent(target, row, 1)
}

/** A number within the bounds of its column, which are those of what is stored. */
function putNumber(target: usize, row: i32, value: i64): bool {
  const number = <f64>value
  if (number < load<f64>(target + LOW) || number > load<f64>(target + HIGH)) return false
  setInt64(target, row, value)
  return true
}

function readInteger(target: usize, start: usize, end: usize, row: i32): bool {
  const negative = start < end && load<u8>(start) == 0x2d
  let at = negative ? start + 1 : start
  if (end == at || end - at > 15) return false
  let value: i64 = 0
  for (; at < end; at += 1) {
    const digit: u32 = <u32>load<u8>(at) - 0x30
    if (digit > 9) return false
    value = value * 10 + digit
  }
  return putNumber(target, row, negative ? -value : value)
}

const POWERS = memory.data<i64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
  1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
])

/** Digits of a decimal, so many of them behind the point. */
function putDecimal(target: usize, row: i32, digits: i64, places: i32, negative: bool): bool {
  const decimals = load<i32>(target + DECIMALS)
  if (places > decimals || digits > 1000000000000000) return false
  const power = load<i64>(POWERS + ((<usize>(decimals - places)) << 3))
  // As doubles first: the product of whole numbers may be more than 64 bits hold.
  if (<f64>digits * <f64>power > LARGEST_EXACT) return false
  const scaled = digits * power
  return putNumber(target, row, negative ? -scaled : scaled)
}

function readDecimal(target: usize, start: usize, end: usize, row: i32): bool {
  const negative = start < end && load<u8>(start) == 0x2d
  let at = negative ? start + 1 : start
  if (end - at > 16 || end == at) return false
  const first = at
  let value: i64 = 0
  let places = -1
  for (; at < end; at += 1) {
    const byte: u32 = load<u8>(at)
    const digit = byte - 0x30
    if (digit <= 9) {
      value = value * 10 + digit
      if (places >= 0) places += 1
    } else if (byte == 0x2e && places < 0 && at > first) places = 0
    else return false
  }
  // A point without places, which JSON does not write.
  if (places == 0) return false
  return putDecimal(target, row, value, places > 0 ? places : 0, negative)
}

function digitAt(at: usize): u32 {
  return <u32>load<u8>(at) - 0x30
}

const MONTHS = memory.data<u8>([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

/** Days since 1970-01-01 in the Gregorian calendar, for years from 1: whole cycles of 400 years of 146,097 days, years that begin in March. */
function daysFromCivil(year: i32, month: i32, day: i32): i32 {
  const own = month > 2 ? year : year - 1
  const cycle = own / 400
  const inCycle = own - 400 * cycle
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return 146097 * cycle + 365 * inCycle + inCycle / 4 - inCycle / 100 + dayOfYear - 719468
}

function readDate(target: usize, start: usize, end: usize, row: i32): bool {
  if (end - start != 10 || load<u8>(start + 4) != 0x2d || load<u8>(start + 7) != 0x2d) return false
  const a = digitAt(start)
  const b = digitAt(start + 1)
  const c = digitAt(start + 2)
  const d = digitAt(start + 3)
  const e = digitAt(start + 5)
  const f = digitAt(start + 6)
  const g = digitAt(start + 8)
  const h = digitAt(start + 9)
  if (a > 9 || b > 9 || c > 9 || d > 9 || e > 9 || f > 9 || g > 9 || h > 9) return false
  const year = a * 1000 + b * 100 + c * 10 + d
  const month = e * 10 + f
  const day = g * 10 + h
  // The 29th of February is rare enough for the other readers.
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > <u32>load<u8>(MONTHS + month)) return false
  const days = daysFromCivil(year, month, day)
  if (<f64>days < load<f64>(target + LOW) || <f64>days > load<f64>(target + HIGH)) return false
  store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), days)
  setPresent(target, row, 1)
  return true
}

/** Copies text of plain ASCII without U+0000; false where it is none, or where it does not fit. */
function putText(target: usize, start: usize, end: usize, row: i32): bool {
  const from = textEnd(target, row)
  const length = <u32>(end - start)
  // Eight at a time: what is written behind the text is overwritten by the next one.
  if (from + length + 8 > load<u32>(target + CAPACITY)) return false
  const into = <usize>load<u32>(target + BYTES) + from
  let at: usize = 0
  for (; at + 8 <= length; at += 8) {
    const word = load<u64>(start + at)
    if ((word | (word - 0x0101010101010101)) & 0x8080808080808080) return false
    store<u64>(into + at, word)
  }
  for (; at < length; at += 1) {
    const byte = load<u8>(start + at)
    if (byte == 0 || byte > 0x7f) return false
    store<u8>(into + at, byte)
  }
  store<u32>(<usize>load<u32>(target + ENDS) + ((<usize>row) << 2), from + length)
  setPresent(target, row, 1)
  return true
}

function readText(target: usize, start: usize, end: usize, row: i32): bool {
  if (end == start || end - start > load<u32>(target + MAX_LENGTH)) return false
  return putText(target, start, end, row)
}

/** Words, the last of which may overlap the one before. */
export function isSame(a: usize, b: usize, length: usize): bool {
  if (length >= 8) {
    for (let at: usize = 0; at + 8 < length; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false
    return load<u64>(a + length - 8) == load<u64>(b + length - 8)
  }
  if (length >= 4)
    return load<u32>(a) == load<u32>(b) && load<u32>(a + length - 4) == load<u32>(b + length - 4)
  for (let at: usize = 0; at < length; at += 1) if (load<u8>(a + at) != load<u8>(b + at)) return false
  return true
}

function readKnown(target: usize, start: usize, end: usize, row: i32): bool {
  const length = end - start
  if (length == 0 || length > 63) return false
  const bucket = <usize>load<u32>(target + BUCKETS) + (((length << 8) + load<u8>(start)) << 1)
  let index: u32 = load<u16>(bucket)
  while (index != 0) {
    const entry = <usize>load<u32>(target + ENTRIES) + <usize>(index - 1) * ENTRY
    if (isSame(start, load<u32>(entry + ENTRY_TEXT), length)) {
      const bit = load<i32>(entry + ENTRY_BIT)
      const cell = <usize>load<u32>(entry + ENTRY_CELL)
      if (bit >= 0) store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), bit)
      else if (bit == -1) {
        const cellLength = load<u32>(entry + ENTRY_CELL_LENGTH)
        const from = textEnd(target, row)
        if (from + cellLength + 8 > load<u32>(target + CAPACITY)) return false
        const into = <usize>load<u32>(target + BYTES) + from
        for (let at: usize = 0; at < cellLength; at += 8) store<u64>(into + at, load<u64>(cell + at))
        store<u32>(<usize>load<u32>(target + ENDS) + ((<usize>row) << 2), from + cellLength)
      } else if (bit == -3) {
        store<i64>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 3), load<i64>(cell))
      } else if (bit == -4) {
        store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), load<i32>(cell))
      } else {
        setNull(target, row)
        return true
      }
      setPresent(target, row, 1)
      return true
    }
    index = load<u32>(entry + ENTRY_NEXT)
  }
  return false
}

/** The code of a text that JSON writes as it stands: known, or new. */
function readCoded(target: usize, start: usize, end: usize, row: i32): bool {
  let hash: u32 = 0x811c9dc5
  for (let at = start; at < end; at += 1) {
    const byte: u32 = load<u8>(at)
    if (byte == 0x7f || load<u8>(STRING_STOPS + byte) != 0) return false
    hash = (hash ^ byte) * 0x01000193
  }
  const length = <u32>(end - start)
  const bytes = <usize>load<u32>(target + BYTES)
  const ends = <usize>load<u32>(target + ENDS)
  const slots = <usize>load<u32>(target + BUCKETS)
  let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  for (let probe = 0; probe < MOST_PROBES; probe += 1) {
    const place = slots + ((<usize>slot) << 1)
    const known: u32 = load<u16>(place)
    if (known == 0) {
      const count = load<u32>(target + TEXTS)
      const from = load<u32>(ends + ((<usize>(count - 1)) << 2))
      if (count >= load<u32>(target + MOST_TEXTS) || from + length > load<u32>(target + CAPACITY))
        return false
      for (let at: u32 = 0; at < length; at += 1) store<u8>(bytes + from + at, load<u8>(start + at))
      store<u32>(ends + ((<usize>count) << 2), from + length)
      store<u32>(target + TEXTS, count + 1)
      store<u16>(place, count)
      store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), count)
      return true
    }
    const from = load<u32>(ends + ((<usize>(known - 1)) << 2))
    if (load<u32>(ends + ((<usize>known) << 2)) - from == length && isSame(start, bytes + from, length)) {
      store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), known)
      return true
    }
    slot = (slot + 1) & (SLOTS - 1)
  }
  return false
}

/** Takes a text for a target and for those that share its field. */
export function take(first: usize, start: usize, end: usize, row: i32): bool {
  for (let target = first; target != 0; target = load<u32>(target + NEXT)) {
    if (start == end && load<u32>(target + FLAGS) & EMPTY_IS_NULL) {
      setNull(target, row)
      continue
    }
    const kind = load<u32>(target)
    let taken = false
    if (kind == INTEGER) taken = readInteger(target, start, end, row)
    else if (kind == DECIMAL) taken = readDecimal(target, start, end, row)
    else if (kind == TABLE) taken = readKnown(target, start, end, row)
    else if (kind == DATE) taken = readDate(target, start, end, row)
    else if (kind == TEXT) taken = readText(target, start, end, row)
    else if (kind == DICTIONARY) taken = readCoded(target, start, end, row)
    if (!taken) return false
  }
  return true
}

/** Columns that no field fills: their targets one behind the other, then 0. */
export function fill(list: usize, row: i32): void {
  for (let at = list; load<u32>(at) != 0; at += 4) setNull(load<u32>(at), row)
}

/** Takes null for a target and for those that share its key. */
export function takeNull(first: usize, row: i32): bool {
  for (let target = first; target != 0; target = load<u32>(target + NEXT)) {
    if (!(load<u32>(target + FLAGS) & TAKES_NULL)) return false
    setNull(target, row)
  }
  return true
}

export function takeBoolean(first: usize, value: i32, start: usize, row: i32): bool {
  for (let target = first; target != 0; target = load<u32>(target + NEXT)) {
    if (load<u32>(target) == DICTIONARY) {
      if (!readCoded(target, start, start + (value == 1 ? 4 : 5), row)) return false
      continue
    }
    if (!(load<u32>(target + FLAGS) & TAKES_BOOLEAN)) return false
    store<i32>(<usize>load<u32>(target + NUMBERS) + ((<usize>row) << 2), value)
    setPresent(target, row, 1)
  }
  return true
}

/** Is a number of JSON in the form in which JavaScript writes it? Without zeros at the end, and not as small as to have an exponent. */
function isShortest(start: usize, end: usize, points: i32): bool {
  if (points == 0) return true
  if (load<u8>(end - 1) == 0x30) return false
  const first = load<u8>(start) == 0x2d ? start + 1 : start
  if (end - first < 5 || load<u8>(first) != 0x30) return true
  return load<u8>(first + 2) != 0x30 || load<u8>(first + 3) != 0x30 || load<u8>(first + 4) != 0x30
}

/**
 * Takes a number of JSON for a target and for those that share its key.
 *
 * @param first - the target
 * @param start - where its text begins
 * @param end - where it ends
 * @param digits - its digits as one number, at most 15
 * @param places - how many of them stand behind the point
 * @param row - number of its row
 * @returns whether all of them took it
 */
export function takeNumber(first: usize, start: usize, end: usize, digits: i64, places: i32, row: i32): bool {
  const negative = load<u8>(start) == 0x2d
  for (let target = first; target != 0; target = load<u32>(target + NEXT)) {
    const flags = load<u32>(target + FLAGS)
    const kind = load<u32>(target)
    let taken = false
    if (flags & TAKES_NUMBER) {
      if (kind == INTEGER) taken = places == 0 && putNumber(target, row, negative ? -digits : digits)
      else if (kind == DECIMAL) taken = putDecimal(target, row, digits, places, negative)
      else if (kind == TABLE) taken = readKnown(target, start, end, row)
      else if (kind == DICTIONARY) {
        // JavaScript writes -0 as 0.
        const isMinusZero = negative && load<u8>(start + 1) == 0x30
        taken = !isMinusZero && isShortest(start, end, places) && readCoded(target, start, end, row)
      }
    } else if (flags & TAKES_CODE) {
      const isMinusZero = negative && load<u8>(start + 1) == 0x30
      if (places == 0 && !isMinusZero && kind == TABLE) taken = readKnown(target, start, end, row)
    }
    if (!taken) return false
  }
  return true
}
