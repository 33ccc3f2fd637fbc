import { platformRandom } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../errors.js'
import { executePlan } from '../execute/execute-plan.js'
import { testPolicy, testPools } from '../testing/pools.js'
import { loaded } from '../testing/tables.js'
import { checkPlan } from './check-plan.js'
import { templateDigest } from './plan-digest.js'
import { type PlanQueryOptions, planQuery } from './plan-query.js'

const publicTables: NonNullable<PlanQueryOptions['publicTables']> = [
  {
    schema: 'pub',
    name: 'zones',
    columns: [
      { name: 'zone', type: 'integer' },
      { name: 'label', type: 'text' },
    ],
    rows: [
      [1, 'inner'],
      [2, 'outer'],
      [2, 'ring'],
    ],
  },
]
const plan = (sql: string, changes: Partial<PlanQueryOptions> = {}) =>
  planQuery({ sql, pools: testPools(), publicTables, budget: { epsilon: 1, delta: 0 }, ...changes })

async function code(sql: string, changes: Partial<PlanQueryOptions> = {}): Promise<string> {
  try {
    await plan(sql, changes)
  } catch (error) {
    if (error instanceof QueryError) return error.code
    throw error
  }
  return 'planned'
}

const rides = (inner: string) => `SELECT count(*) FROM (${inner}) t`

describe('what could let data past the noise is refused', () => {
  it.each([
    ['SUBQUERY_NOT_ALLOWED', rides('SELECT contributor FROM trips.rides LIMIT 10')],
    ['SUBQUERY_NOT_ALLOWED', rides('SELECT DISTINCT zone FROM trips.rides')],
    [
      'SUBQUERY_NOT_ALLOWED',
      'SELECT sum(n) FROM (SELECT zone, count(*) AS n FROM trips.rides GROUP BY zone) t',
    ],
    [
      'SUBQUERY_NOT_ALLOWED',
      'SELECT count(*) FROM trips.rides WHERE miles > (SELECT avg(miles) FROM trips.rides)',
    ],
    [
      'SUBQUERY_NOT_ALLOWED',
      'SELECT zone, count(*) FROM trips.rides GROUP BY zone HAVING zone = (SELECT zone FROM trips.rides)',
    ],
    ['SUBQUERY_NOT_ALLOWED', 'SELECT count(*) FROM trips.rides WHERE zone IN (SELECT zone FROM trips.rides)'],
    [
      'SUBQUERY_NOT_ALLOWED',
      'SELECT count(*) FROM trips.rides r WHERE EXISTS (SELECT 1 FROM pay.workers w WHERE w.bonus = r.zone)',
    ],
    ['SUBQUERY_NOT_ALLOWED', 'SELECT count(*) FROM trips.rides r WHERE EXISTS (SELECT 1 FROM pay.workers w)'],
    ['SUBQUERY_NOT_ALLOWED', 'SELECT (SELECT count(*) FROM trips.rides GROUP BY zone) AS n'],
    [
      'WINDOW_NOT_ALLOWED',
      rides('SELECT contributor, row_number() OVER (ORDER BY miles) AS n FROM trips.rides'),
    ],
    [
      'WINDOW_NOT_ALLOWED',
      rides('SELECT contributor, sum(miles) OVER (PARTITION BY zone) AS n FROM trips.rides'),
    ],
    [
      'NO_POOL_TABLE',
      'SELECT count(*) FROM pub.zones z WHERE EXISTS (SELECT 1 FROM trips.rides r WHERE r.zone = z.zone)',
    ],
    ['NO_POOL_TABLE', 'SELECT label FROM pub.zones WHERE zone IN (SELECT zone FROM trips.rides)'],
    ['NO_POOL_TABLE', 'SELECT count(*) FROM pub.zones'],
    [
      'JOIN_NOT_ALLOWED',
      'SELECT count(*) FROM trips.rides a JOIN (SELECT contributor FROM trips.rides) b ON a.contributor = b.contributor',
    ],
    ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM trips.rides r, pay.workers w'],
    ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM trips.rides r, pay.workers w WHERE r.zone = w.bonus'],
    ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM pub.zones z LEFT JOIN trips.rides r ON r.zone = z.zone'],
    [
      'JOIN_NOT_ALLOWED',
      'SELECT count(*) FROM pay.workers w JOIN (SELECT contributor, zone AS c FROM trips.rides) t ON t.c = w.contributor',
    ],
    [
      'JOIN_NOT_ALLOWED',
      'SELECT count(*) FROM trips.rides r LEFT JOIN pay.workers w ON w.contributor = r.contributor JOIN people.persons p ON p.contributor = w.contributor',
    ],
    [
      'IDENTIFIES_ONE_CONTRIBUTOR',
      'SELECT w, count(*) FROM (SELECT contributor AS w FROM trips.rides) t GROUP BY w',
    ],
    ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT count(*) FROM (SELECT contributor + 1 AS w FROM trips.rides) t'],
    [
      'IDENTIFIES_ONE_CONTRIBUTOR',
      'SELECT count(*) FROM (SELECT contributor AS w FROM trips.rides) t WHERE w = 7',
    ],
    ['IDENTIFIES_ONE_CONTRIBUTOR', "SELECT count(*) FROM trips.rides WHERE wallet = 'x'"],
    ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT count(*) FROM trips.rides WHERE wallet IN (1, 2)'],
    ['IDENTIFIES_ONE_CONTRIBUTOR', "SELECT count(*) FROM pay.workers WHERE sector LIKE '%0xabcdefab%'"],
    ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT contributor, count(*) FROM trips.rides GROUP BY contributor'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT max(miles) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT zone, count(*) FROM trips.rides GROUP BY zone ORDER BY max(miles)'],
    ['COLUMN_NOT_MEASURABLE', 'SELECT sum(z) FROM (SELECT contributor, zone AS z FROM trips.rides) t'],
    [
      'COLUMN_NOT_FILTERABLE',
      'SELECT count(*) FROM (SELECT contributor, wage AS w FROM pay.workers) t WHERE w > 3',
    ],
    [
      'COLUMN_NOT_FILTERABLE',
      "SELECT count(*) FROM (SELECT contributor, note AS n FROM pay.workers) t WHERE n = 'x'",
    ],
    [
      'COLUMN_NOT_FILTERABLE',
      'SELECT count(*) FROM (SELECT contributor, wage * 2 AS w FROM pay.workers) t WHERE w > 3',
    ],
    [
      'GROUP_NOT_PUBLIC',
      'SELECT m, count(*) FROM (SELECT contributor, miles AS m FROM trips.rides) t GROUP BY m',
    ],
    ['TABLE_UNKNOWN', 'WITH trips AS (SELECT contributor FROM pay.workers) SELECT count(*) FROM trips.rides'],
    [
      'CLAUSE_NOT_ALLOWED',
      'WITH t AS (SELECT contributor FROM pay.workers) SELECT count(*) FROM trips.rides',
    ],
    ['NUMBER_RANGE', 'SELECT sum(miles / 1e-9 / 1e-9) FROM trips.rides'],
    [
      'TYPE_MISMATCH',
      'SELECT count(*) FROM pay.workers UNION ALL SELECT sector, count(*) FROM pay.workers GROUP BY sector',
    ],
  ])('%s: %s', async (expected, sql) => {
    expect(await code(sql)).toBe(expected)
  })

  it('knows that nobody has no name', async () => {
    const made = await plan("SELECT count(*) FROM trips.rides WHERE wallet IS NULL OR wallet = ''")
    expect(made.program.where).toEqual({
      kind: 'or',
      operands: [
        { kind: 'truth', value: false },
        { kind: 'truth', value: false },
      ],
    })
  })

  it('holds the grant inside of nested queries too', async () => {
    const sql = 'WITH t AS (SELECT contributor, wage AS w FROM pay.workers) SELECT sum(w) FROM t'
    expect(await code(sql, { grant: { columns: ['pay.workers.bonus'] } })).toBe('COLUMN_NOT_GRANTED')
    expect(await code(sql, { grant: { tables: ['trips.rides'] } })).toBe('TABLE_NOT_GRANTED')
    expect(await code(sql, { grant: { tables: ['pay.workers'], columns: ['pay.workers.wage'] } })).toBe(
      'planned',
    )
    const member =
      'SELECT count(*) FROM trips.rides WHERE contributor IN (SELECT contributor FROM pay.workers WHERE bonus > 1)'
    expect(await code(member, { grant: { tables: ['trips.rides'] } })).toBe('TABLE_NOT_GRANTED')
  })

  it('asks both pools for a condition on the other one`s contributors', async () => {
    const sql = 'SELECT count(*) FROM trips.rides WHERE contributor IN (SELECT contributor FROM pay.workers)'
    const shut = testPools({ joins: { allowed: false, with: [] } })
    expect(await code(sql, { pools: shut })).toBe('JOIN_NOT_ALLOWED')
    const made = await plan(sql)
    expect(made.pools.map(({ name }) => name)).toEqual(['pay', 'trips'])
  })
})

describe('names of the contributor', () => {
  it.each(['contributor', 'wallet'])('%s stands for nothing else, whatever gives the name', async (name) => {
    expect(await code(rides(`SELECT zone AS ${name} FROM trips.rides`))).toBe('NAME_RESERVED')
    expect(await code(`SELECT zone AS ${name}, count(*) FROM trips.rides GROUP BY zone`)).toBe(
      'NAME_RESERVED',
    )
    expect(await code(`SELECT n AS ${name} FROM (SELECT count(*) AS n FROM trips.rides) t`)).toBe(
      'NAME_RESERVED',
    )
    expect(await code(rides(`SELECT contributor AS ${name} FROM trips.rides`))).toBe('planned')
    expect(await code(rides(`SELECT wallet AS ${name} FROM trips.rides`))).toBe('planned')
  })

  it.each(['Wallet', 'WALLET', 'Contributor'])('%s is one of them', async (name) => {
    const quoted = `"${name}"`
    expect(await code(`SELECT zone AS ${quoted}, count(*) FROM trips.rides GROUP BY zone`)).toBe(
      'NAME_RESERVED',
    )
    expect(await code(`SELECT count(*) AS ${quoted} FROM trips.rides`)).toBe('NAME_RESERVED')
    expect(await code(rides(`SELECT zone AS ${quoted} FROM trips.rides`))).toBe('NAME_RESERVED')
  })

  it.each([
    'SELECT count(DISTINCT wallet.zone) FROM trips.rides AS wallet',
    'SELECT count(*) FROM (SELECT zone FROM trips.rides) "Contributor"',
    'SELECT n FROM (SELECT count(*) AS n FROM trips.rides) wallet',
    'WITH wallet AS (SELECT zone FROM trips.rides) SELECT count(*) FROM wallet w',
    'WITH "Wallet" AS (SELECT count(*) AS n FROM trips.rides) SELECT n FROM "Wallet" AS w',
    'SELECT count(*) FROM trips.rides JOIN generate_series(1, 3) AS wallet(n) ON zone = n',
  ])('rows are not called so either: %s', async (sql) => {
    expect(await code(sql)).toBe('NAME_RESERVED')
    expect(await code(sql.replace(/wallet\b|contributor\b/gi, 'other'))).toBe('planned')
  })

  it('a column that a policy calls wallet keeps its name, and lends it to nothing', async () => {
    const shops: Parameters<typeof testPolicy>[1][number] = {
      name: 'shops',
      rowsPerContributor: 1,
      columns: [{ name: 'wallet', type: 'text', values: ['hot', 'cold'], nullable: false, use: ['group'] }],
    }
    const pools = [{ name: 'market', address: '0x4', policy: testPolicy('market', [shops]) }]
    const judged = (sql: string) => code(sql, { pools, publicTables: [] })
    expect(await judged('SELECT wallet, count(*) FROM market.shops GROUP BY wallet')).toBe('planned')
    expect(await judged('SELECT count(t.wallet) FROM (SELECT wallet FROM market.shops) t')).toBe('planned')
    const other = rides('SELECT wallet AS contributor FROM market.shops')
    expect(await judged(other)).toBe('NAME_RESERVED')
  })
})

describe('other spellings', () => {
  const where = (condition: string) => `SELECT count(*) FROM trips.rides WHERE ${condition}`
  it.each([
    [
      'SELECT count(*), count(r.miles) FROM trips.rides r RIGHT JOIN pay.workers w ON r.contributor = w.contributor AND r.zone = 1',
      'SELECT count(*), count(r.miles) FROM pay.workers w LEFT JOIN trips.rides r ON r.contributor = w.contributor AND r.zone = 1',
    ],
    [
      'SELECT count(*) FROM trips.rides RIGHT JOIN pay.workers USING (contributor)',
      'SELECT count(*) FROM pay.workers LEFT JOIN trips.rides USING (contributor)',
    ],
    ['SELECT approx_count_distinct(zone) FROM trips.rides', 'SELECT count(DISTINCT zone) FROM trips.rides'],
    [
      'SELECT approx_quantile(miles, 0.9) FROM trips.rides',
      'SELECT quantile_cont(miles, 0.9) FROM trips.rides',
    ],
    [
      'SELECT count_if(zone = 1) FROM trips.rides',
      'SELECT count(*) FILTER (WHERE zone = 1) FROM trips.rides',
    ],
    ['SELECT sum(nvl(miles, 0)) FROM trips.rides', 'SELECT sum(coalesce(miles, 0)) FROM trips.rides'],
    ['SELECT sum(miles ^ 2) FROM trips.rides', 'SELECT sum(power(miles, 2)) FROM trips.rides'],
    [
      'SELECT sum(iff(zone = 1, miles, 0)) FROM trips.rides',
      'SELECT sum(CASE WHEN zone = 1 THEN miles ELSE 0 END) FROM trips.rides',
    ],
    [
      where('miles BETWEEN SYMMETRIC 5 AND 2'),
      where('(miles >= 5 AND miles <= 2) OR (miles >= 2 AND miles <= 5)'),
    ],
    [
      where('miles NOT BETWEEN SYMMETRIC 5 AND 2'),
      where('NOT ((miles >= 5 AND miles <= 2) OR (miles >= 2 AND miles <= 5))'),
    ],
    [where('zone = ANY (ARRAY[1, 2])'), where('zone IN (1, 2)')],
    [where('zone = SOME (ARRAY[1, 2])'), where('zone IN (1, 2)')],
  ])('%s', async (spelled, plain) => {
    expect(await plan(spelled)).toEqual(await plan(plain))
  })

  it.each([
    [
      'JOIN_NOT_ALLOWED',
      'SELECT count(*) FROM pay.workers w JOIN people.persons p USING (contributor) RIGHT JOIN trips.rides r USING (contributor)',
    ],
    ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM trips.rides r RIGHT JOIN pub.zones z ON z.zone = r.zone'],
    ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM pay.workers w RIGHT JOIN trips.rides r ON w.bonus = r.zone'],
    ['EXPRESSION_NOT_ALLOWED', where('zone <> ANY (ARRAY[1, 2])')],
    ['EXPRESSION_NOT_ALLOWED', where('zone = ALL (ARRAY[1, 2])')],
    ['EXPRESSION_NOT_ALLOWED', where("zone = ANY ('{1,2}')")],
    ['IDENTIFIES_ONE_CONTRIBUTOR', where('contributor IS DISTINCT FROM 7')],
    ['IDENTIFIES_ONE_CONTRIBUTOR', where('contributor = ANY (ARRAY[7])')],
    ['FUNCTION_NOT_ALLOWED', 'SELECT count_if(zone = 1, zone = 2) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT count_if(DISTINCT zone = 1) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT approx_count_distinct(zone, 2) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT sum(if(zone = 1, miles)) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT sum(ifnull(miles)) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT stddev(DISTINCT miles) FROM trips.rides'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT corr(DISTINCT miles, zone) FROM trips.rides'],
    [
      'FUNCTION_NOT_ALLOWED',
      'SELECT sum(s) FROM (SELECT contributor, sum(DISTINCT miles) AS s FROM trips.rides GROUP BY contributor) t',
    ],
  ])('%s: %s', async (expected, sql) => {
    expect(await code(sql)).toBe(expected)
  })

  it('sums of distinct values weigh as much as sums: one value for each row', async () => {
    const { statistics, program } = await plan(
      'SELECT zone, sum(DISTINCT miles) FROM trips.rides GROUP BY zone',
    )
    const position = program.statistics.findIndex(({ kind }) => kind === 'distinct-sum')
    // Miles from 0 to 20 in tenths, from the middle: 100 for each of three rows.
    expect(statistics[position]?.sensitivity).toBe('300')
    const bounds = { groups: 1, rows: 1 }
    const bounded = 'SELECT zone, sum(DISTINCT miles) FROM trips.rides GROUP BY zone'
    expect(await code(bounded, { bounds })).toBe('BOUNDS_INVALID')
  })
})

describe('keys that are conditions and whole numbers', () => {
  const keyed = async (key: string) =>
    (await plan(`SELECT ${key} AS k, count(*) FROM pay.workers GROUP BY k`)).keys
  it.each<[string, readonly unknown[]]>([
    ['bonus > 100', [false, true, null]],
    ["sector LIKE 'o%' OR union_member", [false, true, null]],
    ['bonus IS NULL', [false, true]],
    ['union_member IS NOT TRUE', [false, true]],
    ['contributor IN (SELECT contributor FROM people.persons)', [false, true]],
    ['floor(bonus / 100)', [-1, 0, 1, 2, 3, null]],
    ['floor(bonus / 100) * 100', [-100, 0, 100, 200, 300, null]],
    ['5 - ceil(bonus / 200)', [3, 4, 5, null]],
    ['bonus % 3', [-2, -1, 0, 1, 2, null]],
  ])('%s', async (key, values) => {
    expect(await keyed(key)).toEqual([{ values }])
  })

  it('only of columns that may decide, whatever bounds they have', async () => {
    const visits: Parameters<typeof testPolicy>[1][number] = {
      name: 'visits',
      rowsPerContributor: 1,
      columns: [
        { name: 'cost', type: 'integer', min: 0, max: 9, nullable: false, use: ['measure'] },
        { name: 'code', type: 'integer', nullable: false, use: ['filter'] },
        { name: 'rank', type: 'integer', min: 0, max: 9, nullable: false, use: ['filter'] },
      ],
    }
    const pools = [{ name: 'shop', address: '0x4', policy: testPolicy('shop', [visits]) }]
    const of = (key: string) => `SELECT count(*) FROM shop.visits GROUP BY ${key}`
    const keysOf = async (key: string) => (await plan(of(key), { pools, publicTables: [] })).keys
    expect(await code(of('cost + 1'), { pools, publicTables: [] })).toBe('COLUMN_NOT_FILTERABLE')
    expect(await code(of('rank + cost'), { pools, publicTables: [] })).toBe('COLUMN_NOT_FILTERABLE')
    expect(await code(of('code + 1'), { pools, publicTables: [] })).toBe('GROUP_NOT_PUBLIC')
    expect(await code(of('rank * 0.5'), { pools, publicTables: [] })).toBe('GROUP_NOT_PUBLIC')
    expect(await keysOf('code % 2')).toEqual([{ values: [-1, 0, 1] }])
    expect(await keysOf('rank - 9')).toEqual([{ values: [-9, -8, -7, -6, -5, -4, -3, -2, -1, 0] }])
  })

  it('all numbers that a list of values allows, and no others', async () => {
    const keysOf = async (key: string) =>
      (await plan(`SELECT ${key} AS k, count(*) FROM trips.rides GROUP BY k`)).keys
    expect(await keysOf('zone * 10')).toEqual([{ values: [10, 20, 30] }])
    expect(await keysOf('-zone')).toEqual([{ values: [-3, -2, -1] }])
    expect(await keysOf('abs(zone * 10 - 20)')).toEqual([{ values: [0, 10] }])
    expect(await keysOf('(zone * 10)::integer')).toEqual([{ values: [10, 20, 30] }])
    expect(await keysOf('-(-zone * 5)')).toEqual([{ values: [5, 10, 15] }])
  })

  it('refuses numbers past those that are exact here, which the engine has exactly', async () => {
    const keysOf = async (key: string) =>
      (await plan(`SELECT ${key} AS k, count(*) FROM trips.rides GROUP BY k`)).keys
    const refused = (key: string) => code(`SELECT ${key} AS k, count(*) FROM trips.rides GROUP BY k`)
    expect(await keysOf('zone * 999999999 * 3000000')).toEqual([
      { values: [1, 2, 3].map((zone) => zone * 999_999_999 * 3_000_000) },
    ])
    expect(await refused('zone * 999999999 * 4000000')).toBe('GROUP_NOT_PUBLIC')
    expect(await refused('zone * 999999999 * 999999999')).toBe('GROUP_NOT_PUBLIC')
    const far = 'SELECT floor(bonus / 100) + 999999999 * 999999999 AS k, count(*) FROM pay.workers GROUP BY k'
    expect(await code(far)).toBe('GROUP_NOT_PUBLIC')
    expect(await refused('zone * 999999999 * 999999999 - zone * 999999999 * 999999999')).not.toBe('planned')
  })

  it.each([
    ['GROUP_NOT_PUBLIC', 'bonus / 100'],
    ['TOO_MANY_GROUPS', 'bonus + 1'],
    ['GROUP_NOT_PUBLIC', 'bonus * bonus'],
    ['TOO_MANY_GROUPS', 'abs(bonus * 10)'],
    ['GROUP_NOT_PUBLIC', 'abs(bonus / 7)'],
    ['COLUMN_NOT_FILTERABLE', 'floor(wage)'],
    ['COLUMN_NOT_FILTERABLE', 'wage > 10'],
    ['COLUMN_NOT_FILTERABLE', "note LIKE 'a%'"],
    ['IDENTIFIES_ONE_CONTRIBUTOR', 'contributor > 5'],
    ['IDENTIFIES_ONE_CONTRIBUTOR', 'contributor % 10'],
    ['IDENTIFIES_ONE_CONTRIBUTOR', '-contributor'],
    ['SUBQUERY_NOT_ALLOWED', 'bonus IN (SELECT education FROM people.persons)'],
    ['AGGREGATE_MISPLACED', 'count(*) > 5'],
    ['AGGREGATE_MISPLACED', 'count(*) + 1'],
  ])('refuses %s: %s', async (expected, key) => {
    expect(await code(`SELECT count(*) FROM pay.workers GROUP BY ${key}`)).toBe(expected)
  })
})

describe('weights of a contributor', () => {
  const rowsOf = async (sql: string) => (await plan(sql)).privacy.rowsPerContributor

  it('follow joins, unions, groups and public tables', async () => {
    expect(
      await rowsOf(
        'SELECT count(*) FROM trips.rides r LEFT JOIN pay.workers w ON w.contributor = r.contributor',
      ),
    ).toBe(3)
    expect(
      await rowsOf(
        rides('SELECT contributor FROM trips.rides UNION ALL SELECT contributor FROM pay.workers'),
      ),
    ).toBe(4)
    expect(
      await rowsOf(rides('SELECT contributor, count(*) AS n FROM trips.rides GROUP BY contributor')),
    ).toBe(1)
    expect(await rowsOf(rides('SELECT contributor, zone FROM trips.rides GROUP BY contributor, zone'))).toBe(
      3,
    )
    // Zone 2 stands twice in the public table, a label once.
    expect(await rowsOf('SELECT count(*) FROM trips.rides r JOIN pub.zones z ON z.zone = r.zone')).toBe(9)
    expect(await rowsOf('SELECT count(*) FROM pay.workers w JOIN pub.zones z ON z.label = w.sector')).toBe(1)
    expect(await rowsOf('SELECT count(*) FROM pay.workers CROSS JOIN pub.zones')).toBe(3)
  })

  it('are charged once for each grouping set', async () => {
    const made = await plan(
      'SELECT sector, union_member, count(*) FROM pay.workers GROUP BY CUBE (sector, union_member)',
    )
    expect(made.sets).toEqual([[0, 1], [0], [1], []])
    expect(made.groups).toBe(8 + 4 + 2 + 1)
    expect(made.statistics.map(({ sensitivity }) => sensitivity)).toEqual(['4'])
  })

  it('are bounded exactly when asked for', async () => {
    const sql = 'SELECT zone, count(*), sum(miles) FROM trips.rides GROUP BY zone'
    const made = await plan(sql, { bounds: { groups: 1, rows: 2 } })
    expect(made.program.bounding).toEqual({ kind: 'groups', groups: 1, rows: 2 })
    const kinds = made.program.statistics.map(({ kind }, index) => [
      kind,
      made.statistics[index]?.sensitivity,
    ])
    expect(kinds).toContainEqual(['rows', '2'])
    expect(kinds).toContainEqual(['sum', '200'])
    expect(await code(sql, { bounds: { groups: 0, rows: 2 } })).toBe('BOUNDS_INVALID')
    expect(
      await code('SELECT zone, median(miles) FROM trips.rides GROUP BY zone', {
        bounds: { groups: 1, rows: 1 },
      }),
    ).toBe('BOUNDS_INVALID')
  })

  it('of first rows are one', async () => {
    const made = await plan('SELECT zone, count(*) FROM trips.rides GROUP BY zone', {
      minimumBy: 'first-rows',
    })
    const position = made.minimumContributors.statistic
    expect(made.program.statistics[position]?.kind).toBe('first-rows')
    expect(made.statistics[position]?.sensitivity).toBe('1')
  })
})

describe('one release', () => {
  it('is charged once however often its number is used', async () => {
    const made = await plan(
      'SELECT avg(wage) FROM pay.workers UNION ALL SELECT avg(wage) FROM pay.workers UNION ALL SELECT avg(wage) FROM pay.workers',
    )
    expect(made.further).toHaveLength(0)
    const engine = await loaded({
      workers: Array.from({ length: 30 }, (_, contributor) => ({ contributor, wage: contributor })),
      persons: [],
      rides: [],
    })
    const { rows } = await executePlan({ plan: made, engine, random: platformRandom })
    await engine.close()
    expect(rows).toHaveLength(3)
    expect(new Set(rows.map(([cell]) => cell)).size).toBe(1)
  })

  it('of several shares epsilon, and a pool pays for what reads it', async () => {
    const made = await plan(
      'SELECT (SELECT sum(wage) FROM pay.workers) - (SELECT sum(miles) FROM trips.rides) AS d',
    )
    const spent = [made, ...made.further].map(({ statistics }) =>
      statistics.reduce((sum, { epsilonNano }) => sum + epsilonNano, 0),
    )
    expect(spent).toHaveLength(2)
    expect((spent[0] ?? 0) + (spent[1] ?? 0)).toBeLessThanOrEqual(1e9)
    expect(made.pools.map(({ charge }) => Math.round(charge.epsilon * 1e9))).toEqual(spent)
    const cheap = {
      ...made,
      pools: made.pools.map((pool) => ({ ...pool, charge: { epsilon: 0.1, delta: 0 } })),
    }
    expect(() => checkPlan(cheap)).toThrowError(expect.objectContaining({ code: 'PLAN_INVALID' }))
  })
})

describe('groups of unknown name', () => {
  const towns = 'SELECT town, count(*) AS n FROM pay.workers GROUP BY town'
  const budget = { epsilon: 2, delta: 1e-6 }

  it('need a delta', async () => {
    expect(await code(towns)).toBe('GROUP_NOT_PUBLIC')
    const made = await plan(towns, { budget })
    expect(made.privacy.delta).toBe(1e-6)
    expect(made.pools[0]?.charge).toEqual({ epsilon: 2, delta: 1e-6 })
    const free = { ...made, privacy: { ...made.privacy, delta: 0 } }
    expect(() => checkPlan(free)).toThrowError(expect.objectContaining({ code: 'PLAN_INVALID' }))
  })

  it('appear when many share them, never for one, never below the minimum', async () => {
    const workers = Array.from({ length: 400 }, (_, contributor) => ({
      contributor,
      wage: 10,
      town: contributor < 300 ? 'large' : contributor < 309 ? 'nine' : `alone ${contributor}`,
    }))
    const engine = await loaded({ workers, persons: [], rides: [] })
    const privacy = { ...testPools()[0]?.policy.privacy, minimumContributors: 10 } as NonNullable<
      ReturnType<typeof testPools>[0]
    >['policy']['privacy']
    const made = await plan(towns, { budget, pools: testPools({ privacy }) })
    for (let turn = 0; turn < 20; turn += 1) {
      const { rows } = await executePlan({ plan: made, engine, random: platformRandom })
      expect(rows.map(([town]) => town)).toEqual(['large'])
    }
    await engine.close()
  })
})

describe('approved templates', () => {
  it('are all that may be asked, with any parameters', async () => {
    const approved = 'SELECT count(*) FROM pay.workers WHERE bonus > $1'
    const grant = { templates: [await templateDigest(approved)] }
    expect(
      await code('select  count(*) -- the same\n from pay.workers where bonus > $1', {
        grant,
        parameters: [3],
      }),
    ).toBe('planned')
    expect(await code(approved, { grant, parameters: [9] })).toBe('planned')
    expect(await code('SELECT count(*) FROM pay.workers WHERE bonus > 3', { grant })).toBe(
      'TEMPLATE_NOT_APPROVED',
    )
    expect(await code('SELECT count(*) FROM pay.workers WHERE bonus >= $1', { grant, parameters: [3] })).toBe(
      'TEMPLATE_NOT_APPROVED',
    )
  })

  it('take parameters as values and never as text', async () => {
    const sql = 'SELECT count(*) FROM pay.workers WHERE sector = $1'
    const made = await plan(sql, { parameters: ["x' OR 'a' = 'a"] })
    expect(JSON.stringify(made.program.where)).toContain("x' OR 'a' = 'a")
    expect(await code(sql, { parameters: [`0x${'a'.repeat(40)}`] })).toBe('IDENTIFIES_ONE_CONTRIBUTOR')
  })
})

describe('public tables', () => {
  it.each([
    [{ schema: 'pay' }],
    [{ rows: [] }],
    [{ rows: [[1, 2]] }],
    [{ rows: [[1]] }],
    [{ rows: [[Number.NaN, 'x']] }],
    [
      {
        columns: [
          { name: 'contributor', type: 'integer' },
          { name: 'label', type: 'text' },
        ],
      },
    ],
    [{ name: 'Zones' }],
  ] as const)('that do not fit are refused: %j', async (change) => {
    const [table] = publicTables
    if (table === undefined) throw new Error('no table')
    const changed = [{ ...table, ...change }]
    expect(await code('SELECT count(*) FROM pay.workers', { publicTables: changed as never })).toBe(
      'PUBLIC_TABLE_INVALID',
    )
  })
})
