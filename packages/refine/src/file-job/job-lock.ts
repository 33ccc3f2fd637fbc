/**
 * One run of a job at a time. Every run that wants the folder puts a claim into it, a file whose name says which process it is of, and then
 * looks for claims of others: of two runs at least the one that came second sees the other, so never both go on. A claim whose process has
 * ended means nothing: a run that was killed leaves no lock. Node has no locks of the system's (`flock`), which would do all of this.
 */
import { createHash, randomBytes } from 'node:crypto'
import { open, readdir, readFile, readlink, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { RefineError } from '../errors.js'

/** A claim on a job's folder. */
export interface JobLock {
  release(): Promise<void>
}

/** How processes are told apart; given by tests. */
export interface ProcessView {
  /** Where process numbers mean what they mean here: this start of this machine, this namespace; null when that cannot be told. */
  readonly world: string | null
  readonly pid: number
  /** When a process of this world began, in a form that no other process with its number has; null when there is none. */
  startOf(pid: number): Promise<string | null>
  /** How often a claim is renewed, and how old one of another world may be, in milliseconds. */
  readonly renewEvery: number
  readonly foreignAge: number
}

const claimName = /^\.lock\.([0-9a-f]{16})\.(\d{1,10})\.(\d{1,20})\.[0-9a-f]{16}$/

/** Is this the name of a claim? @param name - of a file in a job's folder */
export function isClaim(name: string): boolean {
  return claimName.test(name)
}

/**
 * The processes of this system, as `/proc` tells them; where there is none, every claim is as one of another world.
 *
 * @returns the view
 */
export async function systemProcesses(): Promise<ProcessView> {
  const told = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ]).catch(() => undefined)
  return {
    world:
      told === undefined ? null : createHash('sha256').update(told.join('\n')).digest('hex').slice(0, 16),
    pid: process.pid,
    async startOf(pid) {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(unlessGone)
      // The second field is the program's name in brackets, which may hold brackets and blanks; the 22nd is the start in ticks.
      const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
      // A process that has ended and that its parent has not yet asked after is there by number alone.
      return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
    },
    renewEvery: 10_000,
    foreignAge: 60_000,
  }
}

/** What is not there is nothing; any other failure tells nothing, and is told. ESRCH: a process that ends while it is read. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
}

function inUse(name: string, remedy: string): RefineError {
  return new RefineError('JOB_INVALID', 'output', `Another run works on the folder (${name}); ${remedy}`)
}

/** Claims of runs that have ended; what may be of one that goes on is refused. */
async function endedClaims(folder: string, own: string, view: ProcessView): Promise<readonly string[]> {
  const ended: string[] = []
  const changed = async (name: string) => (await stat(join(folder, name)).catch(unlessGone))?.mtimeMs
  const now = await changed(own)
  // Whoever took it away takes this run for one that has ended.
  if (now === undefined) throw inUse('which took the claim of this one away', 'wait for it, then begin again')
  for (const name of await readdir(folder)) {
    const [, world, pid, start] = claimName.exec(name) ?? []
    if (world === undefined || name === own) continue
    if (world === view.world) {
      if ((await view.startOf(Number(pid))) === start) throw inUse(`process ${pid}`, 'wait for it, or end it')
    } else {
      // Of another machine, another start of this one or another container: only its age tells, by the clock that stamps both files.
      // One of a time to come was stamped by a clock that was wrong then: who goes on stamps it anew.
      const last = await changed(name)
      if (last !== undefined && Math.abs(now - last) < view.foreignAge) {
        const seconds = Math.ceil(view.foreignAge / 1000)
        throw inUse('of another system', `wait for it, or, if it was stopped, ${seconds} seconds`)
      }
    }
    ended.push(name)
  }
  return ended
}

/**
 * Claims a job's folder for this run.
 *
 * @param folder - of the job; there
 * @param view - default {@link systemProcesses}
 * @returns the claim; release it at the end
 * @throws RefineError with `JOB_INVALID` while another run has it; of two runs that begin at once both may be refused; the system's error
 *   when the folder cannot be read or written
 */
export async function lockJob(folder: string, view?: ProcessView): Promise<JobLock> {
  const processes = view ?? (await systemProcesses())
  const { pid } = processes
  const world = processes.world ?? '0'.repeat(16)
  const start = (await processes.startOf(pid)) ?? '0'
  const own = `.lock.${world}.${pid}.${start}.${randomBytes(8).toString('hex')}`
  const path = join(folder, own)
  const file = await open(path, 'wx', 0o600)
  // Written, not stamped: then the folder's own system says when.
  const renew = () => file.write('.', 0)
  // One that fails is tried again at the next turn: runs of this world see the claim however old it is, those of others for a minute more.
  const timer = setInterval(() => void renew().catch(() => undefined), processes.renewEvery)
  timer.unref()
  const release = async () => {
    clearInterval(timer)
    try {
      await unlink(path).catch(unlessGone)
    } finally {
      await file.close()
    }
  }
  try {
    await renew()
    // One that cannot be removed, of another user for example, means as little to the next run as to this one.
    for (const name of await endedClaims(folder, own, processes))
      await unlink(join(folder, name)).catch(() => undefined)
  } catch (error) {
    // What went wrong first is told.
    await release().catch(() => undefined)
    throw error
  }
  return { release }
}
