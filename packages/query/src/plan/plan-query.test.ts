import type { PoolPolicy } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../errors.js'
import { testPolicy, testPools, workers } from '../testing/pools.js'
import { type PlanQueryOptions, planQuery } from './plan-query.js'

const budget = { epsilon: 1, delta: 0 }
const plan = (sql: string, changes: Partial<PlanQueryOptions> = {}) =>
  planQuery({ sql, pools: testPools(), grant: {}, budget, ...changes })

async function refusal(sql: string, changes: Partial<PlanQueryOptions> = {}): Promise<QueryError> {
  try {
    await plan(sql, changes)
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error(`planned: ${sql}`)
}

const wallet = `0x${'ab'.repeat(20)}`
const join = 'pay.workers w JOIN people.persons p USING (contributor)'

const refused: readonly (readonly [code: string, sql: string, at: string])[] = [
  ['TABLE_UNKNOWN', 'SELECT count(*) FROM pay.nobody', 'pay'],
  ['TABLE_UNKNOWN', 'SELECT count(*) FROM information_schema.tables', 'information_schema'],
  ['COLUMN_UNKNOWN', 'SELECT sum(salary) FROM pay.workers', 'salary'],
  ['COLUMN_UNKNOWN', 'SELECT sum(x.wage) FROM pay.workers', 'x'],
  ['COLUMN_UNKNOWN', 'SELECT count(*) FROM pay.workers WHERE "WAGE" = 1', '"WAGE"'],
  ['COLUMN_UNKNOWN', 'SELECT sum(row_rank) FROM pay.workers', 'row_rank'],
  ['COLUMN_UNKNOWN', 'SELECT count(w) FROM pay.workers w', 'w'],
  ['COLUMN_UNKNOWN', 'SELECT sum(pay.workers.wage) FROM pay.workers w', 'pay'],
  [
    'IDENTIFIES_ONE_CONTRIBUTOR',
    'SELECT contributor, count(*) FROM pay.workers GROUP BY contributor',
    'contributor',
  ],
  [
    'IDENTIFIES_ONE_CONTRIBUTOR',
    'SELECT contributor, count(*) FROM pay.workers GROUP BY sector',
    'contributor',
  ],
  ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT avg(wage) FROM pay.workers WHERE contributor = 7', 'contributor'],
  ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT avg(wage) FROM pay.workers WHERE w.contributor > 7', ''],
  ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT sum(contributor) FROM pay.workers', 'contributor'],
  [
    'IDENTIFIES_ONE_CONTRIBUTOR',
    `SELECT avg(wage) FROM pay.workers WHERE wallet = '${wallet}'`,
    `'${wallet}'`,
  ],
  [
    'IDENTIFIES_ONE_CONTRIBUTOR',
    `SELECT count(*) FROM pay.workers WHERE sector IN ('a', '${wallet.toUpperCase().replace('0X', '0x')}')`,
    '',
  ],
  [
    'IDENTIFIES_ONE_CONTRIBUTOR',
    'SELECT count(*) FROM pay.workers GROUP BY sector HAVING contributor = 1',
    'contributor',
  ],
  ['IDENTIFIES_ONE_CONTRIBUTOR', 'SELECT count(*) FROM pay.workers ORDER BY contributor', 'contributor'],
  ['NOT_AGGREGATED', 'SELECT wage FROM pay.workers', 'wage'],
  ['NOT_AGGREGATED', 'SELECT sector, count(*) FROM pay.workers', 'sector'],
  ['NOT_AGGREGATED', 'SELECT union_member, count(*) FROM pay.workers GROUP BY sector', 'union_member'],
  ['NOT_AGGREGATED', 'SELECT 1, count(*) FROM pay.workers', '1'],
  ['NOT_AGGREGATED', 'SELECT count(*) FROM pay.workers ORDER BY wage', 'wage'],
  ['NOT_AGGREGATED', 'SELECT sector, count(*) FROM pay.workers GROUP BY sector HAVING wage > 1', 'wage'],
  ['NO_AGGREGATE', 'SELECT sector FROM pay.workers GROUP BY sector', 'sector'],
  ['AGGREGATE_MISPLACED', 'SELECT count(*) FROM pay.workers WHERE sum(bonus) > 1', 'sum'],
  ['AGGREGATE_MISPLACED', 'SELECT sum(sum(bonus)) FROM pay.workers', 'sum'],
  ['AGGREGATE_MISPLACED', 'SELECT count(*) FROM pay.workers GROUP BY count(*)', 'count'],
  ['GROUP_NOT_PUBLIC', 'SELECT wage, count(*) FROM pay.workers GROUP BY wage', 'wage'],
  ['GROUP_NOT_PUBLIC', 'SELECT town, count(*) FROM pay.workers GROUP BY town', 'town'],
  ['GROUP_NOT_PUBLIC', 'SELECT count(*) FROM pay.workers GROUP BY bonus * 0.5', '*'],
  [
    'GROUP_NOT_PUBLIC',
    "SELECT count(*) FROM pay.workers GROUP BY CASE WHEN union_member THEN 'a' ELSE sector END",
    'sector',
  ],
  ['COLUMN_NOT_FILTERABLE', 'SELECT count(*) FROM pay.workers WHERE wage > 10', 'wage'],
  ['COLUMN_NOT_FILTERABLE', "SELECT count(*) FROM pay.workers WHERE note = 'x'", 'note'],
  ['COLUMN_NOT_FILTERABLE', 'SELECT count(note) FROM pay.workers', 'note'],
  [
    'COLUMN_NOT_FILTERABLE',
    "SELECT count(*) FROM pay.workers GROUP BY CASE WHEN wage < 1 THEN 'a' END",
    'wage',
  ],
  ['COLUMN_NOT_FILTERABLE', 'SELECT sum(CASE WHEN wage > 1 THEN 1 ELSE 0 END) FROM pay.workers', 'wage'],
  ['COLUMN_NOT_MEASURABLE', 'SELECT sum(zone) FROM trips.rides', 'zone'],
  ['COLUMN_NOT_MEASURABLE', 'SELECT avg(sector) FROM pay.workers', 'sector'],
  ['FUNCTION_NOT_ALLOWED', 'SELECT stddev(DISTINCT bonus) FROM pay.workers', 'stddev'],
  ['TYPE_MISMATCH', "SELECT count(*) FROM pay.workers WHERE bonus = 'x'", '='],
  ['TYPE_MISMATCH', 'SELECT count(*) FROM pay.workers WHERE bonus', 'bonus'],
  ['TYPE_MISMATCH', "SELECT sum(wage + 'a') FROM pay.workers", "'a'"],
  [
    'TYPE_MISMATCH',
    "SELECT count(*) FROM pay.workers GROUP BY CASE WHEN union_member THEN 'a' ELSE 1 END",
    'CASE',
  ],
  ['OPERATOR_NOT_ALLOWED', "SELECT count(*) FROM pay.workers WHERE sector > 'a'", '>'],
  ['NUMBER_RANGE', 'SELECT count(*) FROM pay.workers WHERE bonus < 1e31', '1e31'],
  ['NUMBER_RANGE', 'SELECT sum(1e28) FROM pay.workers', 'sum'],
  ['NUMBER_RANGE', `SELECT sum(${Array(20).fill('wage').join(' * ')}) FROM pay.workers`, '*'],
  ['PARAMETER_UNKNOWN', 'SELECT count(*) FROM pay.workers WHERE bonus = $1', '$1'],
  ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM pay.workers JOIN people.persons USING (sector)', ''],
  ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM pay.workers w JOIN people.persons p ON w.sector = p.gender', ''],
  [
    'JOIN_NOT_ALLOWED',
    'SELECT count(*) FROM pay.workers w JOIN people.persons p ON w.contributor <> p.contributor',
    '',
  ],
  [
    'JOIN_NOT_ALLOWED',
    'SELECT count(*) FROM pay.workers w JOIN people.persons p ON w.contributor = p.contributor OR true',
    '',
  ],
  [
    'JOIN_NOT_ALLOWED',
    'SELECT count(*) FROM pay.workers w JOIN people.persons p ON w.contributor = w.contributor',
    '',
  ],
  ['JOIN_NOT_ALLOWED', 'SELECT count(*) FROM pay.workers a JOIN pay.workers b USING (contributor)', ''],
]

describe('refusals', () => {
  it.each(refused)('%s: %s', async (code, sql, at) => {
    const error = await refusal(sql)
    expect(error.code).toBe(code)
    if (at !== '' && error.range !== null) expect(sql.slice(error.range.start, error.range.end)).toBe(at)
  })

  it('depend on text, policies and budget alone: equal inputs give equal errors', async () => {
    for (const [, sql] of refused.slice(0, 10)) {
      const [first, second] = [await refusal(sql), await refusal(sql)]
      expect({ ...first, message: first.message }).toEqual({ ...second, message: second.message })
    }
  })

  it('refuse joins unless both policies list each other', async () => {
    const alone = { joins: { allowed: false, with: [] } }
    const [pay, people] = testPools()
    const [shut] = testPools(alone)
    if (pay === undefined || people === undefined || shut === undefined) throw new Error('no pools')
    expect((await refusal(`SELECT count(*) FROM ${join}`, { pools: [shut, people] })).code).toBe(
      'JOIN_NOT_ALLOWED',
    )
    const oneSided = { ...people, policy: { ...people.policy, joins: { allowed: true, with: ['trips'] } } }
    expect((await refusal(`SELECT count(*) FROM ${join}`, { pools: [pay, oneSided] })).code).toBe(
      'JOIN_NOT_ALLOWED',
    )
  })

  it('hold the grant in every clause', async () => {
    const tables = { tables: ['people.persons'] }
    expect((await refusal('SELECT count(*) FROM pay.workers', { grant: tables })).code).toBe(
      'TABLE_NOT_GRANTED',
    )
    const grant = { columns: ['pay.workers.wage', 'pay.workers.sector'] }
    const sql = 'SELECT sector, avg(wage) FROM pay.workers WHERE union_member GROUP BY sector'
    expect((await refusal(sql, { grant })).code).toBe('COLUMN_NOT_GRANTED')
    await plan('SELECT sector, avg(wage) FROM pay.workers GROUP BY sector', { grant })
  })

  it('refuse names that two tables have, and one alias for two tables', async () => {
    const [pay, people] = testPools()
    if (pay === undefined || people === undefined) throw new Error('no pools')
    const pools = [pay, { ...people, policy: testPolicy('people', [workers]) }]
    const from = 'pay.workers a JOIN people.workers b USING (contributor)'
    expect((await refusal(`SELECT avg(wage) FROM ${from}`, { pools })).code).toBe('COLUMN_AMBIGUOUS')
    await plan(`SELECT avg(a.wage) FROM ${from}`, { pools })
    const same = 'pay.workers a JOIN people.workers a USING (contributor)'
    expect((await refusal(`SELECT avg(a.wage) FROM ${same}`, { pools })).code).toBe('JOIN_NOT_ALLOWED')
  })

  it('name tables that are not populated', async () => {
    const [pay] = testPools()
    if (pay === undefined) throw new Error('no pool')
    const pools = [{ ...pay, populated: [] }]
    expect((await refusal('SELECT count(*) FROM pay.workers', { pools })).code).toBe('TABLE_NOT_POPULATED')
  })

  it.each([
    ['BUDGET_INVALID', { epsilon: 0, delta: 0 }],
    ['BUDGET_INVALID', { epsilon: -1, delta: 0 }],
    ['BUDGET_INVALID', { epsilon: Number.NaN, delta: 0 }],
    ['BUDGET_INVALID', { epsilon: Number.POSITIVE_INFINITY, delta: 0 }],
    ['BUDGET_INVALID', { epsilon: 1e-7, delta: 0 }],
    ['BUDGET_INVALID', { epsilon: 1, delta: -1 }],
    ['BUDGET_PER_JOB_EXCEEDED', { epsilon: 2.001, delta: 0 }],
    ['BUDGET_PER_JOB_EXCEEDED', { epsilon: 1, delta: 1e-5 }],
  ])('%s for %j', async (code, asked) => {
    expect((await refusal('SELECT count(*) FROM pay.workers', { budget: asked })).code).toBe(code)
  })

  it('hold the lifetime budget of a policy whose job limit is above it', async () => {
    const privacy = { ...testPolicy('pay', [workers]).privacy, epsilon: 0.5 }
    const pools = testPools({ privacy })
    expect((await refusal('SELECT count(*) FROM pay.workers', { pools })).code).toBe('BUDGET_TOTAL_EXCEEDED')
  })

  it('cap the groups by the stricter policy', async () => {
    const privacy = { ...testPolicy('pay', [workers]).privacy, maximumGroups: 7 }
    const sql = 'SELECT union_member, sector, count(*) FROM pay.workers GROUP BY 1, 2'
    expect((await refusal(sql, { pools: testPools({ privacy }) })).code).toBe('TOO_MANY_GROUPS')
  })

  it('refuse pools that do not fit together and policies with reserved names', async () => {
    const [pay] = testPools()
    if (pay === undefined) throw new Error('no pool')
    const sql = 'SELECT count(*) FROM pay.workers'
    expect((await refusal(sql, { pools: [] })).code).toBe('POOLS_INVALID')
    expect((await refusal(sql, { pools: [pay, { ...pay, address: `0x${'9'.repeat(40)}` }] })).code).toBe(
      'POOLS_INVALID',
    )
    const table: PoolPolicy['tables'][number] = {
      ...workers,
      columns: [...workers.columns, { name: 'row_rank', type: 'integer', nullable: false, use: [] }],
    }
    const pools = [{ ...pay, policy: testPolicy('pay', [table]) }]
    expect((await refusal(sql, { pools })).code).toBe('POLICY_UNSUPPORTED')
  })
})

describe('a plan', () => {
  it('is plain JSON, the same for the same inputs', async () => {
    const sql = `SELECT p.gender, avg(w.wage) AS m FROM ${join} GROUP BY p.gender HAVING count(*) > 5 ORDER BY m DESC`
    const first = await plan(sql)
    expect(JSON.parse(JSON.stringify(first))).toEqual(first)
    expect(JSON.stringify(await plan(sql))).toBe(JSON.stringify(first))
  })

  it('charges every pool of a join in full, and only the pools that are read', async () => {
    const { pools } = await plan(`SELECT count(*) FROM ${join}`)
    expect(pools.map(({ name, charge }) => [name, charge])).toEqual([
      ['pay', { epsilon: 1, delta: 0 }],
      ['people', { epsilon: 1, delta: 0 }],
    ])
    expect((await plan('SELECT count(*) FROM pay.workers')).pools.map(({ name }) => name)).toEqual(['pay'])
  })

  it('lists the columns reached in every clause', async () => {
    const sql =
      'SELECT sector, avg(wage) FROM pay.workers WHERE bonus > 1 GROUP BY sector ORDER BY count(bonus), sum(CASE WHEN union_member THEN 1 ELSE 0 END)'
    expect((await plan(sql)).reached).toEqual([
      'pay.workers.bonus',
      'pay.workers.sector',
      'pay.workers.union_member',
      'pay.workers.wage',
    ])
  })

  it('lists all public values of a key, null where a column or a CASE can be null', async () => {
    const sql = `SELECT count(*) FROM ${join} GROUP BY sector, gender, CASE WHEN education < 12 THEN 'low' WHEN education > 15 THEN 'high' END`
    const made = await plan(sql)
    expect(made.keys.map(({ values }) => values)).toEqual([
      ['other', 'manufacturing', "o'clock", null],
      ['female', 'male'],
      ['low', 'high', null],
    ])
    expect(made.groups).toBe(24)
  })

  it('centres sums in the clamps, which halves what one row can change', async () => {
    const made = await plan('SELECT avg(wage), avg(bonus) FROM pay.workers')
    const sums = made.program.statistics.flatMap((statistic, position) =>
      statistic.kind === 'sum' ? [[statistic.centre, made.statistics[position]?.sensitivity]] : [],
    )
    expect(sums).toEqual([
      ['2500', '2500'],
      ['100', '200'],
    ])
  })

  it('multiplies the rows of a contributor over a join and bounds groups by them', async () => {
    const made = await plan(
      'SELECT zone, count(DISTINCT contributor) AS people, count(*), sum(miles) FROM trips.rides JOIN pay.workers USING (contributor) GROUP BY zone',
    )
    expect(made.privacy.rowsPerContributor).toBe(3)
    const byKind = made.program.statistics.map(({ kind }, position) => [
      kind,
      made.statistics[position]?.sensitivity,
    ])
    expect(byKind).toEqual([
      ['contributors', '3'],
      ['rows', '3'],
      ['matching', '3'],
      ['sum', '300'],
    ])
    // Without groups a contributor is counted once, whatever its rows.
    const whole = await plan('SELECT count(DISTINCT contributor) FROM trips.rides')
    expect(whole.statistics[0]?.sensitivity).toBe('1')
  })

  it('asks for each statistic once, however often the statement does', async () => {
    const sql =
      'SELECT avg(wage), sum(wage), count(*), count(DISTINCT contributor) FROM pay.workers HAVING avg(wage) > 1'
    const { statistics, aggregates } = await plan(sql)
    expect(statistics).toHaveLength(2)
    expect(aggregates).toHaveLength(4)
  })

  it('gives noise of sensitivity over epsilon to each statistic and no more epsilon than is charged', async () => {
    const made = await plan('SELECT avg(wage), sum(bonus), count(*) FROM pay.workers', {
      budget: { epsilon: 1.1234567891234, delta: 0 },
    })
    for (const { sensitivity, epsilonNano, scale } of made.statistics) {
      expect(BigInt(scale.numerator) * BigInt(epsilonNano)).toBe(
        BigInt(sensitivity) * 1_000_000_000n * BigInt(scale.denominator),
      )
    }
    const spent = made.statistics.reduce((sum, { epsilonNano }) => sum + epsilonNano, 0)
    expect(spent).toBeLessThanOrEqual(made.privacy.epsilonNano)
    expect(made.pools[0]?.charge.epsilon).toBe(1.123456789)
  })

  it('takes parameters as literals', async () => {
    const literal = await plan("SELECT count(*) FROM pay.workers WHERE bonus > 2.5 AND sector = 'other'")
    const bound = await plan('SELECT count(*) FROM pay.workers WHERE bonus > $1 AND sector = $2', {
      parameters: [2.5, 'other'],
    })
    expect(bound).toEqual(literal)
  })

  it('lets a table column come before an alias in GROUP BY', async () => {
    const error = await refusal('SELECT count(*) AS wage FROM pay.workers GROUP BY wage')
    expect(error.code).toBe('GROUP_NOT_PUBLIC')
  })
})

describe('the depth of a plan', () => {
  it('leaves room for the documents that a plan stands in, whatever is nested', async () => {
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0
    const nested = (levels: number) =>
      Array.from({ length: levels }).reduce<string>(
        (inner) => `CASE WHEN union_member THEN ${inner} ELSE 0 END`,
        'bonus',
      )
    const depths: number[] = []
    const refused: unknown[] = []
    for (let levels = 20; levels < 40; levels += 1) {
      const sql = `SELECT sum(${nested(levels)}) FROM pay.workers`
      await planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } }).then(
        (plan) => depths.push(depth(plan)),
        (error: { code?: string }) => refused.push(error.code),
      )
    }
    expect(new Set(refused)).toEqual(new Set(['TOO_DEEP']))
    expect(Math.max(...depths)).toBeGreaterThan(90)
    expect(Math.max(...depths)).toBeLessThanOrEqual(100)
  })
})

it.each([
  ['says that it does not join, whatever it lists', { allowed: false, with: ['pay', 'people'] }],
  ['does not list the other', { allowed: true, with: ['trips'] }],
])('a pool is not joined that %s', async (_, joins) => {
  for (const other of ['pay', 'people']) {
    const pools = testPools().map((pool) =>
      pool.name === other ? { ...pool, policy: { ...pool.policy, joins } } : pool,
    )
    const sql = 'SELECT count(*) FROM pay.workers JOIN people.persons USING (contributor)'
    await expect(planQuery({ sql, pools, budget: { epsilon: 1, delta: 0 } })).rejects.toMatchObject({
      code: 'JOIN_NOT_ALLOWED',
    })
  }
})

it('a job asks for no more delta than a pool has in its life', async () => {
  const rules = testPools()[0]?.policy.privacy
  if (rules === undefined) throw new Error('no pool')
  const privacy = { ...rules, delta: 1e-8, perJob: { ...rules.perJob, delta: 1e-6 } }
  const sql = 'SELECT town, count(*) FROM pay.workers GROUP BY town'
  const asking = (delta: number) =>
    planQuery({ sql, pools: testPools({ privacy }), budget: { epsilon: 1, delta } })
  await expect(asking(1e-7)).rejects.toMatchObject({ code: 'BUDGET_TOTAL_EXCEEDED' })
  expect((await asking(1e-8)).privacy.delta).toBe(1e-8)
})

describe('what one contributor multiplies', () => {
  const budget = { epsilon: 1, delta: 0 }
  const of = (sql: string) => planQuery({ sql, pools: testPools(), budget })
  const series = (...sizes: readonly number[]) =>
    `pay.workers w ${sizes.map((size, index) => `JOIN range(${size}) s${index}(n${index}) ON w.bonus > 299`).join(' ')}`
  const nested = (inner: string) => `SELECT count(*) FROM pay.workers WHERE contributor IN (${inner})`

  it('may be 100,000 rows', async () => {
    expect((await of(`SELECT count(*) FROM ${series(1000, 100)}`)).privacy.rowsPerContributor).toBe(100_000)
    await of(nested(`SELECT w.contributor FROM ${series(1000, 100)}`))
  })

  it.each([
    `SELECT sum(sin(n0 * n1 * n2)) FROM ${series(1000, 1000, 1000)}`,
    `SELECT count(*) FROM ${series(1000, 101)}`,
    nested(`SELECT w.contributor FROM ${series(1000, 101)}`),
    `SELECT sum(r) FROM (SELECT w.contributor, row_number() OVER (PARTITION BY w.contributor ORDER BY n0, n1) AS r FROM ${series(1000, 101)}) t`,
    `SELECT count(*) FROM (SELECT DISTINCT w.contributor, n0, n1 FROM ${series(1000, 101)}) t`,
    `SELECT sum(s) FROM (SELECT w.contributor, sum(bonus) AS s FROM ${series(1000, 101)} GROUP BY w.contributor) t`,
    `SELECT count(*) FROM (SELECT w.contributor FROM ${series(1000, 100)} UNION ALL SELECT contributor FROM pay.workers) t`,
    `SELECT count(*) FROM (SELECT w.contributor FROM ${series(1000)}) w JOIN range(101) t(m) ON m > 0`,
  ])('is refused past that: %s', async (sql) => {
    await expect(of(sql)).rejects.toMatchObject({ code: 'JOIN_NOT_ALLOWED' })
  })

  it('may not be computed over and over', async () => {
    const member = nested(`SELECT w.contributor FROM ${series(1000, 100)}`).replace(/.*WHERE /, '')
    const many = (times: number) =>
      `SELECT count(*) FROM pay.workers WHERE ${Array(times).fill(member).join(' AND ')}`
    await of(many(5))
    await expect(of(many(60))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    const often = `${'abs('.repeat(5)}CASE WHEN ${member} THEN 1 ELSE 0 END${')'.repeat(5)}`
    await expect(of(`SELECT sum(${often}) FROM pay.workers`)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    const sines = Array.from({ length: 40 }, (_, index) => `sin(n0 * ${index})`).join(' + ')
    await of(`SELECT sum(${sines}) FROM ${series(100)}`)
    await expect(of(`SELECT sum(${sines}) FROM ${series(1000, 100)}`)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  it('a table of more rows is read as the policy says', async () => {
    const rows = 1_000_000
    const pools = testPools().map((pool) => ({
      ...pool,
      policy: {
        ...pool.policy,
        tables: pool.policy.tables.map((table) => ({ ...table, rowsPerContributor: rows })),
      },
    }))
    const plan = await planQuery({ sql: 'SELECT count(*) FROM trips.rides', pools, budget })
    expect(plan.privacy.rowsPerContributor).toBe(rows)
    const joined = 'SELECT count(*) FROM trips.rides r JOIN range(2) t(n) ON n > 0'
    await expect(planQuery({ sql: joined, pools, budget })).rejects.toMatchObject({
      code: 'JOIN_NOT_ALLOWED',
    })
  })
})

it('columns of nested queries weigh what they stand for', async () => {
  const texts = (times: number, levels: number) => {
    const start =
      "(SELECT contributor, CASE WHEN union_member THEN sector ELSE 'a' END AS s FROM pay.workers) z"
    const entries = Array.from(
      { length: levels },
      (_, index) =>
        `t${index} AS (SELECT contributor, ${Array(times).fill('s').join(' || ')} AS s FROM ${index === 0 ? start : `t${index - 1}`})`,
    )
    return `WITH ${entries.join(', ')} SELECT count(*) FROM t${levels - 1} WHERE length(s) > 5`
  }
  const of = (sql: string) => planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
  await of(texts(12, 2))
  await expect(of(texts(12, 7))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  await expect(of(texts(2, 30))).rejects.toMatchObject({ code: 'TOO_LARGE' })
  const either = texts(12, 7).replace(
    /FROM (t[0-5])\b/g,
    "FROM (SELECT contributor, 'b' AS s FROM pay.workers UNION ALL SELECT contributor, s FROM $1) u",
  )
  await expect(of(either)).rejects.toMatchObject({ code: 'TOO_LARGE' })
})
