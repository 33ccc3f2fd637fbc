/**
 * What happens when somebody asks for a plan or for a run, before or after the votes.
 * @module
 */
import { type JobManifest, manifestDigest } from '@sealpool/compute'
import type { Address, Digest, JsonValue, SignedStatement } from '@sealpool/crypto'
import { type BudgetState, fromUnits, toUnits } from '@sealpool/privacy'
import { NodeError } from '../errors.js'
import { planShare } from '../federation/plan-shared-job.js'
import { admitConsumer, withAccess } from '../policy/admit-consumer.js'
import { requireProgram } from '../program/require-program.js'
import { jobInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { findJob, type JobRow } from '../state/job-table.js'
import { countLive, type LiveCount } from '../state/live-copy-table.js'
import { storedLedger } from '../state/pglite-ledger.js'
import type { JobContext } from './job-context.js'
import { JobRefusal, type NodeRefusalCode } from './job-refusal.js'
import { loadManifest, poolsOf, requireResultKeys } from './load-manifest.js'
import { planJob, requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'
import { inputsOf, keyEpochs, type RefusedJob, refuseJob } from './refuse-job.js'
import { requireHandOff } from './require-hand-off.js'

/** The answer to a plan request. */
export type PlanAnswer =
  | {
      readonly ok: true
      readonly explanation: JsonValue
      readonly plan: JsonValue
      readonly planDigest: Digest
      /** Live pools, with how many contributors could be had when a job last looked; the job itself looks anew. */
      readonly live: readonly (LiveCount & { readonly pool: Address })[]
    }
  | RefusedPlan

/** A signed refusal, with what it is verified from. */
export interface RefusedPlan {
  readonly ok: false
  readonly receipt: SignedStatement
  readonly manifest: JsonValue
  readonly pools: readonly Address[]
  /** What the receipt's Merkle roots stand for, by pool. */
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}

/** The answer to a price request. */
export type PriceAnswer =
  | {
      readonly ok: true
      readonly planDigest: Digest
      /** The votes decide the price. */
      readonly binding: false
      /** Protocol tokens of all pools, smallest unit, decimal. */
      readonly price: string
      readonly pools: readonly {
        readonly pool: Address
        readonly price: string
        readonly poolTokenBurn: string
        readonly charge: { readonly epsilon: string; readonly delta: string }
        readonly budget: Pick<BudgetState, 'epsilonSpent' | 'epsilonTotal' | 'deltaSpent' | 'deltaTotal'>
      }[]
    }
  | RefusedPlan

/**
 * Plans a manifest without running it: no data is touched and nothing is charged.
 * @param signal ends the work between two steps of it: whoever asked is gone
 * @returns what it would cost and how exact it would be, or a signed refusal
 * @throws the signal's reason
 */
export async function previewPlan(
  context: JobContext,
  manifest: JobManifest,
  signal?: AbortSignal,
): Promise<PlanAnswer> {
  // Over pools of other homes as well: what their budgets have left, they are asked when the job is paid.
  const make = async () => (await planShare({ ...context, signal }, manifest)).own
  const preview = await planOrRefusal(context, { manifest, plan: make, signal })
  if (!preview.ok) return preview
  const { explanation, plan, planDigest, charges } = preview.planned
  const live: (LiveCount & { readonly pool: Address })[] = []
  for (const { pool } of charges)
    if (pool.keep === 'live')
      live.push({ pool: pool.address, ...(await countLive(context.store, pool.address)) })
  return { ok: true, explanation, plan, planDigest, live }
}

/**
 * Says what a job would cost: what its pools' policies ask for, and what their budgets would be charged.
 * @param signal as of {@link previewPlan}
 * @returns prices and charges, or a signed refusal as {@link previewPlan} gives it
 * @throws the signal's reason
 */
export async function previewPrice(
  context: JobContext,
  manifest: JobManifest,
  signal?: AbortSignal,
): Promise<PriceAnswer> {
  const plan = async () => {
    const pools = await poolsOf(context, manifest)
    signal?.throwIfAborted()
    const planned = await planJob(manifest, pools)
    signal?.throwIfAborted()
    return admitConsumer({ chain: context.chain, presented: context }, { manifest, planned })
  }
  const preview = await planOrRefusal(context, { manifest, plan, signal })
  if (!preview.ok) return preview
  const { planDigest, charges } = preview.planned
  const ledger = storedLedger(context.store)
  const pools = await Promise.all(
    charges.map(async ({ pool, charge }) => {
      const { epsilonSpent, epsilonTotal, deltaSpent, deltaTotal } = (await ledger.head(pool.address)).state
      return {
        pool: pool.address,
        ...pool.policy.economics,
        charge: {
          epsilon: fromUnits(toUnits(charge.epsilon, 'epsilon', 'up'), 'epsilon'),
          delta: fromUnits(toUnits(charge.delta, 'delta', 'up'), 'delta'),
        },
        budget: { epsilonSpent, epsilonTotal, deltaSpent, deltaTotal },
      }
    }),
  )
  const price = pools.reduce((sum, one) => sum + BigInt(one.price), 0n).toString()
  return { ok: true, planDigest, binding: false, price, pools }
}

async function planOrRefusal(
  context: JobContext,
  asked: {
    readonly manifest: JobManifest
    readonly plan: () => Promise<PlannedJob>
    readonly signal: AbortSignal | undefined
  },
): Promise<{ readonly ok: true; readonly planned: PlannedJob } | RefusedPlan> {
  const { manifest, plan, signal } = asked
  try {
    signal?.throwIfAborted()
    // As the run does, before anything else: a yes here must not become a no once it is paid.
    requireResultKeys(manifest)
    const planned = await plan()
    signal?.throwIfAborted()
    await requireHandOff(context, manifest)
    await requireProgram(context, planned.program)
    await requireRunnable(context.store, `plan ${manifestDigest(manifest)}`, planned)
    return { ok: true, planned }
  } catch (caught) {
    if (!(caught instanceof JobRefusal)) throw caught
    signal?.throwIfAborted()
    const pools = manifest.pools.flatMap(
      ({ address }) => context.pools.get(address.toLowerCase() as Address) ?? [],
    )
    const error = caught.shownOver(pools.map(({ address }) => address))
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
        pool: withAccess(pool, error.access),
        epoch: epochs.get(pool.address) ?? 0,
        inputs: inputsOf(inputs, pool.address),
        booked: null,
      })),
      code: null,
      plan: null,
      approvals: [],
      result: null,
      // Nothing was made for a plan that is not run.
      destroyedKeys: [],
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
