/**
 * What happens when somebody asks for a plan or for a run, before or after the votes.
 * @module
 */
import { type JobManifest, manifestDigest } from '@sealpool/compute'
import type { Address, Digest, JsonValue, SignedStatement } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { jobInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { findJob, type JobRow } from '../state/job-table.js'
import type { JobContext } from './job-context.js'
import { JobRefusal, type NodeRefusalCode } from './job-refusal.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { planJob, requireRunnable } from './plan-job.js'
import { inputsOf, keyEpochs, type RefusedJob, refuseJob } from './refuse-job.js'

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
    const pools = await poolsOf(context, manifest)
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
 * Answers a request to run a job. It decides nothing: what the chain says is taken over under the confirmations by
 * following it, and the job loop runs what is paid. A job that is not approved or not paid gets a signed refusal, once.
 * @returns the job as it stands, or undefined when the node does not know it
 */
export async function requestRun(context: JobContext, id: string): Promise<JobRow | undefined> {
  const asked = await findJob(context.store, id)
  if (asked?.state !== 'seen' || asked.reason === refusalFor(asked)) return asked
  let manifest: JobManifest | null = null
  try {
    // Outside the lock: the store is the consumer's choice and may be slow, and the job must be able to go on meanwhile.
    manifest = await loadManifest(context, asked)
  } catch {
    // The reason that matters is the missing vote or payment; a manifest that cannot be read is found out later.
  }
  return context.lock(id, async () => {
    const job = await findJob(context.store, id)
    if (job?.state !== 'seen') return job
    const code = refusalFor(job)
    if (job.reason === code) return job
    const refused: RefusedJob = {
      refusal: JobRefusal.of(code),
      kind: manifest?.kind ?? 'query',
      manifest: manifest as unknown as JsonValue,
      planned: null,
    }
    try {
      await refuseJob(context, job, refused, false)
    } catch (error) {
      // It was paid while the refusal was written: nothing is left to say.
      if (!(error instanceof NodeError && error.code === 'JOB_MOVED')) throw error
    }
    return findJob(context.store, id)
  })
}

/** What keeps a job that is not paid from being run, as far as the node has read the chain. */
function refusalFor({ chainState }: JobRow): NodeRefusalCode {
  if (chainState === 'Proposed') return 'JOB_NOT_APPROVED'
  return chainState === 'Approved' ? 'JOB_NOT_FUNDED' : 'JOB_CLOSED'
}
