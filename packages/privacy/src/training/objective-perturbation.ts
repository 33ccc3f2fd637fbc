import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'
import type { RandomBytes } from '../mechanism/random.js'
import { noisyVectorSum } from './integer-grid.js'
import { trainingCharge } from './renyi.js'

/** A regression whose objective function is perturbed. All of it is public. */
export interface RegressionQuestion {
  /** `identity`: least squares; `logit`: logistic regression by the second-order expansion of its loss at 0. */
  readonly link: 'identity' | 'logit'
  /** Number of features; an intercept is added. */
  readonly features: number
  /** Longest feature vector; longer ones are scaled down. Scale features to a like range first, by public numbers. */
  readonly featureClip: number
  /** For `identity`: targets are clamped to [-targetClip, targetClip]. For `logit` targets are 0 or 1 and this is not used. */
  readonly targetClip?: number
  /** sigma over sensitivity. */
  readonly noiseMultiplier: number
  readonly delta: number
}

/** Coefficients and their price. */
export interface PrivateRegression {
  /** Intercept first, then one for each feature, in the features' units. */
  readonly coefficients: readonly number[]
  readonly charge: Charge
}

/**
 * Regression by perturbing the objective's coefficients (the functional mechanism of Zhang et al. 2012): the quadratic objective
 * of all contributors is released once with exact discrete Gaussian noise; whatever minimises it is free. A ridge of the
 * noise's own size keeps it convex.
 *
 * The classical objective perturbation adds a random linear term and needs real-valued noise and an exact minimiser
 * (Chaudhuri, Monteleoni, Sarwate 2011); neither exists on a computer, and its guarantee is lost with them. This form needs
 * neither.
 *
 * @param options - {@link RegressionQuestion}; `contributors`: one row for each contributor, `x` and `y`; `random`.
 * @returns Coefficients and the charge, which must be booked before they leave.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function perturbedRegression(
  options: RegressionQuestion & {
    readonly contributors: readonly { readonly x: readonly number[]; readonly y: number }[]
    readonly random: RandomBytes
  },
): PrivateRegression {
  const { features, featureClip, link, noiseMultiplier } = options
  if (!Number.isSafeInteger(features) || features < 1 || features > 1000) {
    throw new PrivacyError('PARAMETER_INVALID', 'features', 'Give between 1 and 1,000 features.')
  }
  const targetClip = link === 'logit' ? 1 : (options.targetClip ?? Number.NaN)
  for (const [place, clip] of [
    ['featureClip', featureClip],
    ['targetClip', targetClip],
  ] as const) {
    if (!(clip > 0 && Number.isFinite(clip))) {
      throw new PrivacyError('PARAMETER_INVALID', place, `${place} must be a finite number above 0.`)
    }
  }
  const charge = trainingCharge({ ...options, samplingRate: 1, steps: 1 })
  const width = features + 1
  const squares = (width * (width + 1)) / 2
  const vectors = {
    *[Symbol.iterator]() {
      for (const { x, y } of options.contributors) yield terms(x, y, { ...options, targetClip })
    },
  }
  // The upper triangle of x x' is no longer than |x|^2 = 1, and so is x y.
  const { sum } = noisyVectorSum({
    vectors,
    coordinates: squares + width,
    clip: Math.SQRT2,
    noiseMultiplier,
    random: options.random,
  })
  const matrix = Array.from({ length: width }, () => new Array<number>(width).fill(0))
  let at = 0
  for (let row = 0; row < width; row++) {
    for (let column = row; column < width; column++, at++) {
      const own = matrix[row]
      const mirrored = matrix[column]
      if (own !== undefined) own[column] = sum[at] ?? 0
      if (mirrored !== undefined) mirrored[row] = sum[at] ?? 0
    }
  }
  // The largest eigenvalue of the noise matrix is about 2 sigma sqrt(width); a public number.
  const ridge = 2 * noiseMultiplier * Math.SQRT2 * Math.sqrt(width)
  for (let row = 0; row < width; row++) {
    const own = matrix[row]
    if (own !== undefined) own[row] = (own[row] ?? 0) + ridge
  }
  const solved = solve(matrix, sum.slice(squares))
  // Back from unit features and targets; the logistic expansion's minimiser is twice that of least squares on -1 and 1.
  const scale = link === 'logit' ? 2 : targetClip
  return {
    coefficients: solved.map(
      (value, index) => (value * scale) / (index === 0 ? Math.SQRT2 : Math.SQRT2 * featureClip),
    ),
    charge,
  }
}

/** Upper triangle of x x' and x y of one contributor, with x of length at most 1 and y within -1 and 1. */
function terms(
  raw: readonly number[],
  target: number,
  { features, featureClip, targetClip, link }: RegressionQuestion & { readonly targetClip: number },
): number[] {
  const width = features + 1
  if (raw.length !== features) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'contributors',
      'A row has another number of features than was announced.',
    )
  }
  const length = Math.hypot(...raw)
  const sound = Number.isFinite(length) && Number.isFinite(target)
  const shrink = length > featureClip ? featureClip / length : 1
  // Intercept and features share the unit length.
  const x = [1, ...raw.map((value) => (sound ? (value * shrink) / featureClip : 0))].map(
    (value) => value / Math.SQRT2,
  )
  const clamped = Math.min(targetClip, Math.max(-targetClip, sound ? target : 0)) / targetClip
  const y = link === 'logit' ? 2 * (clamped > 0.5 ? 1 : 0) - 1 : clamped
  const vector: number[] = []
  for (let row = 0; row < width; row++) {
    for (let column = row; column < width; column++) vector.push((x[row] ?? 0) * (x[column] ?? 0))
  }
  return [...vector, ...x.map((value) => value * y)]
}

/** Gauss-Jordan elimination with pivoting; a direction without weight gets coefficient 0. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0])
  const size = rows.length
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row
    }
    const lead = rows[pivot]
    const other = rows[column]
    if (lead === undefined || other === undefined) break
    rows[pivot] = other
    rows[column] = lead
    const weight = lead[column] ?? 0
    if (Math.abs(weight) < 1e-12) continue
    for (let row = 0; row < size; row++) {
      const target = rows[row]
      if (row === column || target === undefined) continue
      const factor = (target[column] ?? 0) / weight
      for (let at = column; at <= size; at++) target[at] = (target[at] ?? 0) - factor * (lead[at] ?? 0)
    }
  }
  return rows.map((row, index) => {
    const weight = row[index] ?? 0
    return Math.abs(weight) < 1e-12 ? 0 : (row[size] ?? 0) / weight
  })
}
