import { open } from 'node:fs/promises'
import { RefineError } from '../errors.js'

/** Place of the refusal. */
export const journalPlace = 'journal'

/** Header of a write-ahead log; without more it holds no rows. Source: SQLite's file format, section 4.1. */
const logHeaderBytes = 32

/** The first byte of a file that is longer than `least`, or undefined. */
async function firstByteOf(path: string, least: number): Promise<number | undefined> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    if (size <= least) return undefined
    const { buffer } = await file.read(new Uint8Array(1), 0, 1, 0)
    return buffer[0]
  } finally {
    await file.close()
  }
}

/**
 * Refuses an SQLite database beside which rows stand in a write-ahead log, or changes in a journal of a transaction that did not end: the
 * database alone would be read as it was before them, and nothing would say so.
 *
 * @param path - the database
 * @throws RefineError with `SQLITE_INVALID` at {@link journalPlace}
 */
export async function requireNoJournal(path: string): Promise<void> {
  const logged = (await firstByteOf(`${path}-wal`, logHeaderBytes)) !== undefined
  // A journal that is kept for the next transaction begins with zeros (section 3).
  const journalled = ((await firstByteOf(`${path}-journal`, 0)) ?? 0) !== 0
  if (!logged && !journalled) return
  throw new RefineError(
    'SQLITE_INVALID',
    journalPlace,
    'Rows stand in the journal beside the database (-wal or -journal): close the app that writes it, or run PRAGMA wal_checkpoint(TRUNCATE)',
  )
}
