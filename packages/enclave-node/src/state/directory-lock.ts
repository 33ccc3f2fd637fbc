import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NodeError } from '../errors.js'

/** Name of the lock in the folder. */
export const lockFile = 'node.lock'

/**
 * Keeps two nodes off one data folder. The lock names the process and when it started, so that a lock left by a
 * killed node is recognised (also when its process number has been given to another program) and replaced.
 * @param directory an existing folder
 * @returns a function that gives the lock back
 * @throws NodeError `STATE_LOCKED`
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, lockFile)
  const mine = `${process.pid} ${startOf(process.pid) ?? 'unknown'}`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (cause) {
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) {
        throw new NodeError(
          'STATE_LOCKED',
          'data directory',
          `process ${holder.pid} has it open; stop that node or choose another data directory`,
          { cause },
        )
      }
      rmSync(path, { force: true })
    }
  }
  throw new NodeError(
    'STATE_LOCKED',
    'data directory',
    'another node took it at the same moment; start again',
  )
}

interface Holder {
  readonly pid: number
  readonly started: string
}

function readHolder(path: string): Holder | undefined {
  try {
    const match = /^(\d{1,10}) (\S{1,32})$/.exec(readFileSync(path, 'utf8'))
    return match?.[1] === undefined || match[2] === undefined
      ? undefined
      : { pid: Number(match[1]), started: match[2] }
  } catch {
    return undefined
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives but belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  const now = startOf(pid)
  return now === undefined || started === 'unknown' || now === started
}

/** The start time of a process in clock ticks since boot (field 22 of /proc/<pid>/stat); undefined outside Linux. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
