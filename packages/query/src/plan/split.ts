/**
 * Splits epsilon over statistics so that the weighted sum of their variances is least.
 *
 * Laplace noise on statistic j has variance proportional to 1 / e_j^2. Minimising sum w_j / e_j^2 under
 * sum e_j = e gives e_j proportional to the cube root of w_j (Lagrange). Shares are rounded to 1e-5, so that a last
 * bit of `Math.cbrt` cannot make two planners disagree.
 *
 * @param nano epsilon in billionths
 * @param weights one non-negative weight for each statistic, not all zero
 * @returns epsilon of each statistic in billionths; together at most `nano`
 */
export function splitEpsilon(nano: number, weights: readonly number[]): readonly number[] {
  return split(nano, weights.map(Math.cbrt))
}

/**
 * The same for rho: Gaussian noise has variance proportional to 1 / r_j, which makes r_j proportional to the square root of w_j.
 *
 * @param pico rho in 1e-12
 * @returns rho of each statistic in 1e-12; together at most `pico`
 */
export function splitRho(pico: number, weights: readonly number[]): readonly number[] {
  return split(pico, weights.map(Math.sqrt))
}

function split(whole: number, roots: readonly number[]): readonly number[] {
  const total = roots.reduce((sum, root) => sum + root, 0)
  const shares = roots.map((root) => Math.max(1, Math.round((root / total) * 100_000)))
  const parts = shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share) => Number((BigInt(whole) * BigInt(share)) / BigInt(parts)))
}

/**
 * Weight of the count below an average, when the centred sum above it has weight 1. The error of an average is
 * (sum's noise + d * count's noise) / n, where d is the distance of the true mean from the centre; before any data is
 * seen the mean may be anywhere between the bounds, which makes the mean of d^2 a third of the half range squared.
 */
export const averageCountWeight = 1 / 3

/** Weight of a count that only decides whether a group is shown: a third of the epsilon of a sum. */
export const thresholdWeight = 1 / 27
