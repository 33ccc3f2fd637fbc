/**
 * Reads the chain forward: what is read and how far it was read is written in one transaction, so that a stop at any
 * point neither skips an event nor takes one twice. When blocks that were read are gone, what they said is undone in the
 * same way.
 * @module
 */
import type { Address, Digest, Hex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import {
  forgetBlocksAbove,
  forgetOldBlocks,
  noteBlock,
  type ReadBlock,
  readBlocks,
} from '../state/block-table.js'
import { insertContribution } from '../state/contribution-table.js'
import { applyJobEvent, undoJobEvents } from '../state/job-event-table.js'
import { findJob, tryNow } from '../state/job-table.js'
import { type ChainCursor, getCursor, setCursor } from '../state/meta-table.js'
import type { Sql, StateStore } from '../state/state-store.js'
import { undoContributions, withdrawContribution } from '../state/withdrawal.js'
import type { ChainPort } from './chain-port.js'

/** What following needs. */
export interface FollowContext {
  readonly store: StateStore
  readonly chain: Pick<
    ChainPort,
    'chainId' | 'registry' | 'head' | 'blockHash' | 'contributions' | 'withdrawals' | 'jobEvents'
  >
  /** Pools that this node serves, in lower case; what belongs to others is passed over. */
  readonly pools: ReadonlySet<Address>
  /** Pools of other homes with which this node answers jobs; absent: none. */
  readonly others?: ReadonlySet<Address>
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
  /** Blocks that were read before and whose events are undone. */
  readonly undone: number
  /** Whether everything is read up to the block that was the last when the step began. More may have come since, as they always do on a fast chain. */
  readonly atHead: boolean
}

const nothing: FollowStep = { blocks: 0, contributions: 0, jobs: 0, undone: 0, atHead: false }

/** Newest blocks of a read whose hashes are remembered one by one: a reorganisation is undone to the block. */
const remembered = 64n

/**
 * Reads the next blocks that the node believes, or undoes those that are gone.
 * @returns what was new, and whether that is all
 * @throws NodeError `CHAIN_REORGANISED` when no block that the node remembers is on the chain any more: it is another
 * chain, or one that was rewritten from long ago; `STATE_ROLLED_BACK` when the chain holds a charge of this node that its
 * own ledger does not
 */
export async function followChain(context: FollowContext): Promise<FollowStep> {
  const { store, chain } = context
  const name = `${chain.chainId}:${chain.registry}`
  const cursor = await getCursor(store, name)
  if (cursor !== undefined && (await chain.blockHash(cursor.blockNumber)) !== cursor.blockHash) {
    return undoBlocks(context, name, cursor)
  }
  const head = await chain.head()
  const from = cursor === undefined ? context.firstBlock : cursor.blockNumber + 1n
  if (from > head.number) return { ...nothing, atHead: true }
  const last = from + BigInt(context.blocksPerRead) - 1n
  const to = last < head.number ? last : head.number
  const hash = await chain.blockHash(to)
  const [contributions, withdrawals, events] = await Promise.all([
    chain.contributions(from, to),
    chain.withdrawals(from, to),
    chain.jobEvents(from, to),
  ])
  // Only near the head can blocks still go; far behind it, one for each read is enough.
  const blocks =
    to === head.number && hash !== undefined ? await blocksUpTo(chain, from, { number: to, hash }) : []
  const jobIds = [...new Set(events.map(({ id }) => id))]
  // The same block stood there before and after: what was read between is of one chain.
  if (hash === undefined || (await chain.blockHash(to)) !== hash) return nothing
  const servedHere = (pool: Address): boolean => context.pools.has(pool.toLowerCase() as Address)
  const followed = ({ pools }: { readonly pools: readonly Address[] }): boolean =>
    pools.some(servedHere) &&
    pools.every((pool) => servedHere(pool) || context.others?.has(pool.toLowerCase() as Address) === true)
  const ours = contributions.filter(({ pool }) => servedHere(pool))
  await store.transaction(async (tx) => {
    for (const contribution of ours) await insertContribution(tx, contribution)
    for (const withdrawal of withdrawals) await withdrawContribution(tx, withdrawal)
    for (const event of events) {
      // Jobs over pools that others serve are never inserted, so that their later events change nothing.
      const served = event.kind === 'proposed' && followed(event.job)
      await applyJobEvent(tx, event, { served, self: context.self })
      if (event.kind === 'released' && event.node === context.self)
        await requireBooked(tx, event.id, await ownHeads(tx, event, context.others))
    }
    for (const id of jobIds) await tryNow(tx, id)
    for (const block of [...blocks, { number: to, hash }]) await noteBlock(tx, name, block)
    await forgetOldBlocks(tx, name)
    await setCursor(tx, name, { blockNumber: to, blockHash: hash, logIndex: -1 })
  })
  return {
    blocks: Number(to - from + 1n),
    contributions: ours.length,
    jobs: jobIds.length,
    undone: 0,
    atHead: to === head.number,
  }
}

/** The newest blocks before `last`, as far as they are part of this read. */
async function blocksUpTo(
  chain: FollowContext['chain'],
  from: bigint,
  last: ReadBlock,
): Promise<readonly ReadBlock[]> {
  const first = last.number - remembered > from ? last.number - remembered : from
  const numbers = Array.from({ length: Number(last.number - first) }, (_, index) => first + BigInt(index))
  const hashes = await Promise.all(numbers.map((number) => chain.blockHash(number)))
  return numbers.flatMap((number, index) => {
    const hash: Hex | undefined = hashes[index]
    return hash === undefined ? [] : [{ number, hash }]
  })
}

/**
 * Goes back to the newest remembered block that is still on the chain. What was charged stays charged and what was signed
 * stays signed; see `state/job-event-table.ts`.
 */
async function undoBlocks(context: FollowContext, name: string, cursor: ChainCursor): Promise<FollowStep> {
  const { store, chain } = context
  const known = await readBlocks(store, name)
  let common: ReadBlock | undefined
  for (const block of known) {
    if ((await chain.blockHash(block.number)) !== block.hash) continue
    common = block
    break
  }
  if (common === undefined) {
    throw new NodeError(
      'CHAIN_REORGANISED',
      `block ${cursor.blockNumber}`,
      'no block that the node remembers is on the chain any more; wait until the chain endpoint is itself again, or start with an empty data directory',
    )
  }
  const { number, hash } = common
  await store.transaction(async (tx) => {
    await undoContributions(tx, number)
    await undoJobEvents(tx, number)
    await forgetBlocksAbove(tx, name, number)
    await setCursor(tx, name, { blockNumber: number, blockHash: hash, logIndex: -1 })
  })
  return { ...nothing, undone: Number(cursor.blockNumber - number) }
}

/** Heads of other homes' ledgers are in none of this node's. */
async function ownHeads(
  tx: Sql,
  { id, budgetHeads }: { readonly id: string; readonly budgetHeads: readonly Digest[] },
  others: ReadonlySet<Address> | undefined,
): Promise<readonly Digest[]> {
  if (others === undefined) return budgetHeads
  const pools = (await findJob(tx, id))?.pools ?? []
  return budgetHeads.filter((_, index) => !others.has(pools[index] ?? '0x'))
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
