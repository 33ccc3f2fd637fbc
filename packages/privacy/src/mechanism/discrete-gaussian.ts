import { bernoulliExp } from './bernoulli.js'
import { laplaceSampler, positive } from './discrete-laplace.js'
import { brokenRandom, mostRejections, type RandomBytes } from './random.js'
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
  return gaussianSampler(options.sigmaSquared)(options.random)
}

/**
 * The same with sigma squared checked and reduced once, for drawing many.
 *
 * @param sigmaSquared - Positive fraction.
 * @returns Draws one sample from a randomness port.
 * @throws PrivacyError `PARAMETER_INVALID` when `sigmaSquared` is not positive.
 */
export function gaussianSampler(sigmaSquared: Rational): (random: RandomBytes) => bigint {
  const { numerator, denominator } = positive(sigmaSquared, 'sigmaSquared')
  // Any Laplace scale near sigma serves; the ceiling of sigma keeps the rejection rate low and the value an integer.
  const scale = ceilingSquareRoot((numerator + denominator - 1n) / denominator)
  const laplace = laplaceSampler({ numerator: scale, denominator: 1n })
  // (|y| - sigma^2/t)^2 / (2 sigma^2) over the common denominator 2 n d t^2, with sigma^2 = n/d.
  const step = scale * denominator
  const common = 2n * numerator * denominator * scale * scale
  return (random) => {
    for (let attempt = 0; attempt < mostRejections; attempt++) {
      const candidate = laplace(random)
      const distance = (candidate < 0n ? -candidate : candidate) * step - numerator
      if (bernoulliExp({ numerator: distance * distance, denominator: common }, random)) return candidate
    }
    throw brokenRandom()
  }
}
