import { detachedJobText, jobStateNumber, jobStateText } from '../state/job-state.js'
import type { JobRow } from '../state/job-table.js'

/** @returns what the API says of a job that is voted on */
export function proposalView(job: JobRow): object {
  const { id, consumer, pools, manifestDigest, locator, chainState, approvals } = job
  return { id, consumer, pools, manifestDigest, locator, chainState, approvals }
}

/** @returns what the API says of a job's state */
export function jobView(job: JobRow): Record<string, unknown> {
  const state = job.detached ? 'detached' : job.state
  return {
    id: job.id,
    state,
    stateNumber: jobStateNumber[state],
    stateText: job.detached ? detachedJobText : jobStateText[job.state],
    chainState: job.chainState,
    reason: job.reason,
    reasonText: job.reasonText,
    reasons: job.reason === null ? [] : [{ code: job.reason, text: job.reasonText }],
    receipt: job.receipt,
  }
}
