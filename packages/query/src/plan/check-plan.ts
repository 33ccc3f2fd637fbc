import { zcdpEpsilon } from '@sealpool/privacy'
import * as z from 'zod'
import type { PlanPool } from '../catalogue/catalogue.js'
import { nanoEpsilon, picoRho } from '../enforce/budget.js'
import type { Grant } from '../enforce/grant.js'
import { QueryError } from '../errors.js'
import { contributorWork, mostWork } from '../type/contributor-work.js'
import { blockRowBound, hasFirstRows, tablesOf } from '../type/relation.js'
import { type QueryPlan, type ReleasePlan, releasesOf, type StatisticPlan, spentRho } from './plan.js'
import { isDeep } from './plan-depth.js'
import { policyDigestOf } from './plan-digest.js'

const count = z.int().min(0)
const whole = z.string().regex(/^-?[0-9]{1,60}$/)
const positive = z.string().regex(/^[1-9][0-9]{0,59}$/)
const squares = z.string().regex(/^[1-9][0-9]{0,159}$/)
const decimals = count.max(18)
const spread = z.strictObject({ population: z.boolean(), root: z.boolean() })
const moment = z.strictObject({
  sum: count,
  squares: count,
  squareCentre: whole,
  half: whole,
  centre: whole,
  decimals,
})

const releaseShape = z.looseObject({
  program: z.looseObject({
    sources: z.array(z.strictObject({ pool: z.string(), table: z.string(), rows: z.int().min(1) })).min(1),
    from: z.array(z.looseObject({ relation: z.looseObject({ kind: z.string() }) })).min(1),
    unit: count,
    keys: z.array(z.unknown()),
    statistics: z
      .array(
        z.looseObject({
          kind: z.enum([
            'rows',
            'contributors',
            'first-rows',
            'matching',
            'sum',
            'distinct-sum',
            'distinct',
            'bins',
          ]),
        }),
      )
      .min(1),
    bounding: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('rank') }),
      z.strictObject({ kind: z.literal('groups'), groups: z.int().min(1), rows: z.int().min(1) }),
    ]),
  }),
  keys: z.array(
    z.strictObject({
      values: z
        .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .min(1)
        .nullable(),
    }),
  ),
  sets: z.array(z.array(count)).min(1).max(64),
  groups: z.int().min(1),
  statistics: z.array(
    z.strictObject({
      mechanism: z.enum(['discrete-laplace', 'discrete-gaussian', 'report-noisy-max', 'partition-selection']),
      sensitivity: positive,
      squaredSensitivity: squares.optional(),
      epsilonNano: count,
      rhoPico: z.int().min(1).optional(),
      scale: z.strictObject({ numerator: squares, denominator: positive }),
      delta: z.number().gt(0).lt(1).optional(),
    }),
  ),
  aggregates: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('count'), statistic: count }),
      z.strictObject({
        kind: z.enum(['sum', 'average']),
        sum: count.nullable(),
        count,
        centre: whole,
        low: whole,
        high: whole,
        decimals,
      }),
      z.strictObject({
        kind: z.literal('variance'),
        sum: count,
        squares: count,
        count,
        squareCentre: whole,
        half: whole,
        decimals,
        spread,
      }),
      z.strictObject({
        kind: z.literal('pair'),
        name: z.enum(['corr', 'covar_pop', 'covar_samp', 'regr_slope', 'regr_intercept']),
        count,
        x: moment,
        y: moment,
        products: count,
      }),
      z.strictObject({
        kind: z.literal('quantile'),
        bins: count,
        numerator: count,
        denominator: z.int().min(1),
        low: whole,
        high: whole,
        width: positive,
        decimals,
      }),
    ]),
  ),
  minimumContributors: z.strictObject({ statistic: count, minimum: z.int().min(1) }),
  rowsPerContributor: z.int().min(1),
})

/** The parts of a plan that its privacy rests on, except expressions: that a sum's terms stay within its reach is the planner's word. */
const planShape = releaseShape.extend({
  format: z.literal('sealpool/query-plan'),
  version: z.literal(1),
  pools: z
    .array(
      z.looseObject({
        name: z.string(),
        address: z.string(),
        policy: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        charge: z.strictObject({
          epsilon: z.number(),
          delta: z.number().min(0).lt(1),
          zcdp: z.strictObject({ rho: z.number().min(0), delta: z.number().min(0).lt(1) }).optional(),
        }),
      }),
    )
    .min(1),
  leaves: z.array(z.string()).min(1),
  reached: z.array(z.string()),
  further: z.array(releaseShape).max(32),
  input: z.looseObject({ kind: z.enum(['release', 'stage', 'union', 'single']) }),
  columns: z.array(z.looseObject({ name: z.string() })).min(1),
  limit: count.nullable(),
  offset: count,
  output: z
    .strictObject({
      maximumRows: z.int().min(1).nullable(),
      significantDigits: z.int().min(1).max(15).nullable(),
    })
    .optional(),
  purpose: z.string().optional(),
  privacy: z.looseObject({
    rowsPerContributor: z.int().min(1),
    epsilonNano: z.int().min(1),
    rhoPico: z.int().min(1).optional(),
    delta: z.number().min(0).lt(1),
  }),
})

type Require = (holds: boolean, place: string) => void

/** What a plan is held against besides its own parts. */
export interface PlanToday {
  /** The pools with their policies, and the tables that hold data, as they are now; without it a plan is taken under its own policies. */
  readonly pools?: readonly PlanPool[]
  /** The grant as it is now; without it a plan is taken under the grant that it was made under. */
  readonly grant?: Grant
  /** Digest of the plan's statement (`templateDigest`), which is not in the plan: needed for grants of approved statements. */
  readonly template?: string
}

/** A member that is there and undefined, such as the grant that a map does not hold, is no leave to go without. */
const todayShape = z.looseObject({
  pools: z.exactOptional(
    z.array(
      z.looseObject({
        name: z.string(),
        address: z.string(),
        policy: z.looseObject({}),
        populated: z.exactOptional(z.array(z.string())),
      }),
    ),
  ),
  grant: z.exactOptional(
    z.looseObject({
      tables: z.exactOptional(z.array(z.string())),
      columns: z.exactOptional(z.array(z.string())),
      templates: z.exactOptional(z.array(z.string())),
    }),
  ),
  template: z.exactOptional(z.string()),
})

/**
 * Checks that a plan, which may have been stored or sent, hangs together: every statistic has noise of its
 * sensitivity and share, the shares are within what is charged, and rows and work are bounded as they are bounded today. Ranges of
 * expressions are not derived again: a plan of somebody who is not trusted is made anew from its statement and compared by its digest.
 *
 * @param plan - a plan of any origin
 * @param now - pools and grant of today; what is not given is not held against the plan
 * @returns the same plan
 * @throws QueryError `PLAN_INVALID` with the part that does not fit, `PLAN_OUTDATED` when a pool of the plan is not among `pools` under
 *   the same name, address (upper and lower case are one) and policy; as in planning `TABLE_NOT_POPULATED`, `TABLE_NOT_GRANTED`,
 *   `COLUMN_NOT_GRANTED` and `TEMPLATE_NOT_APPROVED`; `POOLS_INVALID` for what are no pools and no grant,
 *   undefined as well
 */
export function checkPlan(plan: QueryPlan, now: PlanToday = {}): QueryPlan {
  const shape = planShape.safeParse(plan)
  if (!shape.success) throw new QueryError('PLAN_INVALID', shape.error.issues[0]?.path.join('.') || 'plan')
  try {
    checkParts(plan)
  } catch (error) {
    if (error instanceof QueryError) throw error
    // What is no plan inside of the parts that the shape leaves open, such as a nested query without FROM.
    throw new QueryError('PLAN_INVALID', 'plan', { cause: error })
  }
  const today = todayShape.safeParse(now)
  if (!today.success) throw new QueryError('POOLS_INVALID', today.error.issues[0]?.path.join('.') || 'pools')
  if (now.pools !== undefined) checkPools(plan, now.pools)
  checkGrant(plan, now)
  return plan
}

function checkPools(plan: QueryPlan, pools: readonly PlanPool[]): void {
  for (const { name, address, policy } of plan.pools) {
    const today = pools.find(
      (pool) => pool.name === name && pool.address.toLowerCase() === address.toLowerCase(),
    )
    if (today === undefined || policyDigestOf(today) !== policy)
      throw new QueryError('PLAN_OUTDATED', `pools.${name}`)
    const { populated } = today
    const empty = plan.leaves.find(
      (leaf) => leaf.startsWith(`${name}.`) && populated?.includes(leaf.slice(name.length + 1)) === false,
    )
    if (empty !== undefined) throw new QueryError('TABLE_NOT_POPULATED', empty)
  }
}

function checkGrant({ leaves, reached }: QueryPlan, { grant = {}, template }: PlanToday): void {
  const table = leaves.find((leaf) => grant.tables?.includes(leaf) === false)
  if (table !== undefined) throw new QueryError('TABLE_NOT_GRANTED', table)
  const column = reached.find((name) => grant.columns?.includes(name) === false)
  if (column !== undefined) throw new QueryError('COLUMN_NOT_GRANTED', column)
  const approved = template !== undefined && grant.templates?.includes(template) === true
  if (grant.templates !== undefined && !approved) throw new QueryError('TEMPLATE_NOT_APPROVED', 'template')
}

function checkParts(plan: QueryPlan): void {
  const require: Require = (holds, place) => {
    if (!holds) throw new QueryError('PLAN_INVALID', place)
  }
  require(!isDeep(plan), 'plan')
  const releases = releasesOf(plan)
  // A plan of an earlier planner may have been made under wider bounds.
  const work = releases.reduce((sum, release) => sum + contributorWork(release.program), 0)
  require(work <= mostWork, 'program')
  for (const release of releases) checkRelease(release, plan.privacy.rhoPico !== undefined, require)
  const spent = (parts: readonly ReleasePlan[]) =>
    parts.reduce(
      (sum, { statistics }) => sum + statistics.reduce((part, entry) => part + entry.epsilonNano, 0),
      0,
    )
  const { rhoPico } = plan.privacy
  if (rhoPico === undefined) require(spent(releases) <= plan.privacy.epsilonNano, 'privacy.epsilonNano')
  const rows = Math.max(...releases.map(({ rowsPerContributor }) => rowsPerContributor))
  require(plan.privacy.rowsPerContributor === rows, 'privacy.rowsPerContributor')
  const delta = releases
    .flatMap(({ statistics }) => statistics)
    .reduce((sum, entry) => sum + (entry.delta ?? 0) * Number(entry.sensitivity), 0)
  require(delta <= plan.privacy.delta * (1 + 1e-9), 'privacy.delta')
  if (rhoPico !== undefined) {
    require(spentRho(releases) <= rhoPico, 'privacy.rhoPico')
    const rest = plan.privacy.delta - delta
    const epsilon = plan.privacy.epsilonNano / nanoEpsilon
    // What rho and the delta that selection leaves imply is what is promised.
    require(rest > 0, 'privacy.rhoPico')
    require(zcdpEpsilon({ rho: rhoPico / picoRho, delta: rest }) <= epsilon, 'privacy.rhoPico')
  }
  for (const { name, charge } of plan.pools) {
    const reaching = releases.filter(({ program }) => program.sources.some(({ pool }) => pool === name))
    require(charge.delta >= plan.privacy.delta, 'pools.charge')
    require((charge.zcdp === undefined) === (rhoPico === undefined), 'pools.charge')
    if (charge.zcdp !== undefined && rhoPico !== undefined) {
      const least = reaching.length === releases.length ? rhoPico : spentRho(reaching)
      require(Math.round(charge.zcdp.rho * picoRho) >= least, 'pools.charge')
      require(delta <= charge.zcdp.delta * (1 + 1e-9), 'pools.charge')
      require(Math.round(charge.epsilon * nanoEpsilon) >= plan.privacy.epsilonNano, 'pools.charge')
      continue
    }
    require(Math.round(charge.epsilon * nanoEpsilon) >= spent(reaching), 'pools.charge')
    if (reaching.length === releases.length) {
      require(Math.round(charge.epsilon * nanoEpsilon) >= plan.privacy.epsilonNano, 'pools.charge')
    }
  }
  for (const { program } of releases) {
    for (const { pool, table } of program.sources) {
      require(plan.pools.some(({ name }) => name === pool), 'pools')
      require(plan.leaves.includes(`${pool}.${table}`), 'leaves')
    }
  }
}

/** Whether a statistic's noise is that of its sensitivity and of its share. */
function checkNoise(statistic: StatisticPlan, zcdp: boolean, require: (holds: boolean) => void): void {
  const { mechanism, sensitivity, squaredSensitivity, epsilonNano, rhoPico, scale } = statistic
  require((rhoPico !== undefined) === zcdp)
  const gaussian = mechanism === 'discrete-gaussian'
  require((squaredSensitivity !== undefined) === gaussian)
  const [above, below] = [BigInt(scale.numerator), BigInt(scale.denominator)]
  if (gaussian) {
    require(epsilonNano === 0)
    const [square, rho] = [BigInt(squaredSensitivity ?? 0), BigInt(rhoPico ?? 0)]
    require(square * BigInt(picoRho) * below === above * 2n * rho)
    return
  }
  require(BigInt(sensitivity) * BigInt(nanoEpsilon) * below === above * BigInt(epsilonNano))
  if (rhoPico === undefined) return
  require(mechanism !== 'discrete-laplace')
  // epsilon^2 / 2, from billionths to 1e-12.
  require(BigInt(epsilonNano) ** 2n <= 2_000_000n * BigInt(rhoPico))
}

function checkRelease(release: ReleasePlan, zcdp: boolean, require: Require): void {
  const { program, statistics, keys, sets } = release
  require(program.statistics.length === statistics.length, 'statistics')
  require(program.keys.length === keys.length, 'keys')
  require(sets.every((set) => set.every((key) => key < keys.length)), 'sets')
  const open = keys.some(({ values }) => values === null)
  program.keys.forEach((key, position) => {
    require('open' in key === (keys[position]?.values === null), 'keys')
  })
  const sizes = sets.map((set) => set.reduce((product, key) => product * (keys[key]?.values?.length ?? 1), 1))
  if (!open) require(release.groups === sizes.reduce((sum, size) => sum + size, 0), 'groups')
  const read = tablesOf([program.from, program.where, program.keys, program.statistics])
  const listed = JSON.stringify(program.sources)
  require(JSON.stringify(read.map(({ pool, table, rows }) => ({ pool, table, rows }))) === listed, 'sources')
  const rows = blockRowBound(program)
  require(release.rowsPerContributor === rows, 'rowsPerContributor')
  const { bounding } = program
  const exact = bounding.kind === 'groups' ? bounding : null
  const most = sets.reduce((sum, set, index) => {
    const unknown = set.some((key) => keys[key]?.values === null)
    const groups = Math.min(rows, unknown ? rows : (sizes[index] ?? 1))
    return sum + (exact === null ? groups : Math.min(exact.groups, groups))
  }, 0)
  const weight = exact === null ? rows * sets.length : Math.min(rows * sets.length, most * exact.rows)
  const squaredWeight = sets.reduce((sum, set, index) => {
    if (exact === null) return sum + BigInt(rows) ** 2n
    const unknown = set.some((key) => keys[key]?.values === null)
    const groups = Math.min(exact.groups, rows, unknown ? rows : (sizes[index] ?? 1))
    return sum + BigInt(exact.rows) * BigInt(Math.min(rows, groups * exact.rows))
  }, 0n)
  statistics.forEach((statistic, position) => {
    const place = `statistics.${position}`
    const { sensitivity, mechanism } = statistic
    checkNoise(statistic, zcdp, (holds) => require(holds, place))
    const gaussian = mechanism === 'discrete-gaussian'
    const square = BigInt(statistic.squaredSensitivity ?? 0)
    const entry = program.statistics[position]
    const counted = entry?.kind
    require((mechanism === 'report-noisy-max') === (counted === 'bins'), place)
    require((mechanism === 'partition-selection') === (statistic.delta !== undefined), place)
    if (counted === 'rows' || counted === 'matching') require(BigInt(sensitivity) >= BigInt(weight), place)
    if (gaussian && (counted === 'rows' || counted === 'matching' || counted === 'distinct')) {
      require(square >= squaredWeight, place)
    }
    if (gaussian && counted === 'first-rows') require(square >= BigInt(sets.length), place)
    if (gaussian && counted === 'contributors') require(square >= BigInt(most), place)
    if (counted === 'first-rows') {
      // One row of each contributor in each set, as long as every relation has a rank.
      require(hasFirstRows(program.from), place)
      require(BigInt(sensitivity) >= BigInt(sets.length), place)
    }
    if (counted === 'contributors') require(BigInt(sensitivity) >= BigInt(most), place)
    if (entry?.kind === 'sum' || entry?.kind === 'distinct-sum') {
      require(exact === null || counted === 'sum', place)
      require(/^[1-9][0-9]{0,59}$/.test(entry.reach) &&
        BigInt(sensitivity) >= BigInt(entry.reach) * BigInt(weight), place)
      if (gaussian) require(square >= BigInt(entry.reach) ** 2n * squaredWeight, place)
    }
    if (counted === 'bins') {
      // A row moves the target rank, or the rank of a bin, by at most max(p, 1 - p); one choice is one quantile's.
      const [quantile, another] = release.aggregates.flatMap((aggregate) =>
        aggregate.kind === 'quantile' && aggregate.bins === position ? [aggregate] : [],
      )
      const { numerator = 0, denominator = 1 } = quantile ?? {}
      require(exact === null && another === undefined && numerator <= denominator, place)
      const step = BigInt(Math.max(numerator, denominator - numerator))
      require(BigInt(sensitivity) >= 2n * step * BigInt(weight), place)
    }
    if (counted === 'distinct') require(exact === null && BigInt(sensitivity) >= BigInt(weight), place)
  })
  const selection = statistics[release.minimumContributors.statistic]
  require(selection !== undefined, 'minimumContributors')
  require((selection?.mechanism === 'partition-selection') === open, 'minimumContributors')
}
