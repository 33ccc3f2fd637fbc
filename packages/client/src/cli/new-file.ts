import { rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { usage } from './arguments.js'

/** How a program is told to end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Makes a file that only its owner can read, with the result of some work. The file is made before the work begins, so that
 * nothing is sent or fetched that could not be kept; one that exists is never written over, and none stays when the work fails or the
 * program is told to end (SIGINT, SIGTERM, SIGHUP).
 *
 * @param path where
 * @param place the argument or option that named it
 * @param work gives the file's content, and what else came of it
 * @throws ClientError `OPTION_INVALID` when the file exists or cannot be made; what `work` throws
 */
export async function intoNewFile<Done extends { readonly content: string | Uint8Array }>(
  path: string,
  place: string,
  work: () => Promise<Done>,
): Promise<Done> {
  const refused = (error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    const why = code === 'EEXIST' ? 'the file exists; name a new one' : `the file cannot be made (${code})`
    return usage(place, why)
  }
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw refused(error)
  })
  let isWhole = false
  const end = (signal: NodeJS.Signals) => {
    forget()
    // An empty file would be in the way of the next try.
    if (!isWhole) rmSync(path, { force: true })
    // Without a listener the signal does what it always does.
    process.kill(process.pid, signal)
  }
  const forget = () => {
    for (const signal of endings) process.removeListener(signal, end)
  }
  for (const signal of endings) process.on(signal, end)
  try {
    const done = await work()
    await file.writeFile(done.content).catch((error: unknown) => {
      throw refused(error)
    })
    await file.sync()
    isWhole = true
    return done
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    forget()
    await file.close()
  }
}
