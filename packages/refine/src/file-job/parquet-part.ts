import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeSeal } from '../duckdb/node-seal.js'
import { createEncryptedParquet, type EncryptedParquet } from '../output/parquet/encrypted-parquet.js'
import type { NamedTable } from '../schema/table-schema.js'
import type { TablePart } from './journal.js'
import { createLeafWriter, type LeafWriter } from './leaf-runs.js'

/** Where the rows of one table of one input go. */
export interface PartWriter {
  readonly parquet: EncryptedParquet
  readonly leaves: LeafWriter
  /** Appends what `parquet` gave. @param parts - bytes, one behind the other @param rows - rows in them */
  append(parts: readonly Uint8Array[], rows: number): Promise<void>
  /** Ends the files and puts them under their names. @returns what to record */
  finish(): Promise<TablePart>
  abandon(): Promise<void>
}

/**
 * Starts the files of one table of one input: `<number>.<table>.parquet` and `<number>.<table>.leaves`.
 *
 * @param options - `folder`, `number`: of the input; `table`; `key`: of the Parquet file; `leafKey`; `runLeaves`
 * @returns the writer
 */
export async function createPartWriter(options: {
  readonly folder: string
  readonly number: string
  readonly table: NamedTable
  readonly key: Uint8Array
  readonly leafKey: Uint8Array
  readonly runLeaves: number
}): Promise<PartWriter> {
  const { folder, number, table, key, leafKey, runLeaves } = options
  const name = `${number}.${table.name}`
  const secret = createSecretKey(key)
  const parquet = await createEncryptedParquet({
    table,
    key,
    random: (length) => randomBytes(length),
    seal: nodeSeal(secret),
  })
  const temporary = join(folder, `.${name}.parquet.part`)
  const file: FileHandle = await open(temporary, 'w', 0o600)
  const leaves = await createLeafWriter({
    path: join(folder, `${name}.leaves`),
    name,
    key: leafKey,
    runLeaves,
  })
  const hash = createHash('sha256')
  let bytes = 0
  let rows = 0
  const append = async (parts: readonly Uint8Array[], count: number) => {
    rows += count
    let length = 0
    for (const part of parts) {
      hash.update(part)
      length += part.length
    }
    bytes += length
    // One call for all parts, of which a row group has dozens; what a short write leaves over is few bytes or a full disk, which is told.
    const { bytesWritten } = await file.writev([...parts])
    if (bytesWritten < length) await file.writeFile(Buffer.concat(parts).subarray(bytesWritten))
  }
  return {
    parquet,
    leaves,
    append,
    async finish() {
      await append([await parquet.finish()], 0)
      await file.sync()
      await file.close()
      const runs = [...(await leaves.finish())]
      await rename(temporary, join(folder, `${name}.parquet`))
      return { rows, file: `${name}.parquet`, digest: `sha256:${hash.digest('hex')}`, bytes, runs }
    },
    async abandon() {
      await file.close().catch(() => undefined)
      await leaves.abandon().catch(() => undefined)
      for (const path of [temporary, join(folder, `${name}.leaves`), join(folder, `${name}.parquet`)]) {
        await unlink(path).catch(() => undefined)
      }
    },
  }
}
