/**
 * In which order paid jobs are begun: by what the chain says of them in public, so that every node of a group, and anybody who
 * reads the chain, comes to the same order.
 *
 * What has begun is ended first: it is charged, and others wait for its release. The rest stands in the order of the blocks in which
 * it was paid, each with a head start of two blocks for every doubling of the price that the least paid of its pools gets. So a
 * place is bought from the people whose data it is, at what their vote asks, and never taken: not by proposing early and paying late,
 * by a deadline (which costs nothing to set near), by a pool of one's own at a fancy price, or by asking the node again. It is fixed
 * with the payment and bounded: nobody waits for what was paid for later than {@link maximumHeadStart} blocks after him, whatever it
 * paid. That is the ageing, without a clock.
 * @module
 */

/** What the order follows from. */
export interface QueuedJob {
  /** Decimal. */
  readonly id: string
  /** Its answer or refusal is signed, or its charge is booked: it only has to be ended. */
  readonly begun: 'signed' | 'charged' | 'no'
  /** Block in which it was paid for. */
  readonly paidBlock: bigint
  /** What each pool gets for a run, in the protocol token's smallest unit; empty when that is not known. */
  readonly prices: readonly bigint[]
}

const blocksForEachDoubling = 2
const maximumDoublings = 128
/** Blocks that a price can put a job before others, at the most. */
export const maximumHeadStart: number = blocksForEachDoubling * maximumDoublings
const stages: Readonly<Record<QueuedJob['begun'], number>> = { signed: 0, charged: 1, no: 2 }

/** @returns blocks of head start for what the least paid pool gets */
export function headStart(prices: readonly bigint[]): number {
  const [first, ...rest] = prices
  if (first === undefined) return 0
  const least = rest.reduce((least, price) => (price < least ? price : least), first)
  return least <= 0n ? 0 : blocksForEachDoubling * Math.min(least.toString(2).length, maximumDoublings)
}

/** @returns the jobs' numbers in the order in which they are begun */
export function queueOrder(jobs: readonly QueuedJob[]): readonly string[] {
  return jobs
    .map(({ id, begun, paidBlock, prices }) => ({
      id,
      keys: [BigInt(stages[begun]), paidBlock - BigInt(headStart(prices)), BigInt(id)],
    }))
    .sort((a, b) => compare(a.keys, b.keys))
    .map(({ id }) => id)
}

function compare(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [place, one] of a.entries()) {
    const other = b[place] ?? 0n
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
