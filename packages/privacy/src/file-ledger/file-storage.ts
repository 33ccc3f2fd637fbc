import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LedgerStorage } from '../accountant/stored-ledger.js'
import { PrivacyError } from '../errors.js'
import { takeLock } from './lock.js'

/**
 * A file as append-only storage: written at its known end and fsynced, its folder too when it is new.
 *
 * @param path - File; made when it is not there. Beside it a file `<path>.lock` says which process has it open.
 * @returns The storage.
 * @throws PrivacyError `LEDGER_IN_USE` when another living process has it open; errors of the file system as they are.
 */
export async function fileStorage(path: string): Promise<LedgerStorage> {
  const release = await takeLock(`${path}.lock`)
  try {
    const file = await openOrCreate(path)
    let length = (await file.stat()).size
    return {
      async read() {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, done)
          if (bytesRead === 0) throw changed(path)
          done += bytesRead
        }
        return bytes
      },
      async append(bytes) {
        // A second writer would fork the chain, and with it the budget.
        if ((await file.stat()).size !== length) throw changed(path)
        let done = 0
        while (done < bytes.length) {
          done += (await file.write(bytes, done, bytes.length - done, length + done)).bytesWritten
        }
        await file.sync()
        length += bytes.length
      },
      async truncate(to) {
        await file.truncate(to)
        await file.sync()
        length = to
      },
      async close() {
        await file.close()
        await release()
      },
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** The file, open for reading and writing; a new one has its folder entry on disk. */
async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const file = await open(path, 'wx+', 0o600)
  await file.sync()
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  return file
}

function changed(path: string): PrivacyError {
  return new PrivacyError(
    'LEDGER_IN_USE',
    path,
    'The ledger file was changed by someone else while it was open. Stop the other writer and open it again.',
  )
}
