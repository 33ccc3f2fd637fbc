import { randomBytes } from 'node:crypto'
import type { Digest } from '@sealpool/crypto'
import { RefineError } from '../errors.js'
import { createEncryptedParquet } from '../output/parquet/encrypted-parquet.js'
import type { NamedTable, Row } from '../schema/table-schema.js'
import { nodeSeal } from './node-seal.js'
import { writeWhole } from './write-whole.js'

/** A file that was written whole. */
export interface WrittenParquet {
  readonly path: string
  /** Size of the file in bytes. */
  readonly bytes: number
  readonly rows: number
  /** SHA-256 of the file. Nonces are fresh, so two files of the same rows differ; rows have `contentDigest`. */
  readonly digest: Digest
}

/** A row group ends at this many characters of text, however few rows they are, so that memory stays bounded. */
const rowGroupCharacters = 16 * 1024 * 1024

function charactersOf(row: Row): number {
  let characters = 0
  for (const value of Object.values(row)) if (typeof value === 'string') characters += value.length
  return characters
}

/**
 * Writes rows as a Parquet file under Parquet Modular Encryption (AES-256-GCM, encrypted footer), which DuckDB opens with
 * `PRAGMA add_parquet_key('k', '<key in base64>')` and `read_parquet(path, encryption_config = {footer_key: 'k'})`.
 *
 * The bytes are made in this process and encrypted before they reach the disk; no plaintext file exists at any time. DuckDB
 * does not write them: its build without the httpfs extension has no CSPRNG for nonces and writes no AAD.
 * The file grows under a temporary name in the same directory, is fsynced and renamed: under `path` stands the whole file,
 * what stood there before, or nothing. Memory holds one row group.
 *
 * @param options - `table`: name and columns; `rows`: rows as `refineBatch` returns them, also as a (async) generator;
 *   `key`: 32 bytes, not kept: the copy that is worked with is overwritten at the end; `path`: where the file goes, its directory must
 *   exist; `rowGroupRows`: rows per row group, default 100,000 (fewer when they hold more than 16 Mi characters of text); `random`: CSPRNG, default the platform's
 * @returns size, row count and digest
 * @throws RefineError with `ARGUMENT_INVALID`, `VALUE_TYPE`, `VALUE_MISSING`, `LIMIT_EXCEEDED` or `PARQUET_WRITE_FAILED`
 *
 * @example
 * ```ts no-run
 * const table = tableOf(refiner.schema, 'workers')
 * await writeEncryptedParquet({ table, rows: batch.tables.workers ?? [], key, path: '/state/pay/workers.parquet' })
 * ```
 */
export async function writeEncryptedParquet(options: {
  readonly table: NamedTable
  readonly rows: Iterable<Row> | AsyncIterable<Row>
  readonly key: Uint8Array
  readonly path: string
  readonly rowGroupRows?: number
  readonly random?: (length: number) => Uint8Array
}): Promise<WrittenParquet> {
  const { table, path, rowGroupRows = 100_000, random = (length) => randomBytes(length) } = options
  if (!Number.isSafeInteger(rowGroupRows) || rowGroupRows < 1 || rowGroupRows > 10_000_000) {
    throw new RefineError('ARGUMENT_INVALID', 'rowGroupRows', 'Row groups hold 1 to 10,000,000 rows')
  }
  // A copy, since the caller may destroy its own at any moment, and no row may be written under zeros. WebCrypto would have one more until
  // it is collected.
  const key = Buffer.from(new ArrayBuffer(options.key.length))
  key.set(options.key)
  const parquet = await createEncryptedParquet({
    table,
    key,
    random,
    seal: nodeSeal(key),
  })
  let count = 0
  async function* parts(): AsyncGenerator<Uint8Array> {
    let group: Row[] = []
    let characters = 0
    for await (const row of options.rows) {
      group.push(row)
      characters += charactersOf(row)
      if (group.length === rowGroupRows || characters >= rowGroupCharacters) {
        yield await parquet.rowGroup(group)
        count += group.length
        group = []
        characters = 0
      }
    }
    if (group.length > 0) yield await parquet.rowGroup(group)
    count += group.length
    yield await parquet.finish()
  }
  const { bytes, digest } = await writeWhole(path, parts()).finally(() => key.fill(0))
  return { path, bytes, rows: count, digest }
}
