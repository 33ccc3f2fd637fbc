import type { BoundAggregate, BoundMeasure } from '../bind/aggregate.js'
import type { StatisticProgram } from './program.js'
import { averageCountWeight, thresholdWeight } from './split.js'

/** How an aggregate is computed from noisy statistics (positions in the plan's list). */
export type AggregatePlan =
  | { readonly kind: 'count'; readonly statistic: number }
  | {
      /** centre * count + sum, or over count, in fixed point of `decimals`. */
      readonly kind: 'sum' | 'average'
      /** Statistic of the centred sum; null when every value is the centre itself. */
      readonly sum: number | null
      readonly count: number
      readonly centre: string
      readonly low: string
      readonly high: string
      readonly decimals: number
    }

/** A statistic, what it may change by, and how much it matters to the answers. */
export interface DraftStatistic {
  readonly program: StatisticProgram
  /** Most that leaving out one contributor changes it by, summed over all groups. */
  readonly sensitivity: bigint
  readonly weight: number
}

export interface Draft {
  readonly statistics: readonly DraftStatistic[]
  readonly aggregates: readonly AggregatePlan[]
  /** Statistic that counts contributors, for the minimum of a group. */
  readonly contributors: number
}

/**
 * Chooses the statistics that a statement's aggregates need, each once.
 *
 * Sums are taken of x - centre with the centre in the middle of the clamps: one row then changes the sum by at most
 * half of the range instead of by its larger end, and an average is centre + sum / count.
 *
 * @param rows most rows that one contributor can have in all groups together
 * @param groups number of groups
 */
export function draftStatistics(aggregates: readonly BoundAggregate[], rows: number, groups: number): Draft {
  const drafts: { program: StatisticProgram; sensitivity: bigint; weight: number }[] = []
  const need = (program: StatisticProgram, sensitivity: bigint, weight: number): number => {
    const identity = JSON.stringify(program)
    const known = drafts.findIndex((draft) => JSON.stringify(draft.program) === identity)
    const found = drafts[known]
    if (found === undefined) return drafts.push({ program, sensitivity, weight }) - 1
    found.weight += weight
    return known
  }
  const perRow = BigInt(rows)
  const countRows = (weight: number) => need({ kind: 'rows' }, perRow, weight)
  // With one row each, rows are contributors. Otherwise a contributor counts once in each group it is in.
  const countContributors = (weight: number) =>
    rows === 1 ? countRows(weight) : need({ kind: 'contributors' }, BigInt(Math.min(rows, groups)), weight)
  const countPresent = (measure: BoundMeasure, weight: number) =>
    measure.present === null
      ? countRows(weight)
      : need({ kind: 'matching', when: measure.present }, perRow, weight)

  const contributors = countContributors(thresholdWeight)
  const hasMeasures = aggregates.some(({ kind }) => kind === 'sum' || kind === 'average')
  // Where averages are asked for, they decide the split; a count that is also shown gets what they leave to it.
  const countWeight = hasMeasures ? thresholdWeight : 1
  const plans = aggregates.map((aggregate): AggregatePlan => {
    if (aggregate.kind === 'contributors') return { kind: 'count', statistic: countContributors(countWeight) }
    if (aggregate.kind === 'count') {
      const { when } = aggregate
      const statistic =
        when === null ? countRows(countWeight) : need({ kind: 'matching', when }, perRow, countWeight)
      return { kind: 'count', statistic }
    }
    const { kind, measure } = aggregate
    const centre = (measure.low + measure.high) / 2n
    const below = centre - measure.low
    const above = measure.high - centre
    const half = below > above ? below : above
    const weights =
      kind === 'average' ? { sum: 1, count: averageCountWeight } : sumWeights(measure, centre, half)
    const count = countPresent(measure, weights.count)
    const sum =
      half === 0n
        ? null
        : need({ kind: 'sum', of: measure.expression, centre: String(centre) }, half * perRow, weights.sum)
    return {
      kind,
      sum,
      count,
      centre: String(centre),
      low: String(measure.low),
      high: String(measure.high),
      decimals: measure.decimals,
    }
  })
  return { statistics: drafts, aggregates: plans, contributors }
}

/** The error of centre * count + sum, relative to the largest value of a row. */
function sumWeights(measure: BoundMeasure, centre: bigint, half: bigint): { sum: number; count: number } {
  const size = (value: bigint) => Number(value < 0n ? -value : value)
  const largest = Math.max(size(measure.low), size(measure.high), 1)
  return { sum: (Number(half) / largest) ** 2, count: (size(centre) / largest) ** 2 }
}
