/**
 * The jobs that something can be done for now, in the order in which they are begun.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { jsonOf, textOf } from './column.js'
import { isDue } from './due-time.js'
import type { JobState } from './job-state.js'
import { grantsAmong, type JobApproval } from './job-table.js'
import { type QueuedJob, queueOrder } from './queue-order.js'
import type { Sql, SqlRow } from './state-store.js'

const signed: readonly string[] = ['charged', 'released', 'refusing'] satisfies readonly JobState[]

/** @returns numbers of the jobs in the given states whose next try is due at `at` (unix seconds), see {@link queueOrder} */
export async function dueJobs(sql: Sql, states: readonly JobState[], at: number): Promise<readonly string[]> {
  const rows = await sql.query(
    `select id::text, consumer, manifest_digest, pools, state, reservation is not null as reserved,
       coalesce(proposed_block, 0)::text as proposed_block
     from jobs where state = any (string_to_array($1, ',')) and ${isDue('retry_at', '$2')} and not detached order by id`,
    [states.join(','), at],
  )
  const ids = rows.map((row) => textOf(row, 'id'))
  // One alone has no order.
  if (ids.length < 2) return ids
  const paid = await paidBlocks(sql, ids)
  const votes = await votesOn(sql, ids)
  return queueOrder(
    rows.map((row): QueuedJob => {
      const id = textOf(row, 'id')
      return {
        id,
        begun: signed.includes(textOf(row, 'state')) ? 'signed' : row['reserved'] === true ? 'charged' : 'no',
        paidBlock: paid.get(id) ?? BigInt(textOf(row, 'proposed_block')),
        prices: pricesOf(row, votes),
      }
    }),
  )
}

/**
 * Waits that this node cannot end: such a job takes nothing of it. Else one home that stands still, or one consumer whose store does not
 * give out his manifests any more, would have all places in time, and everybody else none. So would jobs that fail at every try: between two
 * tries they take nothing either, and while they are tried they count as what is under way.
 */
const carriedElsewhere: readonly string[] = [
  'ASSIGNED_TO_OTHER_NODE',
  'BLOB_STORE_FAILED',
  'HANDED_OFF',
  'HAND_OFF_WAITS',
  'HOME_DIFFERS',
  'HOME_SILENT',
  'HOME_WAITS',
  'JOB_SUSPENDED',
  'POOL_KEY_OF_OTHER_NODE',
  'POOL_PAUSED',
  'PROGRAM_AWAY',
  'PROGRAM_RUNS',
  'RESTRICTION_UNKNOWN',
  'TAKEN_FROM_SILENT_NODE',
  'TRIED_AGAIN',
]

/**
 * Jobs that were begun, on the chain or by a charge, and are not over; also one that a lot has given to a node: when it is not started
 * within minutes it is lost, and its node can never have it again.
 */
export interface BegunJobs {
  readonly all: ReadonlySet<string>
  /** Those without an answer that wait for this node, or for blocks. */
  readonly carried: ReadonlySet<string>
}

/**
 * @param pools of this node: a job whose first pool is another home's is that one's to carry
 * @returns the jobs that were begun
 */
export async function begunJobs(sql: Sql, pools: Iterable<Address>): Promise<BegunJobs> {
  const rows = await sql.query(
    `select id::text, state in ('waiting', 'running')
         and coalesce(reason, '') <> all (string_to_array($1, ','))
         and pools::jsonb ->> 0 = any (string_to_array($3, ',')) as carried from jobs
     where not detached and (state = any (string_to_array($2, ',')) or state in ('waiting', 'running')
       and (reservation is not null or chain_state in ('Assigned', 'Running') or reason = 'START_NOT_CONFIRMED'))`,
    [carriedElsewhere.join(','), signed.join(','), [...pools].join(',')],
  )
  return {
    all: new Set(rows.map((row) => textOf(row, 'id'))),
    carried: new Set(rows.filter((row) => row['carried'] === true).map((row) => textOf(row, 'id'))),
  }
}

/** Of a job that was begun: it runs, its charge waits for its anchor, or it waits for its turn. What fails again and again is not among them. */
const living: readonly string[] = ['ANCHOR_NOT_CONFIRMED', 'START_NOT_CONFIRMED']

/**
 * @param pools of this node
 * @returns jobs that were begun on the chain, have no end there yet and come to one by this node alone, by number; of some the start may
 * have been another node's
 */
export async function livingJobs(sql: Sql, pools: Iterable<Address>): Promise<readonly string[]> {
  const rows = await sql.query(
    `select id::text from jobs
     where not detached and state in ('waiting', 'running', 'charged') and pools::jsonb ->> 0 = any (string_to_array($2, ','))
       and (reason is null or reason = any (string_to_array($1, ',')))
       and (chain_state = 'Running' or reason = 'START_NOT_CONFIRMED') order by id`,
    [living.join(','), [...pools].join(',')],
  )
  return rows.map((row) => textOf(row, 'id'))
}

/** Blocks in which jobs were paid for: the first, so that one that was taken from a silent node keeps its place. */
async function paidBlocks(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const rows = await sql.query(
    `select job::text, min(block_number)::text as block from job_events
     where job = any (string_to_array($1, ',')::bigint[])
       and event::jsonb ->> 'kind' = 'moved' and event::jsonb ->> 'state' = 'Funded' group by job`,
    [ids.join(',')],
  )
  return new Map(rows.map((row) => [textOf(row, 'job'), BigInt(textOf(row, 'block'))]))
}

/** A vote allows several runs: a job may stand under the vote on an earlier one. */
interface Vote {
  readonly id: bigint
  readonly approvals: readonly JobApproval[]
}
/** Newest first, by consumer and manifest: of many jobs, each looks at few. */
type Votes = ReadonlyMap<string, readonly Vote[]>

async function votesOn(sql: Sql, ids: readonly string[]): Promise<Votes> {
  const rows = await sql.query(
    `select id::text, consumer, manifest_digest, approvals from jobs
     where approvals <> '[]' and manifest_digest in
       (select manifest_digest from jobs where id = any (string_to_array($1, ',')::bigint[]))
     order by jobs.id desc`,
    [ids.join(',')],
  )
  const votes = new Map<string, Vote[]>()
  for (const row of rows) {
    const about = aboutOf(row)
    const vote = { id: BigInt(textOf(row, 'id')), approvals: jsonOf<JobApproval[]>(row, 'approvals') }
    const known = votes.get(about)
    if (known === undefined) votes.set(about, [vote])
    else known.push(vote)
  }
  return votes
}

function aboutOf(row: SqlRow): string {
  return `${textOf(row, 'consumer')} ${textOf(row, 'manifest_digest')}`
}

/** What each pool gets; nothing unless every pool's vote is known. */
function pricesOf(row: SqlRow, votes: Votes): readonly bigint[] {
  const pools = jsonOf<Address[]>(row, 'pools')
  const id = BigInt(textOf(row, 'id'))
  const approvals = (votes.get(aboutOf(row)) ?? []).filter((vote) => vote.id <= id)
  const grants = grantsAmong(
    pools,
    approvals.flatMap((vote) => vote.approvals),
  )
  return grants.length === pools.length ? grants.map(({ price }) => BigInt(price)) : []
}
