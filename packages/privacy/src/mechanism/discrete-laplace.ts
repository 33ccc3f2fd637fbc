import { PrivacyError } from '../errors.js'
import { bernoulliExp } from './bernoulli.js'
import { brokenRandom, mostRejections, type RandomBytes, uniformBelow } from './random.js'
import { type Rational, rational } from './rational.js'

/**
 * An exact sample of the discrete Laplace distribution: P[x] is proportional to exp(-|x| / scale)
 * (Canonne, Kamath, Steinke 2020, algorithm 2). Integers only, no floating point. Adding it to an integer of
 * sensitivity s is (s / scale)-differentially private.
 *
 * @param options - `scale`: positive fraction; `random`: randomness port.
 * @returns One sample.
 * @throws PrivacyError `PARAMETER_INVALID` when the scale is not positive.
 * @example
 * ```ts
 * import { discreteLaplace, platformRandom } from '@sealpool/privacy'
 * const noise = discreteLaplace({ scale: { numerator: 3n, denominator: 2n }, random: platformRandom })
 * console.assert(typeof noise === 'bigint')
 * ```
 */
export function discreteLaplace(options: { readonly scale: Rational; readonly random: RandomBytes }): bigint {
  return laplaceSampler(options.scale)(options.random)
}

/**
 * The same with the scale checked and reduced once, for drawing many.
 *
 * @param scale - Positive fraction.
 * @returns Draws one sample from a randomness port.
 * @throws PrivacyError `PARAMETER_INVALID` when the scale is not positive.
 */
export function laplaceSampler(scale: Rational): (random: RandomBytes) => bigint {
  const geometric = geometricSampler(scale)
  return (random) => {
    for (let attempt = 0; attempt < mostRejections; attempt++) {
      const magnitude = geometric(random)
      const negative = uniformBelow(2n, random) === 1n
      // Zero must not be counted twice.
      if (negative && magnitude === 0n) continue
      return negative ? -magnitude : magnitude
    }
    throw brokenRandom()
  }
}

/**
 * One-sided geometric noise: P[x] is proportional to exp(-x / scale) for x = 0, 1, 2 ... (the inner part of
 * algorithm 2 there).
 *
 * @param scale - Positive fraction.
 * @returns Draws one sample from a randomness port.
 * @throws PrivacyError `PARAMETER_INVALID` when the scale is not positive.
 */
export function geometricSampler(scale: Rational): (random: RandomBytes) => bigint {
  const { numerator, denominator } = positive(scale, 'scale')
  return (random) => {
    for (let attempt = 0; attempt < mostRejections; attempt++) {
      const remainder = uniformBelow(numerator, random)
      if (!bernoulliExp({ numerator: remainder, denominator: numerator }, random)) continue
      let quotient = 0n
      while (bernoulliExp(ONE, random)) {
        quotient++
        // exp(-1024) of all draws come so far.
        if (quotient > BigInt(mostRejections)) throw brokenRandom()
      }
      return (remainder + numerator * quotient) / denominator
    }
    throw brokenRandom()
  }
}

const ONE: Rational = { numerator: 1n, denominator: 1n }

/**
 * Reduces a fraction and insists that it is positive.
 *
 * @param value - Fraction to check.
 * @param place - Name to give in the error.
 * @returns The fraction in lowest terms.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function positive(value: Rational, place: string): Rational {
  const reduced = rational(value.numerator, value.denominator)
  if (reduced.numerator <= 0n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      place,
      `${place} must be a positive fraction: noise of zero protects nobody.`,
    )
  }
  return reduced
}
