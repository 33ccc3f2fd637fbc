import { gaussianInterval, laplaceInterval } from '@sealpool/privacy'
import { toNumber } from '../type/decimal.js'
import type { ExpectedError, StatisticPlan } from './plan.js'
import type { AggregatePlan } from './statistics.js'

/** Confidence of every interval. */
export const confidence = 0.95
/** Where an answer is made of two noisy numbers, each must hold at this confidence (Bonferroni). */
export const partConfidence = 1 - (1 - confidence) / 2

/** Sizes of groups for which the error of an average is told. */
const sizes = [25, 50, 100, 250, 1000] as const

/** Half-width of the interval of one statistic's noise, in its own units. */
export function noiseHalfWidth(statistic: StatisticPlan, level: number): number {
  const scale = {
    numerator: BigInt(statistic.scale.numerator),
    denominator: BigInt(statistic.scale.denominator),
  }
  if (statistic.mechanism === 'discrete-gaussian') {
    return gaussianInterval({ sigmaSquared: scale, confidence: level }).halfWidth
  }
  return laplaceInterval({ scale, confidence: level }).halfWidth
}

/**
 * The error to expect in a column: a function of the plan alone.
 *
 * @param column name of the column
 * @returns null for what has no error that is known beforehand
 */
export function expectError(
  column: string,
  aggregate: AggregatePlan,
  statistics: readonly StatisticPlan[],
): ExpectedError | null {
  const width = (position: number | null, level: number) => {
    const statistic = position === null ? undefined : statistics[position]
    return statistic === undefined ? 0 : noiseHalfWidth(statistic, level)
  }
  if (aggregate.kind === 'count') {
    return { column, plusMinus: width(aggregate.statistic, confidence), bySize: [] }
  }
  // How far a spread, a relation or a quantile is off depends on the data's shape.
  if (aggregate.kind !== 'sum' && aggregate.kind !== 'average') return null
  const unit = toNumber(1n, aggregate.decimals)
  const level = aggregate.sum === null ? confidence : partConfidence
  const sum = width(aggregate.sum, level) * unit
  const count = width(aggregate.count, level)
  const centre = toNumber(BigInt(aggregate.centre), aggregate.decimals)
  if (aggregate.kind === 'sum') {
    return { column, plusMinus: rounded(sum + Math.abs(centre) * count), bySize: [] }
  }
  const range = toNumber(BigInt(aggregate.high) - BigInt(aggregate.low), aggregate.decimals)
  // The mean is taken to be within a quarter of the range from the centre.
  const bySize = sizes.map((size) => ({
    size,
    plusMinus: rounded(Math.min(range, (sum + (range / 4) * count) / size)),
  }))
  return { column, plusMinus: null, bySize }
}

/** Four significant digits: more would promise too much. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
