import type { ParquetType } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { readVarInt } from 'hyparquet/src/thrift.js'

/** Bytes and how far they are read, as hyparquet has them. */
interface Reader {
  readonly view: DataView<ArrayBuffer>
  offset: number
}

/** The bytes of one column in one row group, and what the footer says of them. */
export interface ColumnChunk {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: ParquetType
  /** Bytes of one value of a fixed length. */
  readonly typeLength: number
  /** Whether values can be missing. */
  readonly optional: boolean
  /** Rows of the row group. */
  readonly rows: number
  /** Gives a page's bytes; what it throws is thrown on. */
  readonly open: (packed: Uint8Array<ArrayBuffer>, length: number) => Uint8Array<ArrayBuffer>
  /** Most bytes that texts may be put together of. */
  readonly most: number
}

/** Widths of dictionary indexes are numbers of bits of an `int32`. */
const widest = 32
/** The last run of packed bits may go on past the page's values: writers fill up groups of eight, and some fill many. */
const filling = 512
/** Values of a block of deltas, far above what writers use. */
const largestBlock = 2 ** 20

/**
 * Whether what a column's pages say of themselves can be true: numbers of values within the rows, runs within the values, deltas
 * within a block. hyparquet believes all of it, and what lies makes it grow lists until the process ends, or count for years.
 *
 * @param chunk - what hyparquet would read
 * @returns false for what must not be given to hyparquet
 * @throws RangeError for headers and runs that end early: damaged as well
 */
export function pagesHold(chunk: ColumnChunk): boolean {
  const { bytes } = chunk
  const reader = readerOf(bytes)
  let left = chunk.rows
  while (left > 0 && reader.offset < bytes.length - 1) {
    const header = parquetHeader(reader)
    const { type, compressed_page_size: packed, uncompressed_page_size: length } = header
    if (!within(packed, bytes.length - reader.offset) || !within(length, Number.MAX_SAFE_INTEGER))
      return false
    const page = bytes.subarray(reader.offset, reader.offset + packed)
    reader.offset += packed
    if (type === 'DICTIONARY_PAGE') continue
    const { data_page_header: first, data_page_header_v2: second } = header
    const count = (type === 'DATA_PAGE' ? first : type === 'DATA_PAGE_V2' ? second : undefined)?.num_values
    if (!within(count, left)) return false
    left -= count
    if (type === 'DATA_PAGE' && first !== undefined) {
      const inside = readerOf(chunk.open(page, length))
      const present = chunk.optional ? prefixedRuns(inside, 1, count) : count
      if (present === null || !valuesHold(inside, first.encoding, present, chunk, 1)) return false
    } else if (second !== undefined) {
      const { repetition_levels_byte_length: repeated, definition_levels_byte_length: defined } = second
      const levelled = within(repeated, packed) && within(defined, packed - repeated)
      if (!levelled || !within(second.num_nulls, count) || second.num_rows !== count) return false
      const levels = readerOf(page)
      levels.offset = repeated
      if (chunk.optional && runs(levels, 1, count) === null) return false
      // hyparquet goes on where the levels end, and where there are none, behind the repetition levels.
      const rest = page.subarray(chunk.optional ? repeated + defined : repeated)
      const values = second.is_compressed === false ? rest : chunk.open(rest, length - defined - repeated)
      if (!valuesHold(readerOf(values), second.encoding, count - second.num_nulls, chunk, 2)) return false
    }
  }
  return true
}

function readerOf(bytes: Uint8Array<ArrayBuffer>): Reader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
}

function within(value: number | undefined, most: number): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 && value <= most
}

function valuesHold(
  reader: Reader,
  encoding: string | undefined,
  count: number,
  { type, typeLength, most }: ColumnChunk,
  version: 1 | 2,
): boolean {
  switch (encoding) {
    case 'RLE':
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      const flags = version === 1 ? type === 'BOOLEAN' : encoding === 'RLE'
      if (flags) return prefixedRuns(reader, 1, count) !== null
      const width = reader.view.getUint8(reader.offset)
      reader.offset += 1
      if (width > widest) return false
      return (width === 0 && version === 1) || runs(reader, width, count) !== null
    }
    case 'BYTE_STREAM_SPLIT': {
      const wide = type === 'FIXED_LEN_BYTE_ARRAY' ? typeLength : 4
      return wide > 0 && count * wide <= reader.view.byteLength - reader.offset
    }
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY':
      return blockHolds(reader)
    case 'DELTA_BYTE_ARRAY':
      return prefixesHold(reader, count, most)
    default:
      // Plain values are read one after the other, and a page that ends early throws; others hyparquet does not know, and says so.
      return true
  }
}

/** Runs behind their length in four bytes; as {@link runs}. */
function prefixedRuns(reader: Reader, width: number, count: number): number | null {
  const length = reader.view.getUint32(reader.offset, true)
  reader.offset += 4
  const start = reader.offset
  const ones = runs(reader, width, count)
  reader.offset = start + length
  return ones
}

/**
 * Walks over runs of one value and runs of packed bits as hyparquet does.
 *
 * @returns how many of the first `count` values are 1, for levels; null for runs that hold more than there are
 */
function runs(reader: Reader, width: number, count: number): number | null {
  const { view } = reader
  let [seen, ones] = [0, 0]
  while (seen < count) {
    const header = readVarInt(reader)
    if ((header & 1) === 0) {
      const length = header >>> 1
      if (length > count - seen) return null
      let value = 0
      for (let byte = 0; byte < (width + 7) >> 3; byte += 1) {
        value |= view.getUint8(reader.offset) << (byte << 3)
        reader.offset += 1
      }
      if (value === 1) ones += length
      seen += length
      continue
    }
    // hyparquet's own arithmetic, in 32 bits with a sign.
    const packed = (header >> 1) << 3
    if (packed <= 0 || packed > count - seen + filling) return null
    const bytes = Math.max(1, Math.ceil((packed * width) / 8))
    if (width > 0 && reader.offset + bytes > view.byteLength) return null
    if (width === 1) {
      for (let bit = 0; bit < Math.min(packed, count - seen); bit += 1) {
        ones += (view.getUint8(reader.offset + (bit >> 3)) >> (bit & 7)) & 1
      }
    }
    if (reader.offset < view.byteLength) reader.offset += bytes
    seen = Math.min(count, seen + packed)
  }
  return ones
}

/** The head of a list of deltas; what follows is read value by value, and throws where the page ends. */
function blockHolds(reader: Reader): boolean {
  const start = reader.offset
  const block = readVarInt(reader)
  const parts = readVarInt(reader)
  reader.offset = start
  return block > 0 && block <= largestBlock && parts > 0 && block % parts === 0
}

/** Texts that begin as the one before: each can be longer than the last, so that a short page would fill any memory. */
function prefixesHold(reader: Reader, count: number, most: number): boolean {
  if (!blockHolds(reader)) return false
  const prefixes = new Int32Array(count)
  deltaBinaryUnpack(reader, count, prefixes)
  if (!blockHolds(reader)) return false
  const suffixes = new Int32Array(count)
  deltaBinaryUnpack(reader, count, suffixes)
  let [before, sum] = [0, 0]
  for (const [index, suffix] of suffixes.entries()) {
    const prefix = prefixes[index] ?? 0
    if (prefix < 0 || suffix < 0 || prefix > before) return false
    before = prefix + suffix
    sum += before
    if (sum > most) return false
  }
  return true
}
