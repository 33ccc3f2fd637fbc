/**
 * Reading Parquet with the `hyparquet` package (an optional peer, pure JavaScript): flat tables, stored or packed by Snappy, gzip, Zstandard or LZ4.
 *
 * @module
 */
import { type FileMetaData, parquetMetadataAsync, type SchemaElement } from 'hyparquet'
import type { JsonValue } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import type { RandomAccess } from '../source/byte-source.js'
import type { TableReader } from '../source/table-reader.js'
import { columnParsers, withOlderName } from './column-parsers.js'
import { columnValues } from './column-values.js'
import { pageUnpackers, type UnpackPage } from './unpack-page.js'

const footerBytes = 16 * 1024 * 1024

function invalid(place: string, message: string): RefineError {
  return new RefineError('PARQUET_INVALID', place, message)
}

function flatColumns(metadata: FileMetaData): readonly SchemaElement[] {
  const [root, ...told] = metadata.schema
  const columns = told.map(withOlderName)
  if (root === undefined || columns.length !== root.num_children || columns.length === 0) {
    throw invalid('schema', 'The file is not a flat table; unnest it first')
  }
  for (const [index, column] of columns.entries()) {
    if (column.num_children !== undefined || column.repetition_type === 'REPEATED') {
      throw invalid(`column ${index + 1}`, 'A column is nested; unnest it first')
    }
    const { scale = 0 } = column
    const { logical_type: logical } = column
    if (logical?.type === 'DECIMAL' && logical.scale !== scale)
      throw invalid(`column ${index + 1}`, 'A decimal says two numbers of places')
    if (!Number.isSafeInteger(scale) || scale < 0 || scale > 17)
      throw invalid(`column ${index + 1}`, 'A decimal has more than 17 places')
  }
  if (new Set(columns.map(({ name }) => name)).size !== columns.length)
    throw invalid('schema', 'Two columns have one name')
  return columns
}

/**
 * Refuses row groups that are not made of the schema's columns, each once and in order. hyparquet begins to read the columns in front
 * of one that it does not know, and nobody waits for those reads: one that fails would end the process.
 */
function checkRowGroups(metadata: FileMetaData, columns: readonly SchemaElement[]): void {
  for (const [index, { columns: chunks }] of metadata.row_groups.entries()) {
    const same =
      chunks.length === columns.length &&
      chunks.every(({ meta_data: chunk, file_path: elsewhere }, at) => {
        const path = chunk?.path_in_schema
        return (
          elsewhere === undefined &&
          Array.isArray(path) &&
          path.length === 1 &&
          path[0] === columns[at]?.name &&
          chunk?.type === columns[at]?.type
        )
      })
    if (!same) throw invalid(`row group ${index + 1}`, 'A row group has other columns than the file')
  }
}

function cellOf(column: SchemaElement, value: unknown, place: string): JsonValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value)
  }
  if (typeof value === 'number') {
    const decimal = column.converted_type === 'DECIMAL' || column.logical_type?.type === 'DECIMAL'
    if (!decimal) {
      if (!Number.isFinite(value)) throw invalid(place, 'A number is not finite')
      return value
    }
    const scale = column.scale ?? 0
    // hyparquet gives decimals as doubles: exact again after rounding, as long as all digits fit.
    if (Math.abs(value) * 10 ** scale >= 1e15) throw invalid(place, 'A decimal has more than 15 digits')
    return value.toFixed(scale)
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  throw invalid(place, 'A column holds bytes or lists; convert it first')
}

/**
 * The reader of Parquet over `hyparquet`, one row group after the other. Integers past 2^53 and decimals come as text, days and
 * instants in their one form; a time that is not said to be of UTC has no zone behind it (`2024-02-29T12:00:00`), as CSV would have it.
 *
 * @param access - the file
 * @param limits - `records`, `columns`, `expandedBytes`
 * @returns rows
 * @throws RefineError with `PARQUET_INVALID`, `ENCODING_INVALID` (a text that is none), for a column of JSON what is wrong with a document, or
 *   `LIMIT_EXCEEDED`
 */
export const hyparquetReader: TableReader = async function* (access, limits) {
  let metadata: FileMetaData
  try {
    const tail = await readExactly(access, access.size - 8, access.size)
    const footer = new DataView(tail.buffer, tail.byteOffset, 8).getUint32(0, true)
    if (footer > Math.min(footerBytes, access.size)) throw invalid('footer', 'The footer is too long')
    metadata = await parquetMetadataAsync({
      byteLength: access.size,
      slice: async (start, end = access.size) => (await readExactly(access, start, end)).buffer,
    })
  } catch (error) {
    if (error instanceof RefineError) throw error
    throw invalid('footer', 'The export is not a Parquet file, or damaged, or encrypted')
  }
  const columns = flatColumns(metadata)
  if (columns.length > limits.columns) {
    throw new RefineError('LIMIT_EXCEEDED', 'schema', `The export has more than ${limits.columns} columns`)
  }
  checkRowGroups(metadata, columns)
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
  const expanded = metadata.row_groups.reduce((sum, group) => sum + Number(group.total_byte_size), 0)
  if (rows > limits.records || rows !== Number(metadata.num_rows)) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'footer',
      `The export has more than ${limits.records} rows, or counts them wrong`,
    )
  }
  if (expanded > limits.expandedBytes) {
    throw new RefineError('LIMIT_EXCEEDED', 'footer', 'The export expands to more than the limits allow')
  }
  const unpackers = await pageUnpackers(
    new Set(
      metadata.row_groups.flatMap(({ columns: chunks }) => chunks.map((each) => `${each.meta_data?.codec}`)),
    ),
  ).catch(() => {
    throw invalid('page', 'Pages packed by Zstandard cannot be opened here, where WebAssembly does not run')
  })
  let opened = 0
  const unpackerOf = (codec: string): UnpackPage => {
    const unpack = Object.entries(unpackers).find(([name]) => name === codec)?.[1]
    return (packed, length) => {
      if (unpack === undefined)
        throw invalid(
          'page',
          'A page is damaged, or packed by a method other than Snappy, gzip, Zstandard or LZ4',
        )
      opened += length
      if (opened > limits.expandedBytes)
        throw new RefineError('LIMIT_EXCEEDED', 'page', 'The export expands to more than the limits allow')
      return unpack(packed, length)
    }
  }
  let rowStart = 0
  for (const [index, group] of metadata.row_groups.entries()) {
    const count = Number(group.num_rows)
    const values: (readonly unknown[])[] = []
    try {
      for (const [at, { meta_data: chunk }] of group.columns.entries()) {
        const column = columns[at]
        const found =
          chunk === undefined || column === undefined
            ? undefined
            : await columnValues({
                metadata,
                group,
                column,
                chunk,
                read: (start, end) => readExactly(access, start, end),
                unpack: unpackerOf(chunk.codec),
                parsers: columnParsers(column, { place: `row group ${index + 1}, column ${at + 1}`, limits }),
                most: limits.expandedBytes,
              })
        if (found === undefined)
          throw invalid(`row group ${index + 1}`, 'A page of a row group says of itself what cannot be')
        values.push(found)
      }
    } catch (error) {
      if (error instanceof RefineError) throw error
      throw invalid(`row group ${index + 1}`, 'A row group is damaged')
    }
    if (values.some(({ length }) => length !== count))
      throw invalid(`row group ${index + 1}`, 'A row group lacks rows')
    for (let row = 0; row < count; row += 1) {
      yield Object.fromEntries(
        columns.map((column, at) => [
          column.name,
          cellOf(column, values[at]?.[row], `row ${rowStart + row + 1}`),
        ]),
      )
    }
    rowStart += count
  }
}

async function readExactly(
  access: RandomAccess,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!(start >= 0) || end < start || end > access.size)
    throw invalid('file', 'The file points out of itself')
  // A copy: the readers take the buffer as a whole.
  return Uint8Array.from(await access.read(start, end - start))
}
