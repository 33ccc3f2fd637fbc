import { type FileHandle, open } from 'node:fs/promises'
import { RefineError } from '../errors.js'
import type { ParquetSource } from '../output/parquet/opened-parquet.js'

function unreadable(cause?: unknown): RefineError {
  return new RefineError(
    'PARQUET_READ_FAILED',
    'from',
    'The file cannot be read',
    cause === undefined ? undefined : { cause },
  )
}

async function sourceOf(file: FileHandle): Promise<ParquetSource> {
  const { size } = await file.stat()
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
        if (bytesRead === 0) throw unreadable()
        filled += bytesRead
      }
      return bytes
    },
  }
}

/**
 * Reads a file in ranges while something is done with it.
 *
 * @param path - of the file
 * @param use - what is done with it
 * @returns what `use` returns
 * @throws RefineError `PARQUET_READ_FAILED` when it is absent or shorter than it says, and what `use` throws
 */
export async function withParquetFile<Result>(
  path: string,
  use: (source: ParquetSource) => Promise<Result>,
): Promise<Result> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw unreadable(cause)
  }
  try {
    return await use(await sourceOf(file))
  } finally {
    await file.close()
  }
}
