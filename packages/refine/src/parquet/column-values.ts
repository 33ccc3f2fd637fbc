import {
  type ColumnMetaData,
  type FileMetaData,
  type ParquetParsers,
  parquetRead,
  type RowGroup,
  type SchemaElement,
} from 'hyparquet'
import { pagesHold } from './check-pages.js'

/** One column of one row group, and how its bytes are had. */
export interface ColumnToRead {
  readonly metadata: FileMetaData
  readonly group: RowGroup
  readonly column: SchemaElement
  readonly chunk: ColumnMetaData
  /** Gives exactly these bytes of the file, in a buffer of their own. */
  readonly read: (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>
  /** Undoes the packing of a page; what it throws is thrown on. */
  readonly unpack: (packed: Uint8Array, length: number) => Uint8Array<ArrayBuffer>
  readonly parsers: Partial<ParquetParsers>
  /** Most bytes that texts may be put together of. */
  readonly most: number
}

/**
 * Reads the values of one column in one row group. Its pages are looked at before hyparquet sees them, and what was unpacked for that is what
 * hyparquet gets: no byte is read or unpacked twice, and no more than one column is held unpacked.
 *
 * @param options - the column
 * @returns its values, as many as its pages have; undefined for pages that say of themselves what cannot be
 * @throws whatever reading, unpacking and hyparquet throw for what is damaged
 */
export async function columnValues(options: ColumnToRead): Promise<readonly unknown[] | undefined> {
  const { metadata, group, column, chunk, parsers, most } = options
  const rows = Number(group.num_rows)
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset)
  const end = start + Number(chunk.total_compressed_size)
  const bytes = await options.read(start, end)
  /** Unpacked pages, by where they stand packed in the chunk. */
  const opened = new Map<number, Uint8Array<ArrayBuffer>>()
  const holds = pagesHold({
    bytes,
    type: chunk.type,
    typeLength: column.type_length ?? 0,
    optional: column.repetition_type !== 'REQUIRED',
    rows,
    open: (packed, length) => {
      if (chunk.codec === 'UNCOMPRESSED' && packed.length === length) return packed
      const page = options.unpack(packed, length)
      opened.set(packed.byteOffset, page)
      return page
    },
    most,
  })
  if (!holds) return undefined
  const [root = column] = metadata.schema
  const values: unknown[] = []
  await parquetRead({
    file: {
      byteLength: end,
      slice(from, to) {
        // Its pages are known by their places in these bytes.
        if (from !== start || to !== end) throw new RangeError('another part than the column')
        return bytes.buffer
      },
    },
    // This column alone: hyparquet walks over all that it is told of, for each column anew.
    metadata: {
      ...metadata,
      schema: [{ ...root, num_children: 1 }, column],
      num_rows: group.num_rows,
      row_groups: [{ ...group, columns: group.columns.filter(({ meta_data }) => meta_data === chunk) }],
    },
    columns: [column.name],
    compressors: {
      [chunk.codec]: (packed: Uint8Array, length: number) => {
        const page = opened.get(packed.byteOffset)
        opened.delete(packed.byteOffset)
        // Dictionaries were not looked into.
        return page ?? options.unpack(packed, length)
      },
    },
    parsers,
    utf8: true,
    // Page by page, in order; a list of all of them would be another copy.
    onChunk: ({ columnData }) => {
      for (let at = 0; at < columnData.length; at += 1) values.push(columnData[at])
    },
  })
  return values
}
