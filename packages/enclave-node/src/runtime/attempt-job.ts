import type { JobContext } from '../job/job-context.js'
import { advanceJob } from '../job/run-job.js'
import type { JobState } from '../state/job-state.js'
import { delayJob, findJob, type JobRow } from '../state/job-table.js'
import type { NodeLogger } from './logger.js'

/** What only the chain's next blocks can end: such a try is short, and nobody can draw it out. */
const forBlocks: readonly string[] = ['START_NOT_CONFIRMED', 'ANCHOR_NOT_CONFIRMED', 'LOT_NOT_DRAWN']
const signed: readonly JobState[] = ['charged', 'released', 'refusing']

/**
 * Brings a job a step further. One that fails holds up no other: it is put off and tried again where it stands.
 * @param asked `now`: Unix seconds
 * @returns whether it keeps its place in the order: it moved on, or waits for nothing but blocks
 */
export async function attemptJob(asked: {
  readonly job: JobContext
  readonly id: string
  readonly log: NodeLogger
  readonly now: () => number
}): Promise<boolean> {
  const { job, id, log } = asked
  let attempts = 0
  try {
    const before = await findJob(job.store, id)
    attempts = before?.attempts ?? 0
    let after: JobRow | undefined
    const facts = () => ({ job: id, manifest: before?.manifestDigest, state: after?.state })
    const advance = async () => {
      after = await advanceJob(job, id)
      return after
    }
    await (job.trace === undefined ? advance() : job.trace.step('job.advance', facts, advance))
    log.info(
      { job: id, from: before?.state, to: after?.state, reason: after?.reason ?? undefined },
      'job moved',
    )
    if (after === undefined) return false
    return (
      after.state !== before?.state || signed.includes(after.state) || forBlocks.includes(after.reason ?? '')
    )
  } catch (error) {
    log.error({ err: error, job: id }, 'job failed')
    await delayJob(job.store, id, {
      reason: 'TRIED_AGAIN',
      reasonText: 'the last attempt failed; it is tried again',
      at: asked.now() + Math.min(2 ** Math.min(attempts, 8), 300),
    }).catch((again: unknown) => log.error({ err: again, job: id }, 'a failed job was not put off'))
    return false
  }
}
