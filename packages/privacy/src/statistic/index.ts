/**
 * Private statistics on rows: contribution bounds, counts, sums, means, variances, quantiles and histograms, each with its
 * noise, its price and its interval.
 *
 * @module
 */
export { platformRandom } from '../platform.js'
export {
  type AdditiveNoise,
  additiveNoise,
  type ReleaseCost,
  type ReleasedNumber,
  type ValueRange,
} from './additive-noise.js'
export { boundContributions, type ContributedRow, type ContributionBound } from './contribution-bound.js'
export {
  histogramAboveThreshold,
  histogramOfPrivateGroups,
  histogramOfPublicGroups,
  laplaceThreshold,
  type NoisyHistogram,
} from './histogram.js'
export {
  type NoisyEstimate,
  type NoisyNumber,
  noisyCount,
  noisyMean,
  noisySum,
  noisyVariance,
  type RowStatistic,
} from './moments.js'
export { noisyQuantile, type QuantileQuestion, quantileScores, quantileSensitivity } from './quantile.js'
