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
import { keyScope } from '../ingest/served-pool.js'
import { jobInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { resultMediaType, sealResult } from '../release/seal-result.js'
import { findJob, type JobRow, moveJob, putOffJob, storeOutcome } from '../state/job-table.js'
import { chargeBudgets, ledgerHead } from '../state/pglite-ledger.js'
import { executeJob } from './execute-job.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { chargeRequests, planJob, requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'
import { inputsOf, keyEpochs, refuseJob } from './refuse-job.js'

/**
 * Does all that can be done for a job now.
 * @returns the job as it stands afterwards
 */
export async function advanceJob(context: JobContext, id: string): Promise<JobRow | undefined> {
  const job = await findJob(context.store, id)
  if (job === undefined) return undefined
  if (job.state === 'waiting' || job.state === 'running') await decideJob(context, job)
  await deliverJob(context, id)
  return findJob(context.store, id)
}

async function decideJob(context: JobContext, job: JobRow): Promise<void> {
  let manifest: JobManifest | null = null
  let planned: PlannedJob | null = null
  try {
    manifest = await loadManifest(context, job)
    const pools = poolsOf(manifest, context.pools)
    planned = await planJob(manifest, pools)
    const inputs = await jobInputs(context.store, pools)
    await requireRunnable(context.store, job.id, planned, inputs)
    if (!(await startOnChain(context, job))) return
    await moveJob(context.store, job.id, 'running')
    const answer = await executeJob(context, planned)
    await chargeAndStore(context, job, manifest, planned, inputs, answer)
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
        state: 'waiting',
        reason: error.code,
        reasonText: error.text,
        at: context.now() + Math.min(2 ** Math.min(job.attempts, 8), 300),
      })
    } else throw error
  }
}

/** @returns false when the job is not this node's to run */
async function startOnChain(context: JobContext, job: JobRow): Promise<boolean> {
  const { state, suspended, node } = await context.chain.jobState(job.id)
  if (state === 'Running' && node !== context.keys.statementAddress) {
    await moveJob(context.store, job.id, 'closed', {
      reason: 'RUN_BY_OTHER_NODE',
      reasonText: 'another node has begun this job',
    })
    return false
  }
  if (state !== 'Funded' && state !== 'Running') {
    await closeJob(context, job.id, state)
    return false
  }
  if (suspended)
    throw new JobPutOff('JOB_SUSPENDED', 'a contributor has stopped the job; its pool decides by vote')
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
  return true
}

function closeJob(context: JobContext, id: string, state: ChainJobState): Promise<void> {
  return moveJob(context.store, id, 'closed', {
    reason: `CHAIN_${state.toUpperCase()}`,
    reasonText: `the job is ${state} on the chain; what was charged for it stays charged`,
  })
}

async function chargeAndStore(
  context: JobContext,
  job: JobRow,
  manifest: JobManifest,
  planned: PlannedJob,
  inputs: Awaited<ReturnType<typeof jobInputs>>,
  answer: JsonValue,
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
        approvals: job.approvals,
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

/** Tells the chain what was decided; every step may be repeated after a stop. */
async function deliverJob(context: JobContext, id: string): Promise<void> {
  const { store, chain } = context
  const job = await findJob(store, id)
  if (job?.state === 'charged') {
    const { state } = await chain.jobState(id)
    if (state !== 'Running' && state !== 'Released' && state !== 'Settled')
      return closeJob(context, id, state)
    await chain.releaseJob(job.release as unknown as JobRelease)
    await moveJob(store, id, 'released')
  }
  if (job?.state === 'charged' || job?.state === 'released') {
    await chain.settleJob(id)
    await moveJob(store, id, 'settled')
  }
  if (job?.state === 'refusing') {
    await chain.refuseJob(job.release as unknown as ChainRefusal)
    await moveJob(
      store,
      id,
      'refused',
      job.reason === null ? null : { reason: job.reason, reasonText: job.reasonText ?? '' },
    )
  }
}
