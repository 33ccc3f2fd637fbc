import {
  ContractsError,
  requireFinality as exactFinality,
  type Finality,
  finalBlock,
} from '@sealpool/contracts'
import type { Client } from 'viem'
import { ClientError } from './errors.js'

/** What a client believes unless it is told otherwise: as a node does, what one block stands on. */
export const defaultFinality: Finality = { confirmations: 1 }

/**
 * A finality that can be meant.
 *
 * @param finality of unknown origin
 * @returns the same with exactly one field
 * @throws ClientError `OPTION_INVALID`
 */
export function requireFinality(finality: unknown): Finality {
  try {
    return exactFinality(finality)
  } catch (cause) {
    throw new ClientError(
      'OPTION_INVALID',
      'finality',
      'expected { confirmations } with a whole number from 0 up, or { blockTag } with safe or finalized',
      { cause },
    )
  }
}

/**
 * Asks the chain how far it is final. Ask before what is judged by it is read: what a reorganisation replaces in between stands in
 * blocks that were not final then.
 *
 * @param chain - a viem client
 * @param finality - how final a block must be; without confirmations every block is
 * @returns whether a block is final
 * @throws ContractsError `CHAIN_UNREACHABLE`; ClientError `OPTION_INVALID`
 */
export async function readFinality(
  chain: Client,
  finality: Finality,
): Promise<(blockNumber: bigint) => boolean> {
  const asked = requireFinality(finality)
  if (asked.confirmations === 0) return () => true
  try {
    const last = await finalBlock(chain, asked)
    return (blockNumber) => blockNumber <= last
  } catch (error) {
    // A young chain: nothing of it is final.
    if (error instanceof ContractsError && error.code === 'NOT_FOUND') return () => false
    throw error
  }
}
