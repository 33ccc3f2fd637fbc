import {
  type ExpectedError,
  hasOpenGroups,
  type PlanCharge,
  type QueryPlan,
  releasesOf,
} from '../plan/plan.js'

/** What a plan will do and cost, for people who decide on it. */
export interface Explanation {
  /** What each pool is charged, by its name. */
  readonly charge: Readonly<Record<string, PlanCharge>>
  readonly mechanism: 'discrete-laplace' | 'discrete-gaussian'
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
  const { privacy } = plan
  const releases = releasesOf(plan)
  const groups = releases.reduce((sum, release) => sum + release.groups, 0)
  const open = hasOpenGroups(plan)
  const gaussian = privacy.rhoPico !== undefined
  const selectionDelta = plan.pools[0]?.charge.zcdp?.delta ?? privacy.delta
  const bounding = plan.program.bounding
  const quantiles = releases.some(({ statistics }) =>
    statistics.some(({ mechanism }) => mechanism === 'report-noisy-max'),
  )
  const names = plan.pools.map(({ name }) => name)
  const minimum = plan.minimumContributors.minimum
  return {
    charge: Object.fromEntries(plan.pools.map(({ name, charge }) => [name, charge])),
    mechanism: gaussian ? 'discrete-gaussian' : 'discrete-laplace',
    neighbours: privacy.neighbours,
    groups,
    minimumContributors: minimum,
    reached: plan.reached,
    outputs: plan.columns.map(({ name, kind }) => ({ name, kind })),
    expectedErrors: plan.expectedErrors,
    text: [
      ...plan.pools.map(
        ({ name, charge }) =>
          `Pool ${name} is charged epsilon ${charge.epsilon} and delta ${charge.delta}${charge.zcdp === undefined ? '' : `; its zCDP accounting books rho ${charge.zcdp.rho} and delta ${charge.zcdp.delta}`}.`,
      ),
      `The tables ${plan.leaves.join(' and ')} are read${names.length > 1 ? ', joined on the contributor' : ''}; the columns ${plan.reached.join(', ') || 'none'} are reached.`,
      privacy.rowsPerContributor === 1
        ? 'Each contributor has at most one row, in one group.'
        : `Each contributor has at most ${privacy.rowsPerContributor} rows; further rows are left out.`,
      ...(bounding.kind === 'groups'
        ? [
            `Each contributor counts in at most ${bounding.groups} groups, with the weight of at most ${bounding.rows} rows in each.`,
          ]
        : []),
      ...(releases.length > 1
        ? [`The answer is made of ${releases.length} releases; each takes a part of epsilon.`]
        : []),
      ...(releases.some(({ sets }) => sets.length > 1)
        ? [
            `${Math.max(...releases.map(({ sets }) => sets.length))} grouping sets are released; noise is scaled for all of them together.`,
          ]
        : []),
      open
        ? `Names of groups come from the data: a group appears by partition selection with delta ${selectionDelta}, never below ${minimum} contributors.`
        : `All ${groups} public group(s) are answered, whether or not anybody is in them; those with a noisy count below ${minimum} contributors are left out.`,
      `Discrete ${gaussian ? 'Gaussian' : 'Laplace'} noise is added to every count and sum; averages are made of the noisy numbers.`,
      ...(quantiles
        ? [
            'Quantiles are the noisily best of public bins (report-noisy-max); nothing else of the bins is told.',
          ]
        : []),
      ...(plan.purpose === undefined ? [] : [`The answer is for: ${plan.purpose}.`]),
      ...(plan.output?.maximumRows == null ? [] : [`At most ${plan.output.maximumRows} rows leave.`]),
      ...(plan.output?.significantDigits == null
        ? []
        : [`Numbers are rounded to ${plan.output.significantDigits} digits.`]),
      ...plan.expectedErrors.map(sentence),
    ],
  }
}

function sentence({ column, plusMinus, bySize }: ExpectedError): string {
  if (plusMinus !== null) return `${column}: about ±${plusMinus} in 19 of 20 groups.`
  const parts = bySize.map(({ size, plusMinus: width }) => `±${width} for ${size} rows`)
  return `${column}: about ${parts.join(', ')}.`
}
