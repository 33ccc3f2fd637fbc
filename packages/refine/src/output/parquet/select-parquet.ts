/**
 * Writes an encrypted Parquet file with the rows of some contributors of another one, under another key: one row group is in memory
 * at a time, and no value but the contributors' numbers is read.
 */
import type { NamedTable } from '../../schema/table-schema.js'
import { createEncryptedParquet, parquetColumns } from './encrypted-parquet.js'
import { fileLayout } from './file-layout.js'
import { damagedParquet, openParquet, type ParquetSource } from './opened-parquet.js'
import { pageWithRows } from './page-rows.js'

/** Contributors' numbers of one page. */
function numbersOf(body: Uint8Array): readonly number[] {
  if (body.length % 8 !== 0) throw damagedParquet()
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  return Array.from({ length: body.length / 8 }, (_, row) => {
    const number = Number(view.getBigInt64(8 * row, true))
    if (!Number.isSafeInteger(number)) throw damagedParquet()
    return number
  })
}

/**
 * Reads who has rows in a file; no other column is opened. A file from which row groups were cut at the end has fewer: only
 * {@link selectParquet} finds that.
 *
 * @param options - `source`: the file; `columns`: how many it has, `contributor` included; `key`: 32 bytes
 * @returns the contributors' numbers, each once
 * @throws RefineError with `ARGUMENT_INVALID`, `PARQUET_READ_FAILED` as {@link openParquet}
 */
export async function parquetContributors(options: {
  readonly source: ParquetSource
  readonly columns: number
  readonly key: Uint8Array
}): Promise<ReadonlySet<number>> {
  const opened = await openParquet(options)
  const found = new Set<number>()
  const wanted = opened.pages(({ type, column }) => type === 'dataPage' && column === 0)
  for await (const { plaintext } of wanted) for (const number of numbersOf(plaintext)) found.add(number)
  return found
}

/**
 * Writes the rows of some contributors.
 *
 * @param options - `source`: the file; `table`: its table; `fromKey`, `toKey`: 32 bytes each; `takes`: whether a contributor's rows
 *   are kept; `random`: CSPRNG for the new AAD identifier and nonces
 * @yields the new file's bytes, in order; its rows stand in the order of the first file
 * @throws RefineError with `ARGUMENT_INVALID` for a key of another length, `PARQUET_READ_FAILED` when the file is damaged, not written
 *   by this package, of another table or of another key; what was given out until then is of no use
 */
export async function* selectParquet(options: {
  readonly source: ParquetSource
  readonly table: NamedTable
  readonly fromKey: Uint8Array
  readonly toKey: Uint8Array
  readonly takes: (contributor: number) => boolean
  readonly random: (length: number) => Uint8Array
}): AsyncGenerator<Uint8Array> {
  const { source, table, fromKey, toKey, takes, random } = options
  const columns = parquetColumns(table)
  const written = await createEncryptedParquet({ table, key: toKey, random })
  const opened = await openParquet({ source, columns: columns.length, key: fromKey })
  const layout = fileLayout(columns)
  let count = 0
  let rows: readonly number[] = []
  let bodies: Uint8Array[] = []
  let lengths: number[] = []
  for await (const { place, plaintext } of opened.pages(({ type }) => type === 'dataPage')) {
    const column = columns[place.column]
    if (column === undefined) throw damagedParquet()
    if (place.column === 0) {
      const numbers = numbersOf(plaintext)
      count = numbers.length
      rows = numbers.flatMap((number, row) => (takes(number) ? [row] : []))
      bodies = []
      lengths = []
    }
    const body = pageWithRows(column, plaintext, count, rows)
    if (body === undefined) throw damagedParquet()
    bodies.push(body)
    lengths.push(plaintext.length)
    if (bodies.length < columns.length) continue
    layout.add(count, lengths)
    // A row group without rows is none.
    if (rows.length > 0) yield* await written.encodedRowGroup(bodies, rows.length)
  }
  // Modules are bound to their places; that none is missing at the end only the footer tells.
  const footer = await opened.footer()
  const expected = layout.footer()
  if (footer.length !== expected.length || footer.some((byte, at) => byte !== expected[at]))
    throw damagedParquet()
  yield await written.finish()
}
