import { toUnits } from '../accountant/amount.js'
import { PrivacyError } from '../errors.js'
import { bernoulli } from './bernoulli.js'
import type { RandomBytes } from './random.js'
import { type Rational, toNumber } from './rational.js'

/** Fixed-point position: probabilities are integers over 2^PRECISION. */
const PRECISION = 192n
const ONE = 1n << PRECISION
/** Longest table of probabilities; reached only by an epsilon below about 1e-3 at a tiny delta. */
const LONGEST = 200_000
const SMALLEST_EPSILON = 100_000n

/** Parameters of a keep-or-drop decision. */
export interface PartitionSelection {
  /** Charged for one decision; at least 1e-4. */
  readonly epsilon: number
  /** Charged for one decision; at least 1e-18. */
  readonly delta: number
  /** Groups with fewer contributors are never shown, whatever the coin says. Default 1. */
  readonly minimumContributors?: number
}

/**
 * Decides whether a group whose key is not public may be shown: the optimal (epsilon, delta) rule for one
 * contributor in one group (Desfontaines, Voss, Gipson, Mandayam 2022), behind a threshold of
 * `minimumContributors` as in Google's pre-thresholding: the count enters the rule less (minimum - 1).
 * Where a contributor may appear in k groups, pass epsilon / k and delta / k.
 *
 * All arithmetic is on integers, rounded so that the kept probability is never above the optimum of a
 * slightly smaller epsilon; both inequalities of the definition then hold.
 *
 * @param options - Parameters, `contributors`: number of distinct contributors in the group, `random`: port.
 * @returns Whether to keep the group.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function selectPartition(
  options: PartitionSelection & { readonly contributors: number; readonly random: RandomBytes },
): boolean {
  return bernoulli(keepFraction(options), options.random)
}

/**
 * The probability with which {@link selectPartition} keeps a group.
 *
 * @param options - Parameters and number of distinct contributors.
 * @returns Probability as a double, for explaining a plan.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function keepProbability(options: PartitionSelection & { readonly contributors: number }): number {
  const fraction = keepFraction(options)
  return fraction.numerator === 0n ? 0 : toNumber(fraction)
}

function keepFraction(options: PartitionSelection & { readonly contributors: number }): Rational {
  const { contributors, minimumContributors = 1 } = options
  for (const [place, value, least] of [
    ['contributors', contributors, 0],
    ['minimumContributors', minimumContributors, 1],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= least)) {
      throw new PrivacyError('PARAMETER_INVALID', place, `${place} must be an integer of at least ${least}.`)
    }
  }
  const table = keepTable(options)
  const effective = contributors - (minimumContributors - 1)
  if (effective <= 0) return { numerator: 0n, denominator: 1n }
  return { numerator: table[Math.min(effective, table.length - 1)] ?? ONE, denominator: ONE }
}

const tables = new Map<string, readonly bigint[]>()

/** Probabilities for 0, 1, 2 ... contributors, up to the first that is one (or the longest table). */
function keepTable(options: PartitionSelection): readonly bigint[] {
  const epsilon = toUnits(options.epsilon, 'epsilon', 'down')
  const delta = toUnits(options.delta, 'delta', 'down')
  if (epsilon < SMALLEST_EPSILON || epsilon > 100n * 10n ** 9n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'epsilon',
      'Group selection needs an epsilon between 1e-4 and 100.',
    )
  }
  if (delta < 1n || delta >= 10n ** 18n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'delta',
      'Group selection needs a delta between 1e-18 and 1: without delta a group of one can never be told from an empty one.',
    )
  }
  const key = `${epsilon}/${delta}`
  const known = tables.get(key)
  if (known !== undefined) return known
  const growth = exponentialBelow(epsilon, 10n ** 9n)
  const decay = (ONE * ONE) / growth + 1n
  const step = (delta << PRECISION) / 10n ** 18n
  const table = [0n]
  let last = 0n
  while (last < ONE && table.length <= LONGEST) {
    const rising = ((last * growth) >> PRECISION) + step
    const missing = ONE - last - step
    const closing = missing <= 0n ? ONE : ONE - ((missing * decay) >> PRECISION) - 1n
    last = [rising, closing, ONE].reduce((least, value) => (value < least ? value : least))
    table.push(last)
  }
  if (tables.size >= 64) tables.clear()
  tables.set(key, table)
  return table
}

/** A lower bound of exp(numerator / denominator) in fixed point, within a few units of the last place. */
function exponentialBelow(numerator: bigint, denominator: bigint): bigint {
  let halvings = 0n
  while (numerator > denominator << halvings) halvings++
  const scaled = denominator << halvings
  let term = ONE
  let sum = ONE
  for (let order = 1n; term > 0n; order++) {
    term = (term * numerator) / (scaled * order)
    sum += term
  }
  for (; halvings > 0n; halvings--) sum = (sum * sum) >> PRECISION
  return sum
}
