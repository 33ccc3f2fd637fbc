import { type PoolPolicy, parsePoolPolicy, platformRandom } from '@sealpool/privacy'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PlanPool } from '../catalogue/catalogue.js'
import { boundOutput } from '../execute/bound-output.js'
import { executePlan } from '../execute/execute-plan.js'
import { explainPlan } from '../explain/explain-plan.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { noiselessRules, testPolicy } from '../testing/pools.js'
import { checkPlan } from './check-plan.js'
import { planQuery } from './plan-query.js'

type Rows = NonNullable<PoolPolicy['tables'][number]['rows']>

const people = (rows?: Rows): PoolPolicy['tables'][number] => ({
  name: 'people',
  rowsPerContributor: 2,
  columns: [
    { name: 'age', type: 'integer', min: 0, max: 100, nullable: true, use: ['measure', 'filter'] },
    { name: 'pay', type: 'decimal', decimals: 2, min: 0, max: 50, nullable: true, use: ['measure'] },
    { name: 'land', type: 'text', values: ['de', 'fr', 'jp'], nullable: true, use: ['group', 'filter'] },
    { name: 'agreed', type: 'boolean', nullable: true, use: [] },
  ],
  ...(rows === undefined ? {} : { rows }),
})
const pool = (name: string, changes: Partial<PoolPolicy> = {}, rows?: Rows): PlanPool => ({
  name,
  address: `0x${name.charCodeAt(0).toString(16).repeat(20)}`,
  policy: {
    ...testPolicy(name, [people(rows)], { privacy: noiselessRules }),
    joins: { allowed: true, with: ['a', 'b'].filter((other) => other !== name) },
    ...changes,
  },
})
const budget = { epsilon: 1e5, delta: 0 }
const data = Array.from({ length: 24 }, (_, index) => ({
  contributor: index,
  age: index % 5 === 0 ? null : index * 3,
  pay: index / 4,
  land: ['de', 'fr', 'jp', null][index % 4] ?? null,
  agreed: [true, false, null][index % 3] ?? null,
}))

async function count(rows: Rows | undefined, sql: string) {
  const engine = await memoryEngine()
  const { columns } = people()
  for (const name of ['a.people', 'b.people']) await engine.load({ name, columns, rows: data })
  const plan = await planQuery({ sql, pools: [pool('a', {}, rows), pool('b')], budget })
  const numbers = await exactNumbers(plan, engine)
  await engine.close()
  return numbers.flat().map(({ statistics }) => Number(statistics[0]))
}

describe('rules on rows', () => {
  it.each([
    [[{ column: 'age', min: 18 }], (row: (typeof data)[number]) => row.age !== null && row.age >= 18],
    [[{ column: 'age', min: 18, max: 30 }], (row) => row.age !== null && row.age >= 18 && row.age <= 30],
    [[{ column: 'age', max: 30 }], (row) => row.age !== null && row.age <= 30],
    [[{ column: 'age', in: [3, 6, 7] }], (row) => row.age === 3 || row.age === 6],
    [[{ column: 'pay', in: [0.25, 1.5] }], (row) => row.pay === 0.25 || row.pay === 1.5],
    [[{ column: 'pay', min: 0.5, max: 1.25 }], (row) => row.pay >= 0.5 && row.pay <= 1.25],
    [[{ column: 'land', in: ['de', 'jp'] }], (row) => row.land === 'de' || row.land === 'jp'],
    [[{ column: 'agreed', in: [true] }], (row) => row.agreed === true],
    [[{ column: 'agreed', in: [false] }], (row) => row.agreed === false],
    [[{ column: 'agreed', in: [true, false, true] }], (row) => row.agreed !== null],
    [
      [
        { column: 'agreed', in: [true] },
        { column: 'age', min: 18 },
      ],
      (row) => row.agreed === true && row.age !== null && row.age >= 18,
    ],
  ] as readonly (readonly [Rows, (row: (typeof data)[number]) => boolean])[])(
    'leave out all other rows, wherever the table stands: %j',
    async (rows, kept) => {
      const wanted = data.filter(kept).length
      expect(await count(undefined, 'SELECT count(*) FROM a.people')).toEqual([24])
      for (const sql of [
        'SELECT count(*) FROM a.people',
        'SELECT count(*) FROM (SELECT contributor FROM a.people) t',
        'WITH t AS (SELECT contributor FROM a.people) SELECT count(*) FROM t',
        'SELECT count(*) FROM b.people WHERE contributor IN (SELECT contributor FROM a.people)',
        'SELECT count(*) FROM b.people b WHERE EXISTS (SELECT 1 FROM a.people x WHERE x.contributor = b.contributor)',
        'SELECT count(*) FROM b.people b JOIN a.people a ON a.contributor = b.contributor',
        'SELECT count(*) FROM b.people b, a.people a WHERE a.contributor = b.contributor',
      ])
        expect([sql, await count(rows, sql)]).toEqual([sql, [wanted]])
      // LEFT JOIN keeps what it does not find.
      const left = 'FROM b.people b LEFT JOIN a.people a ON a.contributor = b.contributor'
      expect(await count(rows, `SELECT count(*) ${left}`)).toEqual([24])
      expect(await count(rows, `SELECT count(*) ${left} WHERE a.contributor IS NOT NULL`)).toEqual([wanted])
      // FULL JOIN keeps what it does not find on either side: rows that a rule leaves out are not there to be kept.
      const nobody = '(SELECT contributor FROM b.people WHERE age > 99)'
      for (const from of [
        `a.people a FULL JOIN ${nobody} b USING (contributor)`,
        `${nobody} b FULL JOIN a.people a ON a.contributor = b.contributor`,
      ])
        expect([from, await count(rows, `SELECT count(*) FROM ${from}`)]).toEqual([from, [wanted]])
      const full = 'FROM b.people b FULL JOIN a.people a USING (contributor)'
      expect(await count(rows, `SELECT count(*) ${full}`)).toEqual([24])
      expect(await count(rows, `SELECT count(*) ${full} WHERE a.contributor IS NOT NULL`)).toEqual([wanted])
    },
  )

  it('hold in silence: a column without a use decides, and nothing says so', async () => {
    const plan = await planQuery({
      sql: 'SELECT count(*) FROM a.people',
      pools: [pool('a', {}, [{ column: 'agreed', in: [true] }])],
      budget,
    })
    expect(plan.reached).toEqual([])
    await expect(
      planQuery({ sql: 'SELECT count(*) FROM a.people WHERE agreed', pools: [pool('a')], budget }),
    ).rejects.toMatchObject({ code: 'COLUMN_NOT_FILTERABLE' })
  })

  it('on a column that is not there, in a policy that nobody parsed, are refused', async () => {
    for (const rows of [[{ column: 'x', min: 1 }], [{ column: 'age', in: ['x'] }]] as Rows[]) {
      await expect(
        planQuery({ sql: 'SELECT count(*) FROM a.people', pools: [pool('a', {}, rows)], budget }),
      ).rejects.toMatchObject({ code: 'POLICY_UNSUPPORTED' })
    }
  })

  it.each([
    [[{ column: 'x', min: 1 }], 'tables[0].rows[0].column'],
    [[{ column: 'age' }], 'tables[0].rows[0]'],
    [[{ column: 'age', in: [1], min: 1 }], 'tables[0].rows[0]'],
    [[{ column: 'age', in: [] }], 'tables[0].rows[0].in'],
    [[{ column: 'age', in: ['1'] }], 'tables[0].rows[0].in'],
    [[{ column: 'age', min: 0.5 }], 'tables[0].rows[0].min'],
    [[{ column: 'pay', max: 0.001 }], 'tables[0].rows[0].max'],
    [[{ column: 'pay', in: [0.001] }], 'tables[0].rows[0].in'],
    [[{ column: 'age', min: 3, max: 2 }], 'tables[0].rows[0].max'],
    [[{ column: 'land', min: 1 }], 'tables[0].rows[0].min'],
    [[{ column: 'agreed', in: ['true'] }], 'tables[0].rows[0].in'],
    [[{ column: 'land', in: [true] }], 'tables[0].rows[0].in'],
    [[{ column: 'age', min: 2 ** 60 }], 'tables[0].rows[0].min'],
    [[], 'tables[0].rows'],
  ])('that cannot hold are no policy: %j', (rows, place) => {
    const policy = { ...pool('a').policy, privacy: testPolicy('a', []).privacy }
    expect(() => parsePoolPolicy({ ...policy, tables: [{ ...people(), rows }] })).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID', place }),
    )
    const good = { ...people(), rows: [{ column: 'age', min: 3 }] }
    expect(parsePoolPolicy({ ...policy, tables: [good] }).tables[0]?.rows).toEqual(good.rows)
  })
})

describe('purposes', () => {
  const joined = 'SELECT count(*) FROM a.people JOIN b.people USING (contributor)'
  const pools = [
    pool('a', { purposes: ['research', 'audit'] }),
    pool('b', { purposes: ['research'], output: { purposeRequired: true } }),
  ]
  it.each([
    ['SELECT count(*) FROM a.people', undefined, true],
    ['SELECT count(*) FROM a.people', 'audit', true],
    ['SELECT count(*) FROM a.people', 'Audit', false],
    ['SELECT count(*) FROM a.people', '', false],
    ['SELECT count(*) FROM b.people', undefined, false],
    ['SELECT count(*) FROM b.people', 'research', true],
    [joined, 'research', true],
    [joined, 'audit', false],
    [joined, undefined, false],
  ])('%s for %s: allowed %s', async (sql, purpose, allowed) => {
    const planned = planQuery({ sql, pools, budget, ...(purpose === undefined ? {} : { purpose }) })
    if (allowed) expect((await planned).purpose).toBe(purpose)
    else await expect(planned).rejects.toMatchObject({ code: 'PURPOSE_NOT_ALLOWED' })
  })

  it('stand in the explanation, and in the digest by standing in the plan', async () => {
    const plan = await planQuery({ sql: joined, pools, budget, purpose: 'research' })
    expect(explainPlan(plan).text).toContain('The answer is for: research.')
  })
})

describe('output rules', () => {
  const sql = 'SELECT age, count(*) AS n, sum(pay) AS pay FROM a.people GROUP BY age ORDER BY age DESC'
  const grouped = (output: PoolPolicy['output']): PlanPool => {
    const table = people()
    const columns = table.columns.map((column) =>
      column.name === 'age' ? { ...column, use: [...column.use, 'group' as const] } : column,
    )
    return pool('a', { tables: [{ ...table, columns }], ...(output === undefined ? {} : { output }) })
  }

  it('are the strictest of all pools', async () => {
    const pools = [
      pool('a', { output: { maximumRows: 10, significantDigits: 2 } }),
      pool('b', { output: { maximumRows: 7, significantDigits: 4 } }),
    ]
    const of = async (statement: string) => (await planQuery({ sql: statement, pools, budget })).output
    expect(await of('SELECT count(*) FROM a.people JOIN b.people USING (contributor)')).toEqual({
      maximumRows: 7,
      significantDigits: 2,
    })
    expect(await of('SELECT count(*) FROM b.people')).toEqual({ maximumRows: 7, significantDigits: 4 })
    const plain = await planQuery({ sql: 'SELECT count(*) FROM a.people', pools: [pool('a')], budget })
    expect(plain.output).toBeUndefined()
  })

  it('cut rows in the order that was asked for, round numbers and leave keys', async () => {
    const engine = await memoryEngine()
    await engine.load({ name: 'a.people', columns: people().columns, rows: data })
    const run = async (output: PoolPolicy['output']) =>
      executePlan({
        plan: await planQuery({ sql, pools: [grouped(output)], budget }),
        engine,
        random: platformRandom,
      })
    const whole = await run(undefined)
    const cut = await run({ maximumRows: 3, significantDigits: 1 })
    expect(whole.rows.length).toBeGreaterThan(3)
    expect(cut.rows).toHaveLength(3)
    expect(cut.intervals).toHaveLength(3)
    expect(cut.notes.join(' ')).toContain('At most 3 rows')
    expect(cut.rows.map(([age]) => age)).toEqual(whole.rows.slice(0, 3).map(([age]) => age))
    for (const [age, , pay] of cut.rows) {
      expect(age === null || Number(age) >= 10).toBe(true)
      expect(Number(Number(pay).toPrecision(1))).toBe(Number(pay))
    }
    await engine.close()
  })

  it('round intervals outwards, by no more than a step', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
        fc.double({ noNaN: true, min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 6 }),
        (low, width, significantDigits) => {
          const high = low + width
          const rows = { rows: [[low]], intervals: [[{ low, high, confidence: 0.95 }]] }
          const bounded = boundOutput(rows, { maximumRows: null, significantDigits }, [{ kind: 'sum' }])
          const interval = bounded.intervals[0]?.[0]
          if (interval == null) throw new Error('no interval')
          expect(interval.low).toBeLessThanOrEqual(low)
          expect(interval.high).toBeGreaterThanOrEqual(high)
          const step = (value: number) =>
            10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - significantDigits + 1)
          expect(low - interval.low).toBeLessThanOrEqual(1.01 * step(low))
        },
      ),
    )
  })

  it('of a stored plan must be whole numbers', async () => {
    const plan = await planQuery({ sql, pools: [grouped({ maximumRows: 3 })], budget })
    expect(checkPlan(plan)).toBe(plan)
    for (const output of [
      { maximumRows: 0, significantDigits: null },
      { maximumRows: 1.5, significantDigits: null },
      { maximumRows: null, significantDigits: 16 },
      { maximumRows: null },
    ]) {
      expect(() => checkPlan({ ...plan, output } as typeof plan)).toThrow(
        expect.objectContaining({ code: 'PLAN_INVALID' }),
      )
    }
    const { text } = explainPlan(
      await planQuery({ sql, pools: [grouped({ maximumRows: 3, significantDigits: 2 })], budget }),
    )
    expect(text).toContain('At most 3 rows leave.')
    expect(text).toContain('Numbers are rounded to 2 digits.')
  })
})
