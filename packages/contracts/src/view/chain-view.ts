import type { Client, Hash } from 'viem'
import { getBlock, getChainId } from 'viem/actions'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'

/** A head that two independent sources agree on. */
export interface AgreedHead {
  readonly number: bigint
  readonly hash: Hash
  /** Unix seconds. */
  readonly timestamp: bigint
}

/** Two sources of one chain, read as one. */
export interface ChainView {
  /**
   * The newest head that both sources agree on, under the confirmations.
   *
   * @throws {ContractsError} `CHAIN_DISAGREES` when the sources show different blocks, stand too far apart, or have replaced
   * the head that they agreed on before (then once: the next call begins with what they agree on now); `CHAIN_STALE` when
   * the head is older than allowed or lower than one that was agreed on before this call began (calls may overlap and end in
   * any order); `CHAIN_UNREACHABLE` when one does not answer.
   */
  head(): Promise<AgreedHead>
  /**
   * Reads through both sources at the agreed head and gives the answer only when both give the same.
   *
   * @param read Reads at the given block; its answer must be plain data (bigints are fine).
   * @throws {ContractsError} as {@link ChainView.head}, and `CHAIN_DISAGREES` when the answers differ or the
   * block was replaced while it was read.
   */
  read<Answer>(read: (client: Client, blockNumber: bigint) => Promise<Answer>): Promise<Answer>
}

/** Settings of a {@link ChainView}. */
export interface ChainViewOptions {
  /** Clients of two endpoints that different parties run; one party twice is one source. */
  readonly sources: readonly [Client, Client]
  readonly chainId: number
  /** Blocks on top of what is read; default 0. */
  readonly confirmations?: number
  /** How old the agreed head may be, in seconds; default 120. */
  readonly maximumAge?: number
  /** How many blocks the sources may stand apart; default 5. */
  readonly maximumLag?: number
  /** The time now, unix seconds. */
  readonly now: () => number
}

/**
 * Reads a chain through two sources and fails closed: a frozen, forked or lying endpoint stops the answer and never changes
 * it. What it cannot see is two endpoints that lie alike.
 *
 * @param options - the two sources, the chain, the clock and the limits: see {@link ChainViewOptions}
 * @returns the view; it remembers the highest head that it gave
 */
export function createChainView(options: ChainViewOptions): ChainView {
  const { sources, chainId, confirmations = 0, maximumAge = 120, maximumLag = 5, now } = options
  let last: AgreedHead | undefined
  const place = 'ChainView'

  const agreedBlock = async (blockNumber: bigint) => {
    const [first, second] = await reading(place, () =>
      Promise.all(sources.map((source) => getBlock(source, { blockNumber }))),
    )
    if (first === undefined || second === undefined || first.hash !== second.hash) {
      throw new ContractsError('CHAIN_DISAGREES', place, `the sources show different blocks ${blockNumber}`)
    }
    return first
  }

  /** A head that was agreed on must still be the chain's, in both sources. */
  const requireUnchanged = async (agreed: AgreedHead | undefined): Promise<void> => {
    if (agreed === undefined || (await agreedBlock(agreed.number)).hash === agreed.hash) return
    if (last === agreed) last = undefined // not a head that another call found since
    throw new ContractsError(
      'CHAIN_DISAGREES',
      place,
      `block ${agreed.number} was replaced although ${confirmations} stood on it; what was read from it may not hold`,
    )
  }

  const head = async (): Promise<AgreedHead> => {
    // Calls overlap: what another one agrees on from now on says nothing about what this one is about to read.
    const known = last
    const ids = await reading(place, () => Promise.all(sources.map((source) => getChainId(source))))
    if (ids.some((id) => id !== chainId)) {
      throw new ContractsError('CHAIN_DISAGREES', place, `a source is on another chain than ${chainId}`)
    }
    const heads = await reading(place, () => Promise.all(sources.map((source) => getBlock(source))))
    const numbers = heads.map(({ number }) => number)
    const lowest = numbers.reduce((a, b) => (a < b ? a : b))
    const highest = numbers.reduce((a, b) => (a > b ? a : b))
    if (highest - lowest > BigInt(maximumLag)) {
      throw new ContractsError('CHAIN_DISAGREES', place, `the sources stand ${highest - lowest} blocks apart`)
    }
    const blockNumber = lowest - BigInt(confirmations)
    if (blockNumber < 0n) throw new ContractsError('CHAIN_STALE', place, 'the chain is too short yet')
    const first = await agreedBlock(blockNumber)
    const age = BigInt(now()) - first.timestamp
    if (age > BigInt(maximumAge)) {
      throw new ContractsError('CHAIN_STALE', place, `the newest agreed block is ${age} seconds old`)
    }
    if (known !== undefined && blockNumber < known.number) {
      throw new ContractsError(
        'CHAIN_STALE',
        place,
        `the chain went back from block ${known.number} to ${blockNumber}`,
      )
    }
    await requireUnchanged(known)
    const agreed = { number: blockNumber, hash: first.hash, timestamp: first.timestamp }
    if (last === undefined || agreed.number >= last.number) last = agreed
    return agreed
  }

  return {
    head,
    async read(read) {
      const agreed = await head()
      const { number } = agreed
      const [first, second] = await reading(place, () =>
        Promise.all(sources.map((source) => read(source, number))),
      )
      if (plain(first) !== plain(second)) {
        throw new ContractsError(
          'CHAIN_DISAGREES',
          place,
          `the sources answer differently at block ${number}`,
        )
      }
      await requireUnchanged(agreed)
      return first as Awaited<ReturnType<typeof read>>
    },
  }
}

function plain(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  return text ?? 'undefined'
}
