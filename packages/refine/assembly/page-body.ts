// Bodies of Parquet pages, as src/columnar/batch-pages.ts makes them.
import { BYTES, ENDS, NUMBERS, PRESENT } from './layout'

const WRITES_INT64: u32 = 1
const WRITES_INT32: u32 = 2
const WRITES_BITS: u32 = 3

/** Definition levels: their length, one bit-packed run of width 1. */
function putLevels(into: usize, present: usize, rows: u32): usize {
  const length = (rows + 7) >> 3
  let at = into + 4
  let header = (length << 1) | 1
  for (; header > 0x7f; header >>>= 7) {
    store<u8>(at, (header & 0x7f) | 0x80)
    at += 1
  }
  store<u8>(at, header)
  at += 1
  store<u32>(into, <u32>(at - into - 4) + length)
  const end = at + <usize>length
  let row: u32 = 0
  // Sixteen at a time: the lowest bit of each byte becomes its highest, which a mask gathers.
  for (; row + 16 <= rows; row += 16) {
    store<u16>(at, i8x16.bitmask(i8x16.shl(v128.load(present + <usize>row), 7)))
    at += 2
  }
  if (row < rows) {
    const rest = i8x16.bitmask(i8x16.shl(v128.load(present + <usize>row), 7))
    store<u16>(at, rest & ((1 << (rows - row)) - 1))
  }
  return end
}

/** Each value is written, and overwritten by the next one where it is none. */
function putInt64s(into: usize, numbers: usize, present: usize, rows: u32): usize {
  let at = into
  for (let row: usize = 0; row < <usize>rows; row += 1) {
    store<i64>(at, load<i64>(numbers + (row << 3)))
    at += (<usize>load<u8>(present + row)) << 3
  }
  return at
}

function putInt32s(into: usize, numbers: usize, present: usize, rows: u32): usize {
  let at = into
  for (let row: usize = 0; row < <usize>rows; row += 1) {
    store<i32>(at, load<i32>(numbers + (row << 2)))
    at += (<usize>load<u8>(present + row)) << 2
  }
  return at
}

function putBits(into: usize, numbers: usize, present: usize, rows: u32): usize {
  let at = into
  let byte: u32 = 0
  let count: u32 = 0
  for (let row: usize = 0; row < <usize>rows; row += 1) {
    if (load<u8>(present + row) == 0) continue
    byte |= load<u32>(numbers + (row << 2)) << count
    count += 1
    if (count < 8) continue
    store<u8>(at, byte)
    at += 1
    byte = 0
    count = 0
  }
  if (count == 0) return at
  store<u8>(at, byte)
  return at + 1
}

function putTexts(into: usize, target: usize, present: usize, rows: u32): usize {
  const ends = <usize>load<u32>(target + ENDS)
  const bytes = <usize>load<u32>(target + BYTES)
  let at = into
  let from: u32 = 0
  for (let row: usize = 0; row < <usize>rows; row += 1) {
    const end = load<u32>(ends + (row << 2))
    if (load<u8>(present + row) != 0) {
      const length = <usize>(end - from)
      store<u32>(at, length)
      at += 4
      const start = bytes + <usize>from
      // Eight at a time: what is written behind the text is overwritten by the next one.
      for (let place: usize = 0; place < length; place += 8) store<u64>(at + place, load<u64>(start + place))
      at += length
    }
    from = end
  }
  return at
}

/**
 * Writes the body of a page.
 *
 * @param target - the column's target
 * @param writing - how its values are held
 * @param nullable - 1 where it has definition levels
 * @param rows - how many rows it has
 * @param into - where it goes; eight bytes behind its end are written as well
 * @returns where it ends
 */
export function page(target: usize, writing: u32, nullable: i32, rows: u32, into: usize): usize {
  const present = <usize>load<u32>(target + PRESENT)
  const numbers = <usize>load<u32>(target + NUMBERS)
  const at = nullable != 0 ? putLevels(into, present, rows) : into
  if (writing == WRITES_INT64) return putInt64s(at, numbers, present, rows)
  if (writing == WRITES_INT32) return putInt32s(at, numbers, present, rows)
  if (writing == WRITES_BITS) return putBits(at, numbers, present, rows)
  return putTexts(at, target, present, rows)
}
