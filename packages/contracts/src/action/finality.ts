import { BlockNotFoundError, type Client } from 'viem'
import { getBlock } from 'viem/actions'
import { ContractsError } from '../errors.js'
import { reading } from './transaction.js'

/** How final a read must be: one of the two. A field that is there and undefined is not there. */
export type Finality =
  | {
      /** Blocks that must stand on top; 0: the newest block. */
      readonly confirmations: number
      readonly blockTag?: undefined
    }
  | {
      /** The chain's own word for it. */
      readonly blockTag: 'safe' | 'finalized'
      readonly confirmations?: undefined
    }

/**
 * A finality that can be meant.
 *
 * @param finality - of unknown origin
 * @param place - what it is, for the error
 * @returns the same with one field
 * @throws {ContractsError} `ARGUMENT_INVALID` for anything but exactly one of the two: a tag that the chain does not know, or none beside
 * no number, would be the newest block for who asked for a final one
 */
export function requireFinality(finality: unknown, place = 'finality'): Finality {
  const given = typeof finality === 'object' && finality !== null ? finality : {}
  const { confirmations, blockTag } = given as {
    readonly confirmations?: unknown
    readonly blockTag?: unknown
  }
  if (blockTag === undefined && isDepth(confirmations)) return { confirmations }
  if (confirmations === undefined && (blockTag === 'safe' || blockTag === 'finalized')) return { blockTag }
  throw new ContractsError(
    'ARGUMENT_INVALID',
    place,
    'expected { confirmations } with a whole number from 0 up, or { blockTag } with safe or finalized',
  )
}

function isDepth(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/**
 * The newest block that is final enough: what was read in it, or in an event up to it, stays.
 *
 * @param client - a viem client on the deployment's chain
 * @param finality - how many blocks must stand on top, or the chain's own word (`safe`, `finalized`)
 * @returns the block's number
 * @throws {ContractsError} `ARGUMENT_INVALID` as {@link requireFinality}; `CHAIN_UNREACHABLE`; `NOT_FOUND` when the chain has no
 * such block yet.
 */
export async function finalBlock(client: Client, finality: Finality): Promise<bigint> {
  const place = 'finalBlock'
  const { confirmations, blockTag } = requireFinality(finality, place)
  if (confirmations === undefined) {
    return reading(place, async () => {
      try {
        return (await getBlock(client, { blockTag })).number
      } catch (cause) {
        if (!(cause instanceof BlockNotFoundError)) throw cause
        throw new ContractsError('NOT_FOUND', place, `the chain has no ${blockTag} block yet`, { cause })
      }
    })
  }
  const { number } = await reading(place, () => getBlock(client, { blockTag: 'latest' }))
  const depth = BigInt(confirmations)
  if (number < depth)
    throw new ContractsError('NOT_FOUND', place, `the chain is not ${confirmations} blocks long yet`)
  return number - depth
}
