/**
 * Takes one paid job from the chain to its release. Order of the steps: decide and start; reserve inputs and charge in one
 * transaction; anchor the charge on the chain; run; store the sealed answer with its receipt in one transaction; tell the
 * chain. A stop before the reservation costs nothing and the job begins again; a stop after it runs the same job on the
 * same inputs under the same charge; a stop after the answer is stored goes on from there.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import { type Digest, type JsonValue, statementDigest } from '@sealpool/crypto'
import { executeSharedJob } from '../federation/execute-shared-job.js'
import { keepRefusedBy } from '../federation/kept-refusal.js'
import { keepGivenShares } from '../federation/kept-share.js'
import { coordinates, type PlannedShare, planShare } from '../federation/plan-shared-job.js'
import { isHandOffKept } from '../hand-off/kept-hand-off.js'
import { isHandedOff } from '../hand-off/tidy-hand-offs.js'
import { keyScope } from '../ingest/served-pool.js'
import { requireProgram } from '../program/require-program.js'
import { reservedInputs, verdictsByPool } from '../release/job-inputs.js'
import { signReceipt } from '../release/receipt.js'
import { resultMediaType } from '../release/seal-result.js'
import { sealAnswer } from '../release/seal-views.js'
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
import type { SpanName } from '../trace/span.js'
import { traced } from '../trace/tracer.js'
import { requireDeclared } from './declared-job.js'
import { chainRelease, deliverJob } from './deliver-job.js'
import { destroyJobKeys } from './destroy-job-keys.js'
import { type ExecutedJob, executeJob, requireInputs } from './execute-job.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { nextTry, requireListed, requireOwnKeys, standingOf, startOnChain } from './job-standing.js'
import { loadManifest } from './load-manifest.js'
import { requireNotStopped } from './not-stopped.js'
import { requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'
import { inputsOf, keyEpochs, refuseJob } from './refuse-job.js'
import { requireHandOff } from './require-hand-off.js'
import { requireAnchored, requireFree, requireNotBehind, requireTables, reserveJob } from './reserve-job.js'
import { signOfLife } from './sign-of-life.js'

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
    // Before it is told on: a killed node, or one that failed here, ends the hand-off when it comes back.
    await endHandOff(context, await findJob(context.store, id))
    await deliverJob(context, id)
    const after = await findJob(context.store, id)
    if (after?.state === 'closed') await context.handOff?.end(id)
    // Answered or over: what was fetched for it goes with its key.
    if (after?.state !== 'waiting' && after?.state !== 'running') {
      await context.live?.end(id)
      context.programs?.held.forget(id)
      context.jobKeys.forget(id)
    }
    return after
  })
}

/** Answered, or ended by the chain: nobody needs what another node has of it. */
async function endHandOff({ store, handOff }: JobContext, job: JobRow | undefined): Promise<void> {
  if (handOff === undefined || job === undefined || isHandedOff(job)) return
  if (await isHandOffKept(store, job.id)) await handOff.end(job.id)
}

async function decideJob(context: JobContext, job: JobRow): Promise<void> {
  let manifest: JobManifest | null = null
  let planned: PlannedJob | null = null
  const step = <T>(name: SpanName, act: () => Promise<T>): Promise<T> =>
    traced(context.trace, name, { job: job.id, manifest: job.manifestDigest }, act)
  try {
    requireCoordinator(context, job)
    const standing = await standingOf(context, job)
    if (standing === 'closed') return
    if (standing === 'paid') await requireOwnKeys(context, job)
    const grants = await grantsOf(context.store, job)
    if (grants.length !== job.pools.length) throw JobRefusal.of('JOB_NOT_APPROVED')
    const asked = await step('job.plan', async () => {
      const loaded = await loadManifest(context, job)
      manifest = loaded
      return { manifest: loaded, ...(await planShare(context, loaded)) }
    })
    const { shared } = asked
    manifest = asked.manifest
    planned = asked.own
    if (job.reservation === null) {
      await requireDeclared(context.chain, job.id, { manifest, planned: shared ?? planned })
      await requireHandOff(context, manifest, async () => (await context.chain.jobTerms(job.id)).deadline)
      await requireRunnableNow(context, job, planned)
      const deadline = async () => (await context.chain.jobTerms(job.id)).deadline
      await requireProgram(context, planned.program, deadline)
      // Other nodes are asked for nothing that is refused here anyway.
      if (manifest.handOff?.fallback === 'none') await context.handOff?.requireRunner({ manifest, planned })
      if (shared !== undefined) await context.federation?.look({ job, planned: shared })
    }
    if (standing === 'paid' && !(await startOnChain(context, job))) return
    await requireListed(context)
    requireNotStopped(context)
    const ready = { manifest: asked.manifest, planned: asked.own }
    const reservation = await step('job.reserve', () => reserveJob(context, job, ready))
    await step('job.anchor', () => requireAnchored(context, reservation))
    const executed = await step('job.run', () => answerOf(context, { job, ...ready, shared, reservation }))
    await requireListed(context)
    requireNotStopped(context)
    await step('job.store', () => storeAnswer(context, { job, grants, ...ready, reservation, executed }))
    if (executed.handOff !== null || executed.shards !== undefined) await context.handOff?.end(job.id)
  } catch (error) {
    if (error instanceof JobRefusal) await refuse(context, job.id, error, manifest, planned)
    else if (error instanceof JobPutOff) {
      await putOffJob(context.store, job.id, {
        reason: error.code,
        reasonText: error.text,
        at: error.retryAfter === undefined ? nextTry(context, job) : context.now() + error.retryAfter,
      })
    } else throw error
  }
}

/** The home of the first pool coordinates; the others give it their shares when it asks, see `federation`. */
function requireCoordinator(context: JobContext, job: JobRow): void {
  if (context.federation === undefined || coordinates(context, job)) return
  const text = 'the node that serves the first pool of the job runs it, and asks this one for its share'
  throw new JobPutOff('COORDINATED_ELSEWHERE', text, undefined, 60)
}

/**
 * What has become clear before anything is sent need not be started first.
 * @throws JobRefusal `TOO_FEW_CONTRIBUTORS`, `BUDGET_EXHAUSTED`; JobPutOff `TABLES_REBUILT`; NodeError `JOB_ALREADY_CHARGED`
 */
export async function requireRunnableNow(
  context: JobContext,
  job: JobRow,
  planned: PlannedJob,
): Promise<void> {
  await requireFree(context.store, job)
  // Before anything is booked: a disk that was put back would book the same charge and look whole again.
  for (const { pool } of planned.charges) await requireNotBehind(context, pool.address)
  await requireTables(context.store, planned)
  await requireRunnable(context.store, `plan ${job.id}`, planned)
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
  const told = job.reservation === null ? refusal : refusal.afterCharge()
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
  // Not before: the receipt names the nodes to which the job was dealt, and who of them was lost.
  await context.handOff?.end(id)
}

async function answerOf(
  context: JobContext,
  {
    job,
    manifest,
    planned,
    shared,
    reservation,
  }: Pick<AnsweredJob, 'job' | 'manifest' | 'planned' | 'reservation'> & {
    readonly shared: PlannedShare['shared'] | undefined
  },
): Promise<ExecutedJob> {
  const beat = () => signOfLife(context, job)
  if (shared !== undefined) {
    const planning = { own: planned, shared }
    return { handOff: null, ...(await executeSharedJob(context, planning, reservation, { job, beat })) }
  }
  return executeJob(context, planned, reservation, { job, manifest, beat })
}

/** A job that was run, with what it was run on. */
interface AnsweredJob {
  readonly job: JobRow
  readonly grants: readonly JobApproval[]
  readonly manifest: JobManifest
  readonly planned: PlannedJob
  readonly reservation: Reservation
  readonly executed: ExecutedJob
}

async function storeAnswer(
  context: JobContext,
  { job, grants, manifest, planned, reservation, executed }: AnsweredJob,
): Promise<void> {
  const pools = planned.charges.map(({ pool }) => pool)
  const { given = [] } = executed
  const theirs = new Map(given.flatMap(({ body }) => body.pools.map((one) => [one.pool, one] as const)))
  const inputs = await reservedInputs(context.store, reservation)
  const issuedAt = (await context.chain.head()).timestamp
  const epochs = await keyEpochs(context, pools)
  const first = context.pools.get(job.pools[0] ?? '0x')
  if (first === undefined) throw JobRefusal.of('POOL_NOT_SERVED')
  const result = await sealAnswer({
    answer: executed.answer,
    manifest,
    scope: keyScope(first, epochs.get(first.address) ?? 0),
    random: context.random,
  })
  // Whatever fails from here on, the job is fetched, sent and run anew, under other keys.
  const destroyedKeys = await destroyJobKeys(context, job.id)
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
        const their = theirs.get(address)
        if (their !== undefined) return their
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
      result: {
        digest: result.digest,
        sealed: result.sealedDigest,
        mediaType: resultMediaType,
        ...(result.views === undefined ? {} : { views: result.views }),
      },
      handOff: executed.handOff,
      ...(executed.shards === undefined ? {} : { shards: executed.shards }),
      destroyedKeys,
      homes: given.map(({ body, statement }) => ({
        node: statement.signer,
        keySet: body.keySet,
        quote: body.quote,
        share: statementDigest(statement.statement),
      })),
      issuedAt,
    })
    const budgetHeads = job.pools.flatMap((address, index) => {
      const head = theirs.get(address)?.budget.after.head ?? booked[index]?.receipt.head
      return head === undefined ? [] : [head as Digest]
    })
    const release = chainRelease(context, job, {
      receiptDigest: signed.digest,
      resultDigest: result.digest,
      budgetHeads,
    })
    await claimStatement(tx, release.statement)
    await keepRefusedBy(tx, job.id, undefined)
    await keepGivenShares(
      tx,
      job.id,
      given.map(({ statement }) => statement),
    )
    await storeOutcome(tx, job.id, {
      state: 'charged',
      manifest: manifest as unknown as JsonValue,
      plan: planned.plan,
      receipt: signed.receipt,
      receiptDigest: signed.digest,
      resultDigest: result.digest,
      sealedResult: result.sealed,
      inputs: Object.assign(verdictsByPool(inputs), ...given.map(({ verdicts }) => verdicts)),
      release: release as unknown as JsonValue,
      why: null,
    })
  })
}
