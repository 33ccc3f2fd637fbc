import { PrivacyError } from '../errors.js'
import { fromUnits, toUnits } from './amount.js'
import { zcdpEpsilon, zcdpRho } from './conversion.js'

/**
 * What a release costs. Fill in `zcdp` when the mechanism has a zCDP guarantee of its own (Gaussian noise);
 * otherwise a zCDP budget prices the release as (epsilon^2 / 2, delta), which any (epsilon, delta)-DP mechanism
 * satisfies (Bun, Steinke 2016, section 8). `epsilon` and `delta` must be a valid guarantee in any case.
 */
export interface Charge {
  readonly epsilon: number
  readonly delta: number
  readonly zcdp?: { readonly rho: number; readonly delta: number }
}

/** What a pool's lifetime budget is and how it is counted. */
export interface BudgetTotals {
  readonly accounting: 'basic' | 'zcdp'
  readonly epsilon: number
  readonly delta: number
}

/**
 * State of a privacy filter: integers as decimal text, so that it is plain JSON. Under basic accounting
 * `primary` counts 1e-9 epsilon; under zCDP it counts 1e-12 rho. `delta` counts 1e-18.
 */
export interface FilterState {
  readonly accounting: 'basic' | 'zcdp'
  readonly epsilon: number
  readonly delta: number
  readonly primaryTotal: string
  readonly deltaTotal: string
  readonly primarySpent: string
  readonly deltaSpent: string
}

/**
 * A fresh privacy filter for a lifetime budget. Charges may be chosen one after the other, each with knowledge
 * of earlier answers: basic composition is fully adaptive, and so is approximate zCDP (Whitehouse, Ramdas,
 * Rogers, Wu 2023). Which of the two is fixed here; taking the better one afterwards is not covered by either.
 *
 * Under zCDP half of delta pays for the conversion and half for the delta of charges; rho's total is the
 * largest that converts to `epsilon`, rounded down.
 *
 * @param totals - Accounting and totals.
 * @returns State with nothing spent.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function createFilter(totals: BudgetTotals): FilterState {
  const { accounting, epsilon, delta } = totals
  if (accounting !== 'basic' && accounting !== 'zcdp') {
    throw new PrivacyError('PARAMETER_INVALID', 'accounting', "accounting must be 'basic' or 'zcdp'.")
  }
  const basic = accounting === 'basic'
  const primaryTotal = basic
    ? toUnits(epsilon, 'epsilon', 'down')
    : toUnits(zcdpRho({ epsilon, delta: delta / 2 }), 'rho', 'down')
  const deltaUnits = toUnits(delta, 'delta', 'down')
  if (deltaUnits >= 10n ** 18n) {
    throw new PrivacyError('PARAMETER_INVALID', 'delta', 'delta must be below 1.')
  }
  return {
    accounting,
    epsilon,
    delta,
    primaryTotal: primaryTotal.toString(),
    deltaTotal: (basic ? deltaUnits : deltaUnits / 2n).toString(),
    primarySpent: '0',
    deltaSpent: '0',
  }
}

/** A charge in the units that a filter counts, rounded up. */
export interface ChargeUnits {
  readonly primary: bigint
  readonly delta: bigint
}

/**
 * What a filter would book for a charge.
 *
 * @param accounting - The filter's accounting.
 * @param charge - The release's cost.
 * @returns Integer units, rounded up.
 * @throws PrivacyError `PARAMETER_INVALID` when an amount is negative or not finite, or the charge is nothing at all.
 */
export function chargeUnits(accounting: 'basic' | 'zcdp', charge: Charge): ChargeUnits {
  const epsilon = toUnits(charge.epsilon, 'epsilon', 'up')
  const delta = toUnits(charge.delta, 'delta', 'up')
  if (epsilon === 0n && delta === 0n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'charge',
      'A charge of nothing buys nothing: give epsilon or delta above zero.',
    )
  }
  if (accounting === 'basic') return { primary: epsilon, delta }
  if (charge.zcdp !== undefined) {
    const native = {
      primary: toUnits(charge.zcdp.rho, 'rho', 'up'),
      delta: toUnits(charge.zcdp.delta, 'delta', 'up'),
    }
    if (native.primary === 0n && native.delta === 0n) {
      throw new PrivacyError(
        'PARAMETER_INVALID',
        'charge.zcdp',
        'A charge of nothing buys nothing: give rho or delta above zero.',
      )
    }
    return native
  }
  // epsilon^2 / 2 in units of 1e-12 from units of 1e-9: divide by 2e6, upwards.
  return { primary: (epsilon * epsilon + 1_999_999n) / 2_000_000n, delta }
}

/**
 * Whether a charge still fits.
 *
 * @param state - Filter state.
 * @param charge - The release's cost.
 * @returns True when booking it would not pass any total.
 * @throws PrivacyError `PARAMETER_INVALID` for a malformed charge.
 */
export function affordable(state: FilterState, charge: Charge): boolean {
  const units = chargeUnits(state.accounting, charge)
  return (
    BigInt(state.primarySpent) + units.primary <= BigInt(state.primaryTotal) &&
    BigInt(state.deltaSpent) + units.delta <= BigInt(state.deltaTotal)
  )
}

/**
 * Books a charge.
 *
 * @param state - Filter state; not changed.
 * @param charge - The release's cost.
 * @returns The state afterwards.
 * @throws PrivacyError `BUDGET_EXHAUSTED` with `remaining` when it does not fit; `PARAMETER_INVALID` when malformed.
 */
export function applyCharge(state: FilterState, charge: Charge): FilterState {
  if (!affordable(state, charge)) {
    const remaining = remainingBudget(state)
    throw new PrivacyError(
      'BUDGET_EXHAUSTED',
      'charge',
      `The charge exceeds what is left of the budget (epsilon ${remaining.epsilon}, delta ${remaining.delta}). Ask for less; a budget is never refilled.`,
      { remaining },
    )
  }
  const units = chargeUnits(state.accounting, charge)
  return {
    ...state,
    primarySpent: (BigInt(state.primarySpent) + units.primary).toString(),
    deltaSpent: (BigInt(state.deltaSpent) + units.delta).toString(),
  }
}

/** What has been spent of what, as decimal strings in epsilon and delta. */
export interface SpentBudget {
  readonly epsilonSpent: string
  readonly deltaSpent: string
  readonly epsilonTotal: string
  readonly deltaTotal: string
}

/**
 * The guarantee that holds for everything released so far. Under zCDP: epsilon at half the total delta
 * (so it grows faster at first than a charge's own epsilon), and that half counts as spent from the first charge.
 *
 * @param state - Filter state.
 * @returns Decimal strings.
 */
export function spentBudget(state: FilterState): SpentBudget {
  const totals = {
    epsilonTotal: fromUnits(toUnits(state.epsilon, 'epsilon', 'down'), 'epsilon'),
    deltaTotal: fromUnits(toUnits(state.delta, 'delta', 'down'), 'delta'),
  }
  const delta = BigInt(state.deltaSpent)
  if (state.accounting === 'basic') {
    return {
      epsilonSpent: fromUnits(BigInt(state.primarySpent), 'epsilon'),
      deltaSpent: fromUnits(delta, 'delta'),
      ...totals,
    }
  }
  const rho = Number(state.primarySpent) / 1e12
  const reserved = rho > 0 ? toUnits(state.delta, 'delta', 'down') - BigInt(state.deltaTotal) : 0n
  const epsilon = toUnits(zcdpEpsilon({ rho, delta: state.delta / 2 }), 'epsilon', 'up')
  const total = toUnits(state.epsilon, 'epsilon', 'down')
  return {
    // rho's total was rounded down, so only the rounding of this figure can pass the total.
    epsilonSpent: fromUnits(epsilon > total ? total : epsilon, 'epsilon'),
    deltaSpent: fromUnits(delta + reserved, 'delta'),
    ...totals,
  }
}

/**
 * What is left, as the largest single charge that would still fit (without a zCDP guarantee of its own).
 *
 * @param state - Filter state.
 * @returns Decimal strings, rounded down.
 */
export function remainingBudget(state: FilterState): { epsilon: string; delta: string } {
  const primary = BigInt(state.primaryTotal) - BigInt(state.primarySpent)
  const delta = fromUnits(BigInt(state.deltaTotal) - BigInt(state.deltaSpent), 'delta')
  if (state.accounting === 'basic') return { epsilon: fromUnits(primary, 'epsilon'), delta }
  return { epsilon: fromUnits(squareRootBelow(primary * 2_000_000n), 'epsilon'), delta }
}

/** Largest integer whose square is at most `value` (Newton from above). */
function squareRootBelow(value: bigint): bigint {
  if (value < 2n) return value
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (guess + value / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}
