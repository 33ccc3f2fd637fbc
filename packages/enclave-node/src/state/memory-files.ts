/**
 * The files of a database in memory: read out of it at a moment at which its log says that they are whole, and a database begun on
 * such files. What rows have left in the free room of pages and in the log is not read out.
 * @module
 */
import { MemoryFS, PGlite } from '@electric-sql/pglite'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import type { ArchivedFile } from './sealed-archive.js'

/** The piece of the log that a start reads, and where it ends in it. */
export interface LogEnd {
  readonly piece: string
  readonly end: number
}

const pageBytes = 8192
const logFolder = 'pg_wal/'
/** Whose the files are while they are open. */
const lockFile = 'postmaster.pid'
/** Of tables and indexes; maps of free room and the like have names with a word more. */
const pagesFile = /^(base\/\d+|global)\/\d+(\.\d+)?$/

/**
 * Reads all files. Folders are files without bytes whose path ends in a stroke.
 * @param log as it was right after a checkpoint at the beginning of a piece
 */
export function readMemoryFiles(database: PGlite, log: LogEnd): readonly ArchivedFile[] {
  const { FS } = database.Module
  const root = `${PGlite.paths.PGDATA}/`
  const files: ArchivedFile[] = []
  const walk = (folder: string): void => {
    for (const name of FS.readdir(root + folder)) {
      if (name === '.' || name === '..') continue
      const path = folder + name
      if (FS.isDir(FS.stat(root + path).mode)) {
        files.push({ path: `${path}/`, bytes: new Uint8Array() })
        walk(`${path}/`)
        continue
      }
      // What another piece says is in the files; one to come holds what was in it when it was used before.
      if (path === lockFile || (folder === logFolder && name !== log.piece)) continue
      const bytes = FS.readFile(root + path, { encoding: 'binary' })
      if (folder === logFolder) bytes.fill(0, log.end)
      else if (pagesFile.test(path)) emptyFreeRoom(bytes)
      files.push({ path, bytes })
    }
  }
  walk('')
  return files
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

/** A file system of memory that begins with files. */
class FilledMemory extends MemoryFS {
  #files: readonly ArchivedFile[]

  constructor(files: readonly ArchivedFile[]) {
    super()
    this.#files = files
  }

  override async initialSyncFs(): Promise<void> {
    const FS = this.pg?.Module.FS
    const root = PGlite.paths.PGDATA
    FS?.mkdirTree(root)
    for (const { path, bytes } of this.#files) {
      if (path.endsWith('/')) FS?.mkdirTree(`${root}/${path.slice(0, -1)}`)
      // A copy of its own for each file, which the file system takes as it is: what grows later lets go of it alone.
      else FS?.writeFile(`${root}/${path}`, Uint8Array.from(bytes), { canOwn: true })
    }
    this.#files = []
  }
}

/** Opens a database in memory on files of {@link readMemoryFiles}. */
export function openMemoryFiles(files: readonly ArchivedFile[]): Promise<PGlite> {
  return openEmbeddedPostgres({ fs: new FilledMemory(files), memory: true })
}
