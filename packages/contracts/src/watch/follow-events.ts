import type { Client, Hash } from 'viem'
import { BlockNotFoundError } from 'viem'
import { getBlock } from 'viem/actions'
import { type Finality, finalBlock } from '../action/finality.js'
import type { BlockRange } from '../action/logs.js'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'

/** What every event says about where it stands. */
export interface PlacedEvent {
  readonly blockNumber: bigint
  readonly blockHash: Hash
  readonly logIndex: number
}

/** What one step of a follower found. */
export interface Step<Event> {
  /** Events that were given before and that the chain no longer has, newest first. Undo them before `events`. */
  readonly removed: readonly Event[]
  /** New events, oldest first. */
  readonly events: readonly Event[]
  /** The last block that has been read. */
  readonly blockNumber: bigint
}

/** Reads new events step by step; keeps no timer. */
export interface Follower<Event> {
  /**
   * Reads up to the newest block that is final enough; `null` while there is no such block yet, and while the source stands
   * behind where it stood before.
   *
   * @throws {ContractsError} `CHAIN_REORGANISED` when the chain changed deeper than the follower remembers: read everything
   * anew; `CHAIN_UNREACHABLE`, after which the next step goes on where this one began.
   */
  step(): Promise<Step<Event> | null>
}

/** Settings of a {@link Follower}. */
export interface FollowOptions<Event> {
  /** Reads the events of a range of blocks, oldest first. */
  readonly read: (range: BlockRange) => Promise<readonly Event[]>
  /** How final a block must be before its events are given; default the newest block. */
  readonly finality?: Finality
  /** Default: from now on. */
  readonly fromBlock?: bigint
  /** How many blocks back a reorganisation is undone; default 256. */
  readonly memory?: bigint
}

interface Mark {
  readonly number: bigint
  readonly hash: Hash
}

/**
 * Follows events through reorganisations. It remembers the hashes of the blocks that it read; when one of them is no longer
 * on the chain, what came from it and after it is given back as removed, and the blocks are read again. With a finality
 * deeper than the chain ever reorganises, nothing is ever removed.
 *
 * @param client - a viem client on the chain of the events; it reads the blocks' hashes
 * @param options - what to read, from where, how final: see {@link FollowOptions}
 * @returns the follower; it reads nothing before its first step
 */
export function followEvents<Event extends PlacedEvent>(
  client: Client,
  options: FollowOptions<Event>,
): Follower<Event> {
  const { read, finality = { confirmations: 0 }, memory = 256n } = options
  /** Ends of what was read, and blocks of events, oldest first. */
  let marks: Mark[] = []
  let given: Event[] = []
  let cursor: bigint | undefined = options.fromBlock === undefined ? undefined : options.fromBlock - 1n
  /** Nothing before it was ever given. */
  let start = cursor ?? 0n
  /** Whether the marks reach back to the start. */
  let complete = true

  const hashOf = (blockNumber: bigint): Promise<Hash | null> =>
    reading('followEvents', async () => {
      try {
        return (await getBlock(client, { blockNumber })).hash
      } catch (error) {
        if (error instanceof BlockNotFoundError) return null
        throw error
      }
    })

  /** How many of the marks, up to a block, are still on the chain. */
  const standing = async (upTo: bigint): Promise<number> => {
    let count = marks.filter(({ number }) => number <= upTo).length
    while (count > 0) {
      const mark = marks[count - 1] as Mark
      if ((await hashOf(mark.number)) === mark.hash) return count
      count -= 1
    }
    return 0
  }

  return {
    async step() {
      let final: bigint
      try {
        final = await finalBlock(client, finality)
      } catch (error) {
        if (error instanceof ContractsError && error.code === 'NOT_FOUND') return null
        throw error
      }
      if (cursor === undefined) {
        start = final
        cursor = final
      }
      const known = marks.filter(({ number }) => number <= final).length
      const kept = await standing(final)
      // A source that is merely behind shows the old blocks as far as it goes: that undoes nothing.
      if (kept === known && final < cursor) return null
      if (kept === known && final === cursor) return { removed: [], events: [], blockNumber: final }
      let removed: Event[] = []
      let from = cursor
      let left = given
      let standingMarks = marks
      if (kept < known) {
        if (kept === 0 && !complete) {
          throw new ContractsError(
            'CHAIN_REORGANISED',
            'followEvents',
            `the chain changed more than ${memory} blocks deep; read everything anew`,
          )
        }
        const common = marks[kept - 1]?.number ?? start
        removed = given.filter(({ blockNumber }) => blockNumber > common).reverse()
        left = given.filter(({ blockNumber }) => blockNumber <= common)
        standingMarks = marks.slice(0, kept)
        from = common
      }
      const before = await hashOf(final)
      if (before === null) return null
      const events = final > from ? await read({ fromBlock: from + 1n, toBlock: final }) : []
      // A chain that changed while it was read is read again by the next step; nothing of it has been given yet.
      if ((await hashOf(final)) !== before) return null
      const fresh = new Map<bigint, Hash>(
        events.map(({ blockNumber, blockHash }) => [blockNumber, blockHash]),
      )
      fresh.set(final, before)
      const oldest = final - memory
      const all = [...standingMarks, ...[...fresh].map(([number, hash]) => ({ number, hash }))]
      // The newest mark that is older than memory stays: while it stands, all that came after it is remembered.
      marks = all.slice(Math.max(0, all.filter(({ number }) => number < oldest).length - 1))
      complete &&= marks.length === all.length
      const first = marks[0]?.number ?? final
      given = [...left, ...events].filter(({ blockNumber }) => blockNumber >= first)
      cursor = final
      return { removed, events, blockNumber: final }
    },
  }
}
