import { digestOf, type JsonValue } from '@sealpool/crypto'
import type { PoolPolicy } from '@sealpool/privacy'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Grant } from '../enforce/grant.js'
import type { QueryError } from '../errors.js'
import { testPools } from '../testing/pools.js'
import { checkPlan, type PlanToday } from './check-plan.js'
import type { QueryPlan, ReleasePlan, StatisticPlan } from './plan.js'
import { templateDigest } from './plan-digest.js'
import { type PlanQueryOptions, planQuery } from './plan-query.js'

type Changes = Partial<Omit<PlanQueryOptions, 'sql'>>
type Tamper = (plan: QueryPlan) => QueryPlan

const zcdp: PoolPolicy['privacy'] = {
  accounting: 'zcdp',
  epsilon: 6,
  delta: 1e-5,
  perJob: { epsilon: 4, delta: 1e-6 },
  minimumContributors: 1,
  maximumGroups: 200,
}
const laplace: Changes = { pools: testPools(), budget: { epsilon: 1, delta: 1e-6 } }
const gaussian: Changes = { pools: testPools({ privacy: zcdp }), budget: { epsilon: 2, delta: 1e-6 } }

const sectors = 'SELECT sector, avg(wage), count(*) FROM pay.workers GROUP BY sector'
const towns = 'SELECT town, sector, count(*) FROM pay.workers GROUP BY town, sector'
const zones = 'SELECT zone, count(*), count(miles), sum(miles) FROM trips.rides GROUP BY zone'
const joined =
  'SELECT gender, sum(wage) FROM pay.workers JOIN people.persons USING (contributor) GROUP BY gender'
const several = 'SELECT (SELECT count(*) FROM pay.workers) AS a, (SELECT count(*) FROM trips.rides) AS b'

/** A statistic with other numbers and the noise that belongs to them: only the check of those numbers can tell. */
function restated(statistic: StatisticPlan, changes: Partial<StatisticPlan>): StatisticPlan {
  const next = { ...statistic, ...changes }
  if (next.mechanism === 'discrete-gaussian') {
    const numerator = String(BigInt(next.squaredSensitivity ?? 0) * 10n ** 12n)
    return { ...next, scale: { numerator, denominator: String(2n * BigInt(next.rhoPico ?? 0)) } }
  }
  const numerator = String(BigInt(next.sensitivity) * 10n ** 9n)
  return { ...next, scale: { numerator, denominator: String(next.epsilonNano) } }
}

/** Changes the statistic that counts in this way. */
const statistic =
  (kind: string, change: (entry: StatisticPlan) => Partial<StatisticPlan>, restate = true): Tamper =>
  (plan) => ({
    ...plan,
    statistics: plan.statistics.map((entry, position) => {
      if (plan.program.statistics[position]?.kind !== kind) return entry
      return restate ? restated(entry, change(entry)) : { ...entry, ...change(entry) }
    }),
  })
const less = (amount: string) => String(BigInt(amount) - 1n)
const lessSensitive = (kind: string) =>
  statistic(kind, ({ sensitivity }) => ({ sensitivity: less(sensitivity) }))
const lessSquared = (kind: string) =>
  statistic(kind, ({ squaredSensitivity }) => ({ squaredSensitivity: less(squaredSensitivity ?? '1') }))
const privacy =
  (change: (privacy: QueryPlan['privacy']) => Partial<QueryPlan['privacy']>): Tamper =>
  (plan) => ({ ...plan, privacy: { ...plan.privacy, ...change(plan.privacy) } })
const charge =
  (change: (charge: QueryPlan['pools'][number]['charge']) => object, only?: string): Tamper =>
  (plan) => ({
    ...plan,
    pools: plan.pools.map((pool) =>
      only !== undefined && pool.name !== only
        ? pool
        : { ...pool, charge: { ...pool.charge, ...change(pool.charge) } },
    ),
  })
const further =
  (change: (release: ReleasePlan) => ReleasePlan): Tamper =>
  (plan) => ({ ...plan, further: plan.further.map(change) })
const program =
  (change: (program: QueryPlan['program']) => Partial<QueryPlan['program']>): Tamper =>
  (plan) => ({ ...plan, program: { ...plan.program, ...change(plan.program) } })

const exact = { bounds: { groups: 2, rows: 2 } }
const firstRows = { minimumBy: 'first-rows' } as const
const groupsBounding = program(() => ({ bounding: { kind: 'groups', groups: 3, rows: 3 } }))

/** What is changed, of which plan: a statement, its options, and the change. Each is held by one check alone. */
const tampered: Readonly<Record<string, readonly [string, Changes, Tamper]>> = {
  'shares that are more than epsilon': [
    sectors,
    laplace,
    privacy(({ epsilonNano }) => ({ epsilonNano: epsilonNano - 1000 })),
  ],
  'another number of rows of a contributor': [sectors, laplace, privacy(() => ({ rowsPerContributor: 2 }))],
  'the number of rows changed everywhere alike': [
    zones,
    laplace,
    (plan) => privacy(() => ({ rowsPerContributor: 2 }))({ ...plan, rowsPerContributor: 2 }),
  ],
  'less delta than selection takes': [towns, laplace, privacy(({ delta }) => ({ delta: delta / 2 }))],
  'less rho than the shares': [
    zones,
    gaussian,
    privacy(({ rhoPico = 0 }) => ({ rhoPico: Math.floor(rhoPico / 2) })),
  ],
  'more rho than epsilon implies': [
    zones,
    gaussian,
    privacy(({ epsilonNano }) => ({ epsilonNano: epsilonNano / 2 })),
  ],
  'no delta left for what Gaussian noise leaves open': [
    'SELECT town, count(*) FROM pay.workers GROUP BY town',
    gaussian,
    privacy(({ delta }) => ({ delta: delta / 2 })),
  ],
  'a charge of less delta': [towns, laplace, charge(({ delta }) => ({ delta: delta / 2 }))],
  'a charge without rho': [zones, gaussian, charge(() => ({ zcdp: undefined }))],
  'a charge of rho beside pure noise': [sectors, laplace, charge(() => ({ zcdp: { rho: 0, delta: 0 } }))],
  'a charge of less rho': [
    zones,
    gaussian,
    charge(({ zcdp: at }) => ({ zcdp: { rho: (at?.rho ?? 0) / 2, delta: at?.delta } })),
  ],
  'a charge of rho without the delta of selection': [
    towns,
    gaussian,
    charge(({ zcdp: at }) => ({ zcdp: { rho: at?.rho, delta: 0 } })),
  ],
  'a charge of less epsilon beside rho': [
    zones,
    gaussian,
    charge(({ epsilon }) => ({ epsilon: epsilon / 2 })),
  ],
  'a charge of less than the releases of a pool': [
    several,
    laplace,
    charge(({ epsilon }) => ({ epsilon: epsilon / 2 }), 'trips'),
  ],
  'a charge of the shares alone, where all releases read the pool': [
    sectors,
    laplace,
    (plan) => {
      const halved = statistic('sum', ({ epsilonNano }) => ({ epsilonNano: Math.floor(epsilonNano / 2) }))(
        plan,
      )
      const spent = halved.statistics.reduce((sum, { epsilonNano }) => sum + epsilonNano, 0)
      return charge(() => ({ epsilon: spent / 1e9 }))(halved)
    },
  ],
  'a pool that is read and not charged': [
    joined,
    laplace,
    (plan) => ({ ...plan, pools: plan.pools.filter(({ name }) => name !== 'people') }),
  ],
  'a table that is read and not listed': [
    joined,
    laplace,
    (plan) => ({ ...plan, leaves: plan.leaves.filter((leaf) => leaf !== 'people.persons') }),
  ],
  'a choice without a part of rho': [
    'SELECT median(bonus), count(*) FROM pay.workers',
    gaussian,
    statistic('bins', () => ({ rhoPico: undefined }) as object, false),
  ],
  'rho beside pure noise': [sectors, laplace, statistic('sum', () => ({ rhoPico: 1 }), false)],
  'an L2 sensitivity of Laplace noise': [
    sectors,
    laplace,
    statistic('sum', () => ({ squaredSensitivity: '1' }), false),
  ],
  'an epsilon of Gaussian noise': [zones, gaussian, statistic('sum', () => ({ epsilonNano: 1 }))],
  'less Gaussian noise than rho gives': [
    zones,
    gaussian,
    statistic('sum', ({ scale }) => ({ scale: { ...scale, denominator: `${scale.denominator}0` } }), false),
  ],
  'less Laplace noise than epsilon gives': [
    sectors,
    laplace,
    statistic('sum', ({ scale }) => ({ scale: { ...scale, denominator: `${scale.denominator}0` } }), false),
  ],
  'Laplace noise among Gaussian': [
    zones,
    gaussian,
    (plan) => ({
      ...plan,
      statistics: plan.statistics.map((entry, position) => {
        if (plan.program.statistics[position]?.kind !== 'rows') return entry
        const { squaredSensitivity: _, ...rest } = entry
        return restated(rest, { mechanism: 'discrete-laplace', epsilonNano: 1000 })
      }),
    }),
  ],
  'a choice of more epsilon than its rho': [
    'SELECT median(bonus), count(*) FROM pay.workers',
    gaussian,
    statistic('bins', ({ epsilonNano }) => ({ epsilonNano: epsilonNano * 2 })),
  ],
  'a statistic without noise': [
    sectors,
    laplace,
    (plan) => ({ ...plan, statistics: plan.statistics.slice(0, -1) }),
  ],
  'a key that the program has not': [
    sectors,
    laplace,
    (plan) => ({ ...plan, keys: [...plan.keys, { values: ['a', 'b'] }] }),
  ],
  'a grouping set of a key that is not there': [sectors, laplace, (plan) => ({ ...plan, sets: [[0, 9]] })],
  'a listed key as if it were open': [
    towns,
    laplace,
    (plan) => ({ ...plan, keys: plan.keys.map(() => ({ values: null })) }),
  ],
  'another number of groups': [sectors, laplace, (plan) => ({ ...plan, groups: plan.groups - 1 })],
  'other sources than are read': [
    zones,
    laplace,
    program(({ sources }) => ({ sources: sources.map((source) => ({ ...source, rows: 1 })) })),
  ],
  'a choice where a number is told': [
    sectors,
    laplace,
    statistic('sum', () => ({ mechanism: 'report-noisy-max' })),
  ],
  'a number where a choice is made': [
    'SELECT median(bonus), count(*) FROM pay.workers',
    laplace,
    statistic('bins', () => ({ mechanism: 'discrete-laplace' })),
  ],
  'a delta of a number': [towns, laplace, statistic('rows', () => ({ delta: 1e-12 }))],
  'selection without a delta': [
    towns,
    laplace,
    statistic('contributors', () => ({ delta: undefined }) as object),
  ],
  'selection that nobody makes': [
    towns,
    laplace,
    (plan) => ({ ...plan, minimumContributors: { ...plan.minimumContributors, statistic: 1 } }),
  ],
  'a minimum of nothing': [
    sectors,
    laplace,
    (plan) => ({ ...plan, minimumContributors: { ...plan.minimumContributors, statistic: 99 } }),
  ],
  'fewer rows of a contributor': [zones, laplace, lessSensitive('rows')],
  'fewer rows of a contributor that match': [zones, laplace, lessSensitive('matching')],
  'a smaller reach of a sum': [zones, laplace, lessSensitive('sum')],
  'a reach that is no number': [
    zones,
    laplace,
    program(({ statistics }) => ({
      statistics: statistics.map((entry) => (entry.kind === 'sum' ? { ...entry, reach: '-1' } : entry)),
    })),
  ],
  'fewer groups of a contributor': [zones, laplace, lessSensitive('contributors')],
  'fewer first rows': [
    'SELECT zone, count(*) FROM trips.rides GROUP BY ROLLUP (zone)',
    { ...laplace, ...firstRows },
    lessSensitive('first-rows'),
  ],
  'fewer bins': ['SELECT median(miles), count(*) FROM trips.rides', laplace, lessSensitive('bins')],
  'fewer distinct values': [
    'SELECT count(DISTINCT miles) FROM trips.rides',
    laplace,
    lessSensitive('distinct'),
  ],
  'a smaller reach of a sum of distinct values': [
    'SELECT zone, sum(DISTINCT miles) FROM trips.rides GROUP BY zone',
    laplace,
    lessSensitive('distinct-sum'),
  ],
  'smaller squares of a sum of distinct values': [
    'SELECT zone, sum(DISTINCT miles) FROM trips.rides GROUP BY zone',
    gaussian,
    lessSquared('distinct-sum'),
  ],
  'exact bounds of a sum of distinct values': [
    'SELECT zone, sum(DISTINCT miles) FROM trips.rides GROUP BY zone',
    laplace,
    (plan) => ({
      ...groupsBounding(plan),
      statistics: plan.statistics.map((entry, position) =>
        plan.program.statistics[position]?.kind === 'distinct-sum'
          ? restated(entry, { sensitivity: '999999999999' })
          : restated(entry, { sensitivity: '999999' }),
      ),
      program: {
        ...groupsBounding(plan).program,
        statistics: plan.program.statistics.map((entry) =>
          entry.kind === 'distinct' ? { kind: 'matching', when: { kind: 'truth', value: true } } : entry,
        ),
      },
    }),
  ],
  'fewer rows under exact bounds': [zones, { ...laplace, ...exact }, lessSensitive('rows')],
  'exact bounds that hold more': [
    zones,
    { ...gaussian, ...exact },
    program(() => ({ bounding: { kind: 'groups', groups: 2, rows: 3 } })),
  ],
  'bins of a quantile that moves further': [
    'SELECT median(miles), count(*) FROM trips.rides',
    laplace,
    (plan) => ({
      ...plan,
      aggregates: plan.aggregates.map((entry) =>
        entry.kind === 'quantile' ? { ...entry, numerator: 1, denominator: 100 } : entry,
      ),
    }),
  ],
  'bins of a high quantile that moves further': [
    'SELECT median(miles), count(*) FROM trips.rides',
    laplace,
    (plan) => ({
      ...plan,
      aggregates: plan.aggregates.map((entry) =>
        entry.kind === 'quantile' ? { ...entry, numerator: 99, denominator: 100 } : entry,
      ),
    }),
  ],
  'a quantile past the largest value': [
    'SELECT median(miles), count(*) FROM trips.rides',
    laplace,
    (plan) => ({
      ...plan,
      aggregates: plan.aggregates.map((entry) =>
        entry.kind === 'quantile' ? { ...entry, numerator: entry.denominator + 1 } : entry,
      ),
    }),
  ],
  'two quantiles of one choice': [
    'SELECT median(miles), count(*) FROM trips.rides',
    laplace,
    (plan) => ({ ...plan, aggregates: [...plan.aggregates, ...plan.aggregates] }),
  ],
  'exact bounds of distinct values': [
    'SELECT count(DISTINCT miles) FROM trips.rides',
    laplace,
    groupsBounding,
  ],
  'exact bounds of bins': ['SELECT median(miles) FROM trips.rides', laplace, groupsBounding],
  'smaller squares of rows': [zones, gaussian, lessSquared('rows')],
  'smaller squares of rows that match': [zones, gaussian, lessSquared('matching')],
  'smaller squares of a sum': [zones, gaussian, lessSquared('sum')],
  'smaller squares of contributors': [zones, gaussian, lessSquared('contributors')],
  'smaller squares of first rows': [
    'SELECT zone, count(*) FROM trips.rides GROUP BY ROLLUP (zone)',
    { ...gaussian, ...firstRows },
    lessSquared('first-rows'),
  ],
  'smaller squares of distinct values': [
    'SELECT count(DISTINCT miles) FROM trips.rides',
    gaussian,
    lessSquared('distinct'),
  ],
  'smaller squares under exact bounds': [zones, { ...gaussian, ...exact }, lessSquared('rows')],
  'a further release that is tampered with': [
    several,
    laplace,
    further((release) => ({
      ...release,
      statistics: release.statistics.map((entry) => restated(entry, { sensitivity: '1' })),
    })),
  ],
}

describe('a plan that was changed', () => {
  it.each(Object.entries(tampered))('is refused: %s', async (_, [sql, changes, tamper]) => {
    const made = await planQuery({
      sql,
      pools: testPools(),
      budget: { epsilon: 1, delta: 0 },
      ...changes,
    })
    expect(() => checkPlan(made)).not.toThrow()
    // As it would arrive from somewhere else.
    const changed = JSON.parse(JSON.stringify(tamper(made))) as QueryPlan
    expect(changed).not.toEqual(JSON.parse(JSON.stringify(made)))
    expect(() => checkPlan(changed)).toThrow(expect.objectContaining({ code: 'PLAN_INVALID' }))
  })
})

describe('a plan of another day', () => {
  const budget = { epsilon: 1, delta: 0 }
  const made = () => planQuery({ sql: joined, pools: testPools(), budget })
  const [pay, people, trips] = testPools()
  if (pay === undefined || people === undefined || trips === undefined) throw new Error('no pools')
  const changed = (change: (policy: PoolPolicy) => PoolPolicy) => [
    { ...pay, policy: change(pay.policy) },
    people,
  ]

  it('is taken under the policies that it was made under, whatever else is served', async () => {
    const plan = JSON.parse(JSON.stringify(await made())) as QueryPlan
    expect(checkPlan(plan, { pools: testPools() })).toBe(plan)
    expect(checkPlan(plan, { pools: [people, pay] })).toBe(plan)
    const undefinedMember = changed((policy) => ({ ...policy, output: undefined }) as unknown as PoolPolicy)
    expect(checkPlan(plan, { pools: undefinedMember })).toBe(plan)
    expect(plan.pools.map(({ policy }) => policy)).toEqual([
      digestOf(pay.policy as unknown as JsonValue),
      digestOf(people.policy as unknown as JsonValue),
    ])
  })

  it.each<[string, readonly (typeof pay)[]]>([
    [
      'fewer rows of each',
      changed((policy) => ({
        ...policy,
        tables: policy.tables.map((table) => ({ ...table, rowsPerContributor: 2 })),
      })),
    ],
    [
      'other clamps',
      changed((policy) => ({
        ...policy,
        tables: policy.tables.map((table) => ({
          ...table,
          columns: table.columns.map((column) => (column.name === 'wage' ? { ...column, max: 40 } : column)),
        })),
      })),
    ],
    [
      'a larger minimum',
      changed((policy) => ({ ...policy, privacy: { ...policy.privacy, minimumContributors: 2 } })),
    ],
    ['joins that are withdrawn', changed((policy) => ({ ...policy, joins: { allowed: false, with: [] } }))],
    ['a pool that is gone', [pay]],
    ['a pool at another address', [{ ...pay, address: `0x${'9'.repeat(40)}` }, people]],
    ['a pool of another name', [{ ...pay, name: 'wages' }, people]],
    ['no pools', []],
  ])('is outdated: %s', async (_, pools) => {
    const plan = await made()
    expect(() => checkPlan(plan, { pools })).toThrow(expect.objectContaining({ code: 'PLAN_OUTDATED' }))
    // Whoever names no pools of today takes it as it is.
    expect(checkPlan(plan)).toBe(plan)
  })

  it('is taken at its address in any case of letters', async () => {
    const mixed = { ...pay, address: `0xaB${'c'.repeat(38)}` }
    const plan = await planQuery({ sql: joined, pools: [mixed, people], budget })
    const lower = { ...mixed, address: mixed.address.toLowerCase() }
    expect(checkPlan(plan, { pools: [lower, people] })).toBe(plan)
    const made = await planQuery({ sql: joined, pools: [lower, people], budget })
    expect(checkPlan(made, { pools: [mixed, people] })).toBe(made)
  })

  it('is refused where a table holds no data today', async () => {
    const plan = await made()
    const [leaf = ''] = plan.leaves
    expect(plan.leaves).toHaveLength(2)
    const with_ = (populated: readonly string[]) => [{ ...pay, populated }, people]
    expect(leaf.startsWith('pay.')).toBe(true)
    expect(checkPlan(plan, { pools: with_(['workers', 'more']) })).toBe(plan)
    for (const populated of [[], ['pay.workers'], ['worker']]) {
      expect(() => checkPlan(plan, { pools: with_(populated) })).toThrow(
        expect.objectContaining({ code: 'TABLE_NOT_POPULATED', place: leaf }),
      )
    }
  })

  it('is refused where the grant of today does not cover it', async () => {
    const plan = await made()
    const template = await templateDigest(joined)
    const tables = [...plan.leaves]
    const columns = [...plan.reached]
    expect(columns.length).toBeGreaterThan(0)
    expect(checkPlan(plan, { grant: { tables, columns, templates: [template] }, template })).toBe(plan)
    const code = (grant: Grant, digest?: string) => {
      try {
        checkPlan(plan, { grant, ...(digest === undefined ? {} : { template: digest }) })
        return null
      } catch (error) {
        return (error as QueryError).code
      }
    }
    expect(code({})).toBeNull()
    expect(code({ tables: tables.slice(1) })).toBe('TABLE_NOT_GRANTED')
    expect(code({ columns: columns.slice(1) })).toBe('COLUMN_NOT_GRANTED')
    expect(code({ templates: [] }, template)).toBe('TEMPLATE_NOT_APPROVED')
    // Which statement it was made of is not in the plan: without being told it is none of the approved ones.
    expect(code({ templates: [template] })).toBe('TEMPLATE_NOT_APPROVED')
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['pools that are a text', { pools: 'x' }],
    ['pools that are null', { pools: null }],
    ['a pool that is null', { pools: [null] }],
    ['a pool without a policy', { pools: [{ name: 'pay', address: '0x' }] }],
    ['tables that are a text', { grant: { tables: 'pay.workers' } }],
    ['a grant that is null', { grant: null }],
    ['pools that are undefined', { pools: undefined }],
    ['a grant that is undefined', { grant: undefined }],
    ['tables that are undefined', { grant: { tables: undefined } }],
    ['columns that are undefined', { grant: { columns: undefined } }],
    ['templates that are undefined', { grant: { templates: undefined } }],
    ['a statement that is undefined', { template: undefined }],
    ['tables with data that are undefined', { pools: [{ ...pay, populated: undefined }, people] }],
  ])('is not held against %s', async (_, today) => {
    const plan = await made()
    expect(() => checkPlan(plan, today as PlanToday)).toThrow(
      expect.objectContaining({ name: 'QueryError', code: 'POOLS_INVALID' }),
    )
  })

  it('has another digest of a policy that was changed in place, and none of one that is no JSON', async () => {
    const policy = structuredClone(pay.policy) as { description: string }
    const pools = [{ ...pay, policy: policy as PoolPolicy }, people]
    const plan = await planQuery({ sql: joined, pools, budget })
    expect(checkPlan(plan, { pools })).toBe(plan)
    policy.description = 'other'
    expect(() => checkPlan(plan, { pools })).toThrow(expect.objectContaining({ code: 'PLAN_OUTDATED' }))
    policy.description = '\ud800'
    await expect(planQuery({ sql: joined, pools, budget })).rejects.toMatchObject({
      code: 'POLICY_UNSUPPORTED',
      place: 'pools.pay',
    })
  })

  it('is refused past the bounds of today, which the planner of that day may not have had', async () => {
    const sql =
      'SELECT count(*) FROM pay.workers WHERE contributor IN (SELECT w.contributor FROM pay.workers w JOIN range(1000) a(n) ON w.bonus > 1 JOIN range(100) b(m) ON w.bonus > 1)'
    const plan = JSON.parse(JSON.stringify(await planQuery({ sql, pools: testPools(), budget }))) as QueryPlan
    checkPlan(plan)
    const text = JSON.stringify(plan)
    const wider = JSON.parse(text.replace('"matches":100}', '"matches":101}')) as QueryPlan
    expect(JSON.stringify(wider)).not.toBe(text)
    expect(() => checkPlan(wider)).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', place: 'program' }),
    )
    const { where } = plan.program
    const often = { kind: 'and', operands: Array.from({ length: 60 }, () => where) } as NonNullable<
      typeof where
    >
    const costly = JSON.parse(
      JSON.stringify({ ...plan, program: { ...plan.program, where: often } }),
    ) as QueryPlan
    expect(() => checkPlan(costly)).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', place: 'program' }),
    )
    let deep: object = {}
    for (let level = 0; level < 20_000; level += 1) deep = { deep }
    expect(() => checkPlan({ ...plan, having: deep } as unknown as QueryPlan)).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', place: 'plan' }),
    )
  })

  it('is a plan or PLAN_INVALID, whatever stands where something of it stood', async () => {
    const plans: string[] = []
    for (const sql of [sectors, towns, zones, joined, several])
      plans.push(
        JSON.stringify(await planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 1e-6 } })),
      )
    const places = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? 1 + Object.values(value).reduce((sum: number, part) => sum + places(part), 0)
        : 1
    const put = (value: unknown, at: { left: number }, what: unknown): unknown => {
      if (at.left === 0) {
        at.left = -1
        return what
      }
      at.left -= 1
      if (Array.isArray(value)) return value.map((part) => (at.left < 0 ? part : put(part, at, what)))
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value).map(([name, part]) => [name, at.left < 0 ? part : put(part, at, what)]),
      )
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...plans),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.oneof(
          fc.constantFrom(
            null,
            {},
            [],
            '',
            0,
            -1,
            1e308,
            '1'.repeat(60),
            { kind: 'select' },
            { kind: 'union' },
          ),
          fc.jsonValue({ maxDepth: 3 }),
        ),
        (text, share, what) => {
          const plan: unknown = JSON.parse(text)
          const changed = put(plan, { left: Math.floor(share * places(plan)) }, what)
          try {
            checkPlan(changed as QueryPlan)
          } catch (error) {
            expect(error).toMatchObject({ name: 'QueryError', code: 'PLAN_INVALID' })
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('what is no plan at all', () => {
  it.each([
    ['nothing', () => null],
    ['an empty object', () => ({})],
    ['another format', (plan: QueryPlan) => ({ ...plan, format: 'sealpool/pool-policy' })],
    ['another version', (plan: QueryPlan) => ({ ...plan, version: 2 })],
    ['a negative limit', (plan: QueryPlan) => ({ ...plan, limit: -1 })],
    ['no pools', (plan: QueryPlan) => ({ ...plan, pools: [] })],
    [
      'releases without end',
      (plan: QueryPlan) => ({ ...plan, further: Array.from({ length: 33 }, () => plan) }),
    ],
    [
      'a nested query without FROM',
      (plan: QueryPlan) => ({
        ...plan,
        program: { ...plan.program, from: [{ relation: { kind: 'select' }, join: 'first' }] },
      }),
    ],
    ['a key that is none', (plan: QueryPlan) => ({ ...plan, program: { ...plan.program, keys: [null] } })],
    [
      'a pool without the digest of its policy',
      (plan: QueryPlan) => ({ ...plan, pools: plan.pools.map(({ policy: _, ...pool }) => pool) }),
    ],
    ['an epsilon of half a billionth', (plan: QueryPlan) => ({ ...plan, privacy: { epsilonNano: 0.5 } })],
  ])('is refused: %s', async (_, change) => {
    const made = await planQuery({ sql: sectors, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
    expect(() => checkPlan(change(made) as QueryPlan)).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID' }),
    )
  })
})
