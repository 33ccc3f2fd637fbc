/**
 * The files of a database in memory, taken at a moment at which its log says that they are whole. What rows have left in
 * the free room of pages and in the log is not among them.
 * @module
 */
import { pieceBytes } from './paged-file.js'
import { lockFile, type MemoryEntry, type PagedMemory } from './paged-memory.js'
import type { WrittenFile } from './sealed-archive.js'

/** The piece of the log that a start reads, and where it ends in it. */
export interface LogEnd {
  readonly piece: string
  readonly end: number
}

const pageBytes = 8192
const logFolder = 'pg_wal/'
/** Of tables and indexes; maps of free room and the like have names with a word more. */
const pagesFile = /^(base\/\d+|global)\/\d+(\.\d+)?$/

/** Files as they stood at one moment. */
export interface TakenFiles {
  readonly files: readonly WrittenFile[]
  /** Lets go of the room that they take beside what the database has made of them since. To be called once. */
  release(): void
}

/**
 * All files as they stand now: nothing is copied until the database writes to it. Folders are files without bytes whose path ends in a stroke.
 * @param log as it was right after a checkpoint at the beginning of a piece
 * @returns the files; their parts throw NodeError `SCRATCH_TAMPERED` or `SCRATCH_FAILED` where they lie in a scratch file
 */
export function memoryFiles(memory: PagedMemory, log: LogEnd): TakenFiles {
  const entries = memory.entries()
  const files = entries
    // What another piece says is in the files; one to come holds what was in it when it was used before.
    .filter(
      ({ path, file }) =>
        path !== lockFile &&
        !(file !== undefined && path.startsWith(logFolder) && path !== logFolder + log.piece),
    )
    .map((entry) => fileOf(entry, log.end))
  return {
    files,
    release() {
      for (const { file } of entries) file?.release()
    },
  }
}

function fileOf({ path, file }: MemoryEntry, logEnd: number): WrittenFile {
  if (file === undefined) return { path: `${path}/`, size: 0, parts: () => [] }
  const { size } = file
  const piece = (number: number): Uint8Array | undefined => file.piece(number)
  function* parts(): Generator<Uint8Array> {
    const part = new Uint8Array(pieceBytes)
    for (let from = 0; from < size; from += pieceBytes) {
      part.fill(0)
      part.set(piece(from / pieceBytes) ?? [])
      if (path.startsWith(logFolder)) part.fill(0, Math.max(0, Math.min(pieceBytes, logEnd - from)))
      else if (pagesFile.test(path)) emptyFreeRoom(part)
      yield part.subarray(0, size - from)
    }
  }
  return { path, size, parts }
}

/**
 * Empties the free room of pages, between what says where rows lie and the rows: cleaning moves rows together and leaves there what
 * they were. Tables and B-trees alone keep nothing in it, and the node has no others.
 */
function emptyFreeRoom(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let page = 0; page + pageBytes <= bytes.length; page += pageBytes) {
    const [lower, upper, special, size] = [12, 14, 16, 18].map((at) => view.getUint16(page + at, true)) as [
      number,
      number,
      number,
      number,
    ]
    const known = (size & 0xff00) === pageBytes && lower >= 24 && upper <= special && special <= pageBytes
    if (known && lower < upper) bytes.fill(0, page + lower, page + upper)
  }
}
