import type { JobContext } from '../job/job-context.js'
import { signOfLife } from '../job/sign-of-life.js'
import { livingJobs } from '../state/job-queue.js'
import { findJob } from '../state/job-table.js'

/** What signs of life need. */
export interface SignsOfLifeOptions {
  readonly job: Pick<JobContext, 'store' | 'chain' | 'sign' | 'pools' | 'now'>
  /** Seconds between two signs for a job. */
  readonly seconds: number
  /** Whether the node may work now: one that does not shall lose its jobs to another one. */
  readonly mayWork: () => boolean
  /** Told of a sign that was not sent. */
  readonly onError: (job: string, error: unknown) => void
}

/**
 * Keeps the jobs that this node has begun: not only those that run, also those that wait for an anchor or for their turn, which may take
 * longer than the chain waits for a silent node.
 * @returns a round, to be called more often than signs are due; it sends one, and answers whether more are left
 */
export function signsOfLife({ job, seconds, mayWork, onError }: SignsOfLifeOptions): () => Promise<boolean> {
  let last: number | undefined
  let left: readonly string[] = []
  return async () => {
    if (!mayWork()) return false
    const now = job.now()
    // The distance, not the order: a clock that was set back would have all wait for as long.
    if (left.length === 0 && (last === undefined || Math.abs(now - last) >= seconds)) {
      left = await livingJobs(job.store, job.pools.keys())
      last = now
    }
    const [id, ...others] = left
    if (id === undefined) return false
    left = others
    const row = await findJob(job.store, id)
    // One that fails holds up no other, and is sent again when the next is due.
    if (row !== undefined) await signOfLife(job, row).catch((error: unknown) => onError(id, error))
    return left.length > 0
  }
}
