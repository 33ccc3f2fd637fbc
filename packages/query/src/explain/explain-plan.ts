import type { ExpectedError, PlanCharge, QueryPlan } from '../plan/plan.js'

/** What a plan will do and cost, for people who decide on it. */
export interface Explanation {
  /** What each pool is charged, by its name. */
  readonly charge: Readonly<Record<string, PlanCharge>>
  readonly mechanism: 'discrete-laplace'
  readonly neighbours: QueryPlan['privacy']['neighbours']
  readonly groups: number
  readonly minimumContributors: number
  /** Columns reached in any clause, as `pool.table.column`. */
  readonly reached: readonly string[]
  readonly outputs: readonly { readonly name: string; readonly kind: QueryPlan['columns'][number]['kind'] }[]
  readonly expectedErrors: readonly ExpectedError[]
  /** The same in sentences. */
  readonly text: readonly string[]
}

/**
 * Explains a plan before it runs. It looks at the plan alone, so explaining costs no budget.
 *
 * @param plan a plan of `planQuery`
 * @returns charge for each pool, mechanism, expected error for each output, and sentences
 */
export function explainPlan(plan: QueryPlan): Explanation {
  const { privacy, program, groups } = plan
  const names = plan.pools.map(({ name }) => name)
  const minimum = plan.minimumContributors.minimum
  return {
    charge: Object.fromEntries(plan.pools.map(({ name, charge }) => [name, charge])),
    mechanism: 'discrete-laplace',
    neighbours: privacy.neighbours,
    groups,
    minimumContributors: minimum,
    reached: plan.reached,
    outputs: plan.columns.map(({ name, kind }) => ({ name, kind })),
    expectedErrors: plan.expectedErrors,
    text: [
      ...plan.pools.map(
        ({ name, charge }) => `Pool ${name} is charged epsilon ${charge.epsilon} and delta ${charge.delta}.`,
      ),
      `The tables ${program.sources.map(({ pool, table }) => `${pool}.${table}`).join(' and ')} are read${names.length > 1 ? ', joined on the contributor' : ''}; the columns ${plan.reached.join(', ') || 'none'} are reached.`,
      privacy.rowsPerContributor === 1
        ? 'Each contributor has at most one row, in one group.'
        : `Each contributor has at most ${privacy.rowsPerContributor} rows; further rows are left out.`,
      `All ${groups} public group(s) are answered, whether or not anybody is in them; those with a noisy count below ${minimum} contributors are left out.`,
      'Discrete Laplace noise is added to every count and sum; averages are made of the noisy numbers.',
      ...plan.expectedErrors.map(sentence),
    ],
  }
}

function sentence({ column, plusMinus, bySize }: ExpectedError): string {
  if (plusMinus !== null) return `${column}: about ±${plusMinus} in 19 of 20 groups.`
  const parts = bySize.map(({ size, plusMinus: width }) => `±${width} for ${size} rows`)
  return `${column}: about ${parts.join(', ')}.`
}
