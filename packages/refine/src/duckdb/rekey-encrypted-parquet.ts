import { randomBytes } from 'node:crypto'
import type { Digest } from '@sealpool/crypto'
import { rekeyParquet } from '../output/parquet/rekey-parquet.js'
import { withParquetFile } from './parquet-file.js'
import { writeWhole } from './write-whole.js'

/**
 * Writes a copy of a file of {@link writeEncryptedParquet} under another key, as for somebody who may read this file and no other
 * of that key. No plaintext reaches the disk, and one page at a time is in memory. The copy reads the same; its bytes have nothing
 * in common with the first file's but their lengths.
 *
 * @param options - `from`: path of the file; `columns`: how many it has, `contributor` included; `fromKey`, `toKey`: 32 bytes each,
 *   not kept; `to`: where the copy goes, its directory must exist; `random`: CSPRNG, default the platform's
 * @returns size and SHA-256 of the copy
 * @throws RefineError with `ARGUMENT_INVALID` (keys, columns), `PARQUET_READ_FAILED` when the file is absent, damaged, of another
 *   key, of another number of columns or not written by this package, `PARQUET_WRITE_FAILED`
 * @example
 * ```ts no-run
 * await rekeyEncryptedParquet({ from: '/state/1-workers.parquet', fromKey, columns: 3, to: '/out/1.parquet', toKey })
 * ```
 */
export function rekeyEncryptedParquet(options: {
  readonly from: string
  readonly columns: number
  readonly fromKey: Uint8Array
  readonly to: string
  readonly toKey: Uint8Array
  readonly random?: (length: number) => Uint8Array
}): Promise<{ readonly bytes: number; readonly digest: Digest }> {
  const { from, to, columns, fromKey, toKey, random = (length) => randomBytes(length) } = options
  return withParquetFile(from, (source) =>
    writeWhole(to, rekeyParquet({ source, columns, fromKey, toKey, random })),
  )
}
