import { PrivacyError } from '../errors.js'
import { gaussianSigmaFor, laplaceScaleFor, type Sensitivity } from './calibration.js'
import { normalTwoSided } from './normal.js'
import { type Rational, toNumber } from './rational.js'

/** A two-sided interval for a true value, given a released one. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * Half-width w of discrete Laplace noise: P[|noise| > w] <= 1 - confidence.
 *
 * @param options - `epsilon` and L1 `sensitivity` in integer units, or the `scale` itself; `confidence`
 *   defaults to 0.95.
 * @returns The smallest such integer, in the statistic's units.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function laplaceInterval(
  options: ({ readonly epsilon: number; readonly sensitivity: bigint } | { readonly scale: Rational }) & {
    readonly confidence?: number
  },
): { readonly halfWidth: number } {
  const confidence = checkConfidence(options.confidence)
  const scale = toNumber('scale' in options ? options.scale : laplaceScaleFor(options).scale)
  // P[|x| > w] = 2 q^(w+1) / (1 + q) with q = exp(-1/scale).
  const bound = Math.log(((1 - confidence) * (1 + Math.exp(-1 / scale))) / 2)
  return { halfWidth: Math.max(0, Math.ceil(-bound * scale - 1 - 1e-9)) }
}

/**
 * Half-width w of discrete Gaussian noise: P[|noise| > w] <= 1 - confidence. Conservative by less than one
 * unit, since P[noise >= m] <= P[N(0, sigma^2) >= m - 1] (Canonne, Kamath, Steinke 2020, proposition 25).
 *
 * @param options - `epsilon`, `delta` and L2 `sensitivity`, or `sigmaSquared` itself; `confidence` defaults to 0.95.
 * @returns An integer in the statistic's units.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function gaussianInterval(
  options: (
    | { readonly epsilon: number; readonly delta: number; readonly sensitivity: Sensitivity }
    | { readonly sigmaSquared: Rational }
  ) & { readonly confidence?: number },
): { readonly halfWidth: number } {
  const confidence = checkConfidence(options.confidence)
  const sigmaSquared =
    'sigmaSquared' in options ? options.sigmaSquared : gaussianSigmaFor(options).sigmaSquared
  return { halfWidth: Math.ceil(normalTwoSided(confidence) * Math.sqrt(toNumber(sigmaSquared))) }
}

/**
 * Interval for a ratio such as a mean, from the intervals of a released sum and a released count.
 *
 * The result holds whenever both given intervals hold. So for 95 % in all, make each of them at 97.5 %
 * (Bonferroni): then nothing need be assumed about how the two noises depend on each other.
 *
 * @param options - `sum` and `count`: released value and half-width in one and the same unit each; `bounds`:
 *   public range of a single clamped value, which the mean cannot leave.
 * @returns Interval for sum / count; the whole of `bounds` (or the real line) when the count may be zero.
 * @throws PrivacyError `PARAMETER_INVALID` when a half-width is negative or a number is not finite.
 */
export function ratioInterval(options: {
  readonly sum: { readonly value: number; readonly halfWidth: number }
  readonly count: { readonly value: number; readonly halfWidth: number }
  readonly bounds?: { readonly min: number; readonly max: number }
}): Interval {
  const { sum, count } = options
  for (const [place, part] of Object.entries({ sum, count })) {
    if (!(Number.isFinite(part.value) && Number.isFinite(part.halfWidth) && part.halfWidth >= 0)) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        place,
        `${place} needs a finite value and a half-width of at least 0.`,
      )
    }
  }
  const floor = options.bounds?.min ?? Number.NEGATIVE_INFINITY
  const ceiling = options.bounds?.max ?? Number.POSITIVE_INFINITY
  const fewest = count.value - count.halfWidth
  const most = count.value + count.halfWidth
  if (fewest <= 0) return { low: floor, high: ceiling }
  const least = sum.value - sum.halfWidth
  const greatest = sum.value + sum.halfWidth
  const low = Math.max(floor, least / (least < 0 ? fewest : most))
  const high = Math.min(ceiling, greatest / (greatest < 0 ? most : fewest))
  // Noise can push both ends past one bound; the interval then shrinks to that bound.
  return { low: Math.min(low, ceiling), high: Math.max(high, floor) }
}

function checkConfidence(confidence = 0.95): number {
  if (!(confidence > 0 && confidence < 1)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'confidence',
      'confidence must lie strictly between 0 and 1, for example 0.95.',
    )
  }
  return confidence
}
