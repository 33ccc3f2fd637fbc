/**
 * Where the chain is read: one endpoint that is believed, or two that must agree.
 * @module
 */
import { type ChainView, ContractsError, createChainView } from '@sealpool/contracts'
import type { Client } from 'viem'
import { getBlock, getBlockNumber } from 'viem/actions'
import { NodeError } from '../errors.js'
import type { ChainHead } from './chain-port.js'

/** Reads that answer only with what every endpoint says. */
export interface ChainSource {
  /** The newest block under the confirmations. */
  head(): Promise<ChainHead>
  /** Reads at {@link ChainSource.head}: what decides. */
  confirmed<Answer>(read: (client: Client, blockNumber: bigint) => Promise<Answer>): Promise<Answer>
  /** Reads at the newest block. */
  newest<Answer>(read: (client: Client, blockNumber: bigint) => Promise<Answer>): Promise<Answer>
  /** Reads what names its blocks itself. */
  same<Answer>(read: (client: Client) => Promise<Answer>): Promise<Answer>
}

/** Settings of a source. */
export interface ChainSourceOptions {
  readonly client: Client
  /** A second endpoint, of another party; everything read must be the same in both. */
  readonly second: Client | null
  readonly chainId: number
  readonly confirmations: number
  /** Oldest head that is believed, in seconds; null: any. */
  readonly maximumAgeSeconds: number | null
  /** How many blocks two endpoints may stand apart. */
  readonly maximumLagBlocks: number
  /** Unix seconds. */
  readonly now: () => number
}

/** @returns reads through one endpoint, or through two that must agree */
export function chainSource(options: ChainSourceOptions): ChainSource {
  return options.second === null ? oneSource(options) : twoSources(options, options.second)
}

function oneSource({ client, confirmations, maximumAgeSeconds, now }: ChainSourceOptions): ChainSource {
  const believed = async (): Promise<bigint> => {
    const newest = await getBlockNumber(client, { cacheTime: 0 })
    const depth = BigInt(confirmations)
    return newest > depth ? newest - depth : 0n
  }
  const head = async (): Promise<ChainHead> => {
    const block = await getBlock(client, { blockNumber: await believed() })
    const age = now() - Number(block.timestamp)
    if (maximumAgeSeconds !== null && age > maximumAgeSeconds) {
      throw new NodeError(
        'CHAIN_STALE',
        'chain.rpcUrl',
        `the newest block that is believed is ${age} seconds old; the endpoint stands still or the clock is wrong`,
      )
    }
    return { number: block.number, hash: block.hash, timestamp: Number(block.timestamp) }
  }
  return {
    head,
    confirmed: async (read) => read(client, (await head()).number),
    newest: async (read) => read(client, await getBlockNumber(client, { cacheTime: 0 })),
    same: (read) => read(client),
  }
}

function twoSources(options: ChainSourceOptions, second: Client): ChainSource {
  const { client, chainId, confirmations, now } = options
  const common = {
    sources: [client, second] as const,
    chainId,
    maximumAge: options.maximumAgeSeconds ?? Number.MAX_SAFE_INTEGER,
    maximumLag: options.maximumLagBlocks,
    now,
  }
  const confirmed = createChainView({ ...common, confirmations })
  const newest = createChainView(common)
  const named = async <Answer>(read: () => Promise<Answer>, again = true): Promise<Answer> => {
    try {
      return await read()
    } catch (cause) {
      if (!(cause instanceof ContractsError)) throw cause
      // Two reads at once may end in the other order, and the later one then sees a head that was newer than its own.
      if (cause.code === 'CHAIN_STALE' && again) return named(read, false)
      if (cause.code !== 'CHAIN_DISAGREES' && cause.code !== 'CHAIN_STALE') throw cause
      throw new NodeError(
        cause.code,
        'chain',
        `${cause.message}; nothing is decided until both endpoints agree`,
        {
          cause,
        },
      )
    }
  }
  const through =
    (view: ChainView): ChainSource['confirmed'] =>
    (read) =>
      named(() => view.read(read))
  return {
    head: () =>
      named(async () => {
        const { number, hash, timestamp } = await confirmed.head()
        return { number, hash, timestamp: Number(timestamp) }
      }),
    confirmed: through(confirmed),
    newest: through(newest),
    same: (read) => named(() => newest.read((one) => read(one))),
  }
}
