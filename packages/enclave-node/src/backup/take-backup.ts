/**
 * Takes a backup at one moment: the sealed rows in one transaction, and the files that they name.
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError } from '../errors.js'
import type { RowCipher } from '../state/row-cipher.js'
import { readSealedContents, type SealedContents } from '../state/sealed-contents.js'
import type { Sql } from '../state/state-store.js'
import { type BackupFile, type BackupHeader, writeBackup } from './backup-file.js'

/** What a backup is taken of. */
export interface BackupSource {
  readonly cipherOf: (store: Uint8Array) => RowCipher
  /** Key of the node's backups, 32 bytes. */
  readonly key: Uint8Array
  /** Address and contracts of the node. */
  readonly node: string
  /** Folder of the encrypted tables. */
  readonly tables: string
  /** The audit log. */
  readonly audit: string
}

/** A backup that is ready to be written. */
export interface TakenBackup {
  readonly header: BackupHeader
  /** Bytes of the tables and of the audit log. */
  readonly fileBytes: number
  /** The backup; to be read once, and to its end or not at all. */
  read(): AsyncGenerator<Uint8Array>
  /** Lets go of the files. */
  close(): Promise<void>
}

/**
 * Takes a backup. Files are opened within the transaction, so that what is removed from the folder later is still read.
 * @param sql a transaction of the store that lasts, in which nothing else is seen to change
 * @throws NodeError `BACKUP_FAILED` when there is no state, or a file of it is missing; `STATE_TAMPERED`, `STATE_OF_ANOTHER_NODE`
 */
export async function takeBackup(sql: Sql, source: BackupSource): Promise<TakenBackup> {
  const contents = await readSealedContents(sql, source.cipherOf)
  if (contents === undefined) {
    throw new NodeError('BACKUP_FAILED', 'state', 'no node has worked here yet; there is nothing to back up')
  }
  const opened: FileHandle[] = []
  const close = async (): Promise<void> => {
    for (const file of opened.splice(0)) await file.close()
  }
  const files: BackupFile[] = []
  const add = async (name: string, path: string, optional: boolean): Promise<void> => {
    let file: FileHandle
    try {
      file = await open(path, 'r')
    } catch (cause) {
      if (optional && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return
      throw new NodeError(
        'BACKUP_FAILED',
        name,
        'a file that the state names cannot be read; make the backup again, or start the node, which makes it anew',
        { cause },
      )
    }
    opened.push(file)
    const { size } = await file.stat()
    files.push({ name, bytes: size, read: () => readExactly(file, size) })
  }
  try {
    for (const { pool, file } of livingParts(contents)) {
      await add(`tables/${pool}/${file}`, join(source.tables, pool, file), false)
    }
    await add('audit.jsonl', source.audit, true)
  } catch (error) {
    await close()
    throw error
  }
  const header = { node: source.node, commit: contents.head.version }
  return {
    header,
    fileBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    read: () => writeBackup({ header, state: contents, files }, source.key),
    close,
  }
}

/** The files of refinements that are in use. */
function livingParts({ rows }: SealedContents): readonly { readonly pool: string; readonly file: string }[] {
  return (rows.get('refinements') ?? []).flatMap((line) => {
    const { pool, state, parts } = JSON.parse(line) as { pool: string; state: string; parts: string }
    if (state === 'superseded') return []
    return (JSON.parse(parts) as { readonly file: string }[]).map(({ file }) => ({ pool, file }))
  })
}

async function* readExactly(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < size; ) {
    const { bytesRead, buffer } = await file.read(
      Buffer.alloc(Math.min(1 << 20, size - from)),
      0,
      undefined,
      from,
    )
    if (bytesRead === 0) return
    from += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
