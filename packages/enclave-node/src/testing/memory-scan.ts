/**
 * Looks through the memory of running processes, and through what else of them the kernel shows, as Linux has it under /proc.
 * @module
 */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendants } from './processes.js'
import { type ByteSearch, byteSearch, type Found } from './search-bytes.js'
import type { Sought } from './secret-forms.js'

/** A form of a secret that was found, and where. */
export interface MemoryFind extends Found {
  /** Program of the process: `node`, or the worker that runs in it. */
  readonly process: string
  readonly pid: number
  /** `memory`, or what of the process it is: `environ`, `cmdline`, `file <path>`. */
  readonly place: string
}

/** What a look came to. */
export interface MemoryScan {
  readonly finds: readonly MemoryFind[]
  /** Programs that were looked through, the first one first. */
  readonly processes: readonly string[]
  /** Bytes of memory that were read. */
  readonly bytes: number
}

const page = 4096
const chunk = 1 << 20

interface Region {
  readonly from: number
  readonly to: number
}

/** Why the memory of a process cannot be read here; undefined when it can. */
export function closedMemory(pid: number): string | undefined {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, 'r'))
    closeSync(openSync(`/proc/${pid}/pagemap`, 'r'))
    return undefined
  } catch (error) {
    return `the memory of another process is not to be read here: ${(error as NodeJS.ErrnoException).code}`
  }
}

/** What a process may have written to: all that is readable but files that are mapped unchanged, and the kernel's own pages. */
function regionsOf(pid: number): Region[] {
  const regions: Region[] = []
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to, rights, inode, name] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)$/.exec(line) ?? []
    if (from === undefined || to === undefined || rights === undefined) continue
    const isUnchanged = inode !== '0' && !rights.includes('w')
    if (!rights.startsWith('r') || isUnchanged || /^\[(vvar|vdso|vsyscall)/.test(name ?? '')) continue
    regions.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) })
  }
  return regions
}

/** Whether any page of a piece of memory is there, in RAM or swapped out. */
function isThere(pagemap: number, entries: Buffer, at: number, length: number): boolean {
  const wanted = (length / page) * 8
  const got = readSync(pagemap, entries, 0, wanted, (at / page) * 8)
  // Bits 62 and 63 of an entry: swapped, present.
  for (let entry = 7; entry < got; entry += 8) if (((entries[entry] ?? 0) & 0xc0) !== 0) return true
  return false
}

/** Reads memory; a page that went meanwhile, or belongs to a device, is left out. */
function readMemory(memory: number, buffer: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, buffer, 0, length, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    return 0
  }
}

/** The program of a process, by the file that it runs. */
function programOf(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  const script = words.filter((word) => /\.m?js$/.test(word)).at(-1)
  const name = (script ?? words[0] ?? 'unnamed').split('/').slice(-2).join('/')
  // Walls and shells stand around a worker and name it among their words.
  const [first = ''] = words
  return script !== undefined && !/node$/.test(first) ? `${first.split('/').at(-1)} around ${name}` : name
}

/**
 * Prepares a scan.
 * @param sought what is looked for
 * @returns looks through a process and its descendants, which stand still meanwhile
 */
export function memoryScan(sought: readonly Sought[]): (pid: number) => Promise<MemoryScan> {
  const begin = byteSearch(sought)
  const buffer = Buffer.alloc(chunk)
  const entries = Buffer.alloc((chunk / page) * 8)

  const inMemory = (pid: number): { readonly found: Found[]; readonly bytes: number } => {
    const search = begin()
    const memory = openSync(`/proc/${pid}/mem`, 'r')
    const pagemap = openSync(`/proc/${pid}/pagemap`, 'r')
    let bytes = 0
    let next = -1
    try {
      for (const { from, to } of regionsOf(pid)) {
        for (let at = from; at < to; ) {
          const length = Math.min(chunk, to - at)
          if (!isThere(pagemap, entries, at, length)) {
            at += length
            continue
          }
          if (next !== at) search.gap()
          const got = readMemory(memory, buffer, at, length)
          search.push(buffer.subarray(0, got))
          bytes += got
          at += got === 0 ? page : got
          next = got === 0 ? -1 : at
        }
      }
    } finally {
      closeSync(memory)
      closeSync(pagemap)
    }
    return { found: search.found(), bytes }
  }

  const inFile = (path: string): Found[] => searchFile(begin(), path, buffer)

  const look = (pid: number) => {
    const process = programOf(pid)
    const { found, bytes } = inMemory(pid)
    const finds: MemoryFind[] = found.map((one) => ({ ...one, process, pid, place: 'memory' }))
    for (const { path, place } of [
      { path: `/proc/${pid}/environ`, place: 'environ' },
      { path: `/proc/${pid}/cmdline`, place: 'cmdline' },
      ...writtenFiles(pid),
    ])
      finds.push(...inFile(path).map((one) => ({ ...one, process, pid, place })))
    return { process, finds, bytes }
  }

  return async (root) => {
    const pids = await stop(root)
    try {
      const seen = pids.map(look)
      return {
        finds: seen.flatMap(({ finds }) => finds),
        processes: seen.map(({ process }) => process),
        bytes: seen.reduce((sum, one) => sum + one.bytes, 0),
      }
    } finally {
      for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT')
    }
  }
}

/** Looks through a file. */
function searchFile(search: ByteSearch, path: string, buffer: Buffer): Found[] {
  const file = openSync(path, 'r')
  try {
    for (let at = 0; ; ) {
      const got = readSync(file, buffer, 0, buffer.length, at)
      if (got === 0) return search.found()
      search.push(buffer.subarray(0, got))
      at += got
    }
  } finally {
    closeSync(file)
  }
}

/**
 * Looks through the files of a folder.
 * @param sought what is looked for
 * @returns what was found, with the file
 */
export function scanFolder(
  sought: readonly Sought[],
  folder: string,
): (Found & { readonly place: string })[] {
  const begin = byteSearch(sought)
  const buffer = Buffer.alloc(chunk)
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const place = join(entry.parentPath, entry.name)
    // One that is gone since it was listed leaves nothing to read.
    if (!entry.isFile() || !existsSync(place)) return []
    return searchFile(begin(), place, buffer).map((one) => ({ ...one, place }))
  })
}

/** Files that a process has open for writing, also those that have no name any more. */
function writtenFiles(pid: number): { readonly path: string; readonly place: string }[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((number) => {
    const path = `/proc/${pid}/fd/${number}`
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return []
    const [, flags = '0'] =
      /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${number}`, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & 3) === 0 ? [] : [{ path, place: `file ${readlinkSync(path)}` }]
  })
}

/** Has a process and all its descendants stand still. @returns them, the process itself first */
async function stop(root: number): Promise<number[]> {
  const stopped: number[] = []
  process.kill(root, 'SIGSTOP')
  stopped.push(root)
  // Who stands still starts nobody: what a look finds besides was started before.
  for (;;) {
    const running = (await descendants(root)).filter((pid) => !stopped.includes(pid))
    if (running.length === 0) break
    for (const pid of running) {
      try {
        process.kill(pid, 'SIGSTOP')
        stopped.push(pid)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    await sleep(10)
  }
  return stopped.filter(isAlive)
}

/** One that has ended has no memory any more. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8') !== ''
  } catch {
    // It is gone since it was listed.
    return false
  }
}
