import { sumOfCharges } from '../accountant/charge-by-leaf.js'
import type { Charge } from '../accountant/filter.js'
import { type Interval, ratioInterval } from '../mechanism/interval.js'
import { predrawn } from '../mechanism/predrawn.js'
import type { RandomBytes } from '../mechanism/random.js'
import {
  additiveNoise,
  checkRange,
  clamp,
  type ReleaseCost,
  type ReleasedNumber,
  type ValueRange,
} from './additive-noise.js'
import {
  boundContributions,
  type ContributedRow,
  type ContributionBound,
  checkWhole,
} from './contribution-bound.js'

/** What every statistic on rows is told. */
export interface RowStatistic extends ReleaseCost, ContributionBound {
  readonly rows: Iterable<ContributedRow>
  /** Randomness port; all noise is drawn from it before a row is read. */
  readonly random: RandomBytes
}

/** A released number with its charge. */
export interface NoisyNumber extends ReleasedNumber {
  readonly charge: Charge
}

/** A released mean or variance. */
export interface NoisyEstimate {
  /** Estimate in the units of the values; within what the range allows. */
  readonly estimate: number
  /** At least 95 % confidence that the exact one is inside, over the noise. */
  readonly interval: Interval
  /** The integers that were released and from which the estimate was computed. */
  readonly released: Readonly<Record<string, ReleasedNumber>>
  readonly charge: Charge
}

/**
 * Number of rows, or of contributors where `rowsPerContributor` is 1.
 *
 * @param options - {@link RowStatistic}.
 * @returns Noisy count, its half-width at 95 % and its charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function noisyCount(options: RowStatistic): NoisyNumber {
  return released(options, [{ name: 'count', most: 1n, of: () => 1n }], options, 0.95).count
}

/**
 * Sum of values, each clamped to a public range.
 *
 * @param options - {@link RowStatistic} and the `range` of one value.
 * @returns Noisy sum, its half-width at 95 % and its charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { noisySum, platformRandom } from '@sealpool/privacy/statistic'
 * const rows = Array.from({ length: 1000 }, (_, index) => ({ contributor: `c${index}`, value: BigInt(index % 40) }))
 * const { value } = noisySum({ rows, range: { min: 0n, max: 40n }, rowsPerContributor: 1, epsilon: 1, random: platformRandom })
 * console.assert(value > 15_000n && value < 25_000n)
 * ```
 */
export function noisySum(options: RowStatistic & { readonly range: ValueRange }): NoisyNumber {
  checkRange(options.range)
  const { min, max } = options.range
  const most = [min, max].map(magnitude).reduce((a, b) => (a > b ? a : b))
  const of = (value: bigint): bigint => clamp(value, options.range)
  return released(options, [{ name: 'sum', most, of }], options, 0.95).sum
}

/**
 * Mean of clamped values: a noisy count and a noisy sum of distances from the middle of the range, which halves the noise of a
 * plain sum. Epsilon and delta are shared evenly.
 *
 * @param options - {@link RowStatistic} and the `range` of one value.
 * @returns Estimate, interval, the two released integers and the charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function noisyMean(options: RowStatistic & { readonly range: ValueRange }): NoisyEstimate {
  const { middle, reach } = centred(options.range)
  const of = (value: bigint): bigint => clamp(value, options.range) - middle
  const { count, distance } = released(
    options,
    [
      { name: 'count', most: 1n, of: () => 1n },
      { name: 'distance', most: reach, of },
    ],
    shared(options, 2),
    0.975,
  )
  const bounds = span(options.range, middle)
  const around = ratioInterval({ sum: asNumbers(distance), count: asNumbers(count), bounds })
  const estimate = Number(distance.value) / Math.max(1, Number(count.value))
  return {
    estimate: Number(middle) + within(estimate, bounds),
    interval: { low: Number(middle) + around.low, high: Number(middle) + around.high },
    released: { count, distance },
    charge: sumOfCharges([count.charge, distance.charge]),
  }
}

/**
 * Variance (over n) of clamped values, from a noisy count, sum of distances from the middle of the range, and sum of their
 * squares. Epsilon and delta are shared evenly.
 *
 * @param options - {@link RowStatistic} and the `range` of one value.
 * @returns Estimate, interval, the three released integers and the charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function noisyVariance(options: RowStatistic & { readonly range: ValueRange }): NoisyEstimate {
  const { middle, reach } = centred(options.range)
  const distanceOf = (value: bigint): bigint => clamp(value, options.range) - middle
  // Squares lie between 0 and reach^2; measured from the middle of that they move half as far.
  const half = (reach * reach + 1n) / 2n
  const { count, distance, square } = released(
    options,
    [
      { name: 'count', most: 1n, of: () => 1n },
      { name: 'distance', most: reach, of: distanceOf },
      { name: 'square', most: half, of: (value) => distanceOf(value) ** 2n - half },
    ],
    shared(options, 3),
    1 - 0.05 / 3,
  )
  const most = Number(reach) ** 2
  const rows = Math.max(1, Number(count.value))
  const mean = Number(distance.value) / rows
  const secondMoment = Number(square.value) / rows + Number(half)
  const bounds = span(options.range, middle)
  const means = ratioInterval({ sum: asNumbers(distance), count: asNumbers(count), bounds })
  const squares = ratioInterval({
    sum: asNumbers(square),
    count: asNumbers(count),
    bounds: { min: -Number(half), max: Number(half) },
  })
  const meanSquares = [means.low ** 2, means.high ** 2]
  const leastMeanSquare = means.low <= 0 && means.high >= 0 ? 0 : Math.min(...meanSquares)
  const range = { min: 0, max: most }
  return {
    estimate: within(secondMoment - mean * mean, range),
    interval: {
      low: within(squares.low + Number(half) - Math.max(...meanSquares), range),
      high: within(squares.high + Number(half) - leastMeanSquare, range),
    },
    released: { count, distance, square },
    charge: sumOfCharges([count.charge, distance.charge, square.charge]),
  }
}

interface Column<Name extends string> {
  readonly name: Name
  /** Largest magnitude of one row's term. */
  readonly most: bigint
  readonly of: (value: bigint) => bigint
}

/** Exact sums over bounded rows plus noise that was drawn before. Each column pays `cost`. */
function released<Name extends string>(
  options: RowStatistic,
  columns: readonly Column<Name>[],
  cost: ReleaseCost,
  confidence: number,
): Record<Name, NoisyNumber> {
  checkWhole(options.rowsPerContributor, 'rowsPerContributor')
  const pool = predrawn(options.random, { whenEmpty: 'refuse' })
  const planned = columns.map((column) => {
    const sensitivity = column.most * BigInt(options.rowsPerContributor)
    const noise = additiveNoise({ ...pick(cost), l1: sensitivity, l2: sensitivity, confidence })
    return { column, sensitivity, noise }
  })
  for (const { noise } of planned) {
    pool.reserve(noise.noise, planned.filter((other) => sameNoise(other.noise.noise, noise.noise)).length)
  }
  const sums = columns.map(() => 0n)
  for (const { value = 0n } of boundContributions(options.rows, options)) {
    columns.forEach(({ of }, index) => {
      sums[index] = (sums[index] ?? 0n) + of(value)
    })
  }
  const entries = planned.map(({ column, sensitivity, noise }, index) => {
    const value = (sums[index] ?? 0n) + pool.draw(noise.noise)
    return [column.name, { value, halfWidth: noise.halfWidth, sensitivity, charge: noise.charge }]
  })
  return Object.fromEntries(entries) as Record<Name, NoisyNumber>
}

function sameNoise(left: object, right: object): boolean {
  const text = (noise: object): string =>
    JSON.stringify(noise, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
  return text(left) === text(right)
}

function pick({ epsilon, delta }: ReleaseCost): ReleaseCost {
  return delta === undefined ? { epsilon } : { epsilon, delta }
}

function shared({ epsilon, delta }: ReleaseCost, parts: number): ReleaseCost {
  return delta === undefined
    ? { epsilon: epsilon / parts }
    : { epsilon: epsilon / parts, delta: delta / parts }
}

/** Middle of a range, and the largest distance of a value from it. */
function centred(range: ValueRange): { readonly middle: bigint; readonly reach: bigint } {
  checkRange(range)
  // Rounded down for negative sums too, so that reach is the distance to max.
  const sum = range.min + range.max
  const middle = (sum - (((sum % 2n) + 2n) % 2n)) / 2n
  return { middle, reach: range.max - middle }
}

function span(range: ValueRange, middle: bigint): { readonly min: number; readonly max: number } {
  return { min: Number(range.min - middle), max: Number(range.max - middle) }
}

function asNumbers({ value, halfWidth }: ReleasedNumber): {
  readonly value: number
  readonly halfWidth: number
} {
  return { value: Number(value), halfWidth }
}

function within(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(max, Math.max(min, value))
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}
