import { readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { PrivacyError } from '../errors.js'

/**
 * Takes a lock file for this process. A lock whose process is gone is taken over.
 *
 * A seat belt against starting a node twice on one machine, not a proof: processes that do not see each other's numbers
 * (containers, a network drive) are not told apart; the storage's check of its own length is the second guard.
 *
 * @param path - Lock file.
 * @returns Gives the lock back.
 * @throws PrivacyError `LEDGER_IN_USE`.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const own = await identityOf(process.pid)
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, own, { flag: 'wx', mode: 0o600 })
      return async () => {
        if ((await readIfThere(path)) === own) await unlink(path)
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = (await readIfThere(path)) ?? ''
    const pid = Number(/^[1-9][0-9]{0,9}/.exec(holder)?.[0] ?? 0)
    if (holder === '' || (pid > 0 && (await identityOf(pid)) === holder)) throw inUse(path)
    // Moving is atomic: of two processes that find the same dead lock only one moves it.
    const aside = `${path}.${process.pid}`
    try {
      await rename(path, aside)
      await unlink(aside)
    } catch {
      // The other one did.
    }
  }
  throw inUse(path)
}

/** A process by number and, where Linux tells it, the moment of its start, so that a reused number is another process. */
async function identityOf(pid: number): Promise<string> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  // The second field is the name in brackets and may hold anything; the start is the 20th field after it.
  if (stat !== undefined) return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
  if (process.platform === 'linux') return `${pid} gone`
  try {
    process.kill(pid, 0)
    return `${pid} alive`
  } catch {
    return `${pid} gone`
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

function inUse(path: string): PrivacyError {
  return new PrivacyError(
    'LEDGER_IN_USE',
    path,
    'Another process has this ledger open. Stop it first; one ledger has one writer.',
  )
}
