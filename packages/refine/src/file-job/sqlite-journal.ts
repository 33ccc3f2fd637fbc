import { open, stat } from 'node:fs/promises'
import { RefineError } from '../errors.js'

/** Place of the refusal. */
export const journalPlace = 'journal'

/** Header of a write-ahead log; without more it holds no rows. Source: SQLite's file format, section 4.1. */
const logHeaderBytes = 32

/** What the system says of a file that is not there; too long a name is no file's. */
const absent: readonly unknown[] = ['ENOENT', 'ENAMETOOLONG']

/** What cannot be read may hold anything. */
function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (absent.includes(error.code)) return undefined
  throw journalRefusal(error)
}

/** Is there a file of more bytes than `least`? Pipes and the like are none, and are not opened: that may wait for ever. */
async function isLonger(path: string, least: number): Promise<boolean> {
  const facts = await stat(path).catch(unlessAbsent)
  return facts?.isFile() === true && facts.size > least
}

async function firstByteOf(path: string): Promise<number | undefined> {
  const file = await open(path).catch(unlessAbsent)
  try {
    return (await file?.read(new Uint8Array(1), 0, 1, 0))?.buffer[0]
  } finally {
    await file?.close()
  }
}

function journalRefusal(cause?: unknown): RefineError {
  return new RefineError(
    'SQLITE_INVALID',
    journalPlace,
    'Rows may stand in the journal beside the database (-wal or -journal): close the app that writes it, or run PRAGMA wal_checkpoint(TRUNCATE)',
    { cause },
  )
}

/**
 * Refuses an SQLite database beside which rows stand in a write-ahead log, or changes in a journal of a transaction that did not end: the
 * database alone would be read as it was before them, and nothing would say so.
 *
 * @param path - the database
 * @throws RefineError with `SQLITE_INVALID` at {@link journalPlace}
 */
export async function requireNoJournal(path: string): Promise<void> {
  const logged = await isLonger(`${path}-wal`, logHeaderBytes)
  const journal = `${path}-journal`
  // One that is kept for the next transaction begins with zeros (section 3).
  const journalled = (await isLonger(journal, 0)) && (await firstByteOf(journal)) !== 0
  if (logged || journalled) throw journalRefusal()
}
