import type { ChainPort } from '../chain/chain-port.js'

/**
 * The last block that is not newer than a time, by halving: blocks' times never go back.
 * @param at unix seconds
 * @param head number of the newest block that is looked at
 * @returns its number; null when there is none up to the head
 * @throws NodeError `CHAIN_CALL_FAILED`
 */
export async function blockAt(
  chain: Pick<ChainPort, 'blockHash' | 'blockTime'>,
  at: number,
  head: bigint,
): Promise<bigint | null> {
  const isOld = async (number: bigint): Promise<boolean> => {
    const hash = await chain.blockHash(number)
    // A block that the chain does not have now is none that anything is old by.
    return hash !== undefined && (await chain.blockTime(hash)) <= at
  }
  let old = -1n
  let young = head + 1n
  while (young - old > 1n) {
    const middle = (old + young) / 2n
    if (await isOld(middle)) old = middle
    else young = middle
  }
  return old < 0n ? null : old
}
