import { BaseError, ContractFunctionRevertedError } from 'viem'

/** How endpoints say that they do not keep a block's state: Geth and those made from it, Erigon, Nethermind, Besu, Reth, and services. */
const words =
  /missing trie node|header (?:for hash )?not found|(?:unknown|could not find) block|block (?:number )?not found|state\b.{0,120}(?:unavailable|not available|pruned)|no state available|due to pruning|pruned history|archive/i

/**
 * Whether an endpoint refused a question because it does not know the block or does not keep its state any more. Everything else (a
 * limit, a broken connection, a contract that reverts) says nothing about the block.
 *
 * @param error what a viem action threw
 */
export function isStateGone(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  if (error.walk((part) => part instanceof ContractFunctionRevertedError) !== null) return false
  // The endpoint's own words: the message around them has the address of the endpoint, which may be anything.
  const { details } = error
  return typeof details === 'string' && !/\brevert/i.test(details) && words.test(details.slice(0, 1_000))
}
