import type { PlanPool } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
import { parseDecimal, rescale } from '../type/decimal.js'

/** Billionths of epsilon: budgets are whole numbers of these. */
export const nanoEpsilon = 1_000_000_000

/** Parts of rho in 1e-12: what ledgers with zCDP accounting count. */
export const picoRho = 1_000_000_000_000

/** What a job may spend, in each of its pools. */
export interface JobBudget {
  readonly epsilon: number
  readonly delta: number
}

/**
 * Checks a job's budget against the limits of every pool, and gives it as a whole number of billionths.
 *
 * @returns epsilon in billionths, rounded down: what is charged is never less than what is used
 * @throws QueryError `BUDGET_INVALID`, `BUDGET_PER_JOB_EXCEEDED`, `BUDGET_TOTAL_EXCEEDED`
 */
export function checkBudget(budget: JobBudget, pools: readonly PlanPool[]): number {
  const decimal = Number.isFinite(budget.epsilon) ? exact(budget.epsilon) : null
  const nano = decimal === null ? 0 : Number(rescale(decimal, 9, 'down'))
  const deltaFits = Number.isFinite(budget.delta) && budget.delta >= 0 && budget.delta < 1
  if (nano < 1000 || !deltaFits) throw new QueryError('BUDGET_INVALID', 'budget')
  for (const { name, policy } of pools) {
    const { perJob, epsilon, delta } = policy.privacy
    if (budget.epsilon > perJob.epsilon || budget.delta > perJob.delta) {
      throw new QueryError('BUDGET_PER_JOB_EXCEEDED', `pools.${name}.privacy.perJob`)
    }
    if (budget.epsilon > epsilon || budget.delta > delta) {
      throw new QueryError('BUDGET_TOTAL_EXCEEDED', `pools.${name}.privacy`)
    }
  }
  return nano
}

/** A float may need more digits than a literal may have; those beyond the ninth cannot count. */
function exact(value: number) {
  return parseDecimal(value < 1e-9 ? '0' : String(value)) ?? parseDecimal(value.toFixed(9))
}
