import { PrivacyError } from '../errors.js'
import {
  type Charge,
  chargeUnits,
  type FilterState,
  remainingBudget,
  type SpentBudget,
  spentBudget,
} from './filter.js'

/** A budget told to people. */
export interface OdometerReading extends SpentBudget {
  /** How many more answers of the given cost fit. */
  readonly answersLeft: number
  /** Largest single charge that still fits. */
  readonly remaining: { readonly epsilon: string; readonly delta: string }
  /** One English sentence saying the same. */
  readonly sentence: string
}

/**
 * Reads a budget: what is spent and how many more answers like this one there are.
 *
 * @param state - Filter state.
 * @param charge - Cost of one typical answer.
 * @param options - `expectedError`: typical error of such an answer relative to the number itself, for example 0.021; then
 *   the sentence tells it too.
 * @returns The reading.
 * @throws PrivacyError `PARAMETER_INVALID` for a malformed charge or error.
 * @example
 * ```ts
 * import { createFilter, odometer } from '@sealpool/privacy'
 * const pool = createFilter({ accounting: 'basic', epsilon: 5, delta: 0 })
 * const { sentence } = odometer(pool, { epsilon: 0.12, delta: 0 }, { expectedError: 0.021 })
 * console.assert(sentence === 'About 41 more answers of this kind; expected error +-2.1 %; epsilon 0 of 5 is spent.')
 * ```
 */
export function odometer(
  state: FilterState,
  charge: Charge,
  options: { readonly expectedError?: number } = {},
): OdometerReading {
  const { expectedError } = options
  if (expectedError !== undefined && !(expectedError >= 0 && Number.isFinite(expectedError))) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'expectedError',
      'An expected error is a finite number of at least 0, relative to the answer.',
    )
  }
  const units = chargeUnits(state.accounting, charge)
  const fits = (total: string, spent: string, price: bigint): number =>
    price === 0n ? Number.MAX_SAFE_INTEGER : Number((BigInt(total) - BigInt(spent)) / price)
  const answersLeft = Math.min(
    fits(state.primaryTotal, state.primarySpent, units.primary),
    fits(state.deltaTotal, state.deltaSpent, units.delta),
  )
  const spent = spentBudget(state)
  const count =
    answersLeft === 0
      ? 'No further answer'
      : answersLeft === 1
        ? 'One more answer'
        : `${expectedError === undefined ? '' : 'About '}${answersLeft} more answers`
  const error = expectedError === undefined ? '' : ` expected error +-${percent(expectedError)} %;`
  return {
    ...spent,
    answersLeft,
    remaining: remainingBudget(state),
    sentence: `${count} of this kind;${error} epsilon ${spent.epsilonSpent} of ${spent.epsilonTotal} is spent.`,
  }
}

/** Two significant digits, without trailing zeros or an exponent. */
function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0'
  const places = Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(value))))
  return String(Number(value.toFixed(places)))
}
