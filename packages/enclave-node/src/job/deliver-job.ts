/**
 * Tells the chain what was decided about a job.
 * @module
 */
import { releaseContext } from '@sealpool/contracts'
import { type Digest, digestToHex } from '@sealpool/crypto'
import type { ChainJobState, JobRefusal as ChainRefusal, JobRelease } from '../chain/chain-port.js'
import { requireAnchoredCharge } from '../federation/anchored-charge.js'
import { givenCharges } from '../federation/charged-homes.js'
import { hasLostJob } from '../state/job-event-table.js'
import type { JobState } from '../state/job-state.js'
import { delayJob, findJob, type JobRow, moveJob } from '../state/job-table.js'
import { traced } from '../trace/tracer.js'
import type { JobContext } from './job-context.js'
import { JobPutOff } from './job-refusal.js'
import { closeJob, loseJob, nextTry, sendStart } from './job-standing.js'
import { requireNotStopped } from './not-stopped.js'
import { requireAnchored } from './reserve-job.js'

/** The statement by which a job is released, as the chain takes it. */
export function chainRelease(
  context: Pick<JobContext, 'sign'>,
  job: JobRow,
  facts: {
    readonly receiptDigest: Digest
    readonly resultDigest: Digest
    /** Head of each pool's ledger after the charge, in the order of the job's pools. */
    readonly budgetHeads: readonly Digest[]
  },
): JobRelease {
  const { receiptDigest, resultDigest, budgetHeads } = facts
  const statement = context.sign({
    type: 'sealpool/release',
    body: { job: job.id, receipt: receiptDigest, result: resultDigest, budgetHeads },
    ...releaseContext({
      deployment: context.sign.deployment,
      nonce: 0n,
      jobId: BigInt(job.id),
      pools: job.pools,
      manifestDigest: digestToHex(job.manifestDigest),
      consumer: job.consumer,
      receiptDigest: digestToHex(receiptDigest),
      resultDigest: digestToHex(resultDigest),
      budgetHeads: budgetHeads.map(digestToHex),
    }),
  })
  return { kind: 'release', job: job.id, receiptDigest, resultDigest, budgetHeads, statement }
}

/** What the chain must be told of. */
const decided: readonly JobState[] = ['charged', 'released', 'refusing']
const ended: readonly ChainJobState[] = ['Refused', 'Failed', 'Cancelled', 'Expired']

/**
 * Tells the chain what was decided. Every step may be repeated after a stop, and is repeated until what it did on the
 * chain has its confirmations: what a reorganisation undid is done again.
 */
export async function deliverJob(context: JobContext, id: string): Promise<void> {
  const { store } = context
  const job = await findJob(store, id)
  if (job === undefined || job.detached) return
  try {
    const about = { job: id, manifest: job.manifestDigest }
    if (decided.includes(job.state))
      await traced(context.trace, 'job.deliver', about, () => deliver(context, job))
  } catch (error) {
    if (!(error instanceof JobPutOff)) throw error
    await delayJob(store, id, { reason: error.code, reasonText: error.text, at: nextTry(context, job) })
  }
}

async function deliver(context: JobContext, job: JobRow): Promise<void> {
  const { store, chain } = context
  const { id } = job
  if (job.state === 'charged') {
    const { state, node } = await chain.jobState(id)
    if (ended.includes(state)) return closeJob(context, job, state)
    if (state === 'Running' && node !== context.keys.statementAddress) return loseJob(context, job)
    if (state === 'Funded' || state === 'Assigned') {
      if (await hasLostJob(store, id, context.keys.statementAddress)) return loseJob(context, job)
      // The start was undone by a reorganisation: the answer is there, and is released when it stands again.
      requireNotStopped(context)
      await sendStart(context, job)
      if (!(await confirmed(context, job, ['Running', 'Released', 'Settled']))) return
    }
    // A charge that was anchored before its job ran may have lost that block since: nothing is released before it stands again.
    if (job.reservation !== null) await requireAnchored(context, job.reservation)
    for (const charged of await givenCharges(store, job)) await requireAnchoredCharge(chain, charged)
    requireNotStopped(context)
    await chain.releaseJob(job.release as unknown as JobRelease)
    if (!(await confirmed(context, job, ['Released', 'Settled']))) return
    await moveJob(store, id, { from: ['charged'], to: 'released' })
  }
  if (job.state === 'charged' || job.state === 'released') {
    requireNotStopped(context)
    await chain.settleJob(id)
    if (!(await confirmed(context, job, ['Settled']))) return
    await moveJob(store, id, { from: ['released'], to: 'settled' })
  }
  if (job.state === 'refusing') {
    const { state, node, drawn } = await chain.jobState(id)
    if (!ended.includes(state)) {
      if (node !== null && node !== context.keys.statementAddress) return loseJob(context, job)
      if (await hasLostJob(store, id, context.keys.statementAddress)) return loseJob(context, job)
      if (drawn && state === 'Funded') return awaitLot(context, job)
    }
    requireNotStopped(context)
    await chain.refuseJob(job.release as unknown as ChainRefusal)
    if (!(await confirmed(context, job, ended))) return
    await moveJob(store, id, {
      from: ['refusing'],
      to: 'refused',
      why: job.reason === null ? null : { reason: job.reason, reasonText: job.reasonText ?? '' },
    })
  }
}

/** The lot that this node refused by was undone, by a reorganisation or its silence: only whom a new one falls on may refuse. */
async function awaitLot(context: JobContext, job: JobRow): Promise<void> {
  await context.chain.assignJob(job.id)
  await delayJob(context.store, job.id, {
    reason: 'LOT_NOT_DRAWN',
    reasonText: 'the refusal waits for the lot: only the node that the job is drawn for may refuse it',
    at: nextTry(context, job),
  })
}

/** @returns whether the job stands in one of the states under the confirmations; if not, it is looked at again later */
async function confirmed(
  context: JobContext,
  job: JobRow,
  states: readonly ChainJobState[],
): Promise<boolean> {
  const { state } = await context.chain.jobState(job.id)
  if (states.includes(state)) return true
  await delayJob(context.store, job.id, {
    reason: 'NOT_CONFIRMED',
    reasonText: 'what the node has sent waits for its confirmations on the chain',
    at: nextTry(context, job),
  })
  return false
}
