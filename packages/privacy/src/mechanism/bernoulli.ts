import { brokenRandom, coin, type RandomBytes } from './random.js'
import type { Rational } from './rational.js'

/**
 * True with probability `numerator / denominator`, exactly.
 *
 * @param probability - Fraction between 0 and 1.
 * @param random - Randomness port.
 * @returns One draw.
 */
export function bernoulli(probability: Rational, random: RandomBytes): boolean {
  return coin(leadingWord(probability), 1, probability, random)
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
    if (!parityOfFailure(CERTAIN, 2 ** 32, random)) return false
    numerator -= denominator
  }
  const fraction = { numerator, denominator }
  return parityOfFailure(fraction, leadingWord(fraction), random)
}

/** For an exponent in [0, 1]: the parity of the first failure in draws of probability x/1, x/2, x/3 ... */
function parityOfFailure(fraction: Rational, word: number, random: RandomBytes): boolean {
  let count = 1
  while (coin(word, count, fraction, random)) {
    count++
    // 1 / 100! of all draws come so far.
    if (count > 100) throw brokenRandom()
  }
  return count % 2 === 1
}

const CERTAIN: Rational = { numerator: 1n, denominator: 1n }

/** floor(2^32 * fraction). */
function leadingWord({ numerator, denominator }: Rational): number {
  return Number((numerator << 32n) / denominator)
}
