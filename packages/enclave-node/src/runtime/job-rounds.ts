/**
 * Looks for jobs that something can be done for, and has them worked on: so many at once, and no more begun than can be carried.
 * @module
 */
import { isListed } from '../chain/is-listed.js'
import type { NodeConfig } from '../config/node-config.js'
import type { JobContext } from '../job/job-context.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { begunJobs, dueJobs } from '../state/job-queue.js'
import { jobWorkers } from './job-workers.js'

const unfinished = ['waiting', 'running', 'charged', 'released', 'refusing'] as const

/** What rounds need. */
export interface JobRoundsOptions {
  readonly job: Pick<JobContext, 'store' | 'chain' | 'keys' | 'pools' | 'now'>
  readonly engine: Pick<NodeConfig['engine'], 'jobsAtOnce' | 'jobsBegun'>
  /** Whether the node may work now. */
  readonly mayWork: () => boolean
  /** Does all that can be done for a job now; answers whether it moved on. It must not throw. */
  readonly work: (id: string) => Promise<boolean>
  /** Called when there may be more to begin. */
  readonly freed: () => void
}

/** Rounds of jobs. */
export interface JobRounds {
  /** @returns false: whatever ends looks for more at once */
  round(): Promise<boolean>
  /** A place among the jobs that run at once, for another home's job; undefined when all are taken. */
  place(): (() => void) | undefined
  /** How many jobs are under way. */
  underWay(): number
  /** Waits for what is under way. No round may follow. */
  ended(): Promise<void>
}

/** @returns rounds in which jobs are begun while the node may work */
export function jobRounds({ job, engine, mayWork, work, freed }: JobRoundsOptions): JobRounds {
  const { store, chain, keys } = job
  const workers = jobWorkers({ atOnce: engine.jobsAtOnce, work, freed })
  return {
    async round() {
      if (!mayWork()) return false
      // The ingest round's answer may be old: a round is long, or the registry was not read since.
      if (!(await isListed(chain, keys))) return false
      for (const pool of job.pools.keys()) await requireNotBehind(job, pool)
      if (!mayWork()) return false
      // What is under way may begin on the chain while the state is read.
      const before = workers.ids()
      const due = await dueJobs(store, unfinished, job.now())
      const { all, carried } = await begunJobs(store, job.pools.keys())
      const begun = new Set([...before, ...all])
      workers.begin(due, { begun, more: engine.jobsBegun - new Set([...before, ...carried]).size })
      return false
    },
    place: workers.place,
    underWay: workers.count,
    ended: workers.ended,
  }
}
