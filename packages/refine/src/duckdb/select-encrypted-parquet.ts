import { randomBytes } from 'node:crypto'
import type { Digest } from '@sealpool/crypto'
import { parquetContributors, selectParquet } from '../output/parquet/select-parquet.js'
import type { NamedTable } from '../schema/table-schema.js'
import { withParquetFile } from './parquet-file.js'
import { writeWhole } from './write-whole.js'

/**
 * Reads which contributors have rows in a file of {@link writeEncryptedParquet}; no other column is opened.
 *
 * @param options - `from`: path of the file; `columns`: how many it has, `contributor` included; `key`: 32 bytes, not kept
 * @returns the contributors' numbers, each once
 * @throws RefineError with `ARGUMENT_INVALID` (key, columns), `PARQUET_READ_FAILED` when the file is absent, damaged, of another key
 *   or not written by this package. What is damaged elsewhere than in this column {@link selectEncryptedParquet} finds
 * @example
 * ```ts no-run
 * const numbers = await contributorsOfParquet({ from: '/state/1-workers.parquet', columns: 3, key })
 * ```
 */
export function contributorsOfParquet(options: {
  readonly from: string
  readonly columns: number
  readonly key: Uint8Array
}): Promise<ReadonlySet<number>> {
  const { from, ...rest } = options
  return withParquetFile(from, (source) => parquetContributors({ source, ...rest }))
}

/**
 * Writes a copy of a file of {@link writeEncryptedParquet} with the rows of some contributors alone, under another key, as for
 * somebody who may read these rows and no others. No plaintext reaches the disk, and one row group at a time is in memory.
 *
 * @param options - `from`: path of the file; `table`: the table whose file it is; `fromKey`, `toKey`: 32 bytes each, not kept;
 *   `to`: where the copy goes, its directory must exist; `takes`: whether the rows of a contributor, by number, are copied, asked
 *   for every row; `random`: CSPRNG, default the platform's
 * @returns size and SHA-256 of the copy, which may have no rows
 * @throws RefineError with `ARGUMENT_INVALID` (keys), `PARQUET_READ_FAILED` when the file is absent, damaged, cut, of another key, of
 *   another table or not written by this package, `PARQUET_WRITE_FAILED`; a RefineError that `takes` throws as it is
 * @example
 * ```ts no-run
 * const takes = (contributor: number) => contributor % 3 === 0
 * await selectEncryptedParquet({ from: '/state/1-workers.parquet', table, fromKey, to: '/out/1.parquet', toKey, takes })
 * ```
 */
export function selectEncryptedParquet(options: {
  readonly from: string
  readonly table: NamedTable
  readonly fromKey: Uint8Array
  readonly to: string
  readonly toKey: Uint8Array
  readonly takes: (contributor: number) => boolean
  readonly random?: (length: number) => Uint8Array
}): Promise<{ readonly bytes: number; readonly digest: Digest }> {
  const { from, to, random = (length) => randomBytes(length), ...rest } = options
  return withParquetFile(from, (source) => writeWhole(to, selectParquet({ source, random, ...rest })))
}
