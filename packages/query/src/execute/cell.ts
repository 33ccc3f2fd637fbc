import { ratioInterval } from '@sealpool/privacy'
import { confidence, noiseHalfWidth, partConfidence } from '../plan/expected-error.js'
import type { ReleasePlan } from '../plan/plan.js'
import type { AggregatePlan } from '../plan/statistics.js'
import { toNumber } from '../type/decimal.js'
import { noisyPair, noisyVariance } from './moments.js'
import { noisyQuantile } from './quantile.js'

/** A released number with the interval that holds the exact number with 95 % confidence, where there is one. */
export interface NoisyNumber {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

/** The statistics of a group after noise. */
export interface NoisyGroup {
  /** In the release's order. */
  readonly noisy: readonly bigint[]
  /** Exact counts of bins with the noise of their scores: only the best bin is told. */
  readonly bins: (statistic: number) => { readonly counts: readonly bigint[]; readonly noise: readonly bigint[] }
}

/** Digits that an average may have beyond those of its column. */
const extraDecimals = 3

/** Digits of spreads and relations, which have no unit to count in. */
const significant = 12

/**
 * Makes an aggregate of noisy statistics. Everything here is post-processing: it looks at nothing but noisy numbers
 * and the plan.
 *
 * @param group the group's statistics after noise
 */
export function releaseNumber(
  plan: Pick<ReleasePlan, 'statistics'>,
  aggregate: AggregatePlan,
  { noisy, bins }: NoisyGroup,
): NoisyNumber {
  if (aggregate.kind === 'quantile') {
    const { counts, noise } = bins(aggregate.bins)
    return { value: noisyQuantile(aggregate, counts, noise), low: null, high: null }
  }
  if (aggregate.kind === 'variance' || aggregate.kind === 'pair') {
    const value = aggregate.kind === 'pair' ? noisyPair(aggregate, noisy) : noisyVariance(aggregate, noisy)
    return { value: value === null ? null : Number(value.toPrecision(significant)), low: null, high: null }
  }
  const width = (position: number, level: number) => {
    const statistic = plan.statistics[position]
    return statistic === undefined ? 0 : noiseHalfWidth(statistic, level)
  }
  const at = (position: number | null) => (position === null ? 0n : (noisy[position] ?? 0n))
  if (aggregate.kind === 'count') {
    const half = width(aggregate.statistic, confidence)
    const count = Number(at(aggregate.statistic))
    return { value: Math.max(0, count), low: Math.max(0, count - half), high: Math.max(0, count + half) }
  }
  const { decimals } = aggregate
  const level = aggregate.sum === null ? confidence : partConfidence
  const sumHalf = aggregate.sum === null ? 0 : width(aggregate.sum, level)
  const countHalf = width(aggregate.count, level)
  const centre = BigInt(aggregate.centre)
  const count = at(aggregate.count)
  const sum = at(aggregate.sum)
  if (aggregate.kind === 'sum') {
    const half = BigInt(sumHalf) + (centre < 0n ? -centre : centre) * BigInt(countHalf)
    const total = centre * count + sum
    return {
      value: toNumber(total, decimals),
      low: toNumber(total - half, decimals),
      high: toNumber(total + half, decimals),
    }
  }
  const low = Number(BigInt(aggregate.low) - centre)
  const high = Number(BigInt(aggregate.high) - centre)
  const people = Math.max(1, Number(count))
  const mean = Math.min(high, Math.max(low, Number(sum) / people))
  const interval = ratioInterval({
    sum: { value: Number(sum), halfWidth: sumHalf },
    count: { value: Number(count), halfWidth: countHalf },
    bounds: { min: low, max: high },
  })
  const scale = 10 ** decimals
  const whole = (value: number) => (Number(centre) + value) / scale
  return {
    value: round(whole(mean), decimals + extraDecimals, Math.round),
    low: round(whole(interval.low), decimals + extraDecimals, Math.floor),
    high: round(whole(interval.high), decimals + extraDecimals, Math.ceil),
  }
}

/** Rounds to decimals; intervals are rounded outwards. */
function round(value: number, decimals: number, direction: (value: number) => number): number {
  const scale = 10 ** decimals
  const scaled = direction(value * scale)
  return Number.isSafeInteger(scaled) ? scaled / scale : value
}
