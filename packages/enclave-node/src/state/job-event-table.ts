/**
 * What the chain said about jobs, event by event, so that the events of blocks that are gone can be taken out again and a
 * job stands as if they had never been read.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import type { ChainJobEvent } from '../chain/chain-port.js'
import { jsonOf, textOf } from './column.js'
import type { JobState } from './job-state.js'
import { insertJob, type JobApproval, noteApproval, noteChainState } from './job-table.js'
import type { Sql } from './state-store.js'

/**
 * Takes an event in. One that was read before changes nothing.
 * @param here `served`: whether this node serves every pool of a proposed job; later events of other jobs change nothing. `self`: its
 * address, under which the chain hands jobs to it
 */
export async function applyJobEvent(
  tx: Sql,
  event: ChainJobEvent,
  { served, self }: { readonly served: boolean; readonly self: Address },
): Promise<void> {
  if (event.kind === 'proposed') {
    if (!served) return
    await insertJob(tx, event.job, event.block)
  }
  const [known] = await tx.query('select 1 as found from jobs where id = $1', [event.id])
  if (known === undefined) return
  const { block, ...fact } = event
  const added = await tx.query(
    `insert into job_events (job, block_number, position, event) values ($1, $2, $3, $4)
     on conflict do nothing returning job`,
    [event.id, block.toString(), event.position, JSON.stringify(fact)],
  )
  if (added.length === 0) return
  if (event.kind === 'approved') await noteApproval(tx, event.id, event.approval)
  // From the events and not from a call: a state is never newer than the votes that are stored beside it.
  if (event.kind === 'moved') await noteChainState(tx, event.id, event.state)
  if (event.kind === 'handed' && event.to === self) await reopenJob(tx, event.id)
}

/** @returns whether the chain has taken a job from a node, as far as it was read: that node can never have it again */
export async function hasLostJob(sql: Sql, id: string, node: Address): Promise<boolean> {
  const rows = await sql.query(
    `select 1 as found from job_events where job = $1
       and event::jsonb ->> 'kind' = 'lost' and event::jsonb ->> 'node' = $2 limit 1`,
    [id, node],
  )
  return rows.length > 0
}

/** Where a closed job stood: what was decided about it is told again, and never decided a second time. */
const whereItStood = `case when release is null then 'waiting' when result_digest is null then 'refusing' else 'charged' end`
/** Why it was refused, of one that was: its receipt says so. */
const refusalOf = (part: 'code' | 'message'): string =>
  `case when release is null then null else receipt::jsonb #>> '{statement,body,refusal,${part}}' end`

/** A job that another node had begun, or that this one had lost, may be this node's to run again. */
async function reopenJob(tx: Sql, id: string): Promise<void> {
  await tx.query(
    `update jobs set state = ${whereItStood}, reason = ${refusalOf('code')}, reason_text = ${refusalOf('message')}
     where id = $1 and state = 'closed' and reason in ('RUN_BY_OTHER_NODE', 'LOST_TO_OTHER_NODE')`,
    [id],
  )
}

/**
 * Undoes what blocks above `last` said about jobs. A job whose proposal is gone is forgotten when nothing was decided about
 * it; one that was charged or refused stays, detached, in case the chain shows it again: a charge is never given back.
 */
export async function undoJobEvents(tx: Sql, last: bigint): Promise<void> {
  const above = last.toString()
  const touched = await tx.query('select distinct job::text from job_events where block_number > $1', [above])
  await tx.query('delete from job_events where block_number > $1', [above])
  await tx.query(
    `delete from jobs where proposed_block > $1 and reservation is null and receipt is null
       and state in ('seen', 'waiting', 'running', 'closed')`,
    [above],
  )
  await tx.query('update jobs set detached = true where proposed_block > $1', [above])
  for (const row of touched) await replayJob(tx, textOf(row, 'job'))
}

/** States into which a job falls back when the chain has forgotten what moved it on. */
const fallback: readonly {
  readonly from: JobState
  readonly unless: readonly string[]
  readonly to: JobState
}[] = [
  { from: 'settled', unless: ['Released', 'Settled'], to: 'charged' },
  { from: 'released', unless: ['Released', 'Settled'], to: 'charged' },
  { from: 'refused', unless: ['Refused', 'Failed', 'Cancelled', 'Expired'], to: 'refusing' },
]
/** Of a closed job, states in which it stays closed, or is seen again. */
const closedUnless = [
  'Cancelled',
  'Expired',
  'Failed',
  'Refused',
  'Released',
  'Settled',
  'Proposed',
  'Approved',
]

async function replayJob(tx: Sql, id: string): Promise<void> {
  const rows = await tx.query('select event from job_events where job = $1 order by block_number, position', [
    id,
  ])
  const facts = rows.map((row) => jsonOf<Omit<ChainJobEvent, 'block'>>(row, 'event')) as readonly (
    | { readonly kind: 'approved'; readonly approval: JobApproval }
    | { readonly kind: 'moved'; readonly state: string }
    | { readonly kind: 'proposed' }
  )[]
  const approvals: readonly JobApproval[] = facts.flatMap((fact) =>
    fact.kind === 'approved' ? [{ ...fact.approval, pool: fact.approval.pool }] : [],
  )
  const chainState = facts.reduce((state, fact) => (fact.kind === 'moved' ? fact.state : state), 'Proposed')
  await tx.query(
    `update jobs set chain_state = $2, approvals = $3, retry_at = 0,
       state = case when state in ('waiting', 'running', 'closed') and $2 in ('Proposed', 'Approved')
         and reservation is null then 'seen' else state end
     where id = $1`,
    [id, chainState, JSON.stringify(approvals)],
  )
  for (const { from, unless, to } of fallback) {
    // A refused job without a receipt has nothing to send: its state stays as it is.
    await tx.query(
      `update jobs set state = $3 where id = $1 and state = $2 and not ($4 = any (string_to_array($5, ',')))
         and ($3 <> 'refusing' or release is not null)`,
      [id, from, to, chainState, unless.join(',')],
    )
  }
  await tx.query(
    `update jobs set state = ${whereItStood}, reason = ${refusalOf('code')}, reason_text = ${refusalOf('message')}
     where id = $1 and state = 'closed' and not ($2 = any (string_to_array($3, ',')))`,
    [id, chainState, closedUnless.join(',')],
  )
}
