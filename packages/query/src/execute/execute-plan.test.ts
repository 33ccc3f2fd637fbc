import { platformRandom } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import type { Row, SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'
import { noiselessRules, testPools } from '../testing/pools.js'
import { loaded, type TestData } from '../testing/tables.js'
import { executePlan } from './execute-plan.js'

const sectors = ['other', 'manufacturing', "o'clock"]
const people = 60
const data: TestData = {
  workers: Array.from({ length: people }, (_, id) => ({
    contributor: id,
    wage: ((id * 37) % 4900) / 100 + 0.5,
    bonus: id % 7 === 0 ? null : (id * 13) % 300,
    union_member: id % 4 === 0,
    sector: sectors[id % 3] ?? null,
  })),
  persons: Array.from({ length: people }, (_, id) => ({
    contributor: id,
    education: 6 + (id % 12),
    gender: id % 2 === 0 ? 'female' : 'male',
  })),
  rides: Array.from({ length: people }, (_, id) => ({
    contributor: id % 40,
    miles: (id % 30) / 2,
    zone: 1 + (id % 3),
  })),
}

const exactly = { budget: { epsilon: 1e6, delta: 0 }, pools: testPools({ privacy: noiselessRules }) }
const random = platformRandom

/** Our answer under practically no noise. */
async function ours(engine: SqlEngine, sql: string) {
  return executePlan({ plan: await planQuery({ sql, ...exactly }), engine, random })
}

const wages =
  'SELECT union_member, sector, avg(wage) AS mean_wage, count(*) AS workers FROM pay.workers GROUP BY union_member, sector'
const bands = `SELECT gender, CASE WHEN education < 12 THEN 'under 12' WHEN education = 12 THEN '12' ELSE 'over 12' END AS band,
  avg(wage) AS mean_wage, count(*) AS workers FROM pay.workers JOIN people.persons USING (contributor) GROUP BY gender, band`
const corpus = [
  wages,
  bands,
  'SELECT count(*), sum(wage), avg(bonus), count(bonus), sum(bonus) FROM pay.workers',
  "SELECT sector, sum(CASE WHEN union_member THEN wage * 2 ELSE -1.5 END) FROM pay.workers WHERE sector <> 'other' GROUP BY sector",
  'SELECT count(*) FROM pay.workers WHERE bonus BETWEEN 20 AND 200.5 AND NOT union_member',
  'SELECT avg(wage * bonus) FROM pay.workers WHERE bonus IS NOT NULL',
  'SELECT count(*) FROM pay.workers WHERE bonus NOT IN (13, 26) OR union_member IS TRUE',
  'SELECT zone, avg(miles), count(DISTINCT contributor), count(*) FROM trips.rides WHERE miles > 2.25 GROUP BY zone',
  'SELECT sector, count(*) AS c FROM pay.workers GROUP BY sector HAVING count(*) >= 20 ORDER BY c DESC, sector LIMIT 2',
  'SELECT -zone AS k, count(*) FROM trips.rides GROUP BY k',
  'SELECT abs(zone * 10 - 20) AS k, count(*) FROM trips.rides GROUP BY k',
  'SELECT (zone * 10)::integer AS k, count(*) FROM trips.rides GROUP BY k',
  'SELECT -abs(3 - zone * 9) AS k, count(*) FROM trips.rides GROUP BY k',
  'SELECT CASE WHEN bonus < 50 THEN 1 WHEN bonus < 150 THEN 2 END AS step, count(*) AS n FROM pay.workers GROUP BY step ORDER BY step DESC NULLS LAST',
]

/** What DuckDB itself says to the statement, as the analyst wrote it, over the same tables. */
async function duckdbs(sql: string) {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const tables = { 'pay.workers': data.workers, 'people.persons': data.persons, 'trips.rides': data.rides }
  const types: Record<string, string> = {
    wage: 'DECIMAL(9,2)',
    miles: 'DECIMAL(9,1)',
    union_member: 'BOOLEAN',
    sector: 'VARCHAR',
    gender: 'VARCHAR',
  }
  for (const [name, rows] of Object.entries(tables)) {
    await connection.run(`CREATE SCHEMA ${name.split('.')[0]}`)
    const columns = Object.keys(rows[0] ?? {})
    await connection.run(
      `CREATE TABLE ${name} (${columns.map((column) => `${column} ${types[column] ?? 'INTEGER'}`).join(', ')})`,
    )
    const literal = (cell: Row[string] | undefined) =>
      typeof cell === 'string' ? `'${cell.replaceAll("'", "''")}'` : String(cell)
    const values = rows.map((row) => `(${columns.map((column) => literal(row[column])).join(', ')})`)
    await connection.run(`INSERT INTO ${name} VALUES ${values.join(', ')}`)
  }
  const answer = await connection.runAndReadAll(sql)
  connection.closeSync()
  instance.closeSync()
  return answer.getRowsJson()
}

const cellText = (cell: unknown) =>
  cell === null || typeof cell === 'boolean' || Number.isNaN(Number(cell))
    ? String(cell)
    : Number(cell).toFixed(2)
const sorted = (rows: readonly (readonly unknown[])[], keep: boolean) => {
  const texts = rows.map((row) => row.map(cellText).join('|'))
  return keep ? texts : texts.sort()
}

describe('an answer', () => {
  it.each(corpus)('without noise equals what DuckDB says: %s', async (sql) => {
    const engine = await loaded(data)
    const { rows } = await ours(engine, sql)
    await engine.close()
    const inOrder = sql.includes('ORDER BY')
    expect(rows.length).toBeGreaterThan(0)
    expect(sorted(rows, inOrder)).toEqual(sorted(await duckdbs(sql), inOrder))
  })

  it('covers the exact number with its intervals at least 19 times of 20', async () => {
    const sql =
      'SELECT gender, count(*), sum(bonus), avg(wage), avg(bonus) FROM pay.workers JOIN people.persons USING (contributor) GROUP BY gender'
    const engine = await loaded(data)
    const exact = new Map((await ours(engine, sql)).rows.map((row) => [row[0], row]))
    const plan = await planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
    let cells = 0
    let covered = 0
    let moved = 0
    for (let run = 0; run < 150; run += 1) {
      const { rows, intervals } = await executePlan({ plan, engine, random })
      rows.forEach((row, index) => {
        row.forEach((cell, column) => {
          const interval = intervals[index]?.[column]
          const truth = Number(exact.get(row[0] ?? null)?.[column])
          if (interval === null || interval === undefined) return
          cells += 1
          if (interval.low <= truth + 1e-9 && truth - 1e-9 <= interval.high) covered += 1
          if (Number(cell) !== truth) moved += 1
        })
      })
    }
    await engine.close()
    expect(covered / cells).toBeGreaterThan(0.95)
    // Noise is there at all.
    expect(moved / cells).toBeGreaterThan(0.5)
  })

  it('draws all of its noise before the engine is asked', async () => {
    const plan = await planQuery({ sql: wages, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
    const events: string[] = []
    const engine = await loaded(data)
    const watched: SqlEngine = {
      ...engine,
      query: (sql, expectation) => {
        events.push('query')
        return engine.query(sql, expectation)
      },
    }
    await executePlan({
      plan,
      engine: watched,
      random: (length) => {
        events.push('random')
        return random(length)
      },
    })
    await engine.close()
    expect(events.at(-1)).toBe('query')
    expect(events.filter((event) => event === 'query')).toHaveLength(1)
    expect(events).toContain('random')
  })

  it('leaves out groups by their noisy count: small and empty ones', async () => {
    const rules = { ...noiselessRules, minimumContributors: 16 }
    const sql = 'SELECT union_member, sector, count(*) AS n FROM pay.workers GROUP BY 1, 2'
    const plan = await planQuery({ sql, ...exactly, pools: testPools({ privacy: rules }) })
    const engine = await loaded(data)
    const { rows, suppressedGroups } = await executePlan({ plan, engine, random })
    await engine.close()
    expect(plan.groups).toBe(8)
    expect(rows.map((row) => row[0])).toEqual([])
    expect(suppressedGroups).toBe('unknown')
    const lower = await planQuery({
      sql,
      ...exactly,
      pools: testPools({ privacy: { ...rules, minimumContributors: 15 } }),
    })
    const second = await loaded(data)
    expect((await executePlan({ plan: lower, engine: second, random })).rows).toHaveLength(3)
    await second.close()
  })

  it('shows the same for an empty table as for a full one: columns, charge, one query', async () => {
    const plan = await planQuery({ sql: wages, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
    const empty = await loaded({ workers: [], persons: [], rides: [] })
    const full = await loaded(data)
    const [first, second] = [
      await executePlan({ plan, engine: empty, random }),
      await executePlan({ plan, engine: full, random }),
    ]
    await Promise.all([empty.close(), full.close()])
    expect(first.columns).toEqual(second.columns)
    expect(first.charge).toEqual(second.charge)
    expect(first.notes).toEqual(second.notes)
  })

  it('is JSON with numbers as numbers', async () => {
    const engine = await loaded(data)
    const result = await ours(engine, wages)
    await engine.close()
    expect(JSON.parse(JSON.stringify(result))).toEqual(result)
    expect(result.rows[0]?.map((cell) => typeof cell)).toEqual(['boolean', 'string', 'number', 'number'])
    expect(result.charge).toEqual({ pay: { epsilon: 1e6, delta: 0 } })
  })
})

describe('what does not fit is refused', () => {
  const answering = (rows: readonly Row[]): SqlEngine => ({
    dialect: 'duckdb',
    load: async () => {},
    query: async () => rows,
    close: async () => {},
  })

  it.each([
    ['a code outside of the public values', [{ k0: '4', s0: '1' }]],
    ['a negative code', [{ k0: '-1', s0: '1' }]],
    [
      'a group twice',
      [
        { k0: '1', s0: '1' },
        { k0: '1', s0: '2' },
      ],
    ],
    ['a number that is no integer', [{ k0: '1', s0: '1.5' }]],
    ['a number that is no text', [{ k0: '1', s0: 1 }]],
    ['a statistic that is missing', [{ k0: '1' }]],
  ] as const)('an engine that answers with %s', async (_, rows) => {
    const sql = 'SELECT sector, count(*) FROM pay.workers GROUP BY sector'
    const plan = await planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
    const run = executePlan({ plan, engine: answering(rows), random })
    await expect(run).rejects.toMatchObject({ code: 'ENGINE_ANSWER_INVALID' })
  })

  it('a plan whose noise, rows or charge were changed', async () => {
    const plan = await planQuery({
      sql: 'SELECT avg(wage) FROM pay.workers',
      pools: testPools(),
      budget: { epsilon: 1, delta: 0 },
    })
    const [rows, sum] = plan.statistics
    const [source] = plan.program.sources
    const [pool] = plan.pools
    if (rows === undefined || sum === undefined || source === undefined || pool === undefined)
      throw new Error('no parts')
    const changed = [
      { ...plan, version: 2 },
      { ...plan, statistics: [rows] },
      { ...plan, statistics: [rows, { ...sum, scale: { ...sum.scale, numerator: '1' } }] },
      { ...plan, statistics: [{ ...rows, sensitivity: '0' }, sum] },
      {
        ...plan,
        statistics: [
          rows,
          { ...sum, epsilonNano: 2e9, scale: { numerator: '2500000000000', denominator: '2000000000' } },
        ],
      },
      { ...plan, program: { ...plan.program, sources: [{ ...source, rows: 2 }] } },
      { ...plan, program: { ...plan.program, sources: [{ ...source, pool: 'people' }] } },
      { ...plan, pools: [{ ...pool, charge: { epsilon: 0.5, delta: 0 } }] },
      { ...plan, groups: 2 },
    ]
    for (const entry of changed) {
      const run = executePlan({ plan: entry as typeof plan, engine: answering([]), random })
      await expect(run).rejects.toMatchObject({ code: 'PLAN_INVALID' })
    }
  })
})
