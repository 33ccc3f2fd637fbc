import { outputRuleOf } from '@sealpool/privacy'
import { type BoundQuery, type BoundRelease, type BoundStage, bindQuery } from '../bind/bind.js'
import type { ParameterValue } from '../bind/environment.js'
import type { Released } from '../bind/released.js'
import { makeCatalogue, type PlanPool, type PublicTable } from '../catalogue/catalogue.js'
import { checkBudget, type JobBudget, nanoEpsilon, picoRho } from '../enforce/budget.js'
import { checkTemplateGrant, type Grant } from '../enforce/grant.js'
import { checkPurpose } from '../enforce/purpose.js'
import { QueryError } from '../errors.js'
import { parseSelect } from '../parse/parse.js'
import type { SqlGrammar } from '../parse/sql-grammar.js'
import { requireLittleWork } from '../type/contributor-work.js'
import { requireSmall } from '../type/printed-size.js'
import { hasFirstRows, tablesOf } from '../type/relation.js'
import { expectError } from './expected-error.js'
import { type ColumnKind, type QueryPlan, type ReleasePlan, type StatisticPlan, spentRho } from './plan.js'
import { isDeep } from './plan-depth.js'
import { policyDigestOf, syntaxDigest } from './plan-digest.js'
import type { Bounding, Program } from './program.js'
import { splitEpsilon, splitRho } from './split.js'
import { affordableRho, hideByEpsilon, hideByRho } from './statistic-noise.js'
import { type Draft, draftStatistics } from './statistics.js'

/** How a contributor's weight is bounded exactly, instead of by the rows that tables keep of each. */
export interface ContributionBounds {
  /** Most groups that one contributor counts in; others of its groups are left out, chosen by a hash. */
  readonly groups: number
  /** Most rows of one contributor that weigh in one group. */
  readonly rows: number
}

/** Arguments of {@link planQuery}. */
export interface PlanQueryOptions {
  /** One SELECT; tables are named `pool.table`. */
  readonly sql: string
  /** The job's pools with their policies. */
  readonly pools: readonly PlanPool[]
  /** Public tables that may be joined, grouped by and compared with. */
  readonly publicTables?: readonly PublicTable[]
  /** What the grant covers; what it does not mention it does not restrict. */
  readonly grant?: Grant
  /** What the job may spend in each pool. */
  readonly budget: JobBudget
  /** What the answer is for, as the policies of all pools of the statement list it. */
  readonly purpose?: string
  /** Values of `$1`, `$2`, ... */
  readonly parameters?: readonly ParameterValue[]
  /**
   * What decides whether a group is shown. `contributors` (the default) counts those that are in it, which costs a look at
   * every contributor of every group; `first-rows` counts those whose first stored row is in it, which is cheap, exact to
   * one in its noise, and stricter where contributors have many rows. It concerns tables and their inner joins.
   */
  readonly minimumBy?: 'contributors' | 'first-rows'
  /**
   * Which noise, where all pools of the statement have zCDP accounting and the budget has a delta; elsewhere noise is Laplace.
   * `gaussian` (the default there) costs the pools much less for the same (epsilon, delta) and is less noise for many numbers;
   * `laplace` is less noise for few.
   */
  readonly noise?: 'gaussian' | 'laplace'
  /** PostgreSQL's grammar. In Node the installed one is used when absent; a browser has none of its own, see `openSqlGrammar`. */
  readonly grammar?: SqlGrammar
  /** Exact bounding: more work for the engine and less noise where few have many rows. */
  readonly bounds?: ContributionBounds
}

/**
 * Plans a query under differential privacy, before any data is touched: parses, binds to the policies' schemas,
 * checks what the policies and the grant allow, bounds each contributor, chooses the noise and states the charge.
 *
 * The guarantee of a run of the plan: for any two data sets that differ in all rows of one contributor, the
 * probability of every set of answers differs by at most a factor of exp(epsilon), and by delta where the statement groups
 * by names that are not public (delta is 0 otherwise).
 *
 * @param options statement, pools, grant, budget (epsilon without a unit, at least 1e-6)
 * @returns the plan, as plain JSON
 * @throws QueryError with a `code` and a place in the statement; both depend on text, policies, public tables and budget alone
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
  const catalogue = makeCatalogue(options.pools, options.publicTables)
  const syntax = await parseSelect(options.sql, options.grammar)
  checkTemplateGrant(options.grant ?? {}, () => syntaxDigest(syntax))
  const bound = bindQuery(syntax, {
    catalogue,
    grant: options.grant ?? {},
    parameters: options.parameters ?? [],
  })
  requireSmall(bound, 'statement', { start: 0, end: options.sql.length })
  const reached = new Set(bound.releases.flatMap(({ tables }) => tables.map(({ pool }) => pool)))
  const pools = catalogue.pools.filter((pool) => reached.has(pool))
  const purpose = options.purpose ?? null
  checkPurpose(purpose, pools)
  const nano = checkBudget(options.budget, pools)
  const bounding = checkBounds(options.bounds)
  const firstRows = options.minimumBy === 'first-rows'
  const plan = planBound(
    bound,
    pools,
    { nano, delta: options.budget.delta },
    { bounding, firstRows, purpose, gaussian: isGaussian(options, pools) },
  )
  requireLittleWork([plan.program, ...plan.further.map(({ program }) => program)], {
    start: 0,
    end: options.sql.length,
  })
  if (isDeep(plan)) throw new QueryError('TOO_DEEP', { start: 0, end: options.sql.length })
  return plan
}

/**
 * Whether noise is Gaussian: it has a price that only zCDP accounting can add up, and a delta that must be paid.
 *
 * @throws QueryError `BUDGET_INVALID` where Gaussian noise is asked for and cannot be
 */
function isGaussian({ noise, budget }: PlanQueryOptions, pools: readonly PlanPool[]): boolean {
  const can = budget.delta >= 1e-15 && pools.every(({ policy }) => policy.privacy.accounting === 'zcdp')
  if (noise === 'gaussian' && !can) throw new QueryError('BUDGET_INVALID', 'noise')
  return can && noise !== 'laplace'
}

function checkBounds(bounds: ContributionBounds | undefined): Bounding {
  if (bounds === undefined) return { kind: 'rank' }
  const { groups, rows } = bounds
  const fits = [groups, rows].every((value) => Number.isInteger(value) && value >= 1 && value <= 100_000)
  if (!fits) throw new QueryError('BOUNDS_INVALID', 'bounds')
  return { kind: 'groups', groups, rows }
}

interface Choices {
  readonly bounding: Bounding
  readonly firstRows: boolean
  readonly purpose: string | null
  readonly gaussian: boolean
}

interface DraftRelease {
  readonly bound: BoundRelease
  readonly draft: Draft
  readonly groups: number
  readonly bounding: Bounding
}

function planBound(
  bound: BoundQuery,
  pools: readonly PlanPool[],
  { nano, delta }: { readonly nano: number; readonly delta: number },
  choices: Choices,
): QueryPlan {
  const drafts = bound.releases.map((release) => draftRelease(release, choices))
  const selections = drafts.filter(({ bound: { keys } }) => isOpen(keys)).length
  if (selections > 0 && delta < 1e-15) throw new QueryError('GROUP_NOT_PUBLIC', 'budget.delta')
  // Half of delta is for what is selected, half for what Gaussian noise leaves open.
  const selectionDelta = selections === 0 ? 0 : choices.gaussian ? delta / 2 : delta
  const rhoPico = choices.gaussian ? affordableRho(nano, delta - selectionDelta) : null
  const weights = drafts.flatMap(({ draft }) => draft.statistics.map(({ weight }) => weight))
  const shares = rhoPico === null ? splitEpsilon(nano, weights) : splitRho(rhoPico, weights)
  let next = 0
  const releases = drafts.map((entry): ReleasePlan => {
    const mine = shares.slice(next, next + entry.draft.statistics.length)
    next += mine.length
    return planRelease(entry, mine, {
      delta: selectionDelta / Math.max(1, selections),
      zcdp: rhoPico !== null,
    })
  })
  const [first, ...further] = releases
  if (first === undefined) throw new QueryError('NO_AGGREGATE', 'statement')
  const { stage } = bound
  const kinds = stage.columns.map(({ value }) => kindOf(value, stage, releases))
  const columns = stage.columns.map(({ name, value }, index) => ({
    name,
    kind: kinds[index] ?? ('computed' as const),
    value,
  }))
  const spentDelta = selections > 0 || rhoPico !== null ? delta : 0
  const output = outputRuleOf(pools.map(({ policy }) => policy))
  return {
    format: 'sealpool/query-plan',
    version: 1,
    pools: pools.map(({ name, address, policy }) => {
      const own = { name, address, policy: policyDigestOf({ name, policy }) }
      const reaching = releases.filter(({ program }) => program.sources.some(({ pool }) => pool === name))
      // Every pool of a release is charged in full: a contributor's rows in any of them could be what is seen.
      const epsilonNano =
        reaching.length === releases.length
          ? nano
          : reaching.reduce(
              (sum, { statistics }) => sum + statistics.reduce((part, entry) => part + entry.epsilonNano, 0),
              0,
            )
      if (rhoPico === null)
        return { ...own, charge: { epsilon: epsilonNano / nanoEpsilon, delta: spentDelta } }
      const rho = reaching.length === releases.length ? rhoPico : spentRho(reaching)
      const zcdp = { rho: rho / picoRho, delta: selectionDelta }
      return { ...own, charge: { epsilon: nano / nanoEpsilon, delta: spentDelta, zcdp } }
    }),
    leaves: [
      ...new Set(
        releases.flatMap(({ program }) => program.sources.map(({ pool, table }) => `${pool}.${table}`)),
      ),
    ].sort(),
    reached: bound.reached,
    ...first,
    further,
    input: stage.input,
    columns,
    having: stage.having,
    orderBy: stage.orderBy,
    limit: stage.limit,
    offset: stage.offset,
    ...(output === null ? {} : { output }),
    ...(choices.purpose === null ? {} : { purpose: choices.purpose }),
    privacy: {
      neighbours: 'one-contributor',
      rowsPerContributor: Math.max(...releases.map(({ rowsPerContributor }) => rowsPerContributor)),
      epsilonNano: nano,
      ...(rhoPico === null ? {} : { rhoPico }),
      delta: spentDelta,
    },
    expectedErrors: columns.flatMap(({ name, value }) => {
      const release = stage.input.kind === 'release' ? releases[stage.input.release] : undefined
      const aggregate = value.kind === 'aggregate' ? release?.aggregates[value.aggregate] : undefined
      if (release === undefined || aggregate === undefined) return []
      const expected = expectError(name, aggregate, release.statistics)
      return expected === null ? [] : [expected]
    }),
  }
}

function isOpen(keys: BoundRelease['keys']): boolean {
  return keys.some(({ values }) => values === null)
}

function draftRelease(bound: BoundRelease, { bounding, firstRows }: Choices): DraftRelease {
  const rules = bound.tables.map(({ pool }) => pool.policy.privacy)
  const maximum = Math.min(...rules.map((rule) => rule.maximumGroups))
  const open = isOpen(bound.keys)
  const sizes = bound.sets.map((set) =>
    set.reduce((product, key) => product * (bound.keys[key]?.values?.length ?? 1), 1),
  )
  const groups = sizes.reduce((sum, size) => sum + size, 0)
  if (groups > maximum) throw new QueryError('TOO_MANY_GROUPS', 'GROUP BY')
  const sets = bound.sets.length
  // Without groups there is nothing to choose between: rows alone bound a contributor.
  const exact = bounding.kind === 'groups' && bound.keys.length > 0 ? bounding : null
  const most = (set: number) =>
    Math.min(
      bound.rows,
      open && bound.sets[set]?.some((key) => bound.keys[key]?.values === null)
        ? bound.rows
        : (sizes[set] ?? 1),
    )
  const inGroups =
    exact === null
      ? bound.sets.reduce((sum, _, set) => sum + most(set), 0)
      : bound.sets.reduce((sum, _, set) => sum + Math.min(exact.groups, most(set)), 0)
  const perGroup = exact === null ? bound.rows : Math.min(exact.rows, bound.rows)
  const rows = exact === null ? bound.rows * sets : Math.min(bound.rows * sets, inGroups * perGroup)
  if (!Number.isSafeInteger(rows)) throw new QueryError('JOIN_NOT_ALLOWED', 'FROM')
  const draft = draftStatistics(bound.aggregates, {
    rows,
    groups: inGroups,
    perGroup,
    squaredRows: bound.sets.reduce((sum, _, set) => {
      // Squares are largest where rows are heaped: all in one group, or as many in each as it may weigh.
      const heap = BigInt(perGroup)
      const spread =
        exact === null ? bound.rows : Math.min(bound.rows, Math.min(exact.groups, most(set)) * perGroup)
      return sum + heap * BigInt(spread)
    }, 0n),
    single: bound.rows === 1,
    open,
    firstRows: firstRows && hasFirstRows(bound.from) ? sets : null,
  })
  if (
    exact !== null &&
    draft.statistics.some(({ program }) => ['distinct', 'distinct-sum', 'bins'].includes(program.kind))
  ) {
    throw new QueryError('BOUNDS_INVALID', 'bounds')
  }
  return {
    bound,
    draft,
    groups: open ? maximum : groups,
    bounding: exact === null ? { kind: 'rank' } : { kind: 'groups', groups: exact.groups, rows: perGroup },
  }
}

function planRelease(
  { bound, draft, groups, bounding }: DraftRelease,
  shares: readonly number[],
  { delta, zcdp }: { readonly delta: number; readonly zcdp: boolean },
): ReleasePlan {
  const statistics = draft.statistics.map((drafted, position): StatisticPlan => {
    const share = shares[position] ?? 0
    const plan = zcdp ? hideByRho(drafted, share) : hideByEpsilon(drafted, share)
    if (plan.mechanism !== 'partition-selection') return plan
    const each = delta / Number(drafted.sensitivity)
    // Selection keeps 18 digits of delta and needs a part of epsilon that is worth a decision.
    if (each < 1e-17 || plan.epsilonNano / Number(drafted.sensitivity) < 1e5)
      throw new QueryError('BUDGET_INVALID', 'budget')
    return { ...plan, delta: each }
  })
  const block = { from: bound.from, unit: bound.unit, where: bound.where }
  const keys = bound.keys.map(({ program }) => program)
  const statisticPrograms = draft.statistics.map(({ program }) => program)
  const program: Program = {
    sources: tablesOf([block, keys, statisticPrograms]).map(({ pool, table, rows }) => ({
      pool,
      table,
      rows,
    })),
    ...block,
    keys,
    statistics: statisticPrograms,
    bounding,
  }
  return {
    program,
    keys: bound.keys.map(({ values }) => ({ values })),
    sets: bound.sets,
    groups,
    statistics,
    aggregates: draft.aggregates,
    minimumContributors: {
      statistic: draft.contributors,
      minimum: Math.max(...bound.tables.map(({ pool }) => pool.policy.privacy.minimumContributors)),
    },
    rowsPerContributor: bound.rows,
  }
}

function kindOf(value: Released, stage: BoundStage, releases: readonly ReleasePlan[]): ColumnKind {
  const { input } = stage
  if (input.kind === 'release') {
    if (value.kind === 'key') return 'key'
    if (value.kind === 'aggregate') {
      return releases[input.release]?.aggregates[value.aggregate]?.kind ?? 'computed'
    }
    return 'computed'
  }
  if (value.kind === 'scalar' && value.stage.columns[0] !== undefined) {
    return kindOf(value.stage.columns[0].value, value.stage, releases)
  }
  if (value.kind !== 'field') return 'computed'
  const inner = input.kind === 'stage' ? input.stage : input.kind === 'union' ? input.inputs[0] : undefined
  const column = inner?.columns[value.field]
  return inner === undefined || column === undefined ? 'computed' : kindOf(column.value, inner, releases)
}
