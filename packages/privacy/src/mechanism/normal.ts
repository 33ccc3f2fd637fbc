/**
 * Natural logarithm of the standard normal upper tail, log P[N > x], to about 14 digits for every finite x.
 *
 * @param x - Any finite number.
 * @returns The logarithm; usable far beyond the range in which the tail itself underflows.
 */
export function logNormalTail(x: number): number {
  if (x < 0) return Math.log1p(-Math.exp(logNormalTail(-x)))
  return x < 2.5
    ? Math.log(0.5 - centralMass(x))
    : -0.5 * x * x - 0.5 * Math.log(2 * Math.PI) - Math.log(millsDenominator(x))
}

/**
 * Standard normal upper tail P[N > x].
 *
 * @param x - Any finite number.
 * @returns Probability.
 */
export function normalTail(x: number): number {
  return Math.exp(logNormalTail(x))
}

/**
 * The z with P[|N| > z] = 1 - confidence.
 *
 * @param confidence - Between 0 and 1, exclusive.
 * @returns Two-sided quantile, rounded up by one part in 10^12.
 */
export function normalTwoSided(confidence: number): number {
  const target = Math.log((1 - confidence) / 2)
  let low = 0
  let high = 40
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (logNormalTail(middle) > target) low = middle
    else high = middle
  }
  return high * (1 + 1e-12)
}

/** P[0 < N < x] by the everywhere convergent series phi(x) (x + x^3/3 + x^5/15 + ...). */
function centralMass(x: number): number {
  let term = x
  let sum = x
  for (let odd = 3; Math.abs(term) > 1e-18; odd += 2) {
    term *= (x * x) / odd
    sum += term
  }
  return (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)
}

/** phi(x) / P[N > x] as Laplace's continued fraction x + 1/(x + 2/(x + 3/(x + ...))), for x well above zero. */
function millsDenominator(x: number): number {
  let value = x
  for (let level = 120; level >= 1; level--) value = x + level / value
  return value
}
