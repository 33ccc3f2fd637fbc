/**
 * How a job stands on the chain, under the confirmations, and what the node does about it before it runs: waits, has a lot
 * drawn, takes it from a node that fell silent, starts it.
 * @module
 */
import { startContext } from '@sealpool/contracts'
import { digestToHex } from '@sealpool/crypto'
import type { ChainJobState } from '../chain/chain-port.js'
import { keyScope } from '../ingest/served-pool.js'
import { hasLostJob } from '../state/job-event-table.js'
import { type JobRow, moveJob } from '../state/job-table.js'
import type { JobContext } from './job-context.js'
import { JobPutOff } from './job-refusal.js'

/**
 * Where a job stands for this node.
 * `paid`: to be started; `begun`: started by this node; `closed`: not this node's to run, and noted as that
 */
export type JobStanding = 'paid' | 'begun' | 'closed'

/**
 * Reads how a job stands.
 * @throws JobPutOff `CHAIN_BEHIND`, `LOT_NOT_DRAWN`, `ASSIGNED_TO_OTHER_NODE`, `JOB_SUSPENDED`, `POOL_PAUSED`
 */
export async function standingOf(context: JobContext, job: JobRow): Promise<JobStanding> {
  const { state, suspended, node, drawn } = await context.chain.jobState(job.id)
  const own = node === context.keys.statementAddress
  if (state === 'Running' && own) return 'begun'
  if (state === 'Running' && (await context.chain.requeueJob(job.id))) throw requeued()
  if (state === 'Running') {
    const begun = job.reservation === null && job.state === 'waiting'
    await moveJob(context.store, job.id, {
      from: ['waiting', 'running'],
      to: 'closed',
      why: begun
        ? { reason: 'RUN_BY_OTHER_NODE', reasonText: 'another node has begun this job' }
        : {
            reason: 'LOST_TO_OTHER_NODE',
            reasonText: 'this node fell silent and another one took the job over',
          },
    })
    return 'closed'
  }
  if (state === 'Proposed' || state === 'Approved') {
    throw new JobPutOff(
      'CHAIN_BEHIND',
      'the chain endpoint does not show the payment that it has shown before',
    )
  }
  if (state === 'Assigned' && !own) {
    if (await context.chain.requeueJob(job.id)) throw requeued()
    throw new JobPutOff(
      'ASSIGNED_TO_OTHER_NODE',
      'the lot gave the job to another node; it has to show up first',
    )
  }
  if (state !== 'Funded' && state !== 'Assigned') {
    await closeJob(context, job, state)
    return 'closed'
  }
  // Whoever else may have it now: this node's start would be turned away until the chain ends the job.
  if (await hasLostJob(context.store, job.id, context.keys.statementAddress)) {
    await loseJob(context, job)
    return 'closed'
  }
  const waiting = drawn && state === 'Funded'
  // Also while the job is held: the lot is then fixed, so that nobody draws anew by holding it until the chain has forgotten.
  if (waiting) await context.chain.assignJob(job.id)
  if (suspended)
    throw new JobPutOff('JOB_SUSPENDED', 'a contributor has stopped the job; its pool decides by vote')
  await requireRunningPools(context, job)
  if (waiting) {
    throw new JobPutOff('LOT_NOT_DRAWN', 'a lot decides which node runs the job; it has not fallen yet')
  }
  return 'paid'
}

function requeued(): JobPutOff {
  return new JobPutOff(
    'TAKEN_FROM_SILENT_NODE',
    'the node that had the job fell silent; the job is free again in a moment',
  )
}

/** A pool's guardian can stop starts for a while; a start would only cost gas. */
async function requireRunningPools(context: JobContext, job: JobRow): Promise<void> {
  const { timestamp } = await context.chain.head()
  for (const address of job.pools) {
    if (!context.pools.has(address)) continue
    if ((await context.chain.pool(address)).pausedUntil > timestamp) {
      throw new JobPutOff(
        'POOL_PAUSED',
        'a pool of the job is paused by its guardian; nothing starts until then',
      )
    }
  }
}

/**
 * A pool's jobs are for the node whose key the pool's data is sealed to: another one, with the same measurement, has
 * neither the data nor the budget ledger, and must not even refuse them.
 * @throws JobPutOff `POOL_KEY_OF_OTHER_NODE`
 */
export async function requireOwnKeys(context: JobContext, job: JobRow): Promise<void> {
  for (const address of job.pools) {
    const pool = context.pools.get(address)
    if (pool === undefined) continue
    const { keyEpoch } = await context.chain.pool(address)
    if (
      keyEpoch !== null &&
      context.keys.poolKey(keyScope(pool, keyEpoch.epoch)).keyId === keyEpoch.keyDigest
    )
      continue
    throw new JobPutOff(
      'POOL_KEY_OF_OTHER_NODE',
      'the key of a pool of the job is not this node’s; the node whose key it is runs the job',
    )
  }
}

/**
 * Nothing is charged and nothing is signed by a node that the registry does not list any more: its successor has the same keys.
 * @throws JobPutOff `NODE_NOT_LISTED`
 */
export async function requireListed(context: JobContext): Promise<void> {
  if (await context.isListed()) return
  throw new JobPutOff('NODE_NOT_LISTED', 'the registry does not list this node with its present key set')
}

/**
 * Starts a paid job.
 * @returns true once the start is confirmed; false when another node was first
 * @throws JobPutOff `START_NOT_CONFIRMED`
 */
export async function startOnChain(context: JobContext, job: JobRow): Promise<boolean> {
  await sendStart(context, job)
  const standing = await standingOf(context, job)
  if (standing === 'paid') {
    throw new JobPutOff(
      'START_NOT_CONFIRMED',
      'the start of the job waits for its confirmations on the chain',
    )
  }
  return standing === 'begun'
}

/** Tells the chain that this node begins a job. */
export async function sendStart(context: JobContext, job: JobRow): Promise<void> {
  await context.chain.startJob({
    kind: 'start',
    job: job.id,
    statement: context.sign({
      type: 'sealpool/start',
      body: { job: job.id, manifest: job.manifestDigest },
      ...startContext({
        deployment: context.sign.deployment,
        nonce: 0n,
        jobId: BigInt(job.id),
        pools: job.pools,
        manifestDigest: digestToHex(job.manifestDigest),
      }),
    }),
  })
}

/** The chain took the job from this node while it was silent: its answer never leaves, its charge stays. */
export function loseJob(context: JobContext, job: JobRow): Promise<void> {
  return moveJob(context.store, job.id, {
    from: [job.state],
    to: 'closed',
    why: {
      reason: 'LOST_TO_OTHER_NODE',
      reasonText:
        'this node fell silent and the chain took the job from it, for another one; what was charged for it stays charged',
    },
  })
}

/** Ends a job that the chain has ended. */
export function closeJob(context: JobContext, job: JobRow, state: ChainJobState): Promise<void> {
  return moveJob(context.store, job.id, {
    from: [job.state],
    to: 'closed',
    why: {
      reason: `CHAIN_${state.toUpperCase()}`,
      reasonText: `the job is ${state} on the chain; what was charged for it stays charged`,
    },
  })
}

/** Unix seconds of the next try: later each time, at most five minutes. */
export function nextTry(context: Pick<JobContext, 'now'>, { attempts }: Pick<JobRow, 'attempts'>): number {
  return context.now() + Math.min(2 ** Math.min(attempts, 8), 300)
}
