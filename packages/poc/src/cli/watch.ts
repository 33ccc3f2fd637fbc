import { watch as watchFolder } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from './arguments.js'

const SETTLE_MS = 100
/** Folders that are watched; a proof is no monorepo. */
const MOST_FOLDERS = 1000

/** A folder and those in it, without what is installed or hidden. */
async function foldersBelow(folder: string): Promise<string[]> {
  const found = [folder]
  for (const one of found) {
    const entries = await readdir(one, { withFileTypes: true }).catch(() => {
      throw new UsageError(`${one} is not a folder that can be read`)
    })
    for (const entry of entries) {
      const isOwn = entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')
      if (isOwn && found.length < MOST_FOLDERS) found.push(join(one, entry.name))
    }
  }
  return found
}

/**
 * Runs work now and again after each change of what it depends on, one run at a time, until it is told to stop. Changes are noticed below some
 * folders, at any depth; what is installed (`node_modules`) and hidden folders are left out.
 *
 * @param options `folders` to watch; `state`: what the work depends on, as a text; `work`; `signal` that ends it
 * @throws UsageError when one of `folders` cannot be read
 */
export async function watchAndRun(options: {
  readonly folders: readonly string[]
  readonly state: () => Promise<string>
  readonly work: () => Promise<void>
  readonly signal: AbortSignal
}): Promise<void> {
  const { folders, state, work, signal } = options
  let changed: (() => void) | undefined
  let pending = false
  const notice = (): void => {
    pending = true
    changed?.()
  }
  const watchers = new Map<string, ReturnType<typeof watchFolder>>()
  const follow = async (): Promise<void> => {
    for (const root of folders) {
      for (const folder of await foldersBelow(root)) {
        if (watchers.has(folder)) continue
        const watcher = watchFolder(folder, notice)
        // A folder that goes away while it is watched is a change like any other.
        watcher.on('error', () => {
          watchers.delete(folder)
          watcher.close()
          notice()
        })
        watchers.set(folder, watcher)
      }
    }
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
        await new Promise<void>((resolve) => {
          changed = resolve
        })
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
