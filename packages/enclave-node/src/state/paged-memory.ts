/**
 * A file system of memory for PGlite. PGlite's own gives each file one array, which is copied into a larger one as the file grows, and can
 * only be copied whole: both leave the process with several times the memory that the files need. See `paged-file.ts`.
 * @module
 */
import { BaseFilesystem, ERRNO_CODES, type FsStats } from '@electric-sql/pglite/basefs'
import { NodeError } from '../errors.js'
import { type FileCopy, PagedFile } from './paged-file.js'
import { PiecePool } from './piece-pool.js'
import type { ArchivedFile } from './sealed-archive.js'

/** Whose the files of a database are while they are open. */
export const lockFile = 'postmaster.pid'

const folderBit = 0o040_000
const fileBit = 0o100_000

interface Entry {
  mode: number
  modified: number
  /** Undefined for a folder. */
  readonly file: PagedFile | undefined
}

/** A file that stands in a memory, or a folder (without a file), by its path from the top. */
export interface MemoryEntry {
  readonly path: string
  readonly file: FileCopy | undefined
}

/** The number that PGlite does not name: input or output failed (`errno` of WASI). */
const codes = { ...ERRNO_CODES, EIO: 29 }

/** PGlite tells errors apart by these numbers. */
class MemoryFileError extends Error {
  readonly code: number

  constructor(code: keyof typeof codes, path: string, options?: ErrorOptions) {
    super(`${code}: ${path}`, options)
    this.code = codes[code]
  }
}

/** What is asked of the file system that PGlite has of its own. */
interface OtherFiles {
  readdir(path: string): readonly string[]
  stat(path: string): { readonly mode: number }
  isDir(mode: number): boolean
  readFile(path: string, options: { readonly encoding: 'binary' }): Uint8Array
}

/** Files in memory that PGlite works on. */
export class PagedMemory extends BaseFilesystem {
  readonly #entries = new Map<string, Entry>([['', entryOf(folderBit | 0o700)]])
  readonly #opened = new Map<number, PagedFile>()
  /** Those that are open and have no path any more. */
  readonly #nameless = new Set<PagedFile>()
  readonly #pool: PiecePool
  #lastOpened = 0

  /**
   * @param files what is in it; folders have paths that end in a stroke, and come before what is in them
   * @param pool keeps the pieces of the files; it is closed with them
   */
  constructor(files: readonly ArchivedFile[] = [], pool: PiecePool = new PiecePool()) {
    super()
    this.#pool = pool
    for (const { path, bytes } of files) {
      if (path.endsWith('/')) this.mkdir(`/${path.slice(0, -1)}`)
      else this.writeFile(`/${path}`, bytes)
    }
  }

  /** @returns whether there is nothing in it */
  isEmpty(): boolean {
    return this.#entries.size === 1
  }

  /** Takes over what is in a folder of another file system, but for the file that says whose it is while it is open. */
  takeFrom(other: OtherFiles, folder: string, into = ''): void {
    for (const name of other.readdir(folder)) {
      if (name === '.' || name === '..' || name === lockFile) continue
      const [from, path] = [`${folder}/${name}`, `${into}/${name}`]
      if (!other.isDir(other.stat(from).mode)) {
        this.writeFile(path, other.readFile(from, { encoding: 'binary' }))
        continue
      }
      this.mkdir(path)
      this.takeFrom(other, from, path)
    }
  }

  /** @returns why it must not be worked on any more, see {@link PiecePool.fault} */
  fault(): NodeError | undefined {
    return this.#pool.fault
  }

  /** @returns all files and folders as they stand now; they stay so whatever is written later, and take room until they are released */
  entries(): readonly MemoryEntry[] {
    return [...this.#entries]
      .filter(([path]) => path !== '')
      .map(([path, { file }]) => ({ path: path.slice(1), file: file?.copy() }))
  }

  override async closeFs(): Promise<void> {
    this.pg?.Module.FS.quit()
    this.#entries.clear()
    this.#opened.clear()
    this.#nameless.clear()
    this.#pool.close()
  }

  chmod(path: string, mode: number): void {
    const entry = this.#entry(path)
    entry.mode = (entry.mode & ~0o7777) | (mode & 0o7777)
  }

  open(path: string): number {
    const { file } = this.#entry(path)
    if (file === undefined) throw new MemoryFileError('EISDIR', path)
    // PGlite takes 0 for none.
    this.#lastOpened += 1
    this.#opened.set(this.#lastOpened, file)
    return this.#lastOpened
  }

  close(fd: number): void {
    const file = this.#opened.get(fd)
    this.#opened.delete(fd)
    if (file !== undefined && this.#nameless.has(file)) this.#discard(file)
  }

  fstat(fd: number): FsStats {
    return statsOf({ mode: fileBit | 0o600, modified: 0, file: this.#file(fd) })
  }

  lstat(path: string): FsStats {
    return statsOf(this.#entry(path))
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return legible(() => this.#file(fd).read(buffer.subarray(offset, offset + length), position))
  }

  /** @param buffer PGlite gives the memory that its bytes lie in, whatever its type says */
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const memory = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer)
    legible(() => this.#file(fd).write(memory.subarray(offset, offset + length), position))
    return length
  }

  truncate(path: string, length: number): void {
    const entry = this.#entry(path)
    const { file } = entry
    if (file === undefined) throw new MemoryFileError('EISDIR', path)
    legible(() => file.truncate(length))
  }

  writeFile(path: string, data: string | Uint8Array, options: { readonly mode?: number } = {}): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    this.#put(path, entryOf(fileBit | ((options.mode ?? 0o600) & 0o7777), new PagedFile(bytes, this.#pool)))
  }

  mkdir(path: string, options: { readonly mode?: number } = {}): void {
    if (this.#entries.has(path)) throw new MemoryFileError('EEXIST', path)
    this.#entries.set(path, entryOf(folderBit | ((options.mode ?? 0o700) & 0o7777)))
  }

  readdir(path: string): string[] {
    if (this.#entry(path).file !== undefined) throw new MemoryFileError('ENOTDIR', path)
    return ['.', '..', ...this.#below(path).flatMap((name) => (name.includes('/') ? [] : [name]))]
  }

  rename(oldPath: string, newPath: string): void {
    const entry = this.#entry(oldPath)
    const below = this.#below(oldPath)
    this.#entries.delete(oldPath)
    this.#put(newPath, entry)
    for (const name of below) {
      this.#entries.set(`${newPath}/${name}`, this.#entry(`${oldPath}/${name}`))
      this.#entries.delete(`${oldPath}/${name}`)
    }
  }

  unlink(path: string): void {
    const { file } = this.#entry(path)
    this.#entries.delete(path)
    if (file !== undefined) this.#discard(file)
  }

  rmdir(path: string): void {
    this.#entry(path)
    if (this.#below(path).length > 0) throw new MemoryFileError('ENOTEMPTY', path)
    this.#entries.delete(path)
  }

  utimes(path: string, _: number, modified: number): void {
    this.#entry(path).modified = modified
  }

  /** Puts a file or folder at a path, in the place of the one that is there. */
  #put(path: string, entry: Entry): void {
    const before = this.#entries.get(path)?.file
    this.#entries.set(path, entry)
    if (before !== undefined) this.#discard(before)
  }

  /** Lets go of a file without a path, unless somebody has it open: who has still reads and writes it. */
  #discard(file: PagedFile): void {
    if ([...this.#opened.values()].includes(file)) {
      this.#nameless.add(file)
      return
    }
    this.#nameless.delete(file)
    file.discard()
  }

  #entry(path: string): Entry {
    const entry = this.#entries.get(path)
    if (entry === undefined) throw new MemoryFileError('ENOENT', path)
    return entry
  }

  #file(fd: number): PagedFile {
    const file = this.#opened.get(fd)
    if (file === undefined) throw new MemoryFileError('EBADF', String(fd))
    return file
  }

  /** Paths from a folder on, of all that is in it. */
  #below(path: string): readonly string[] {
    const start = `${path}/`
    return [...this.#entries.keys()].flatMap((name) =>
      name.startsWith(start) ? [name.slice(start.length)] : [],
    )
  }
}

/** Tells PGlite what does not come back from the scratch file in the only way that it knows; the pool remembers what it was. */
function legible<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof NodeError) throw new MemoryFileError('EIO', error.place, { cause: error })
    throw error
  }
}

function entryOf(mode: number, file?: PagedFile): Entry {
  return { mode, modified: 0, file }
}

function statsOf({ mode, modified, file }: Entry): FsStats {
  const size = file?.size ?? 0
  const times = { atime: modified, mtime: modified, ctime: modified }
  const blocks = Math.ceil(size / 512)
  return { dev: 0, ino: 0, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size, blksize: 8192, blocks, ...times }
}
