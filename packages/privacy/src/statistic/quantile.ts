import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'
import type { RandomBytes } from '../mechanism/random.js'
import type { Rational } from '../mechanism/rational.js'
import { prepareSelection } from '../mechanism/selection.js'
import { boundContributions, type ContributedRow, checkWhole } from './contribution-bound.js'

/** A quantile to choose among public values. */
export interface QuantileQuestion {
  readonly rows: Iterable<ContributedRow>
  readonly rowsPerContributor: number
  /** Public candidate values, strictly increasing; the edges of the bins. */
  readonly candidates: readonly bigint[]
  /** Which quantile, strictly between 0 and 1; 1/2 for the median. The denominator is at most 1,000. */
  readonly quantile: Rational
}

/**
 * Chooses the public candidate that is nearest in rank to a quantile, by report-noisy-max. Pure epsilon-DP.
 *
 * @param options - {@link QuantileQuestion}, `epsilon` of at least 1e-9 and the randomness port.
 * @returns The candidate, its index and the charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { noisyQuantile, platformRandom } from '@sealpool/privacy/statistic'
 * const rows = Array.from({ length: 2001 }, (_, index) => ({ contributor: `c${index}`, value: BigInt(index) }))
 * const candidates = Array.from({ length: 21 }, (_, index) => BigInt(index * 100))
 * const half = { numerator: 1n, denominator: 2n }
 * const { value } = noisyQuantile({ rows, candidates, quantile: half, rowsPerContributor: 1, epsilon: 1, random: platformRandom })
 * console.assert(value === 1000n)
 * ```
 */
export function noisyQuantile(
  options: QuantileQuestion & { readonly epsilon: number; readonly random: RandomBytes },
): { readonly value: bigint; readonly index: number; readonly charge: Charge } {
  const { candidates, epsilon, random } = options
  const sensitivity = quantileSensitivity(options)
  const selection = prepareSelection({ candidates: candidates.length, epsilon, sensitivity, random })
  const index = selection.choose(quantileScores(options))
  return { value: candidates[index] ?? 0n, index, charge: { epsilon, delta: 0 } }
}

/**
 * How far one contributor can move a score of {@link quantileScores}.
 *
 * @param options - `quantile` and `rowsPerContributor`.
 * @returns Sensitivity in score units.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function quantileSensitivity(
  options: Pick<QuantileQuestion, 'quantile' | 'rowsPerContributor'>,
): bigint {
  checkWhole(options.rowsPerContributor, 'rowsPerContributor')
  const { numerator: part, denominator: whole } = options.quantile
  if (!(part > 0n && part < whole && whole <= 1000n)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'quantile',
      'A quantile lies strictly between 0 and 1, with a denominator of at most 1,000.',
    )
  }
  // A row moves whole * rank - part * count by whole - part or by part.
  const perRow = part > whole - part ? part : whole - part
  return perRow * BigInt(options.rowsPerContributor)
}

/**
 * Distance in rank of each candidate from the quantile, negated and times the quantile's denominator: 0 where the quantile's
 * rank lies between the number of smaller values and the number of values that are not larger. Private: not to be released.
 *
 * @param options - {@link QuantileQuestion}.
 * @returns One score for each candidate.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function quantileScores(options: QuantileQuestion): bigint[] {
  const { candidates, quantile } = options
  if (
    candidates.length === 0 ||
    candidates.some((value, index) => index > 0 && value <= (candidates[index - 1] ?? value))
  ) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'candidates',
      'Candidates must be given in strictly increasing order, at least one.',
    )
  }
  // For each row: how many candidates are below it, and whether one equals it.
  const firstNotBelow = new Array<number>(candidates.length + 1).fill(0)
  const equal = new Array<number>(candidates.length).fill(0)
  let count = 0
  for (const { value = 0n } of boundContributions(options.rows, options)) {
    const at = lowerBound(candidates, value)
    firstNotBelow[at] = (firstNotBelow[at] ?? 0) + 1
    if (candidates[at] === value) equal[at] = (equal[at] ?? 0) + 1
    count++
  }
  const target = quantile.numerator * BigInt(count)
  let notLarger = 0
  return candidates.map((_, index) => {
    notLarger += firstNotBelow[index] ?? 0
    const smaller = BigInt(notLarger - (equal[index] ?? 0))
    const missing = target - quantile.denominator * BigInt(notLarger)
    const excess = quantile.denominator * smaller - target
    const distance = missing > excess ? missing : excess
    return distance > 0n ? -distance : 0n
  })
}

/** Index of the first candidate that is at least the value. */
function lowerBound(candidates: readonly bigint[], value: bigint): number {
  let low = 0
  let high = candidates.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((candidates[middle] ?? value) < value) low = middle + 1
    else high = middle
  }
  return low
}
