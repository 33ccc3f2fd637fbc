/**
 * Sets aside what a job may run on, and charges it, before anything is read; then ties the charge to the chain.
 *
 * A host can kill the node at any moment, put back any disk it has kept, and hold back what the node sends. Because the
 * charge names the inputs and its hash is anchored before the job runs, a disk from before the reservation is behind the
 * chain and refused, and a disk from after it gives the same job on the same inputs: the same noise, the same answer. Of a
 * program, whose runs may end otherwise a second time, it gives no answer at all: see `program/one-process`.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import { type Address, type Digest, digestOf, digestToHex, type JsonValue } from '@sealpool/crypto'
import { PrivacyError } from '@sealpool/privacy'
import type { HeadPeers } from '../anchor/head-peers.js'
import type { ChainPort } from '../chain/chain-port.js'
import type { inOrder } from '../chain/in-order.js'
import { NodeError } from '../errors.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { LiveSets } from '../live/live-tables.js'
import { processOf, requireOwnProcess } from '../program/one-process.js'
import { jobInputs } from '../release/job-inputs.js'
import { ledgerEntryAt } from '../state/budget-anchor.js'
import { textOf } from '../state/column.js'
import { consentsApply } from '../state/consent-table.js'
import { claimStatement } from '../state/exclusive-statement.js'
import { type JobRow, moveJob, type Reservation, storeReservation } from '../state/job-table.js'
import { keptAs } from '../state/kept-as.js'
import { countUsable } from '../state/live-copy-table.js'
import { chargeBudgets } from '../state/pglite-ledger.js'
import { policyApplies } from '../state/policy-table.js'
import { poolRefinements } from '../state/refinement-table.js'
import type { Sql, StateStore } from '../state/state-store.js'
import { keepVerdictList } from '../state/verdict-list-table.js'
import { isRebuilding } from '../state/withdrawal.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { chargeRequests, requireRunnable } from './plan-job.js'
import type { PlannedJob } from './planned-job.js'

/** The first words of a charge's name: the job, and what distinguishes it from another one that got its number. */
function chargePrefix(job: JobRow): string {
  const { manifestDigest, consumer } = job
  return `${job.id} ${digestOf({ manifest: manifestDigest, consumer }).slice(7, 39)}`
}

/**
 * Reserves inputs and charge of a job in one transaction.
 * @returns the reservation; the job's own when it has one already
 * @throws JobRefusal `TOO_FEW_CONTRIBUTORS`, `BUDGET_EXHAUSTED`, and `EXECUTION_FAILED` when the pools have narrowed their
 * policies since the reservation so that another plan would run; `PROGRAM_INTERRUPTED`; `SOURCES_AWAY`; JobPutOff `TABLES_REBUILT`, `SOURCES_AWAY`; NodeError `JOB_ALREADY_CHARGED`
 */
export async function reserveJob(
  context: JobContext,
  job: JobRow,
  asked: { readonly manifest: JobManifest; readonly planned: PlannedJob },
): Promise<Reservation> {
  const { planned } = asked
  await requireFree(context.store, job)
  if (job.reservation !== null) {
    if (job.reservation.planDigest !== planned.planDigest) throw JobRefusal.of('EXECUTION_FAILED')
    requireOwnProcess(planned, context.programs, job.reservation)
    await moveJob(context.store, job.id, { from: ['waiting', 'running'], to: 'running' })
    await context.live?.gather(job, planned)
    return job.reservation
  }
  await requireTables(context.store, planned)
  // Before the charge, which names what was had: what nobody gives is not in the answer, and not in the charge.
  const live = await context.live?.gather(job, planned)
  return context.store.transaction(async (tx) => {
    const pools = planned.charges.map(({ pool }) => pool)
    await requireTables(tx, planned)
    await requireStillThere(tx, planned, live)
    const found = await jobInputs(tx, pools, live)
    const own = processOf(planned, context.programs)
    const charge = `${chargePrefix(job)} ${digestOf({
      format: 'sealpool/reservation',
      plan: planned.planDigest,
      inputs: found.map(({ pool, root, count }) => ({ pool, root, count })),
      ...own,
    } as JsonValue)}`
    await requireRunnable(tx, charge, planned, live)
    const requests = chargeRequests(charge, planned)
    const charged = await chargeBudgets(tx, requests).catch((error: unknown) => {
      if (error instanceof PrivacyError && error.code === 'BUDGET_EXHAUSTED') {
        throw JobRefusal.of('BUDGET_EXHAUSTED', error)
      }
      throw error
    })
    const inputs: Reservation['inputs'][number][] = []
    for (const { pool, root, count, contributors, verdicts, leftOut, withheld } of found) {
      inputs.push({
        pool,
        root,
        count,
        contributors,
        verdictList: await keepVerdictList(tx, verdicts),
        ...(leftOut === undefined
          ? { refinements: (await poolRefinements(tx, pool)).map(({ id }) => id) }
          : { refinements: [], leftOut }),
        ...(withheld === undefined ? {} : { withheld }),
      })
    }
    const reservation: Reservation = {
      charge,
      planDigest: planned.planDigest,
      ...own,
      inputs,
      versions: charged.map(({ after }, index) => ({
        pool: requests[index]?.pool as Address,
        version: after.version,
      })),
    }
    await storeReservation(tx, job.id, reservation, {
      manifest: asked.manifest as unknown as JsonValue,
      plan: planned.plan,
    })
    return reservation
  })
}

/**
 * Sees to it that the pools' tables are whole, or a live pool's sources known.
 * @throws JobPutOff `TABLES_REBUILT`, `KEEP_SWITCHED`, `CONSENTS_SWITCHED`, `POLICY_SWITCHED`
 */
export async function requireTables(sql: Sql, planned: PlannedJob): Promise<void> {
  for (const { pool } of planned.charges) {
    if ((await keptAs(sql, pool.address)) !== pool.keep) {
      throw new JobPutOff(
        'KEEP_SWITCHED',
        'what the pool keeps of contributions is being switched; the job runs when that is over',
      )
    }
    if (!(await consentsApply(sql, pool.address, pool.consents))) {
      throw new JobPutOff(
        'CONSENTS_SWITCHED',
        'the texts that count are being switched; the job runs when its tables are made by them',
      )
    }
    if (!(await policyApplies(sql, pool.address, pool.policyDigest))) {
      throw new JobPutOff(
        'POLICY_SWITCHED',
        'the tables are still of an earlier policy; the job runs when they are made under the present one',
      )
    }
    if (!(await isRebuilding(sql, pool.address))) continue
    throw new JobPutOff(
      'TABLES_REBUILT',
      'a contribution was taken back; the job runs when the tables are rebuilt without it',
    )
  }
}

/**
 * What was fetched may have been taken back since.
 * @throws JobPutOff `TABLES_REBUILT`: it is fetched anew
 */
async function requireStillThere(sql: Sql, planned: PlannedJob, live: LiveSets | undefined): Promise<void> {
  for (const { pool } of planned.charges) {
    const verdicts = live?.get(pool.address)?.inputs.map(({ verdictDigest }) => verdictDigest)
    if (verdicts === undefined) {
      if (pool.keep === 'escrow') continue
      throw new RangeError('nothing was fetched of a live pool')
    }
    if ((await countUsable(sql, pool.address, verdicts)) === verdicts.length) continue
    throw new JobPutOff(
      'TABLES_REBUILT',
      'a contribution was taken back while the job was prepared; it is prepared again without it',
    )
  }
}

/**
 * The same answer never leaves twice, and a number that another job was answered under is not used again.
 * @throws NodeError `JOB_ALREADY_CHARGED`; JobRefusal `JOB_NUMBER_REUSED`
 */
export async function requireFree(store: StateStore, job: JobRow): Promise<void> {
  const rows = await store.query('select outcome from receipts where job = $1', [job.id])
  const outcomes = rows.map((row) => textOf(row, 'outcome'))
  if (outcomes.includes('released')) throw alreadyCharged(job)
  if (outcomes.includes('detached')) throw JobRefusal.of('JOB_NUMBER_REUSED')
  if (job.reservation === null) await requireUncharged(store, job)
}

/** A ledger that knows a charge for a job without a reservation has been put back, or its row has. */
async function requireUncharged(store: StateStore, job: JobRow): Promise<void> {
  const prefix = chargePrefix(job)
  const [row] = await store.query(
    `select 1 as found from ledger where ((entry::jsonb) ->> 'job') = $1
       or left((entry::jsonb) ->> 'job', length($2) + 1) = $2 || ' ' limit 1`,
    [job.id, prefix],
  )
  if (row !== undefined) throw alreadyCharged(job)
}

function alreadyCharged(job: JobRow): NodeError {
  return new NodeError(
    'JOB_ALREADY_CHARGED',
    `job ${job.id}`,
    'its charge is booked and it has no reservation to run on; restore the newest copy of the data directory',
  )
}

/** What anchoring needs. */
export interface AnchorContext {
  /** Has the state as it is remembered by other nodes; absent: the settings name none. */
  readonly heads?: Pick<HeadPeers, 'cover'>
  readonly store: StateStore
  readonly chain: Pick<ChainPort, 'anchors' | 'anchoredHead' | 'anchorBudget'>
  readonly sign: NodeSigner
  /** Held while a ledger is anchored: jobs that run side by side would send the same entries twice. */
  readonly anchoring: ReturnType<typeof inOrder>
}

/**
 * Sees to it that the charges of a reservation stand on the chain, under the confirmations, and that the nodes that remember this one's state have
 * seen them.
 * @throws JobPutOff `ANCHOR_NOT_CONFIRMED`, `HEADS_NOT_KEPT` until they do; NodeError `STATE_ROLLED_BACK`
 */
export async function requireAnchored(
  context: AnchorContext,
  reservation: Pick<Reservation, 'versions'>,
): Promise<void> {
  await context.heads?.cover()
  if (context.chain.anchors) await context.anchoring(() => anchorUpTo(context, reservation))
}

async function anchorUpTo(
  context: AnchorContext,
  { versions }: Pick<Reservation, 'versions'>,
): Promise<void> {
  for (const { pool, version } of versions) {
    const before = await requireNotBehind(context, pool)
    if (before >= version) continue
    for (let sequence = before + 1; sequence <= version; sequence++)
      await anchorEntry(context, pool, sequence)
    if ((await requireNotBehind(context, pool)) >= version) continue
    throw new JobPutOff(
      'ANCHOR_NOT_CONFIRMED',
      'the charge of the job waits for its confirmations on the chain; nothing is read before',
    )
  }
}

/**
 * Compares a pool's ledger with what the chain has anchored of it.
 * @returns the anchored version; 0 when there is none
 * @throws NodeError `STATE_ROLLED_BACK`, naming both versions, when the chain is ahead or holds another ledger
 */
export async function requireNotBehind(
  { store, chain }: Pick<AnchorContext, 'store' | 'chain'>,
  pool: Address,
): Promise<number> {
  const anchored = await chain.anchoredHead(pool)
  if (anchored === null) return 0
  const entry = await ledgerEntryAt(store, pool, anchored.sequence)
  if (entry?.hash === anchored.head) return anchored.sequence
  throw new NodeError(
    'STATE_ROLLED_BACK',
    `pool ${pool}`,
    `the chain holds version ${anchored.sequence} (${anchored.head}) of its budget ledger and this data directory ${
      entry === undefined
        ? `only version ${await newestVersion(store, pool)}`
        : 'another entry of that version'
    }; restore a copy of version ${anchored.sequence} or newer`,
  )
}

async function newestVersion(sql: Sql, pool: Address): Promise<number> {
  const [row] = await sql.query('select coalesce(max(version), 0) as version from ledger where pool = $1', [
    pool,
  ])
  return Number(row?.['version'] ?? 0)
}

async function anchorEntry(context: AnchorContext, pool: Address, sequence: number): Promise<void> {
  const entry = await ledgerEntryAt(context.store, pool, sequence)
  if (entry === undefined) throw new RangeError(`the ledger of ${pool} has no entry ${sequence}`)
  const head = entry.hash as Digest
  const previous = sequence === 1 ? null : (entry.previous as Digest)
  const statement = context.sign({
    type: 'sealpool/budget-head',
    body: { pool, version: sequence, head, previous },
    pool,
    subject: subjectOf(sequence),
    nonce: '0',
    facts: [
      { type: 'uint256', value: String(sequence) },
      { type: 'bytes32', value: digestToHex(head) },
      { type: 'bytes32', value: previous === null ? subjectOf(0) : digestToHex(previous) },
    ],
  })
  await context.store.transaction((tx) => claimStatement(tx, statement))
  await context.chain.anchorBudget({ pool, sequence, head, previous, statement })
}
