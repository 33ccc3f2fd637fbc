import { watch as watchFolder } from 'node:fs'

const SETTLE_MS = 100

/**
 * Runs work now and again after each change below some folders, one run at a time, until it is told to stop.
 *
 * @param options `folders` to watch; `work`; `signal` that ends it
 */
export async function watchAndRun(options: {
  readonly folders: readonly string[]
  readonly work: () => Promise<void>
  readonly signal: AbortSignal
}): Promise<void> {
  const { folders, work, signal } = options
  let changed: (() => void) | undefined
  let pending = false
  const notice = (): void => {
    pending = true
    changed?.()
  }
  const watchers = folders.map((folder) => watchFolder(folder, { recursive: false }, notice))
  signal.addEventListener('abort', notice, { once: true })
  try {
    while (!signal.aborted) {
      pending = false
      await work()
      if (!pending) {
        await new Promise<void>((resolve) => {
          changed = resolve
        })
        changed = undefined
      }
      // Editors write a file in several steps.
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    }
  } finally {
    for (const watcher of watchers) watcher.close()
  }
}
