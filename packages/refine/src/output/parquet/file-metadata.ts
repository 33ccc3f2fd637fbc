/**
 * Parquet's metadata structures for flat tables in one codec, as Thrift values.
 * Source: parquet.thrift of parquet-format 2.10 (field numbers), LogicalTypes.md.
 */
import { decimalPrecision } from '../../schema/decimal.js'
import type { ParquetColumn } from './plain-column.js'
import {
  binary,
  bool,
  encoded,
  encodeThrift,
  i8,
  i16,
  i32,
  i64,
  list,
  struct,
  type ThriftValue,
} from './thrift-compact.js'

const physical = { boolean: 0, int32: 1, int64: 2, byteArray: 6 } as const
const converted = { utf8: 0, decimal: 5, date: 6, timestampMicros: 10, int64: 18 } as const
const encoding = { plain: 0, rle: 3 } as const
const repetition = { required: 0, optional: 1 } as const
const empty = struct()

function physicalType(column: ParquetColumn): number {
  switch (column.type) {
    case 'boolean':
      return physical.boolean
    case 'date':
      return physical.int32
    case 'text':
    case 'vector':
      return physical.byteArray
    default:
      return physical.int64
  }
}

function schemaElement(column: ParquetColumn): ThriftValue {
  const base = [
    [1, i32(physicalType(column))],
    [3, i32(column.nullable ? repetition.optional : repetition.required)],
    [4, binary(column.name)],
  ] as const
  switch (column.type) {
    case 'boolean':
      return struct(...base)
    case 'text':
    case 'vector':
      return struct(...base, [6, i32(converted.utf8)], [10, struct([1, empty])])
    case 'date':
      return struct(...base, [6, i32(converted.date)], [10, struct([6, empty])])
    case 'timestamp':
      // TimestampType { isAdjustedToUTC: true, unit: MICROS }
      return struct(
        ...base,
        [6, i32(converted.timestampMicros)],
        [10, struct([8, struct([1, bool(true)], [2, struct([2, empty])])])],
      )
    case 'integer':
      return struct(
        ...base,
        [6, i32(converted.int64)],
        [10, struct([10, struct([1, i8(64)], [2, bool(true)])])],
      )
    case 'decimal':
      return struct(
        ...base,
        [6, i32(converted.decimal)],
        [7, i32(column.decimals)],
        [8, i32(decimalPrecision)],
        [10, struct([5, struct([1, i32(column.decimals)], [2, i32(decimalPrecision)])])],
      )
  }
}

/** One column chunk as it was written: a single data page. */
export interface WrittenChunk {
  readonly column: ParquetColumn
  /** Offset of the page's header module in the file. */
  readonly offset: number
  /** Bytes before encryption: header and page. */
  readonly plainLength: number
  /** Bytes in the file: both modules. */
  readonly length: number
}

/** One row group as it was written. */
export interface WrittenRowGroup {
  readonly rows: number
  readonly chunks: readonly WrittenChunk[]
}

/**
 * PageHeader of a version 1 data page.
 *
 * @param page - rows, body length before encryption and the length of its module in the file
 * @returns the PageHeader struct
 */
export function pageHeader(page: { rows: number; plainLength: number; length: number }): ThriftValue {
  return struct(
    [1, i32(0)],
    [2, i32(page.plainLength)],
    [3, i32(page.length)],
    [
      5,
      struct([1, i32(page.rows)], [2, i32(encoding.plain)], [3, i32(encoding.rle)], [4, i32(encoding.rle)]),
    ],
  )
}

/**
 * RowGroup, as bytes: a file has up to 32,768 of them until its footer is written, and as objects they would be the most of its memory.
 *
 * @param group - the row group
 * @param ordinal - its number in the file, from 0
 * @returns the RowGroup struct, encoded
 */
export function rowGroupMetadata(group: WrittenRowGroup, ordinal: number): Uint8Array {
  const chunks = group.chunks.map(({ column, offset, plainLength, length }) =>
    struct(
      [2, i64(0)],
      [
        3,
        struct(
          [1, i32(physicalType(column))],
          [2, list('i32', [i32(encoding.plain), i32(encoding.rle)])],
          [3, list('binary', [binary(column.name)])],
          [4, i32(0)],
          [5, i64(group.rows)],
          [6, i64(plainLength)],
          [7, i64(length)],
          [9, i64(offset)],
        ),
      ],
      // ENCRYPTION_WITH_FOOTER_KEY: one key for the whole file.
      [8, struct([1, empty])],
    ),
  )
  return encodeThrift(
    struct(
      [1, list('struct', chunks)],
      [2, i64(group.chunks.reduce((sum, chunk) => sum + chunk.plainLength, 0))],
      [3, i64(group.rows)],
      [5, i64(group.chunks[0]?.offset ?? 0)],
      [6, i64(group.chunks.reduce((sum, chunk) => sum + chunk.length, 0))],
      [7, i16(ordinal)],
    ),
  )
}

/**
 * FileMetaData, which becomes the encrypted footer.
 *
 * @param columns - the table's columns
 * @param rows - of the whole file
 * @param groups - the row groups in the order of the file, as {@link rowGroupMetadata} gives them
 * @returns the FileMetaData struct
 */
export function fileMetadata(
  columns: readonly ParquetColumn[],
  rows: number,
  groups: readonly Uint8Array[],
): ThriftValue {
  return struct(
    [1, i32(2)],
    [
      2,
      list('struct', [
        struct([4, binary('schema')], [5, i32(columns.length)]),
        ...columns.map((column) => schemaElement(column)),
      ]),
    ],
    [3, i64(rows)],
    [4, list('struct', groups.map(encoded))],
    [6, binary('sealpool refine')],
  )
}

/**
 * FileCryptoMetaData: AES_GCM_V1 with the file's AAD identifier, which readers need before they can open the footer.
 *
 * @param fileUnique - AAD identifier of the file
 * @returns the FileCryptoMetaData struct
 */
export function fileCryptoMetadata(fileUnique: Uint8Array): ThriftValue {
  return struct([1, struct([1, struct([2, binary(fileUnique)])])])
}
