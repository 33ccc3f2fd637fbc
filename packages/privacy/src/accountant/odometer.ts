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
 * @returns The reading.
 * @throws PrivacyError `PARAMETER_INVALID` for a malformed charge.
 */
export function odometer(state: FilterState, charge: Charge): OdometerReading {
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
        : `${answersLeft} more answers`
  return {
    ...spent,
    answersLeft,
    remaining: remainingBudget(state),
    sentence: `${count} of this kind; epsilon ${spent.epsilonSpent} of ${spent.epsilonTotal} is spent.`,
  }
}
