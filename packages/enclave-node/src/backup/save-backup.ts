import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, open, unlink } from 'node:fs/promises'
import { NodeError } from '../errors.js'
import { type BackupHeader, readBackup } from './backup-file.js'

/** A backup that lies whole on a disk. */
export interface SavedBackup extends BackupHeader {
  readonly bytes: number
  readonly files: number
}

/**
 * Writes a backup to a file for its owner alone, complete or not at all and never over another one, and reads it back before it
 * gets its name.
 * @param path name that it gets
 * @param source the backup's bytes
 * @param expected whose it must be
 * @throws NodeError `BACKUP_FAILED`, `BACKUP_INVALID`
 */
export async function saveBackup(
  path: string,
  source: AsyncIterable<Uint8Array>,
  expected: Parameters<typeof readBackup>[1],
): Promise<SavedBackup> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.part`
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(temporary, 'wx', 0o600)
  } catch (cause) {
    throw new NodeError('BACKUP_FAILED', path, 'nothing can be written there; choose another place', {
      cause,
    })
  }
  try {
    let bytes = 0
    try {
      for await (const part of source) {
        for (let from = 0; from < part.length; ) from += (await file.write(part, from)).bytesWritten
        bytes += part.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const written = await readBackup(createReadStream(temporary), expected)
    let files = 0
    for await (const one of written.files()) {
      for await (const _ of one.read());
      files += 1
    }
    await written.finish()
    await link(temporary, path)
    return { ...written.header, bytes, files }
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw new NodeError(
      'BACKUP_FAILED',
      path,
      exists
        ? 'there is a file of that name, which is left as it is; choose another name'
        : 'the backup could not be written whole; look for room on the disk',
      { cause },
    )
  } finally {
    await unlink(temporary)
  }
}
