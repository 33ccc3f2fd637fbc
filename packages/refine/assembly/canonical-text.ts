// Canonical texts of rows (RFC 8785), as src/columnar/canonical-rows.ts writes them.
import { BYTES, DECIMALS, ENDS, NUMBERS, PRESENT, textEnd } from './layout'

// A part of a row's canonical text: bytes, then a column's cell.
const PART: usize = 16
const PART_HEAD: usize = 0
const PART_LENGTH: usize = 4
const PART_TARGET: usize = 8
const PART_TYPE: usize = 12

const WRITES_INTEGER: u32 = 1
const WRITES_DECIMAL: u32 = 2
const WRITES_DATE: u32 = 3
const WRITES_BOOLEAN: u32 = 4

/** Digits, at least so many; where they end. */
function putDigits(into: usize, value: u64, least: i32): usize {
  let count = 1
  for (let rest = value; rest >= 10; ) {
    rest = rest > 0xffffffff ? rest / 10 : <u64>(<u32>rest / 10)
    count += 1
  }
  if (count < least) count = least
  let rest = value
  for (let at = into + <usize>count; at > into; ) {
    at -= 1
    const next: u64 = rest > 0xffffffff ? rest / 10 : <u64>(<u32>rest / 10)
    store<u8>(at, 0x30 + <u32>(rest - 10 * next))
    rest = next
  }
  return into + <usize>count
}

function putSigned(into: usize, value: i64, least: i32): usize {
  if (value >= 0) return putDigits(into, value, least)
  store<u8>(into, 0x2d)
  return putDigits(into + 1, <u64>-value, least)
}

function putDecimal(into: usize, value: i64, decimals: i32): usize {
  store<u8>(into, 0x22)
  let at = putSigned(into + 1, value, decimals + 1)
  if (decimals > 0) {
    // The places move by one for the point.
    for (let place = 0; place < decimals; place += 1)
      store<u8>(at - <usize>place, load<u8>(at - <usize>place - 1))
    store<u8>(at - <usize>decimals, 0x2e)
    at += 1
  }
  store<u8>(at, 0x22)
  return at + 1
}

/** Day of the Gregorian calendar, for years from 1 to 9999: the way back from `daysFromCivil`. */
function putDate(into: usize, days: i32): usize {
  const shifted = days + 719468
  const cycle = shifted / 146097
  const inCycle = shifted - 146097 * cycle
  const yearOfCycle = (inCycle - inCycle / 1460 + inCycle / 36524 - inCycle / 146096) / 365
  const dayOfYear = inCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
  const fromMarch = (5 * dayOfYear + 2) / 153
  const day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const year = 400 * cycle + yearOfCycle + (month <= 2 ? 1 : 0)
  store<u8>(into, 0x22)
  putDigits(into + 1, year, 4)
  store<u8>(into + 5, 0x2d)
  putDigits(into + 6, month, 2)
  store<u8>(into + 8, 0x2d)
  putDigits(into + 9, day, 2)
  store<u8>(into + 11, 0x22)
  return into + 12
}

/** A text between quotes; where it ends, or 0 where JSON escapes something of it. */
function putQuoted(into: usize, target: usize, row: i32): usize {
  const from = textEnd(target, row)
  const end = load<u32>(<usize>load<u32>(target + ENDS) + ((<usize>row) << 2))
  const bytes = <usize>load<u32>(target + BYTES)
  store<u8>(into, 0x22)
  let at = into + 1
  for (let place = from; place < end; place += 1) {
    const byte: u32 = load<u8>(bytes + place)
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c) return 0
    store<u8>(at, byte)
    at += 1
  }
  store<u8>(at, 0x22)
  return at + 1
}

/**
 * Writes a row's canonical text.
 *
 * @param row - number of the row
 * @param parts - what it consists of
 * @param count - how many parts there are
 * @param into - where it goes
 * @returns where it ends, or 0 where a text of it is escaped
 */
export function canonical(row: i32, parts: usize, count: i32, into: usize): usize {
  let at = into
  for (let index = 0; index < count; index += 1) {
    const part = parts + <usize>index * PART
    const head = <usize>load<u32>(part + PART_HEAD)
    const length = <usize>load<u32>(part + PART_LENGTH)
    for (let place: usize = 0; place < length; place += 8) store<u64>(at + place, load<u64>(head + place))
    at += length
    const target = <usize>load<u32>(part + PART_TARGET)
    if (target == 0) continue
    if (load<u8>(<usize>load<u32>(target + PRESENT) + <usize>row) == 0) {
      // `null`
      store<u32>(at, 0x6c6c756e)
      at += 4
      continue
    }
    const numbers = <usize>load<u32>(target + NUMBERS)
    const type = load<u32>(part + PART_TYPE)
    if (type == WRITES_INTEGER) at = putSigned(at, load<i64>(numbers + ((<usize>row) << 3)), 1)
    else if (type == WRITES_DECIMAL)
      at = putDecimal(at, load<i64>(numbers + ((<usize>row) << 3)), load<i32>(target + DECIMALS))
    else if (type == WRITES_DATE) at = putDate(at, load<i32>(numbers + ((<usize>row) << 2)))
    else if (type == WRITES_BOOLEAN) {
      const isTrue = load<i32>(numbers + ((<usize>row) << 2)) != 0
      // `true`, or `false`
      store<u32>(at, isTrue ? 0x65757274 : 0x736c6166)
      if (!isTrue) store<u8>(at + 4, 0x65)
      at += isTrue ? 4 : 5
    } else {
      at = putQuoted(at, target, row)
      if (at == 0) return 0
    }
  }
  store<u8>(at, 0x7d)
  return at + 1
}
