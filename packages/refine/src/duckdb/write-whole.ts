import { createHash, randomBytes } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Digest } from '@sealpool/crypto'
import { RefineError } from '../errors.js'

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Writes a file whole or not at all: it grows under a temporary name in the same directory, is fsynced and renamed.
 *
 * @param path - where it goes; its directory must exist
 * @param parts - its bytes
 * @returns size and SHA-256
 * @throws RefineError `PARQUET_WRITE_FAILED`; a RefineError of the parts as it is
 */
export async function writeWhole(
  path: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly digest: Digest }> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.part`)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      for await (const part of parts) {
        hash.update(part)
        bytes += part.length
        await file.writeFile(part)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    if (cause instanceof RefineError) throw cause
    // The system's message holds paths and a code, no rows; a rows generator's own error passes through as the cause.
    throw new RefineError('PARQUET_WRITE_FAILED', 'path', 'The Parquet file could not be written', { cause })
  }
  return { bytes, digest: `sha256:${hash.digest('hex')}` }
}
