/**
 * Reads the chain forward: what is read and how far it was read is written in one transaction, so that a stop at any
 * point neither skips an event nor takes one twice.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { insertContribution } from '../state/contribution-table.js'
import { insertJob, noteApproval, noteChainState, tryNow } from '../state/job-table.js'
import { getCursor, setCursor } from '../state/meta-table.js'
import type { Sql, StateStore } from '../state/state-store.js'
import type { ChainPort } from './chain-port.js'

/** What following needs. */
export interface FollowContext {
  readonly store: StateStore
  readonly chain: Pick<
    ChainPort,
    'chainId' | 'registry' | 'head' | 'blockHash' | 'contributions' | 'jobEvents'
  >
  /** Pools that this node serves, in lower case; what belongs to others is passed over. */
  readonly pools: ReadonlySet<Address>
  /** The node's own statement key: what it released must stand in its own ledger. */
  readonly self: Address
  /** Block of the contracts' deployment: nothing before it concerns the node. */
  readonly firstBlock: bigint
  readonly blocksPerRead: number
}

/** What one step read. */
export interface FollowStep {
  readonly blocks: number
  readonly contributions: number
  readonly jobs: number
}

const nothing: FollowStep = { blocks: 0, contributions: 0, jobs: 0 }

/**
 * Reads the next blocks that the node believes.
 * @returns what was new; all zero at the head
 * @throws NodeError `CHAIN_REORGANISED` when a block that was taken in is not on the chain any more: the node has then
 * acted on something that did not happen and must not go on by itself; `STATE_ROLLED_BACK` when the chain holds a charge
 * of this node that its own ledger does not
 */
export async function followChain(context: FollowContext): Promise<FollowStep> {
  const { store, chain } = context
  const name = `${chain.chainId}:${chain.registry}`
  const cursor = await getCursor(store, name)
  if (cursor !== undefined && (await chain.blockHash(cursor.blockNumber)) !== cursor.blockHash) {
    throw new NodeError(
      'CHAIN_REORGANISED',
      `block ${cursor.blockNumber}`,
      'a block that the node has read is gone; raise chain.confirmations and start with an empty data directory, or wait until the chain endpoint is itself again',
    )
  }
  const head = await chain.head()
  const from = cursor === undefined ? context.firstBlock : cursor.blockNumber + 1n
  if (from > head.number) return nothing
  const last = from + BigInt(context.blocksPerRead) - 1n
  const to = last < head.number ? last : head.number
  const hash = await chain.blockHash(to)
  const [contributions, events] = await Promise.all([
    chain.contributions(from, to),
    chain.jobEvents(from, to),
  ])
  const jobIds = [...new Set(events.map(({ id }) => id))]
  // The same block stood there before and after: what was read between is of one chain.
  if (hash === undefined || (await chain.blockHash(to)) !== hash) return nothing
  const servedHere = (pool: Address): boolean => context.pools.has(pool.toLowerCase() as Address)
  const served = contributions.filter(({ pool }) => servedHere(pool))
  await store.transaction(async (tx) => {
    for (const contribution of served) await insertContribution(tx, contribution)
    for (const event of events) {
      // Jobs over pools that others serve are never inserted, so that their later events change nothing.
      if (event.kind === 'proposed' && event.job.pools.every(servedHere)) await insertJob(tx, event.job)
      if (event.kind === 'approved') await noteApproval(tx, event.id, event.approval)
      if (event.kind === 'released' && event.node === context.self)
        await requireBooked(tx, event.id, event.budgetHeads)
      // From the events and not from a call: a state is never newer than the votes that are stored beside it.
      if (event.kind === 'moved') await noteChainState(tx, event.id, event.state)
    }
    for (const id of jobIds) await tryNow(tx, id)
    await setCursor(tx, name, { blockNumber: to, blockHash: hash, logIndex: -1 })
  })
  return { blocks: Number(to - from + 1n), contributions: served.length, jobs: jobIds.length }
}

/**
 * A charge is stored before its job is released. So a release on the chain whose ledger heads are unknown here means
 * that this disk is older than the chain: going on would spend budgets a second time.
 */
async function requireBooked(tx: Sql, job: string, heads: readonly Digest[]): Promise<void> {
  for (const head of heads) {
    const [row] = await tx.query('select 1 as found from ledger where head = $1', [head])
    if (row !== undefined) continue
    throw new NodeError(
      'STATE_ROLLED_BACK',
      `job ${job}`,
      'the chain anchors a budget ledger that is newer than this data directory; restore the newest copy of it',
    )
  }
}
