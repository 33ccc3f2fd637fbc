import type { AggregatePlan } from '../plan/statistics.js'
import { toNumber } from '../type/decimal.js'

type QuantilePlan = AggregatePlan & { readonly kind: 'quantile' }

/**
 * Chooses the bin in which the quantile lies, by report-noisy-max. The score of a bin is minus the distance of the target
 * rank from the ranks of the bin, times the denominator; one row moves it by at most max(numerator, denominator -
 * numerator). Discrete Laplace noise of twice that over epsilon on every score makes telling the best bin (and nothing
 * else) epsilon-private: when the noise of all other bins is fixed, the noise that a bin needs to win moves by at most
 * twice the sensitivity (Dwork, Roth 2014, claim 3.9; ties go to the lower bin, which changes the needed noise by a constant).
 *
 * @param counts rows in each bin
 * @param noise one sample for each bin
 * @returns the middle of the bin
 */
export function noisyQuantile(plan: QuantilePlan, counts: readonly bigint[], noise: readonly bigint[]): number {
  const [numerator, denominator] = [BigInt(plan.numerator), BigInt(plan.denominator)]
  const target = numerator * counts.reduce((sum, count) => sum + count, 0n)
  let below = 0n
  let best: { readonly bin: number; readonly score: bigint } | null = null
  counts.forEach((count, bin) => {
    const [start, end] = [denominator * below, denominator * (below + count)]
    const distance = target > end ? target - end : target < start ? start - target : 0n
    const score = (noise[bin] ?? 0n) - distance
    if (best === null || score > best.score) best = { bin, score }
    below += count
  })
  const [low, high, width] = [BigInt(plan.low), BigInt(plan.high), BigInt(plan.width)]
  const chosen = low + BigInt((best as { bin: number } | null)?.bin ?? 0) * width
  const last = chosen + width - 1n
  const end = last > high ? high : last
  // Half a unit is kept: the middle of two values is a value of neither.
  return toNumber((chosen + end) * 5n, plan.decimals + 1)
}
