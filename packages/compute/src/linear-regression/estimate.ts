import { addDiagonal, cholesky, eigen, type Matrix, raiseEigenvalues, solve } from './matrix.js'
import {
  COUNT_WEIGHT,
  type RegressionMechanism,
  type RegressionStage,
  realScale,
  SPREAD_WEIGHT,
} from './mechanism.js'

/** What a correction stage released, in real units. */
export interface Correction {
  /** Sum of weight * u * clipped residual. */
  readonly score: readonly number[]
  /** Share of rows whose residual is not clipped. */
  readonly inside: number
  /** Mean square of the clipped residual. */
  readonly meanSquare: number
}

/** The releases after conditioning, as callbacks: the fit asks for them one after the other. */
export interface Releases {
  moments(): readonly number[]
  products(): readonly number[]
  correction(stage: RegressionStage, coefficients: readonly number[]): readonly number[]
}

/** Estimate in conditioned coordinates, with what is needed to judge it. */
export interface Estimate {
  readonly coefficients: readonly number[]
  /** Released second moments, made positive definite. */
  readonly moments: Matrix
  readonly inside: number
  readonly meanSquare: number
  /** Released estimate of the (weighted) number of rows, before anything was made positive. */
  readonly count: number
}

/**
 * Conditioning: new coordinates v = W u in which the first, rough release of second moments is white. The same
 * row clip then cuts the same share of every direction, and later noise weighs on all directions alike.
 * W was paid for, so it is public; a bad W costs accuracy only.
 *
 * @param mechanism - The planned noise.
 * @param released - What the first stage released.
 * @returns W, symmetric.
 */
export function conditioner(mechanism: RegressionMechanism, released: readonly number[]): number[][] {
  const [spread, , products] = mechanism.stages
  if (spread === undefined || products === undefined) throw new RangeError('A regression has stages.')
  const width = products.coordinates
  // Directions below the noise cannot be told from empty ones; twice its level keeps them from being blown up.
  const raised = raiseEigenvalues(unpack(released, width), 2 * realScale(mechanism, spread))
  const { values, vectors } = eigen(raised)
  const count = raised[0]?.[0] ?? 1
  return raised.map((_, i) =>
    raised.map((__, j) =>
      vectors.reduce(
        (sum, vector, k) => sum + Math.sqrt(count / (values[k] ?? 1)) * (vector[i] ?? 0) * (vector[j] ?? 0),
        0,
      ),
    ),
  )
}

/**
 * Fits from released statistics only: everything here is post-processing.
 *
 * 1. second moments S of the weighted rows; eigenvalues are raised to the noise level;
 * 2. products with the target give a first ridge solution;
 * 3. two Newton steps on clipped residuals. A residual is much shorter than the target, so its products need
 *    less noise, and the error in S multiplies only what is left to correct. Clipping makes it Huber's
 *    estimator, consistent for errors that are symmetric about zero.
 *
 * The ridge is the noise level of S, as in adaptive sufficient-statistics perturbation (Wang 2018), known in advance.
 *
 * @param mechanism - The planned noise.
 * @param releases - Noisy statistics, or a simulation of them.
 * @returns The estimate.
 */
export function estimate(mechanism: RegressionMechanism, releases: Releases): Estimate {
  const [, second, third, ...corrections] = mechanism.stages
  if (second === undefined || third === undefined) throw new RangeError('A regression has stages.')
  const width = third.coordinates
  const level = realScale(mechanism, second)
  const released = releases.moments()
  const moments = raiseEigenvalues(unpack(released, width), level)
  const count = (released.at(-1) ?? 0) / (COUNT_WEIGHT * mechanism.rowClipSquared)
  const rows = Math.max(1, count)
  let coefficients = solveRidge(moments, level, releases.products())
  let inside = 1
  let meanSquare = 1
  for (const stage of corrections) {
    const correction = readCorrection(releases.correction(stage, coefficients), {
      count: rows,
      clip: stage.residualClip ?? 1,
      rowClip: Math.sqrt(mechanism.rowClipSquared),
    })
    ;({ inside, meanSquare } = correction)
    const hessian = moments.map((row) => row.map((value) => value * inside))
    const step = solveRidge(hessian, level / 2, correction.score)
    coefficients = coefficients.map((value, index) => value + (step[index] ?? 0))
  }
  return { coefficients, moments, inside, meanSquare, count }
}

/** A row's contribution to the second moments: upper triangle, off-diagonal entries times root two. */
export function momentVector(u: readonly number[], weight: number): number[] {
  return u.flatMap((left, i) =>
    u.slice(i).map((right, k) => weight * left * right * (k === 0 ? 1 : Math.SQRT2)),
  )
}

/** A row's contribution to a correction: score, then the two statistics of the residual's spread. */
export function correctionVector(options: {
  readonly u: readonly number[]
  readonly weight: number
  readonly residual: number
  readonly clip: number
  readonly rowClip: number
}): number[] {
  const { u, weight, residual, clip, rowClip } = options
  const clipped = Math.min(clip, Math.max(-clip, residual))
  const unit = SPREAD_WEIGHT * rowClip * clip * weight
  return [
    ...u.map((value) => weight * value * clipped),
    unit * (clipped / clip) ** 2,
    Math.abs(residual) < clip ? unit : 0,
  ]
}

/** Divides the spread statistics by the number of rows and holds them to what is possible. */
function readCorrection(
  released: readonly number[],
  options: { readonly count: number; readonly clip: number; readonly rowClip: number },
): Correction {
  const { count, clip, rowClip } = options
  const [square = 0, within = 0] = released.slice(-2)
  const unit = SPREAD_WEIGHT * rowClip * clip * count
  return {
    score: released.slice(0, -2),
    inside: Math.min(1, Math.max(0.3, within / unit)),
    meanSquare: clip * clip * Math.min(1, Math.max(0.02, square / unit)),
  }
}

function unpack(packed: readonly number[], width: number): number[][] {
  const matrix = Array.from({ length: width }, () => new Array<number>(width).fill(0))
  let position = 0
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      const value = (packed[position++] ?? 0) / (i === j ? 1 : Math.SQRT2)
      for (const [row, column] of [
        [i, j],
        [j, i],
      ] as const) {
        const target = matrix[row]
        if (target !== undefined) target[column] = value
      }
    }
  }
  return matrix
}

function solveRidge(matrix: Matrix, ridge: number, right: readonly number[]): number[] {
  // Its eigenvalues are at least the noise level, so the factor always exists; the fallback keeps the function total.
  const lower = cholesky(addDiagonal(matrix, ridge))
  return lower === null ? right.map(() => 0) : solve(lower, right)
}
