import type { ReceiptBody } from './receipt.js'

/**
 * Whether what a receipt says of the nodes to which its job was dealt can be: each had one shard, and of a released job each gave its share.
 *
 * @param body - what the receipt says
 * @returns undefined when it can, else what is wrong
 */
export function shardsProblem({
  shards,
  handOff,
  homes,
  outcome,
}: Pick<ReceiptBody, 'shards' | 'handOff' | 'homes' | 'outcome'>): string | undefined {
  if (shards === undefined) return undefined
  if (handOff !== undefined || homes !== undefined)
    return 'a job is dealt, handed off or shared by homes: one of these'
  const nodes = shards.map(({ node }) => node.toLowerCase())
  if (new Set(nodes).size !== nodes.length) return 'one node had two shards of the job'
  const lost = shards.filter(({ work }) => work === null).map(({ node }) => node)
  if (outcome === 'released' && lost.length > 0)
    return `a released job lacks the shares of ${lost.join(', ')}`
  return undefined
}
