import { bernoulliExp } from './bernoulli.js'
import { discreteLaplace, positive } from './discrete-laplace.js'
import type { RandomBytes } from './random.js'
import { ceilingSquareRoot, type Rational } from './rational.js'

/**
 * An exact sample of the discrete Gaussian distribution: P[x] is proportional to exp(-x^2 / (2 sigma^2))
 * (Canonne, Kamath, Steinke 2020, algorithm 3). Integers only, no floating point. Added to each coordinate of
 * an integer vector of L2 sensitivity s, it is (s^2 / (2 sigma^2))-zCDP (theorem 14 there).
 *
 * @param options - `sigmaSquared`: positive fraction; `random`: randomness port.
 * @returns One sample.
 * @throws PrivacyError `PARAMETER_INVALID` when `sigmaSquared` is not positive.
 */
export function discreteGaussian(options: {
  readonly sigmaSquared: Rational
  readonly random: RandomBytes
}): bigint {
  const { random } = options
  const { numerator, denominator } = positive(options.sigmaSquared, 'sigmaSquared')
  // Any Laplace scale near sigma serves; the ceiling of sigma keeps the rejection rate low and the value an integer.
  const scale = ceilingSquareRoot((numerator + denominator - 1n) / denominator)
  for (;;) {
    const candidate = discreteLaplace({ scale: { numerator: scale, denominator: 1n }, random })
    const magnitude = candidate < 0n ? -candidate : candidate
    // (|y| - sigma^2/t)^2 / (2 sigma^2) over the common denominator 2 n d t^2, with sigma^2 = n/d.
    const distance = magnitude * scale * denominator - numerator
    const exponent = {
      numerator: distance * distance,
      denominator: 2n * numerator * denominator * scale * scale,
    }
    if (bernoulliExp(exponent, random)) return candidate
  }
}
