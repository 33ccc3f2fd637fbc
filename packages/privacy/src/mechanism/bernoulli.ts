import { type RandomBytes, uniformBelow } from './random.js'
import type { Rational } from './rational.js'

/**
 * True with probability `numerator / denominator`, exactly.
 *
 * @param probability - Fraction between 0 and 1.
 * @param random - Randomness port.
 * @returns One draw.
 */
export function bernoulli(probability: Rational, random: RandomBytes): boolean {
  return uniformBelow(probability.denominator, random) < probability.numerator
}

/**
 * True with probability exp(-exponent), exactly, without ever computing an exponential
 * (Canonne, Kamath, Steinke 2020, algorithm 1).
 *
 * @param exponent - Fraction of at least 0.
 * @param random - Randomness port.
 * @returns One draw.
 */
export function bernoulliExp(exponent: Rational, random: RandomBytes): boolean {
  const { denominator } = exponent
  let { numerator } = exponent
  // exp(-x) = exp(-1)^floor(x) * exp(-(x - floor(x))); the first failure decides, so large x cost little.
  while (numerator > denominator) {
    if (!bernoulliExpFraction(1n, 1n, random)) return false
    numerator -= denominator
  }
  return bernoulliExpFraction(numerator, denominator, random)
}

/** For an exponent in [0, 1]: the parity of the first failure in draws of probability x/1, x/2, x/3 ... */
function bernoulliExpFraction(numerator: bigint, denominator: bigint, random: RandomBytes): boolean {
  let count = 1n
  while (uniformBelow(denominator * count, random) < numerator) count++
  return count % 2n === 1n
}
