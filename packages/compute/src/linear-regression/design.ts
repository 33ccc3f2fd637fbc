import { cholesky, dot, forward } from './matrix.js'

/** A feature after its column was looked up in the policy. Plain JSON. */
export type DesignFeature =
  | {
      readonly name: string
      readonly key: string
      readonly transform: 'identity' | 'square'
      readonly min: number
      readonly max: number
    }
  | {
      readonly name: string
      readonly key: string
      readonly transform: 'indicator'
      readonly equals: string | number | boolean
      /** Public categories of the column; null when the column lists none. */
      readonly values: readonly (string | number | boolean)[] | null
    }

/** The target after its column was looked up. `min` and `max` are in the column's own unit. */
export interface DesignTarget {
  readonly key: string
  readonly transform: 'identity' | 'log'
  readonly min: number
  readonly max: number
}

/**
 * Public coordinates in which the regression is released: with `x` the feature values of a row,
 * u = (1, L^-1 (x - centre)). Centre and L are the mean and the Cholesky factor of the covariance that the
 * features have under a guess made from public bounds alone (see {@link publicDesign}); so they cost no
 * privacy. A bad guess costs accuracy, never privacy and never correctness.
 */
export interface PublicDesign {
  readonly centre: readonly number[]
  readonly lower: readonly (readonly number[])[]
  /** Row j gives original coefficient j (intercept first) as a linear form of the coefficients on u. */
  readonly forms: readonly (readonly number[])[]
}

/** One row in public coordinates: `u` and the target scaled to [-1, 1]. */
export interface DesignRow {
  readonly u: readonly number[]
  readonly t: number
}

const GRID_POINTS = 41
const MOST_CATEGORIES = 1000

/**
 * Guesses how features spread and chooses coordinates in which that guess is white.
 *
 * The guess: columns are independent; a numeric column has a density proportional to v (1 - v) + 0.01 between
 * its public ends (most people are not at an end); a category column is uniform over its public values.
 * Features of one column (experience and its square, dummies of one category) keep their true dependence.
 *
 * @param features - Looked-up features.
 * @returns Coordinates, or null when the features are collinear for every possible data set of the guess.
 */
export function publicDesign(features: readonly DesignFeature[]): PublicDesign | null {
  const centre = new Array<number>(features.length).fill(0)
  const covariance = features.map(() => new Array<number>(features.length).fill(0))
  for (const key of new Set(features.map((feature) => feature.key))) {
    const members = features.flatMap((feature, index) => (feature.key === key ? [index] : []))
    const points = guessOf(members.flatMap((index) => features[index] ?? []))
    const images = members.map((index) => {
      const feature = features[index]
      return points.map(({ value }) => (feature === undefined ? 0 : (featureValue(feature, value) ?? 0)))
    })
    const weights = points.map(({ weight }) => weight)
    const means = images.map((image) => dot(image, weights))
    members.forEach((row, i) => {
      centre[row] = means[i] ?? 0
      members.forEach((column, j) => {
        const target = covariance[row]
        if (target === undefined) return
        target[column] = weights.reduce(
          (sum, weight, k) =>
            sum +
            weight * ((images[i]?.[k] ?? 0) - (means[i] ?? 0)) * ((images[j]?.[k] ?? 0) - (means[j] ?? 0)),
          0,
        )
      })
    })
  }
  const lower = cholesky(covariance)
  if (lower === null) return null
  // Columns of L^-1, read as rows, are the rows of its transpose.
  const slopes = features.map((_, j) => [
    0,
    ...forward(
      lower,
      features.map((__, i) => (i === j ? 1 : 0)),
    ),
  ])
  const intercept = [
    1,
    ...features.map(
      (_, i) => -slopes.reduce((sum, form, j) => sum + (centre[j] ?? 0) * (form[i + 1] ?? 0), 0),
    ),
  ]
  return { centre, lower, forms: [intercept, ...slopes] }
}

/**
 * Brings one row of data into public coordinates, every value clamped to its public range.
 *
 * @param options - `row`: values by key; `features`, `target`, `design`.
 * @returns The row, or null when a value is missing or not of the column's kind: such a row counts for nothing.
 */
export function designRow(options: {
  readonly row: { readonly [key: string]: unknown }
  readonly features: readonly DesignFeature[]
  readonly target: DesignTarget
  readonly design: PublicDesign
}): DesignRow | null {
  const { row, features, target, design } = options
  const centred: number[] = []
  for (const [index, feature] of features.entries()) {
    const value = featureValue(feature, row[feature.key])
    if (value === null) return null
    centred.push(value - (design.centre[index] ?? 0))
  }
  const outcome = numeric(row[target.key])
  if (outcome === null) return null
  const { middle, half } = targetScale(target)
  const t = (transformed(target, clamp(outcome, target.min, target.max)) - middle) / half
  return { u: [1, ...forward(design.lower, centred)], t: clamp(t, -1, 1) }
}

/**
 * Middle and half-width of the transformed target's public range.
 *
 * @param target - Looked-up target.
 * @returns `middle` and `half` in the transformed unit.
 */
export function targetScale(target: DesignTarget): { readonly middle: number; readonly half: number } {
  const low = transformed(target, target.min)
  const high = transformed(target, target.max)
  return { middle: (low + high) / 2, half: (high - low) / 2 }
}

function featureValue(feature: DesignFeature, value: unknown): number | null {
  if (feature.transform === 'indicator') {
    if (value === null || value === undefined) return null
    return value === feature.equals || (typeof value === 'bigint' && Number(value) === feature.equals) ? 1 : 0
  }
  const number = numeric(value)
  if (number === null) return null
  const clamped = clamp(number, feature.min, feature.max)
  return feature.transform === 'square' ? clamped * clamped : clamped
}

/** Numbers as engines return them: doubles, 64-bit integers, decimals as text. */
function numeric(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint' || (typeof value === 'string' && /^-?\d{1,30}(\.\d{1,30})?$/.test(value))
        ? Number(value)
        : Number.NaN
  return Number.isNaN(number) ? null : number
}

function guessOf(features: readonly DesignFeature[]): { readonly value: unknown; readonly weight: number }[] {
  const numericFeatures = features.flatMap((feature) => (feature.transform === 'indicator' ? [] : [feature]))
  const indicators = features.flatMap((feature) => (feature.transform === 'indicator' ? [feature] : []))
  if (numericFeatures.length > 0) {
    const low = Math.min(...numericFeatures.map(({ min }) => min))
    const high = Math.max(...numericFeatures.map(({ max }) => max))
    const shape = Array.from({ length: GRID_POINTS }, (_, index) => index / (GRID_POINTS - 1))
    const points = shape.map((v) => ({ value: low + (high - low) * v, weight: v * (1 - v) + 0.01 }))
    // A marked value of a numeric column needs a point of its own to have any spread in the guess.
    const marked = indicators.map(({ equals }) => ({ value: equals, weight: 1 }))
    return normalised([...points, ...marked])
  }
  const listed = indicators[0]?.values?.slice(0, MOST_CATEGORIES) ?? []
  const values = [...new Set([...listed, ...indicators.map(({ equals }) => equals)])]
  // Without a public list there is always at least one other category.
  const complete = listed.length > 0 ? values : [...values, Symbol.for('another category')]
  return normalised(complete.map((value) => ({ value, weight: 1 })))
}

function normalised<T extends { readonly weight: number }>(points: readonly T[]): T[] {
  const total = points.reduce((sum, { weight }) => sum + weight, 0)
  return points.map((point) => ({ ...point, weight: point.weight / total }))
}

function transformed(target: DesignTarget, value: number): number {
  return target.transform === 'log' ? Math.log(value) : value
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
