import type { AggregatePlan, MomentPlan } from '../plan/statistics.js'

/** Noisy sums of centred values, brought to the middle: mean and mean square of x - centre. */
interface Moments {
  readonly mean: number
  readonly variance: number
}

/** Population moments from noisy sums, kept within what any values in the range could have. */
function momentsOf(
  plan: Pick<MomentPlan, 'sum' | 'squares' | 'squareCentre' | 'half' | 'decimals'>,
  noisy: readonly bigint[],
  count: number,
): Moments {
  const scale = 10 ** plan.decimals
  const half = Number(BigInt(plan.half)) / scale
  const mean = clamp(Number(noisy[plan.sum] ?? 0n) / scale / count, -half, half)
  const squares = Number(noisy[plan.squares] ?? 0n) / scale ** 2 / count
  const square = squares + Number(BigInt(plan.squareCentre)) / scale ** 2
  return { mean, variance: clamp(square - mean * mean, 0, half * half) }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/**
 * Variance or standard deviation of noisy sums; null below two noisy rows for the sample forms. Post-processing only.
 */
export function noisyVariance(
  plan: AggregatePlan & { readonly kind: 'variance' },
  noisy: readonly bigint[],
): number | null {
  const count = Math.max(1, Number(noisy[plan.count] ?? 0n))
  if (!plan.spread.population && count < 2) return null
  const { variance } = momentsOf(plan, noisy, count)
  const corrected = plan.spread.population ? variance : (variance * count) / (count - 1)
  return plan.spread.root ? Math.sqrt(corrected) : corrected
}

/**
 * Correlation, covariance or regression of noisy sums; null where it has no value. Post-processing only.
 */
export function noisyPair(
  plan: AggregatePlan & { readonly kind: 'pair' },
  noisy: readonly bigint[],
): number | null {
  const count = Math.max(1, Number(noisy[plan.count] ?? 0n))
  const [x, y] = [momentsOf(plan.x, noisy, count), momentsOf(plan.y, noisy, count)]
  const scale = 10 ** (plan.x.decimals + plan.y.decimals)
  const product = Number(noisy[plan.products] ?? 0n) / scale / count - x.mean * y.mean
  // Cauchy and Schwarz: no covariance is larger.
  const most = Math.sqrt(x.variance * y.variance)
  const covariance = clamp(product, -most, most)
  switch (plan.name) {
    case 'covar_pop':
      return covariance
    case 'covar_samp':
      return count < 2 ? null : (covariance * count) / (count - 1)
    case 'corr':
      return most === 0 ? null : covariance / most
    case 'regr_slope':
      return x.variance === 0 ? null : covariance / x.variance
    case 'regr_intercept': {
      if (x.variance === 0) return null
      const centre = (moment: MomentPlan) => Number(BigInt(moment.centre)) / 10 ** moment.decimals
      const slope = covariance / x.variance
      return centre(plan.y) + y.mean - slope * (centre(plan.x) + x.mean)
    }
  }
}
