/**
 * Takes one paid job from the chain to its release. Order of every step: decide, charge and store in one transaction,
 * tell the chain, note that it was told. A stop before the transaction costs nothing and the job begins again; a stop
 * after it finds the sealed answer, its charge and its receipt in the store and goes on from there.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import { releaseContext, startContext } from '@sealpool/contracts'
import { type Digest, digestToHex, type JsonValue } from '@sealpool/crypto'
import { PrivacyError } from '@sealpool/privacy'
import type { ChainJobState, JobRefusal as ChainRefusal, JobRelease } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { jobInputs, type PoolInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { resultMediaType, sealResult } from '../release/seal-result.js'
import {
  delayJob,
  findJob,
  grantsOf,
  type JobApproval,
  type JobRow,
  moveJob,
  putOffJob,
  storeOutcome,
} from '../state/job-table.js'
import { chargeBudgets, isCharged, ledgerHead } from '../state/pglite-ledger.js'
import { executeJob } from './execute-job.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { chargeRequests, planJob, requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'
import { inputsOf, keyEpochs, refuseJob } from './refuse-job.js'

/**
 * Does all that can be done for a job now, under its lock.
 * @returns the job as it stands afterwards
 * @throws NodeError `JOB_MOVED` when the chain ended it meanwhile, `JOB_ALREADY_CHARGED` when the ledger has a charge for
 * it that its row has not: such a job is never run again
 */
export function advanceJob(context: JobContext, id: string): Promise<JobRow | undefined> {
  return context.lock(id, async () => {
    const job = await findJob(context.store, id)
    if (job === undefined) return undefined
    if (job.state === 'waiting' || job.state === 'running') await decideJob(context, job)
    await deliverJob(context, id)
    return findJob(context.store, id)
  })
}

async function decideJob(context: JobContext, job: JobRow): Promise<void> {
  let manifest: JobManifest | null = null
  let planned: PlannedJob | null = null
  try {
    const standing = await standingOf(context, job)
    if (standing === 'closed') return
    if (standing === 'paid') await requireOwnKeys(context, job)
    const grants = await grantsOf(context.store, job)
    if (grants.length !== job.pools.length) throw JobRefusal.of('JOB_NOT_APPROVED')
    manifest = await loadManifest(context, job)
    const pools = poolsOf(manifest, context.pools)
    planned = await planJob(manifest, pools)
    const inputs = await jobInputs(context.store, pools)
    await requireRunnable(context.store, job.id, planned, inputs)
    await requireUncharged(context, job, planned)
    if (standing === 'paid' && !(await startOnChain(context, job))) return
    await moveJob(context.store, job.id, { from: ['waiting', 'running'], to: 'running' })
    const answer = await executeJob(context, planned)
    await requireSameInputs(context, pools, inputs)
    await chargeAndStore(context, { job, grants, manifest, planned, inputs, answer })
  } catch (error) {
    if (error instanceof JobRefusal) {
      await refuseJob(
        context,
        job,
        {
          refusal: error,
          kind: manifest?.kind ?? 'query',
          manifest: manifest as unknown as JsonValue,
          planned,
        },
        true,
      )
    } else if (error instanceof JobPutOff) {
      await putOffJob(context.store, job.id, {
        reason: error.code,
        reasonText: error.text,
        at: nextTry(context, job),
      })
    } else throw error
  }
}

/**
 * The receipt names what was read. Ingest goes on beside the jobs: when the inputs grew meanwhile, nothing is told and the
 * job runs again over what there is then.
 */
async function requireSameInputs(
  context: JobContext,
  pools: readonly ServedPool[],
  before: readonly PoolInputs[],
): Promise<void> {
  const after = await jobInputs(context.store, pools)
  if (after.every(({ root }, index) => root === before[index]?.root)) return
  throw new JobPutOff(
    'INPUTS_CHANGED',
    'contributions came in while the job ran; it runs again over all of them',
  )
}

/** A ledger that knows a charge for an undecided job is one whose answer may have left: the same answer never leaves twice. */
async function requireUncharged(context: JobContext, job: JobRow, planned: PlannedJob): Promise<void> {
  if (!(await isCharged(context.store, chargeRequests(job.id, planned)))) return
  throw new NodeError(
    'JOB_ALREADY_CHARGED',
    `job ${job.id}`,
    'the budget ledger has its charge and the job has no answer; restore the newest copy of the data directory',
  )
}

/**
 * A pool's jobs are for the node whose key the pool's data is sealed to: another one, with the same measurement, has
 * neither the data nor the budget ledger, and must not even refuse them.
 */
async function requireOwnKeys(context: JobContext, job: JobRow): Promise<void> {
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
 * How a job stands on the chain, under the confirmations.
 * @returns `paid`: to be started; `begun`: started by this node; `closed`: not this node's to run, and noted as that
 */
async function standingOf(context: JobContext, job: JobRow): Promise<'paid' | 'begun' | 'closed'> {
  const { state, suspended, node } = await context.chain.jobState(job.id)
  if (state === 'Running' && node === context.keys.statementAddress) return 'begun'
  if (state === 'Running') {
    await moveJob(context.store, job.id, {
      from: ['waiting', 'running'],
      to: 'closed',
      why: { reason: 'RUN_BY_OTHER_NODE', reasonText: 'another node has begun this job' },
    })
    return 'closed'
  }
  if (state === 'Proposed' || state === 'Approved') {
    throw new JobPutOff(
      'CHAIN_BEHIND',
      'the chain endpoint does not show the payment that it has shown before',
    )
  }
  const own = state === 'Assigned' && node === context.keys.statementAddress
  if (state === 'Assigned' && !own) {
    throw new JobPutOff(
      'ASSIGNED_TO_OTHER_NODE',
      'the lot gave the job to another node; it has to show up first',
    )
  }
  if (state !== 'Funded' && !own) {
    await closeJob(context, job, state)
    return 'closed'
  }
  if (suspended)
    throw new JobPutOff('JOB_SUSPENDED', 'a contributor has stopped the job; its pool decides by vote')
  return 'paid'
}

/** @returns true once the start is confirmed; false when another node was first */
async function startOnChain(context: JobContext, job: JobRow): Promise<boolean> {
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
  const standing = await standingOf(context, job)
  if (standing === 'paid') {
    throw new JobPutOff(
      'START_NOT_CONFIRMED',
      'the start of the job waits for its confirmations on the chain',
    )
  }
  return standing === 'begun'
}

function nextTry(context: JobContext, { attempts }: JobRow): number {
  return context.now() + Math.min(2 ** Math.min(attempts, 8), 300)
}

function closeJob(context: JobContext, job: JobRow, state: ChainJobState): Promise<void> {
  return moveJob(context.store, job.id, {
    from: [job.state],
    to: 'closed',
    why: {
      reason: `CHAIN_${state.toUpperCase()}`,
      reasonText: `the job is ${state} on the chain; what was charged for it stays charged`,
    },
  })
}

/** A job that was run, with what it was run on. */
interface AnsweredJob {
  readonly job: JobRow
  readonly grants: readonly JobApproval[]
  readonly manifest: JobManifest
  readonly planned: PlannedJob
  readonly inputs: readonly PoolInputs[]
  readonly answer: JsonValue
}

async function chargeAndStore(
  context: JobContext,
  { job, grants, manifest, planned, inputs, answer }: AnsweredJob,
): Promise<void> {
  const pools = poolsOf(manifest, context.pools)
  const issuedAt = (await context.chain.head()).timestamp
  const epochs = await keyEpochs(context, pools)
  const [first] = pools
  if (first === undefined) throw JobRefusal.of('POOL_NOT_SERVED')
  const result = await sealResult({
    answer,
    scope: keyScope(first, epochs.get(first.address) ?? 0),
    publicKey: manifest.consumer.resultKey.publicKey,
    random: context.random,
  })
  const requests = chargeRequests(job.id, planned)
  try {
    await context.store.transaction(async (tx) => {
      const charged = await chargeBudgets(tx, requests)
      const signed = signReceipt(context, {
        job: job.id,
        kind: planned.kind,
        manifest: job.manifestDigest,
        consumer: job.consumer,
        refusal: null,
        pools: pools.map((pool) => {
          const index = requests.findIndex((request) => request.pool === pool.address)
          const receipt = charged[index]
          const charge = requests[index]?.charge
          return {
            pool,
            epoch: epochs.get(pool.address) ?? 0,
            inputs: inputsOf(inputs, pool.address),
            booked: receipt === undefined || charge === undefined ? null : { receipt, charge },
          }
        }),
        code: planned.code,
        plan: planned.planDigest,
        approvals: grants,
        result: { digest: result.digest, sealed: result.sealedDigest, mediaType: resultMediaType },
        issuedAt,
      })
      const heads: Digest[] = []
      for (const { address } of pools) heads.push((await ledgerHead(tx, address)) as Digest)
      await storeOutcome(tx, job.id, {
        state: 'charged',
        manifest: manifest as unknown as JsonValue,
        plan: planned.plan,
        receipt: signed.receipt,
        receiptDigest: signed.digest,
        resultDigest: result.digest,
        sealedResult: result.sealed,
        inputs: verdictsByPool(inputs),
        release: chainRelease(context, job, signed.digest, result.digest, heads) as unknown as JsonValue,
        why: null,
      })
    })
  } catch (error) {
    if (error instanceof PrivacyError && error.code === 'BUDGET_EXHAUSTED') {
      throw JobRefusal.of('BUDGET_EXHAUSTED', error)
    }
    throw error
  }
}

function chainRelease(
  context: JobContext,
  job: JobRow,
  receiptDigest: Digest,
  resultDigest: Digest,
  budgetHeads: readonly Digest[],
): JobRelease {
  const statement = context.sign({
    type: 'sealpool/release',
    body: { job: job.id, receipt: receiptDigest, result: resultDigest, budgetHeads },
    ...releaseContext({
      deployment: context.sign.deployment,
      nonce: 0n,
      jobId: BigInt(job.id),
      pools: job.pools,
      manifestDigest: digestToHex(job.manifestDigest),
      receiptDigest: digestToHex(receiptDigest),
      resultDigest: digestToHex(resultDigest),
      budgetHeads: budgetHeads.map(digestToHex),
    }),
  })
  return { kind: 'release', job: job.id, receiptDigest, resultDigest, budgetHeads, statement }
}

const ended: readonly ChainJobState[] = ['Refused', 'Failed', 'Cancelled', 'Expired']

/**
 * Tells the chain what was decided. Every step may be repeated after a stop, and is repeated until what it did on the
 * chain has its confirmations: what a reorganisation undid is done again.
 */
async function deliverJob(context: JobContext, id: string): Promise<void> {
  const { store, chain } = context
  const job = await findJob(store, id)
  if (job?.state === 'charged') {
    const { state } = await chain.jobState(id)
    if (ended.includes(state)) return closeJob(context, job, state)
    await chain.releaseJob(job.release as unknown as JobRelease)
    if (!(await confirmed(context, job, ['Released', 'Settled']))) return
    await moveJob(store, id, { from: ['charged'], to: 'released' })
  }
  if (job?.state === 'charged' || job?.state === 'released') {
    await chain.settleJob(id)
    if (!(await confirmed(context, job, ['Settled']))) return
    await moveJob(store, id, { from: ['released'], to: 'settled' })
  }
  if (job?.state === 'refusing') {
    await chain.refuseJob(job.release as unknown as ChainRefusal)
    if (!(await confirmed(context, job, ended))) return
    await moveJob(store, id, {
      from: ['refusing'],
      to: 'refused',
      why: job.reason === null ? null : { reason: job.reason, reasonText: job.reasonText ?? '' },
    })
  }
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
