import type { Address, Digest, JsonObject, JsonValue, SignedStatement } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { bytesOrNull, integerOf, jsonOf, jsonOrNull, textOf, textOrNull } from './column.js'
import type { JobState } from './job-state.js'
import { appendToLog } from './receipt-log-table.js'
import type { Sql, SqlRow, SqlValue } from './state-store.js'
import { keepVerdictLists } from './verdict-list-table.js'

/** What the chain tells of a job. */
export interface ChainJob {
  /** Decimal. */
  readonly id: string
  readonly consumer: Address
  readonly manifestDigest: Digest
  readonly locator: string
  readonly pools: readonly Address[]
}

/** One pool's vote on a job. */
export interface JobApproval {
  readonly pool: Address
  /** Block of the approval, decimal. */
  readonly block: string
  /** Protocol tokens per run, smallest unit, decimal. */
  readonly price: string
}

/** A job as the node remembers it. */
export interface JobRow extends ChainJob {
  /** The contract's word for the job's state when the node last read the chain. */
  readonly chainState: string
  readonly approvals: readonly JobApproval[]
  readonly state: JobState
  readonly reason: string | null
  readonly reasonText: string | null
  readonly attempts: number
  readonly manifest: JsonValue | null
  readonly plan: JsonValue | null
  readonly receipt: SignedStatement | null
  readonly resultDigest: Digest | null
  readonly sealedResult: Uint8Array | null
  /** Names of the lists of verdicts on the inputs, by pool: what the Merkle roots in the receipt stand for (`readVerdictLists`). */
  readonly inputs: Readonly<Record<string, Digest>> | null
  /** What is sent to the chain to release or refuse, signed. */
  readonly release: JsonValue | null
  /** What was set aside for it before it ran. */
  readonly reservation: Reservation | null
  /** A reorganisation has taken its proposal off the chain. */
  readonly detached: boolean
}

/**
 * What a job may run on, fixed and charged before it runs: whoever restores the state of any moment afterwards gets the
 * same answer again, and nothing else.
 */
export interface Reservation {
  /** Name of its charge in the ledgers: the job's number and the digest of what is reserved. */
  readonly charge: string
  readonly planDigest: Digest
  /** Of a program: the one process that may run it (`program/one-process`). */
  readonly process?: string
  /** For each pool the refinements that are read, and what they hold. */
  readonly inputs: readonly {
    readonly pool: Address
    readonly refinements: readonly string[]
    readonly root: Digest
    /** Name of the list of their verdicts (`readVerdictList`). */
    readonly verdictList: Digest
    readonly count: number
    readonly contributors: number
    /** Of a live pool: how many accepted contributions were not to be had; absent: the pool's rows are kept, in `refinements`. */
    readonly leftOut?: number
    /** How many accepted contributions were under a text that counts no more; absent: any counts. */
    readonly withheld?: number
  }[]
  /** Ledger's version of each pool with the charge, in the order of the job's charges. */
  readonly versions: readonly { readonly pool: Address; readonly version: number }[]
}

const columns = `id::text, consumer, manifest_digest, locator, pools, chain_state, approvals, state, reason, reason_text, attempts,
  manifest, plan, receipt, result_digest, sealed_result, inputs, release, reservation, detached`

function read(row: SqlRow): JobRow {
  return {
    id: textOf(row, 'id'),
    consumer: textOf(row, 'consumer') as Address,
    manifestDigest: textOf(row, 'manifest_digest') as Digest,
    locator: textOf(row, 'locator'),
    pools: jsonOf<Address[]>(row, 'pools'),
    chainState: textOf(row, 'chain_state'),
    approvals: jsonOf<JobApproval[]>(row, 'approvals'),
    state: textOf(row, 'state') as JobState,
    reason: textOrNull(row, 'reason'),
    reasonText: textOrNull(row, 'reason_text'),
    attempts: integerOf(row, 'attempts'),
    manifest: jsonOrNull<JsonValue>(row, 'manifest'),
    plan: jsonOrNull<JsonValue>(row, 'plan'),
    receipt: jsonOrNull<SignedStatement>(row, 'receipt'),
    resultDigest: textOrNull(row, 'result_digest') as Digest | null,
    sealedResult: bytesOrNull(row, 'sealed_result'),
    inputs: jsonOrNull<Record<string, Digest>>(row, 'inputs'),
    release: jsonOrNull<JsonValue>(row, 'release'),
    reservation: jsonOrNull<Reservation>(row, 'reservation'),
    detached: row['detached'] === true,
  }
}

/**
 * Takes a proposed job in; one that is there already stays as it is. When a reorganisation gave its number to another job,
 * that one takes its place: what was decided about the first one stays with its receipts.
 * @param block of the proposal
 */
export async function insertJob(tx: Sql, job: ChainJob, block = 0n): Promise<void> {
  const kept = await findJob(tx, job.id)
  if (kept?.detached === true) {
    const same =
      kept.consumer === job.consumer.toLowerCase() &&
      kept.manifestDigest === job.manifestDigest &&
      kept.locator === job.locator &&
      kept.pools.join() === job.pools.join().toLowerCase()
    if (same) {
      await tx.query('update jobs set detached = false, proposed_block = $2 where id = $1', [
        job.id,
        block.toString(),
      ])
      return
    }
    await tx.query(`update receipts set outcome = 'detached' where job = $1 and outcome = 'released'`, [
      job.id,
    ])
    await tx.query('delete from jobs where id = $1', [job.id])
  }
  await tx.query(
    `insert into jobs (id, consumer, manifest_digest, locator, pools, chain_state, approvals, state, proposed_block)
     values ($1, $2, $3, $4, $5, 'Proposed', '[]', 'seen', $6) on conflict (id) do nothing`,
    [
      job.id,
      job.consumer.toLowerCase(),
      job.manifestDigest,
      job.locator,
      JSON.stringify(job.pools.map((pool) => pool.toLowerCase())),
      block.toString(),
    ],
  )
}

/** Notes a pool's approval, in the transaction that moves the chain cursor. */
export async function noteApproval(tx: Sql, id: string, approval: JobApproval): Promise<void> {
  await tx.query('update jobs set approvals = (approvals::jsonb || $2::jsonb)::text where id = $1', [
    id,
    JSON.stringify([{ ...approval, pool: approval.pool.toLowerCase() }]),
  ])
}

/**
 * The votes under which a job may run, at most one for each of its pools, in their order. A vote allows a consumer and a
 * manifest a number of runs: a further run of the same manifest is approved as it is proposed, under the earlier job's vote.
 * @returns one entry for each pool whose vote was read from the chain
 */
export async function grantsOf(
  sql: Sql,
  job: Pick<ChainJob, 'id' | 'consumer' | 'manifestDigest' | 'pools'>,
): Promise<readonly JobApproval[]> {
  const rows = await sql.query(
    `select approvals from jobs where consumer = $1 and manifest_digest = $2 and id <= $3 order by id desc`,
    [job.consumer, job.manifestDigest, job.id],
  )
  return grantsAmong(
    job.pools,
    rows.flatMap((row) => jsonOf<JobApproval[]>(row, 'approvals')),
  )
}

/** @returns for each pool the first of the votes that is its own, in the order of the pools */
export function grantsAmong(
  pools: readonly Address[],
  votes: readonly JobApproval[],
): readonly JobApproval[] {
  return pools.flatMap((pool) => votes.find((vote) => vote.pool === pool) ?? [])
}

/**
 * Takes over what the chain says of a job: a paid one becomes the node's work, one that was withdrawn is closed.
 * What the node has decided or charged it carries on by itself.
 */
export async function noteChainState(tx: Sql, id: string, chainState: string): Promise<void> {
  await tx.query(
    `update jobs set chain_state = $2,
       state = case
         when $2 in ('Funded', 'Running') and state = 'seen' then 'waiting'
         -- Taken from a node that fell silent: whoever is eligible may run it now.
         when $2 = 'Funded' and state = 'closed' and reason = 'RUN_BY_OTHER_NODE' then 'waiting'
         when $2 in ('Cancelled', 'Expired', 'Failed', 'Refused', 'Released', 'Settled')
           and state in ('seen', 'waiting', 'running') then 'closed'
         else state end,
       reason = case when (state = 'seen' and $2 in ('Funded', 'Running'))
         or (state = 'closed' and $2 = 'Funded' and reason = 'RUN_BY_OTHER_NODE') then null else reason end,
       reason_text = case when (state = 'seen' and $2 in ('Funded', 'Running'))
         or (state = 'closed' and $2 = 'Funded' and reason = 'RUN_BY_OTHER_NODE') then null else reason_text end
     where id = $1`,
    [id, chainState],
  )
}

/** Makes a job due at once: something happened to it on the chain. */
export async function tryNow(tx: Sql, id: string): Promise<void> {
  await tx.query('update jobs set retry_at = 0 where id = $1', [id])
}

/** @returns the job, or undefined when the node has not seen it */
export async function findJob(sql: Sql, id: string): Promise<JobRow | undefined> {
  const [row] = await sql.query(`select ${columns} from jobs where id = $1`, [id])
  return row === undefined ? undefined : read(row)
}

/** @returns jobs over which votes are open or won and that nobody has paid for, by number, from the one after `after` on */
export async function openProposals(
  sql: Sql,
  options: { readonly pool: Address | undefined; readonly after: string; readonly limit: number },
): Promise<readonly JobRow[]> {
  const rows = await sql.query(
    `select ${columns} from jobs where not detached and chain_state in ('Proposed', 'Approved') and id > $1
       and ($2::text is null or pools::jsonb ? $2) order by id limit $3`,
    [options.after, options.pool ?? null, options.limit],
  )
  return rows.map(read)
}

/** @returns how many jobs stand in each state; those whose proposal a reorganisation took off the chain are `detached` */
export async function countJobs(sql: Sql): Promise<Readonly<Record<string, number>>> {
  const rows = await sql.query(
    `select case when detached then 'detached' else state end as state, count(*) as count from jobs group by 1`,
  )
  return Object.fromEntries(rows.map((row) => [textOf(row, 'state'), integerOf(row, 'count')]))
}

/** A change of one job's state: it happens from the named states or not at all. */
export interface JobMove {
  readonly from: readonly JobState[]
  readonly to: JobState
  /** Replaces the reason before; none clears it. */
  readonly why?: { readonly reason: string; readonly reasonText: string } | null
}

/**
 * Moves a job.
 * @throws NodeError `JOB_MOVED` when it stands in none of the states `from`; nothing is changed
 */
export async function moveJob(tx: Sql, id: string, { from, to, why = null }: JobMove): Promise<void> {
  await changeOne(tx, id, from, 'state = $3, reason = $4, reason_text = $5', [
    to,
    why?.reason ?? null,
    why?.reasonText ?? null,
  ])
}

/**
 * Puts a job that is not decided yet back to wait until `at` (unix seconds) and says why.
 * @throws NodeError `JOB_MOVED` when it is decided or ended
 */
export async function putOffJob(
  tx: Sql,
  id: string,
  off: { readonly reason: string; readonly reasonText: string; readonly at: number },
): Promise<void> {
  await changeOne(
    tx,
    id,
    ['waiting', 'running'],
    `state = 'waiting', reason = $3, reason_text = $4, retry_at = $5, attempts = attempts + 1`,
    [off.reason, off.reasonText, off.at],
  )
}

/**
 * Tries a job again at `at` (unix seconds), wherever it stands. Of one that is not decided the reason is the new one: what it waited for
 * before does not keep it now. Of one that is decided it only fills an empty one, since there it says what was decided.
 */
export async function delayJob(
  tx: Sql,
  id: string,
  delay: { readonly reason: string; readonly reasonText: string; readonly at: number },
): Promise<void> {
  await tx.query(
    `update jobs set retry_at = $2, attempts = attempts + 1,
       reason = case when reason is null or state in ('waiting', 'running') then $3 else reason end,
       reason_text = case when reason is null or state in ('waiting', 'running') then $4 else reason_text end
     where id = $1 and state in ('waiting', 'running', 'charged', 'released', 'refusing')`,
    [id, delay.at, delay.reason, delay.reasonText],
  )
}

/** Stores what a job may run on, in the transaction that charges it. @throws NodeError `JOB_MOVED` */
export async function storeReservation(
  tx: Sql,
  id: string,
  reservation: Reservation,
  documents: { readonly manifest: JsonValue; readonly plan: JsonValue },
): Promise<void> {
  await changeOne(
    tx,
    id,
    ['waiting', 'running'],
    `state = 'running', reason = null, reason_text = null, reservation = $3, manifest = $4, plan = $5`,
    [JSON.stringify(reservation), JSON.stringify(documents.manifest), JSON.stringify(documents.plan)],
    `and reservation is null and not exists (select 1 from receipts where job = $1 and outcome = 'released')`,
  )
}

/** From which states an outcome may be stored: only what is being run is charged, only what is undecided refused. */
const outcomeFrom = {
  seen: ['seen'],
  charged: ['running'],
  refusing: ['waiting', 'running'],
} as const satisfies Partial<Record<JobState, readonly JobState[]>>

/**
 * Stores everything that a job's release or refusal needs, in the transaction that decides it.
 * @throws NodeError `JOB_MOVED` when the job was decided by another hand, or an answer was ever released under its
 * receipt: the caller's transaction must then be rolled back
 */
export async function storeOutcome(
  tx: Sql,
  id: string,
  outcome: {
    /** `seen`: refused for now, the job may still be approved and paid. */
    readonly state: keyof typeof outcomeFrom
    readonly manifest: JsonValue | null
    readonly plan: JsonValue | null
    readonly receipt: SignedStatement
    readonly receiptDigest: Digest
    readonly resultDigest: Digest | null
    readonly sealedResult: Uint8Array | null
    /** Digests of the verdicts on the inputs, by pool. */
    readonly inputs: Readonly<Record<string, readonly Digest[]>>
    readonly release: JsonValue | null
    readonly why: { readonly reason: string; readonly reasonText: string } | null
  },
): Promise<void> {
  const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
  await changeOne(
    tx,
    id,
    outcomeFrom[outcome.state],
    `state = $3, manifest = $4, plan = $5, receipt = $6, result_digest = $7, sealed_result = $8,
       release = $9, reason = $10, reason_text = $11, inputs = $12`,
    [
      outcome.state,
      json(outcome.manifest),
      json(outcome.plan),
      JSON.stringify(outcome.receipt),
      outcome.resultDigest,
      outcome.sealedResult,
      json(outcome.release),
      outcome.why?.reason ?? null,
      outcome.why?.reasonText ?? null,
      JSON.stringify(await keepVerdictLists(tx, outcome.inputs)),
    ],
    `and not exists (select 1 from receipts where job = $1 and outcome = 'released')`,
  )
  await tx.query(
    `insert into receipts (digest, job, outcome, receipt) values ($1, $2, $3, $4) on conflict (digest) do nothing`,
    [
      outcome.receiptDigest,
      id,
      outcome.state === 'charged' ? 'released' : 'refused',
      JSON.stringify(outcome.receipt),
    ],
  )
  const issued = (outcome.receipt as { statement?: { body?: JsonObject } }).statement?.body?.['issuedAt']
  await appendToLog(tx, {
    kind: 'receipt',
    digest: outcome.receiptDigest,
    number: id,
    issued: typeof issued === 'string' ? issued : new Date(0).toISOString(),
  })
}

/** Every change of a job's state goes through here: what another hand has moved meanwhile is not overwritten. */
async function changeOne(
  tx: Sql,
  id: string,
  from: readonly JobState[],
  assignments: string,
  values: readonly SqlValue[],
  condition = '',
): Promise<void> {
  const changed = await tx.query(
    `update jobs set ${assignments} where id = $1 and state = any (string_to_array($2, ',')) ${condition} returning id`,
    [id, from.join(','), ...values],
  )
  if (changed.length === 1) return
  throw new NodeError(
    'JOB_MOVED',
    `job ${id}`,
    `it is not in a state from which this may happen (${from.join(', ')}); nothing was changed`,
  )
}
