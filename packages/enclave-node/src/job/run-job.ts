/**
 * Takes one paid job from the chain to its release. Order of the steps: decide and start; reserve inputs and charge in one
 * transaction; anchor the charge on the chain; run; store the sealed answer with its receipt in one transaction; tell the
 * chain. A stop before the reservation costs nothing and the job begins again; a stop after it runs the same job on the
 * same inputs under the same charge; a stop after the answer is stored goes on from there.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import { heartbeatContext } from '@sealpool/contracts'
import { type Digest, digestToHex, type JsonValue } from '@sealpool/crypto'
import { keyScope } from '../ingest/served-pool.js'
import { jobInputs, reservedInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { resultMediaType, sealResult } from '../release/seal-result.js'
import { claimStatement } from '../state/exclusive-statement.js'
import {
  findJob,
  grantsOf,
  type JobApproval,
  type JobRow,
  putOffJob,
  type Reservation,
  storeOutcome,
} from '../state/job-table.js'
import { bookedCharge } from '../state/pglite-ledger.js'
import { chainRelease, deliverJob } from './deliver-job.js'
import { executeJob, requireInputs } from './execute-job.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { nextTry, requireOwnKeys, standingOf, startOnChain } from './job-standing.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { planJob, requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'
import { inputsOf, keyEpochs, refuseJob } from './refuse-job.js'
import { requireAnchored, requireFree, requireNotBehind, requireTables, reserveJob } from './reserve-job.js'

/**
 * Does all that can be done for a job now, under its lock.
 * @returns the job as it stands afterwards
 * @throws NodeError `JOB_MOVED` when the chain ended it meanwhile, `JOB_ALREADY_CHARGED` when the ledger has a charge for
 * it that its row has not: such a job is never run again; `STATE_ROLLED_BACK` when the chain is ahead of this disk
 */
export function advanceJob(context: JobContext, id: string): Promise<JobRow | undefined> {
  return context.lock(id, async () => {
    const job = await findJob(context.store, id)
    if (job === undefined) return undefined
    if (!job.detached && (job.state === 'waiting' || job.state === 'running')) await decideJob(context, job)
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
    const pools = await poolsOf(context, manifest)
    planned = await planJob(manifest, pools)
    if (job.reservation === null) await requireRunnableNow(context, job, planned)
    if (standing === 'paid' && !(await startOnChain(context, job))) return
    const reservation = await reserveJob(context, job, { manifest, planned })
    await requireAnchored(context, reservation)
    const answer = await answerOf(context, job, planned, reservation)
    await storeAnswer(context, { job, grants, manifest, planned, reservation, answer })
  } catch (error) {
    if (error instanceof JobRefusal) await refuse(context, job.id, error, manifest, planned)
    else if (error instanceof JobPutOff) {
      await putOffJob(context.store, job.id, {
        reason: error.code,
        reasonText: error.text,
        at: nextTry(context, job),
      })
    } else throw error
  }
}

/** What has become clear before anything is sent need not be started first. */
async function requireRunnableNow(context: JobContext, job: JobRow, planned: PlannedJob): Promise<void> {
  await requireFree(context.store, job)
  // Before anything is booked: a disk that was put back would book the same charge and look whole again.
  for (const { pool } of planned.charges) await requireNotBehind(context, pool.address)
  await requireTables(context.store, planned)
  await requireRunnable(
    context.store,
    `plan ${job.id}`,
    planned,
    await jobInputs(
      context.store,
      planned.charges.map(({ pool }) => pool),
    ),
  )
}

/**
 * Refuses a job. Once its charge is reserved, whatever ends it was paid for, and the receipt shows the charge; why it ended
 * may then depend on data and is not told.
 */
async function refuse(
  context: JobContext,
  id: string,
  refusal: JobRefusal,
  manifest: JobManifest | null,
  planned: PlannedJob | null,
): Promise<void> {
  const job = await findJob(context.store, id)
  if (job === undefined) return
  const told =
    job.reservation !== null && !refusal.charged ? JobRefusal.of('EXECUTION_FAILED', refusal) : refusal
  await refuseJob(
    context,
    job,
    {
      refusal: told,
      kind: manifest?.kind ?? 'query',
      manifest: (manifest as unknown as JsonValue) ?? job.manifest,
      planned,
    },
    true,
  )
}

async function answerOf(
  context: JobContext,
  job: JobRow,
  planned: PlannedJob,
  reservation: Reservation,
): Promise<JsonValue> {
  const stop = context.keepAlive(() =>
    context.chain.heartbeat({
      job: job.id,
      sign: (time) =>
        context.sign({
          type: 'sealpool/heartbeat',
          body: { job: job.id, time },
          ...heartbeatContext({
            deployment: context.sign.deployment,
            nonce: 0n,
            jobId: BigInt(job.id),
            pools: job.pools,
            manifestDigest: digestToHex(job.manifestDigest),
            time: BigInt(time),
          }),
        }),
    }),
  )
  try {
    return await executeJob(context, planned, reservation)
  } finally {
    stop()
  }
}

/** A job that was run, with what it was run on. */
interface AnsweredJob {
  readonly job: JobRow
  readonly grants: readonly JobApproval[]
  readonly manifest: JobManifest
  readonly planned: PlannedJob
  readonly reservation: Reservation
  readonly answer: JsonValue
}

async function storeAnswer(
  context: JobContext,
  { job, grants, manifest, planned, reservation, answer }: AnsweredJob,
): Promise<void> {
  const pools = planned.charges.map(({ pool }) => pool)
  const inputs = reservedInputs(reservation)
  const issuedAt = (await context.chain.head()).timestamp
  const epochs = await keyEpochs(context, pools)
  const first = context.pools.get(job.pools[0] ?? '0x')
  if (first === undefined) throw JobRefusal.of('POOL_NOT_SERVED')
  const result = await sealResult({
    answer,
    scope: keyScope(first, epochs.get(first.address) ?? 0),
    publicKey: manifest.consumer.resultKey.publicKey,
    random: context.random,
  })
  await context.store.transaction(async (tx) => {
    // What an owner took back while the job ran is in no answer.
    await requireInputs(tx, reservation)
    const booked = await Promise.all(
      job.pools.map((address) => bookedCharge(tx, address, reservation.charge)),
    )
    const signed = signReceipt(context, {
      job: job.id,
      kind: planned.kind,
      manifest: job.manifestDigest,
      consumer: job.consumer,
      refusal: null,
      pools: job.pools.map((address, index) => {
        const pool = pools.find((one) => one.address === address)
        if (pool === undefined) throw new RangeError('a pool of the job was not reserved')
        return {
          pool,
          epoch: epochs.get(address) ?? 0,
          inputs: inputsOf(inputs, address),
          booked: booked[index] ?? null,
        }
      }),
      code: planned.code,
      plan: planned.planDigest,
      approvals: grants,
      result: { digest: result.digest, sealed: result.sealedDigest, mediaType: resultMediaType },
      issuedAt,
    })
    const budgetHeads = booked.flatMap((one) => (one === undefined ? [] : [one.receipt.head as Digest]))
    const release = chainRelease(context, job, {
      receiptDigest: signed.digest,
      resultDigest: result.digest,
      budgetHeads,
    })
    await claimStatement(tx, release.statement)
    await storeOutcome(tx, job.id, {
      state: 'charged',
      manifest: manifest as unknown as JsonValue,
      plan: planned.plan,
      receipt: signed.receipt,
      receiptDigest: signed.digest,
      resultDigest: result.digest,
      sealedResult: result.sealed,
      inputs: verdictsByPool(inputs),
      release: release as unknown as JsonValue,
      why: null,
    })
  })
}
