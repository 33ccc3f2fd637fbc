/**
 * What happens when somebody asks for a plan or for a run, before or after the votes.
 * @module
 */
import { type JobManifest, manifestDigest } from '@sealpool/compute'
import type { Address, Digest, JsonValue, SignedStatement } from '@sealpool/crypto'
import { jobInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { findJob, type JobRow, noteChainState } from '../state/job-table.js'
import type { JobContext } from './job-context.js'
import { JobRefusal, type NodeRefusalCode } from './job-refusal.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { planJob, requireRunnable } from './plan-job.js'
import { inputsOf, keyEpochs, refuseJob } from './refuse-job.js'

/** The answer to a plan request. */
export type PlanAnswer =
  | {
      readonly ok: true
      readonly explanation: JsonValue
      readonly plan: JsonValue
      readonly planDigest: Digest
    }
  | {
      readonly ok: false
      readonly receipt: SignedStatement
      readonly manifest: JsonValue
      readonly pools: readonly Address[]
      /** What the receipt's Merkle roots stand for, by pool. */
      readonly verdicts: Readonly<Record<string, readonly Digest[]>>
    }

/**
 * Plans a manifest without running it: no data is touched and nothing is charged.
 * @returns what it would cost and how exact it would be, or a signed refusal
 */
export async function previewPlan(context: JobContext, manifest: JobManifest): Promise<PlanAnswer> {
  try {
    const pools = poolsOf(manifest, context.pools)
    const planned = await planJob(manifest, pools)
    const digest = manifestDigest(manifest)
    await requireRunnable(context.store, `plan ${digest}`, planned, await jobInputs(context.store, pools))
    return { ok: true, explanation: planned.explanation, plan: planned.plan, planDigest: planned.planDigest }
  } catch (error) {
    if (!(error instanceof JobRefusal)) throw error
    const pools = manifest.pools.flatMap(
      ({ address }) => context.pools.get(address.toLowerCase() as Address) ?? [],
    )
    const [inputs, epochs, head] = await Promise.all([
      jobInputs(context.store, pools),
      keyEpochs(context, pools),
      context.chain.head(),
    ])
    const { receipt } = signReceipt(context, {
      job: null,
      kind: manifest.kind,
      manifest: manifestDigest(manifest),
      consumer: manifest.consumer.address.toLowerCase() as Address,
      refusal: { code: error.code, message: error.text },
      pools: pools.map((pool) => ({
        pool,
        epoch: epochs.get(pool.address) ?? 0,
        inputs: inputsOf(inputs, pool.address),
        booked: null,
      })),
      code: null,
      plan: null,
      approvals: [],
      result: null,
      issuedAt: head.timestamp,
    })
    return {
      ok: false,
      receipt,
      manifest: manifest as unknown as JsonValue,
      pools: pools.map(({ address }) => address),
      verdicts: verdictsByPool(inputs),
    }
  }
}

/**
 * Asks for a run now. A job that is not approved or not paid gets a signed refusal, once; a paid one is queued.
 * @returns the job as it stands, or undefined when the node does not know it
 */
export async function requestRun(context: JobContext, id: string): Promise<JobRow | undefined> {
  const job = await findJob(context.store, id)
  if (job?.state !== 'seen') return job
  const { state } = await context.chain.jobState(id)
  if (state === 'Funded' || state === 'Running') {
    await noteChainState(context.store, id, state)
    return findJob(context.store, id)
  }
  const code: NodeRefusalCode =
    state === 'Proposed' ? 'JOB_NOT_APPROVED' : state === 'Approved' ? 'JOB_NOT_FUNDED' : 'JOB_CLOSED'
  if (job.reason === code) return job
  let manifest: JobManifest | null = null
  try {
    manifest = await loadManifest(context, job)
  } catch {
    // The reason that matters is the missing vote or payment; a manifest that cannot be read is found out later.
  }
  await refuseJob(
    context,
    job,
    {
      refusal: JobRefusal.of(code),
      kind: manifest?.kind ?? 'query',
      manifest: manifest as unknown as JsonValue,
      planned: null,
    },
    false,
  )
  return findJob(context.store, id)
}
