/**
 * Blobs as files of one folder, in Node.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { missing, requireDigest, requireSize } from './blob-check.js'
import {
  type BlobReadOptions,
  type BlobStore,
  defaultMaximumBlobBytes,
  parseBlobLocator,
  requireRange,
} from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'

/**
 * A blob store in a folder: `<folder>/<first two hex digits>/<64 hex digits>`. A write is complete or absent also
 * when the machine stops in its middle (temporary file, fsync, rename, fsync of the folder); a read is checked
 * against the digest; a file name is built from checked hex digits only, so that no locator can leave the folder.
 * @param options `directory`: the folder, made when absent; `maximumBytes`: largest blob; `durable: false` leaves out
 * the two fsyncs (a blob that a power cut halves is noticed on reading, by its digest, and can be uploaded again)
 * @returns the store
 */
export function fileBlobStore(options: {
  readonly directory: string
  readonly maximumBytes?: number
  readonly durable?: boolean
}): BlobStore {
  const limit = options.maximumBytes ?? defaultMaximumBlobBytes
  const durable = options.durable ?? true
  const known = new Set<string>()

  async function folderOf(hex: string): Promise<string> {
    const folder = join(options.directory, hex.slice(0, 2))
    if (!known.has(folder)) {
      await mkdir(folder, { recursive: true })
      known.add(folder)
    }
    return folder
  }

  return {
    name: 'files',
    async put(bytes, write = {}) {
      write.signal?.throwIfAborted()
      requireSize(bytes.length, limit, 'put')
      const digest = sha256Digest(bytes)
      const { hex } = parseBlobLocator(digest)
      try {
        const folder = await folderOf(hex)
        const temporary = join(folder, `.${hex.slice(0, 16)}-${randomBytes(8).toString('hex')}.part`)
        try {
          await writeWhole(temporary, bytes, durable)
          await rename(temporary, join(folder, hex))
        } catch (cause) {
          await rm(temporary, { force: true })
          throw cause
        }
        if (durable) await syncFolder(folder)
      } catch (cause) {
        throw failed('put', cause)
      }
      return { locator: digest, digest }
    },
    async get(locator, read: BlobReadOptions = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      read.signal?.throwIfAborted()
      const bytes = await withBlob(digest, hex, async (file, size) => {
        requireSize(size, Math.min(limit, read.maximumBytes ?? limit), digest)
        return readAt(file, 0, size)
      })
      return requireDigest(bytes, digest)
    },
    async getRange(locator, range) {
      const { digest, hex } = parseBlobLocator(locator)
      requireRange(range, limit)
      range.signal?.throwIfAborted()
      const { start, length } = range
      return withBlob(digest, hex, (file, size) =>
        readAt(file, start, Math.max(0, Math.min(length, size - start))),
      )
    },
    async remove(locator, write = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      write.signal?.throwIfAborted()
      const folder = join(options.directory, hex.slice(0, 2))
      try {
        await rm(join(folder, hex), { force: true })
        // A removal that a power cut undoes would be one that was told and did not happen.
        if (durable) await syncFolder(folder)
      } catch (cause) {
        if (!hasCode(cause, 'ENOENT')) throw failed(digest, cause)
      }
    },
  }

  async function withBlob<Result>(
    digest: Digest,
    hex: string,
    work: (file: FileHandle, size: number) => Promise<Result>,
  ): Promise<Result> {
    const path = join(options.directory, hex.slice(0, 2), hex)
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR') ? missing(digest) : failed(digest, cause)
    })
    try {
      return await work(file, (await file.stat()).size)
    } catch (cause) {
      throw failed(digest, cause)
    } finally {
      await file.close()
    }
  }
}

/** Reads `length` bytes from `start`, fewer when the file became shorter meanwhile. */
async function readAt(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

async function writeWhole(path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  // 'wx': a planted link under the temporary name is refused, not followed.
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function failed(place: string, cause: unknown): BlobStoreError {
  if (cause instanceof BlobStoreError) return cause
  return new BlobStoreError(
    'BLOB_STORE_FAILED',
    place,
    'the folder could not be read or written; check space and rights',
    {
      cause,
    },
  )
}
