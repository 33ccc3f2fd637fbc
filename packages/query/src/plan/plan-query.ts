import { type BoundSelect, bindSelect } from '../bind/bind.js'
import type { ParameterValue } from '../bind/scope.js'
import { type CatalogueTable, makeCatalogue, type PlanPool } from '../catalogue/catalogue.js'
import { checkBudget, type JobBudget, nanoEpsilon } from '../enforce/budget.js'
import type { Grant } from '../enforce/grant.js'
import { QueryError } from '../errors.js'
import { parseSelect } from '../parse/parse.js'
import { expectError } from './expected-error.js'
import type { QueryPlan, StatisticPlan } from './plan.js'
import { splitEpsilon } from './split.js'
import { draftStatistics } from './statistics.js'

/** Arguments of {@link planQuery}. */
export interface PlanQueryOptions {
  /** One SELECT; tables are named `pool.table`. */
  readonly sql: string
  /** The job's pools with their policies. */
  readonly pools: readonly PlanPool[]
  /** What the grant covers; what it does not mention it does not restrict. */
  readonly grant?: Grant
  /** What the job may spend in each pool. */
  readonly budget: JobBudget
  /** Values of `$1`, `$2`, ... */
  readonly parameters?: readonly ParameterValue[]
}

/**
 * Plans a query under differential privacy, before any data is touched: parses, binds to the policies' schemas,
 * checks what the policies and the grant allow, bounds each contributor, chooses the noise and states the charge.
 *
 * The guarantee of a run of the plan: for any two data sets that differ in all rows of one contributor, the
 * probability of every answer differs by at most a factor of exp(epsilon) (pure differential privacy, delta 0).
 *
 * @param options statement, pools, grant, budget (epsilon without a unit, at least 1e-6)
 * @returns the plan, as plain JSON
 * @throws QueryError with a `code` and a place in the statement; both depend on text, policies and budget alone
 * @example
 * ```ts no-run
 * const plan = await planQuery({
 *   sql: 'SELECT sector, avg(wage) AS mean_wage FROM pay.workers GROUP BY sector',
 *   pools: [{ name: 'pay', address: '0x…', policy }],
 *   budget: { epsilon: 1, delta: 0 },
 * })
 * ```
 */
export async function planQuery(options: PlanQueryOptions): Promise<QueryPlan> {
  const catalogue = makeCatalogue(options.pools)
  const syntax = await parseSelect(options.sql)
  const bound = bindSelect(syntax, {
    catalogue,
    grant: options.grant ?? {},
    parameters: options.parameters ?? [],
  })
  const pools = catalogue.pools.filter((pool) => bound.sources.some((source) => source.pool === pool))
  const nano = checkBudget(options.budget, pools)
  return planBound(bound, pools, nano)
}

function planBound(bound: BoundSelect, pools: readonly PlanPool[], nano: number): QueryPlan {
  const rules = pools.map(({ policy }) => policy.privacy)
  const groups = bound.keys.reduce((product, key) => product * key.values.length, 1)
  if (groups > Math.min(...rules.map((rule) => rule.maximumGroups))) {
    throw new QueryError('TOO_MANY_GROUPS', 'GROUP BY')
  }
  const rows = rowsPerContributor(bound.sources)
  const draft = draftStatistics(bound.aggregates, rows, groups)
  const shares = splitEpsilon(
    nano,
    draft.statistics.map(({ weight }) => weight),
  )
  const statistics = draft.statistics.map(({ sensitivity }, position): StatisticPlan => {
    const epsilonNano = shares[position] ?? 0
    if (epsilonNano < 1) throw new QueryError('BUDGET_INVALID', 'budget')
    return {
      mechanism: 'discrete-laplace',
      sensitivity: String(sensitivity),
      epsilonNano,
      scale: { numerator: String(sensitivity * BigInt(nanoEpsilon)), denominator: String(epsilonNano) },
    }
  })
  const columns = bound.columns.map(({ name, value }) => {
    const aggregate = value.kind === 'aggregate' ? draft.aggregates[value.aggregate] : undefined
    return { name, kind: aggregate?.kind ?? 'key', value } as const
  })
  return {
    format: 'sealpool/query-plan',
    version: 1,
    // Every pool of the statement is charged in full: a contributor's rows in either of them could be what is seen.
    pools: pools.map(({ name, address }) => ({
      name,
      address,
      charge: { epsilon: nano / nanoEpsilon, delta: 0 },
    })),
    reached: bound.reached,
    program: {
      sources: bound.sources.map(({ pool, table }) => ({
        pool: pool.name,
        table: table.name,
        rows: table.rowsPerContributor,
      })),
      where: bound.where,
      keys: bound.keys.map(({ program }) => program),
      statistics: draft.statistics.map(({ program }) => program),
    },
    keys: bound.keys.map(({ values }) => ({ values })),
    groups,
    statistics,
    aggregates: draft.aggregates,
    columns,
    having: bound.having,
    orderBy: bound.orderBy,
    limit: bound.limit,
    offset: bound.offset,
    minimumContributors: {
      statistic: draft.contributors,
      minimum: Math.max(...rules.map((rule) => rule.minimumContributors)),
    },
    privacy: { neighbours: 'one-contributor', rowsPerContributor: rows, epsilonNano: nano, delta: 0 },
    expectedErrors: columns.flatMap(({ name, value }) => {
      const aggregate = value.kind === 'aggregate' ? draft.aggregates[value.aggregate] : undefined
      return aggregate === undefined ? [] : [expectError(name, aggregate, statistics)]
    }),
  }
}

/** Each of a contributor's rows in one table meets each of its rows in the other. */
function rowsPerContributor(sources: readonly CatalogueTable[]): number {
  const rows = sources.reduce((product, { table }) => product * table.rowsPerContributor, 1)
  if (!Number.isSafeInteger(rows)) throw new QueryError('JOIN_NOT_ALLOWED', 'FROM')
  return rows
}
