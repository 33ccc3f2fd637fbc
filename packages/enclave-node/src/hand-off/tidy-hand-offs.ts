/**
 * Ends hand-offs that nobody needs any more, wherever a stop, the chain or an owner has left them.
 * @module
 */
import { requireInputs } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import { findJob, type JobRow } from '../state/job-table.js'
import { handedOffJobs, isHandOffKept } from './kept-hand-off.js'

/**
 * @param job as it stands
 * @returns whether another node may still run it
 */
export function isHandedOff(job: JobRow): boolean {
  return !job.detached && (job.state === 'waiting' || job.state === 'running')
}

/** What tidying needs. */
export interface TidyHandOffsOptions {
  readonly context: Pick<JobContext, 'store' | 'lock' | 'handOff'>
  /** Resolves when whoever asks has waited long enough for one round; what is under way then goes on by itself. */
  readonly enough: () => Promise<void>
  /** One hand-off that cannot be ended: it is tried again in the next round. */
  readonly onError: (job: string, error: unknown) => void
}

/** Ends hand-offs side by side; one that fails, or takes long, holds up no other. */
export interface HandOffTidier {
  /**
   * Ends, here and at the node that has it, each hand-off whose job is answered or over, or of which an owner took something back:
   * asked before an erasure is signed.
   * @returns how many were ended before it was waited for long enough
   */
  tidy(): Promise<number>
  /** Waits for what is under way. */
  ended(): Promise<void>
}

/** Makes a tidier that has begun nothing. */
export function handOffTidier({ context, enough, onError }: TidyHandOffsOptions): HandOffTidier {
  const { store, lock, handOff } = context
  const underWay = new Map<string, Promise<void>>()

  const isNeeded = async (id: string): Promise<boolean> => {
    const job = await findJob(store, id)
    return job !== undefined && isHandedOff(job) && (await hasInputs(context, job))
  }

  return {
    async tidy() {
      if (handOff === undefined) return 0
      let ended = 0
      const endOne = async (id: string): Promise<void> => {
        // Looked at without the lock first: a visit that sends for long has it, and its hand-off is needed.
        if (await isNeeded(id)) return
        await lock(id, async () => {
          if ((await isNeeded(id)) || !(await isHandOffKept(store, id))) return
          await handOff.end(id)
          ended += 1
        })
      }
      const begun: Promise<void>[] = []
      for (const id of await handedOffJobs(store)) {
        if (underWay.has(id)) continue
        const one = endOne(id)
          .catch((error: unknown) => onError(id, error))
          .finally(() => underWay.delete(id))
        underWay.set(id, one)
        begun.push(one)
      }
      if (begun.length > 0) await Promise.race([Promise.all(begun), enough()])
      return ended
    },
    async ended() {
      await Promise.all(underWay.values())
    },
  }
}

async function hasInputs({ store }: Pick<JobContext, 'store'>, { reservation }: JobRow): Promise<boolean> {
  if (reservation === null) return true
  try {
    await requireInputs(store, reservation)
    return true
  } catch (error) {
    if (error instanceof JobRefusal) return false
    throw error
  }
}
