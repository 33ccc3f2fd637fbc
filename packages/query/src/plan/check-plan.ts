import * as z from 'zod'
import { nanoEpsilon } from '../enforce/budget.js'
import { QueryError } from '../errors.js'
import type { QueryPlan } from './plan.js'

const count = z.int().min(0)
const whole = z.string().regex(/^-?[0-9]{1,38}$/)
const positive = z.string().regex(/^[1-9][0-9]{0,37}$/)

/** The parts of a plan that its privacy rests on; expressions are checked where they are printed. */
const planShape = z.looseObject({
  format: z.literal('sealpool/query-plan'),
  version: z.literal(1),
  pools: z
    .array(
      z.looseObject({
        name: z.string(),
        charge: z.strictObject({ epsilon: z.number(), delta: z.literal(0) }),
      }),
    )
    .min(1),
  program: z.looseObject({
    sources: z.array(z.strictObject({ pool: z.string(), table: z.string(), rows: z.int().min(1) })).min(1),
    keys: z.array(z.unknown()),
    statistics: z.array(z.looseObject({ kind: z.enum(['rows', 'contributors', 'matching', 'sum']) })).min(1),
  }),
  keys: z.array(
    z.strictObject({
      values: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1),
    }),
  ),
  groups: z.int().min(1),
  statistics: z.array(
    z.strictObject({
      mechanism: z.literal('discrete-laplace'),
      sensitivity: positive,
      epsilonNano: z.int().min(1),
      scale: z.strictObject({ numerator: positive, denominator: positive }),
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
        decimals: count.max(18),
      }),
    ]),
  ),
  columns: z.array(z.looseObject({ name: z.string() })).min(1),
  limit: count.nullable(),
  offset: count,
  minimumContributors: z.strictObject({ statistic: count, minimum: z.int().min(1) }),
  privacy: z.looseObject({ rowsPerContributor: z.int().min(1), epsilonNano: z.int().min(1) }),
})

/**
 * Checks that a plan, which may have been stored or sent, hangs together: every statistic has noise of its
 * sensitivity and share, the shares are within what is charged, and rows are bounded as stated.
 *
 * @throws QueryError `PLAN_INVALID` with the part that does not fit
 */
export function checkPlan(plan: QueryPlan): QueryPlan {
  const shape = planShape.safeParse(plan)
  if (!shape.success) throw new QueryError('PLAN_INVALID', shape.error.issues[0]?.path.join('.') || 'plan')
  const require = (holds: boolean, place: string): void => {
    if (!holds) throw new QueryError('PLAN_INVALID', place)
  }
  const { program, statistics, privacy, keys } = plan
  require(program.statistics.length === statistics.length, 'statistics')
  require(program.keys.length === keys.length, 'keys')
  require(plan.groups === keys.reduce((product, key) => product * key.values.length, 1), 'groups')
  const rows = program.sources.reduce((product, source) => product * source.rows, 1)
  require(privacy.rowsPerContributor === rows, 'privacy.rowsPerContributor')
  statistics.forEach((statistic, position) => {
    const place = `statistics.${position}`
    const { sensitivity, epsilonNano, scale } = statistic
    const numerator = BigInt(sensitivity) * BigInt(nanoEpsilon)
    require(numerator * BigInt(scale.denominator) === BigInt(scale.numerator) * BigInt(epsilonNano), place)
    const counted = program.statistics[position]?.kind
    if (counted === 'rows' || counted === 'matching') require(BigInt(sensitivity) === BigInt(rows), place)
    if (counted === 'contributors') {
      require(BigInt(sensitivity) === BigInt(Math.min(rows, plan.groups)), place)
    }
  })
  const spent = statistics.reduce((sum, { epsilonNano }) => sum + epsilonNano, 0)
  require(spent <= privacy.epsilonNano, 'privacy.epsilonNano')
  for (const { charge } of plan.pools) {
    require(Math.round(charge.epsilon * nanoEpsilon) >= privacy.epsilonNano, 'pools.charge')
  }
  for (const { pool } of program.sources) {
    require(plan.pools.some(({ name }) => name === pool), 'pools')
  }
  require(plan.minimumContributors.statistic < statistics.length, 'minimumContributors')
  return plan
}
