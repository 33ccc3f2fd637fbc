/**
 * Where the modules of a file lie: it follows from its columns, and from the rows and page lengths of each row group, so that a footer
 * is known before it is written, and a file that lacks a part is found by it.
 */
import { moduleOverhead } from './encrypted-module.js'
import { fileMetadata, pageHeader, rowGroupMetadata, type WrittenChunk } from './file-metadata.js'
import type { ParquetColumn } from './plain-column.js'
import { encodeThrift } from './thrift-compact.js'

/** The four bytes at either end of a file with an encrypted footer. */
export const parquetMagic = new TextEncoder().encode('PARE')

/** A file's row groups so far. */
export interface FileLayout {
  /** @returns how many row groups there are */
  count(): number
  /**
   * Adds a row group.
   *
   * @param rows - how many it has
   * @param lengths - bytes of each column's page body, before encryption
   * @returns the headers of its pages, before encryption
   */
  add(rows: number, lengths: readonly number[]): readonly Uint8Array[]
  /** @returns the footer over all of them, before encryption */
  footer(): Uint8Array
}

/**
 * A file without row groups.
 *
 * @param columns - the table's columns
 * @returns its layout
 */
export function fileLayout(columns: readonly ParquetColumn[]): FileLayout {
  const groups: Uint8Array[] = []
  let rowsInAll = 0
  let offset = parquetMagic.length
  return {
    count: () => groups.length,
    add(rows, lengths) {
      const headers = lengths.map((length) =>
        encodeThrift(pageHeader({ rows, plainLength: length, length: length + moduleOverhead })),
      )
      const chunks = columns.map((column, index): WrittenChunk => {
        const plainLength = (headers[index]?.length ?? 0) + (lengths[index] ?? 0)
        const chunk = { column, offset, plainLength, length: plainLength + 2 * moduleOverhead }
        offset += chunk.length
        return chunk
      })
      groups.push(rowGroupMetadata({ rows, chunks }, groups.length))
      rowsInAll += rows
      return headers
    },
    footer: () => encodeThrift(fileMetadata(columns, rowsInAll, groups)),
  }
}
