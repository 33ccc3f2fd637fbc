import { watch as watchFolder } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from './arguments.js'

const SETTLE_MS = 100
/** How often is looked where the system does not tell of changes; a look bundles the proof and reads what is judged. */
const LOOK_MS = 2_000
/** Folders that are watched; a proof is no monorepo. */
const MOST_FOLDERS = 1000

/** What the system says of a folder that went away; on Windows also of one that is being removed. */
const gone: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'EPERM']

/** What to do about a system that does not watch. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: '; raise fs.inotify.max_user_watches (sysctl)',
  EMFILE: '; raise fs.inotify.max_user_instances (sysctl) or the limit of open files (ulimit -n)',
}

const unreadable = (folder: string): UsageError =>
  new UsageError(`${folder} is not a folder that can be read`)

/** A folder and those in it, without what is installed or hidden. */
async function foldersBelow(folder: string): Promise<string[]> {
  const found = [folder]
  for (const one of found) {
    const entries = await readdir(one, { withFileTypes: true }).catch(() => {
      if (one === folder) throw unreadable(folder)
      // It went away meanwhile, or is not ours to read: the run says so, and the others are watched.
      return []
    })
    for (const entry of entries) {
      const isOwn = entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')
      if (isOwn && found.length <= MOST_FOLDERS) found.push(join(one, entry.name))
    }
  }
  return found
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

/**
 * Runs work now and again after each change of what it depends on, one run at a time, until it is told to stop. Changes are noticed below some
 * folders, at any depth; what is installed (`node_modules`) and hidden folders are left out. Where the system does not tell of them (it has
 * a limit of what it watches), it is looked every two seconds instead.
 *
 * @param options `folders` to watch; `state`: what the work depends on, as a text; `work`; `tell`: is told once when the system does not watch;
 *   `signal` that ends it
 * @throws UsageError when one of `folders` cannot be read
 */
export async function watchAndRun(options: {
  readonly folders: readonly string[]
  readonly state: () => Promise<string>
  readonly work: () => Promise<void>
  readonly tell: (text: string) => void
  readonly signal: AbortSignal
}): Promise<void> {
  const { folders, state, work, tell, signal } = options
  let changed: (() => void) | undefined
  let pending = false
  let looks = false
  const notice = (): void => {
    pending = true
    changed?.()
  }
  const lookInstead = (why: string, remedy = ''): void => {
    if (!looks) tell(`${why}: looking every ${LOOK_MS / 1000} seconds instead${remedy}\n`)
    looks = true
  }
  const notWatched = (code: string): void =>
    lookInstead(`The system does not watch (${code})`, Object.hasOwn(remedies, code) ? remedies[code] : '')
  const watchers = new Map<string, ReturnType<typeof watchFolder>>()
  const forget = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const followOne = (folder: string): void => {
    try {
      const watcher = watchFolder(folder, notice)
      watcher.on('error', (error) => {
        // A folder that goes away while it is watched is a change like any other.
        if (!gone.includes(codeOf(error))) notWatched(codeOf(error))
        forget(folder)
        notice()
      })
      watchers.set(folder, watcher)
    } catch (error) {
      if (!gone.includes(codeOf(error))) notWatched(codeOf(error))
      else if (folders.includes(folder)) throw unreadable(folder)
    }
  }
  const follow = async (): Promise<void> => {
    const below = await Promise.all(folders.map(foldersBelow))
    if (below.some(({ length }) => length > MOST_FOLDERS))
      lookInstead(`${MOST_FOLDERS} folders are watched at most, and there are more`)
    const found = new Set(below.flat())
    // One that is made again under its name is another one.
    for (const folder of watchers.keys()) if (!found.has(folder)) forget(folder)
    for (const folder of found) if (!looks && !watchers.has(folder)) followOne(folder)
  }
  signal.addEventListener('abort', notice, { once: true })
  try {
    await follow()
    let before: string | undefined
    while (!signal.aborted) {
      pending = false
      const now = await state()
      // Something else has changed there, the answer of the last run for one.
      if (now !== before) await work()
      before = now
      if (!pending) {
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((resolve) => {
          changed = resolve
          if (looks) timer = setTimeout(resolve, LOOK_MS)
        })
        clearTimeout(timer)
        changed = undefined
      }
      // Editors write a file in several steps, and new folders are followed from then on.
      if (!signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
        await follow()
      }
    }
  } finally {
    for (const watcher of watchers.values()) watcher.close()
  }
}
