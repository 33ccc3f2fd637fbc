import { PrivacyError } from '../errors.js'
import { gaussianSampler } from '../mechanism/discrete-gaussian.js'
import { buffered, type RandomBytes } from '../mechanism/random.js'
import { type Rational, rational, rationalAtLeast } from '../mechanism/rational.js'

/** Steps of the grid on a vector of full length. Squares of grid vectors stay below 2^53. */
export const GRID = 2 ** 24

/**
 * Squared length that no grid vector exceeds: the grid, and half a step of rounding for each coordinate.
 *
 * @param coordinates - Length of the vector.
 * @returns Squared bound in grid steps: the exact squared L2 sensitivity of a sum of one vector for each contributor.
 */
export function gridBound(coordinates: number): bigint {
  return BigInt(GRID + Math.ceil(Math.sqrt(coordinates))) ** 2n
}

/**
 * Puts a real vector on the integer grid, scaled down to length `clip` where it is longer.
 *
 * Floating point ends here: it touches one contributor's values only, and whatever went wrong in it, no vector leaves that is
 * longer than the bound. A vector with anything but finite numbers becomes zero.
 *
 * @param vector - Real vector.
 * @param clip - Length that becomes the grid's, above 0.
 * @returns Integers whose squares add up to at most {@link gridBound}.
 */
export function clippedToGrid(vector: readonly number[], clip: number): number[] {
  // Scaled by the largest entry first, so that squares neither overflow nor vanish.
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const length =
    largest === 0 ? 0 : largest * Math.sqrt(vector.reduce((sum, value) => sum + (value / largest) ** 2, 0))
  const scale = length > clip ? GRID / length : GRID / clip
  const steps = vector.map((value) => Math.round(value * scale))
  const fits =
    steps.every(Number.isSafeInteger) &&
    steps.reduce((sum, step) => sum + BigInt(step) * BigInt(step), 0n) <= gridBound(vector.length)
  // Adding zero turns -0 into 0.
  return steps.map((step) => (fits ? step + 0 : 0))
}

/** Exact sums with noise, and where the noise came from. */
export interface NoisyVector {
  /** In units of `clip`: the sum of clipped vectors plus noise. */
  readonly sum: readonly number[]
}

/**
 * Sums one grid vector for each contributor exactly and adds discrete Gaussian noise to every coordinate. The noise is drawn
 * before a vector is asked for.
 *
 * @param options - `vectors`: one real vector for each contributor; `coordinates`; `clip`; `noiseMultiplier`: sigma over
 *   sensitivity; `random`.
 * @returns The noisy sum in the vectors' own units.
 * @throws PrivacyError `PARAMETER_INVALID`, also for a vector of another length.
 */
export function noisyVectorSum(options: {
  readonly vectors: Iterable<readonly number[]>
  readonly coordinates: number
  readonly clip: number
  readonly noiseMultiplier: number
  readonly random: RandomBytes
}): NoisyVector {
  const { coordinates, clip } = options
  if (!Number.isSafeInteger(coordinates) || coordinates < 1 || coordinates > 1_000_000) {
    throw new PrivacyError('PARAMETER_INVALID', 'coordinates', 'Give between 1 and 1,000,000 coordinates.')
  }
  if (!(clip > 1e-100 && clip < 1e100)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'clip',
      'clip must be a number above 0, between 1e-100 and 1e100.',
    )
  }
  const random = buffered(options.random)
  const sample = gaussianSampler(gridVariance(options))
  const sums = Array.from({ length: coordinates }, () => sample(random))
  let index = 0
  for (const vector of options.vectors) {
    if (vector.length !== coordinates) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        `vectors[${index}]`,
        'A vector has another number of coordinates than was announced.',
      )
    }
    clippedToGrid(vector, clip).forEach((step, at) => {
      sums[at] = (sums[at] ?? 0n) + BigInt(step)
    })
    index++
  }
  return { sum: sums.map((sum) => (Number(sum) / GRID) * clip) }
}

/** sigma squared on the grid: (multiplier * bound)^2, rounded up. */
export function gridVariance(options: {
  readonly coordinates: number
  readonly noiseMultiplier: number
}): Rational {
  const { noiseMultiplier } = options
  if (!(noiseMultiplier >= 0.01 && noiseMultiplier <= 1e6)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'noiseMultiplier',
      'The noise multiplier (sigma over sensitivity) must lie between 0.01 and 1e6.',
    )
  }
  const ratio = rationalAtLeast(noiseMultiplier)
  return rational(
    ratio.numerator * ratio.numerator * gridBound(options.coordinates),
    ratio.denominator * ratio.denominator,
  )
}
