import type { Charge, RandomBytes } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { type Coefficient, fitLinearRegression } from '../linear-regression/linear-regression.js'
import { regressionMechanism } from '../linear-regression/mechanism.js'
import type { ComputationPlan, RegressionPlan } from './plan.js'
import { roundReleased } from './round-released.js'

/** One contributor's values, joined over all tables of the plan: `contributor` and one value per column key. */
export type JoinedRow = { readonly contributor: number | bigint | string } & {
  readonly [key: string]: unknown
}

/** What is released. JSON-able. */
export interface ComputationResult {
  readonly coefficients: readonly Coefficient[]
  readonly notes: readonly string[]
  readonly charge: { readonly [pool: string]: Charge }
}

/**
 * Runs a planned built-in computation. Charge the budget first: the result is private only at the price of the plan.
 *
 * A contributor counts once: of several rows with one `contributor` the first is used. A row without a usable
 * value in some column counts for nothing.
 *
 * @param options - `plan` from `planComputation`; `rows`: one per contributor; `random`: secret randomness.
 * @returns Coefficients with 95 % intervals that cover sampling error and privacy noise.
 * @throws ComputeError `PLAN_INVALID` when the plan's noise is not the one that its charge pays for, or for a program's plan;
 *   `ROWS_INVALID` when a row has no contributor; `TOO_FEW_CONTRIBUTORS`.
 */
export function runComputation(options: {
  readonly plan: ComputationPlan
  readonly rows: readonly JoinedRow[]
  readonly random: RandomBytes
}): ComputationResult {
  const { plan, random } = options
  if (plan.computation !== 'linear-regression') {
    throw new ComputeError(
      'PLAN_INVALID',
      'plan.computation',
      'This plan is of a program, which runProgram runs: give it the program.',
    )
  }
  checkMechanism(plan)
  const seen = new Set<string>()
  const rows = options.rows.filter((row, index) => {
    const { contributor } = row
    if (
      typeof contributor !== 'number' &&
      typeof contributor !== 'bigint' &&
      typeof contributor !== 'string'
    ) {
      throw new ComputeError(
        'ROWS_INVALID',
        `rows[${index}].contributor`,
        'Every row needs its contributor: without it nobody can be counted once.',
      )
    }
    const name = String(contributor)
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
  const { target, features } = plan.model
  const coefficients = fitLinearRegression({
    target,
    features,
    mechanism: plan.mechanism,
    minimumContributors: plan.minimumContributors,
    rows,
    random,
  })
  const released = coefficients.map((coefficient) => roundReleased(coefficient, plan.significantDigits))
  return { coefficients: released, notes: notesOf(plan), charge: plan.charge }
}

/** Recomputes the noise from the charge, so that a plan from elsewhere cannot carry too little of it. */
function checkMechanism(plan: RegressionPlan): void {
  const width = plan.model.features.length + 1
  const charges = Object.values(plan.charge)
  const paid = charges.every(({ epsilon, delta }) => {
    const { mechanism } = regressionMechanism({ epsilon, delta, width })
    return JSON.stringify(mechanism) === JSON.stringify(plan.mechanism)
  })
  if (charges.length === 0 || !paid) {
    throw new ComputeError(
      'PLAN_INVALID',
      'plan.mechanism',
      "The plan's noise is not the one that its charge pays for. Plan the job again.",
    )
  }
}

function notesOf(plan: RegressionPlan): string[] {
  const { target } = plan.model
  return [
    'Intervals hold 95 % for sampling error and privacy noise together; they are simulated from the released statistics.',
    `Values outside the public ranges are clamped; target ${target.key} to ${target.min} .. ${target.max}.`,
    'Residuals far from the line are clipped (Huber regression), which is consistent for errors symmetric about zero.',
    plan.mechanism.kind === 'gaussian'
      ? 'Noise: exact discrete Gaussian on integer sums.'
      : 'Noise: exact discrete Laplace on integer sums.',
  ]
}
