import type { BoundAggregate, BoundMeasure, PairName, Spread } from '../bind/aggregate.js'
import { QueryError } from '../errors.js'
import type { Condition, NumberExpression } from '../type/expression.js'
import type { ValueExpression } from '../type/relation.js'
import type { StatisticProgram } from './program.js'
import { averageCountWeight, thresholdWeight } from './split.js'

/** How an aggregate is computed from noisy statistics (positions in the release's list). */
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
  | {
      /** From the centred sum and the sum of centred squares, which is itself centred. */
      readonly kind: 'variance'
      readonly sum: number
      readonly squares: number
      readonly count: number
      /** Subtracted from every square before it was summed. */
      readonly squareCentre: string
      /** Half of the range: nothing varies more. */
      readonly half: string
      readonly decimals: number
      readonly spread: Spread
    }
  | {
      readonly kind: 'pair'
      readonly name: PairName
      readonly count: number
      readonly x: MomentPlan
      readonly y: MomentPlan
      /** Statistic of the sum of products of the centred values. */
      readonly products: number
    }
  | {
      /** The noisily best of the bins. */
      readonly kind: 'quantile'
      readonly bins: number
      readonly numerator: number
      readonly denominator: number
      readonly low: string
      readonly high: string
      readonly width: string
      readonly decimals: number
    }

/** Sums of one of two values. */
export interface MomentPlan {
  readonly sum: number
  readonly squares: number
  readonly squareCentre: string
  readonly half: string
  readonly centre: string
  readonly decimals: number
}

/** A statistic, what it may change by, and how much it matters to the answers. */
export interface DraftStatistic {
  readonly program: StatisticProgram
  readonly mechanism: 'discrete-laplace' | 'report-noisy-max' | 'partition-selection'
  /** Most that leaving out one contributor changes it by, summed over all groups. */
  readonly sensitivity: bigint
  /** Most that the squares of its changes in all groups add up to. */
  readonly squared: bigint
  readonly weight: number
}

export interface Draft {
  readonly statistics: readonly DraftStatistic[]
  readonly aggregates: readonly AggregatePlan[]
  /** Statistic that counts contributors, for the minimum of a group; or their exact number, for partition selection. */
  readonly contributors: number
}

/** How much one contributor can weigh. */
export interface Weight {
  /** Most rows in all groups of all grouping sets together. */
  readonly rows: number
  /** Most groups that it is in, over all grouping sets. */
  readonly groups: number
  /** Most rows in one group. */
  readonly perGroup: number
  /** Most that the squares of its numbers of rows in all groups of all sets add up to. */
  readonly squaredRows: bigint
  /** Whether every contributor has one row at most, so that rows are contributors. */
  readonly single: boolean
  /** Whether groups come from the data. */
  readonly open: boolean
  /** Number of grouping sets when first rows decide whether a group is shown; null when contributors are counted. */
  readonly firstRows: number | null
}

/** The largest term of a sum: 2^37 rows of it fit into 128 bits with a sign. */
const largestTerm = 2n ** 90n

/** Bins of a quantile; a column with fewer values has one for each. */
const quantileBins = 256n

/**
 * Chooses the statistics that a statement's aggregates need, each once.
 *
 * Sums are taken of x - centre with the centre in the middle of the clamps: one row then changes the sum by at most
 * half of the range instead of by its larger end, and an average is centre + sum / count.
 */
export function draftStatistics(aggregates: readonly BoundAggregate[], limits: Weight): Draft {
  const drafts: { -readonly [K in keyof DraftStatistic]: DraftStatistic[K] }[] = []
  const need = (
    program: StatisticProgram,
    { sensitivity, squared }: { readonly sensitivity: bigint; readonly squared: bigint },
    weight: number,
    mechanism: DraftStatistic['mechanism'] = 'discrete-laplace',
  ): number => {
    const identity = JSON.stringify([program, mechanism])
    // A count that one noise covers serves twice; a bin is chosen anew for every quantile.
    const known =
      mechanism === 'discrete-laplace'
        ? drafts.findIndex((draft) => JSON.stringify([draft.program, draft.mechanism]) === identity)
        : -1
    const found = drafts[known]
    if (found === undefined) return drafts.push({ program, sensitivity, squared, weight, mechanism }) - 1
    found.weight += weight
    return known
  }
  const rows = BigInt(limits.rows)
  /** Numbers of rows, each of which changes a statistic by at most `reach`. */
  const byRows = (reach = 1n) => ({ sensitivity: reach * rows, squared: reach * reach * limits.squaredRows })
  /** One for each of so many groups. */
  const byGroups = (count: number) => ({ sensitivity: BigInt(count), squared: BigInt(count) })
  const matching = (when: Condition | null, weight: number) =>
    when === null
      ? need({ kind: 'rows' }, byRows(), weight)
      : need({ kind: 'matching', when }, byRows(), weight)
  // With one row each, rows are contributors. Otherwise a contributor counts once in each group it is in.
  const countContributors = (weight: number) =>
    limits.single ? matching(null, weight) : need({ kind: 'contributors' }, byGroups(limits.groups), weight)

  const contributors = limits.open
    ? need({ kind: 'contributors' }, byGroups(limits.groups), selectionWeight, 'partition-selection')
    : limits.firstRows === null || limits.single
      ? countContributors(thresholdWeight)
      : need({ kind: 'first-rows' }, byGroups(limits.firstRows), thresholdWeight)
  const hasMeasures = aggregates.some(({ kind }) => kind === 'sum' || kind === 'average')
  // Where averages are asked for, they decide the split; a count that is also shown gets what they leave to it.
  const countWeight = hasMeasures ? thresholdWeight : 1

  /** Sum of `of - centre`, whose terms are at most `half` in size. */
  const sumOf = (
    of: NumberExpression,
    centre: bigint,
    half: bigint,
    weight: number,
    kind: 'sum' | 'distinct-sum' = 'sum',
  ) => {
    const reach = half > 0n ? half : 1n
    // Engines add up in 128 bits. A sum that could leave them would fail, or wrap around, for some data and not for other.
    if (reach > largestTerm) throw new QueryError('NUMBER_RANGE', 'sums of squares and products')
    // A row brings or takes one value at most, so each value once weighs no more than each row.
    return need({ kind, of, centre: String(centre), reach: String(reach) }, byRows(reach), weight)
  }
  const moments = (measure: BoundMeasure, present: Condition | null): MomentPlan => {
    const { centre, half } = middle(measure)
    const of = where(measure.expression, present)
    const centred = minus(of, centre)
    const squareCentre = (half * half) / 2n
    return {
      sum: sumOf(of, centre, half, 1),
      squares: sumOf(
        { kind: 'multiply', left: centred, right: centred },
        squareCentre,
        half * half - squareCentre,
        1,
      ),
      squareCentre: String(squareCentre),
      half: String(half),
      centre: String(centre),
      decimals: measure.decimals,
    }
  }

  const plans = aggregates.map((aggregate): AggregatePlan => {
    switch (aggregate.kind) {
      case 'contributors':
        if (aggregate.when === null) return { kind: 'count', statistic: countContributors(countWeight) }
        return {
          kind: 'count',
          statistic: limits.single
            ? matching(aggregate.when, countWeight)
            : need({ kind: 'contributors', when: aggregate.when }, byGroups(limits.groups), countWeight),
        }
      case 'count':
        return { kind: 'count', statistic: matching(aggregate.when, countWeight) }
      case 'distinct': {
        const { of, when } = aggregate
        return { kind: 'count', statistic: need({ kind: 'distinct', of, when }, byRows(), countWeight) }
      }
      case 'variance': {
        const { measure, spread } = aggregate
        const { sum, squares, squareCentre, half, decimals } = moments(measure, null)
        const count = matching(measure.present, averageCountWeight)
        return { kind: 'variance', sum, squares, count, squareCentre, half, decimals, spread }
      }
      case 'pair': {
        const { present } = aggregate
        const [x, y] = [moments(aggregate.x, present), moments(aggregate.y, present)]
        const product: NumberExpression = {
          kind: 'multiply',
          left: minus(where(aggregate.x.expression, present), BigInt(x.centre)),
          right: minus(where(aggregate.y.expression, present), BigInt(y.centre)),
        }
        return {
          kind: 'pair',
          name: aggregate.name,
          count: matching(present, averageCountWeight),
          x,
          y,
          products: sumOf(product, 0n, BigInt(x.half) * BigInt(y.half), 1),
        }
      }
      case 'quantile': {
        const { measure, numerator, denominator } = aggregate
        const range = measure.high - measure.low + 1n
        const bins = range < quantileBins ? range : quantileBins
        const width = (range + bins - 1n) / bins
        // The target rank is n * p: a row moves it, or the rank of a bin, by at most max(p, 1 - p).
        const step = BigInt(Math.max(numerator, denominator - numerator))
        const statistic = need(
          {
            kind: 'bins',
            of: measure.expression,
            low: String(measure.low),
            width: String(width),
            bins: Number((range + width - 1n) / width),
          },
          byRows(2n * step),
          1,
          'report-noisy-max',
        )
        return {
          kind: 'quantile',
          bins: statistic,
          numerator,
          denominator,
          low: String(measure.low),
          high: String(measure.high),
          width: String(width),
          decimals: measure.decimals,
        }
      }
      default: {
        const { kind, measure, distinct } = aggregate
        const { centre, half } = middle(measure)
        const weights =
          kind === 'average' ? { sum: 1, count: averageCountWeight } : sumWeights(measure, centre, half)
        const of: ValueExpression = { type: 'number', number: measure.expression }
        const count = distinct
          ? need({ kind: 'distinct', of, when: null }, byRows(), weights.count)
          : matching(measure.present, weights.count)
        const summed = distinct ? 'distinct-sum' : 'sum'
        return {
          kind,
          sum: half === 0n ? null : sumOf(measure.expression, centre, half, weights.sum, summed),
          count,
          centre: String(centre),
          low: String(measure.low),
          high: String(measure.high),
          decimals: measure.decimals,
        }
      }
    }
  })
  return { statistics: drafts, aggregates: plans, contributors }
}

/** Weight of deciding which groups of unknown names are shown. */
const selectionWeight = 1 / 3

function middle(measure: BoundMeasure): { centre: bigint; half: bigint } {
  const centre = (measure.low + measure.high) / 2n
  const below = centre - measure.low
  const above = measure.high - centre
  return { centre, half: below > above ? below : above }
}

function minus(of: NumberExpression, centre: bigint): NumberExpression {
  return { kind: 'subtract', left: of, right: { kind: 'constant', units: String(centre) } }
}

function where(of: NumberExpression, present: Condition | null): NumberExpression {
  return present === null ? of : { kind: 'case', branches: [{ when: present, result: of }], otherwise: null }
}

/** The error of centre * count + sum, relative to the largest value of a row. */
function sumWeights(measure: BoundMeasure, centre: bigint, half: bigint): { sum: number; count: number } {
  const size = (value: bigint) => Number(value < 0n ? -value : value)
  const largest = Math.max(size(measure.low), size(measure.high), 1)
  return { sum: (Number(half) / largest) ** 2, count: (size(centre) / largest) ** 2 }
}
