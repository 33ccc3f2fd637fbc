import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { type PlanQueryOptions, planQuery } from '../plan/plan-query.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { testPolicy, workers } from '../testing/pools.js'
import { repeatableRandom } from '../testing/repeatable-random.js'
import { executePlan } from './execute-plan.js'
import { executeShares, type PlanShare, requireDivisible, requireShare, shareOfPlan } from './share.js'

const names = ['pay', 'people', 'trips'] as const
const pools: PlanQueryOptions['pools'] = names.map((name, index) => ({
  name,
  address: `0x${String(index + 1).repeat(40)}`,
  policy: testPolicy(name, [workers]),
}))
const union = (columns: string, of: readonly string[] = names) =>
  `(${of.map((name) => `SELECT ${columns} FROM ${name}.workers`).join(' UNION ALL ')}) AS u`
const plan = (sql: string, change: Partial<PlanQueryOptions> = {}) =>
  planQuery({ sql, pools, budget: { epsilon: 2, delta: 0 }, ...change })
const homeOf = (pool: string) => pool
type Row = { contributor: number; wage: number; bonus: number | null; sector: string }
const rowsOf = (first: number, count: number, extra = 0): Row[] =>
  Array.from({ length: count }, (_, index) => ({
    contributor: first + index,
    wage: (index * 7 + extra) % 50,
    bonus: index % 5 === 0 ? null : index % 200,
    sector: index % 3 === 0 ? 'other' : 'manufacturing',
  }))
const engineOf = async (rows: Readonly<Record<string, readonly Row[]>>): Promise<SqlEngine> => {
  const engine = await memoryEngine()
  for (const name of names) {
    await engine.load({ name: `${name}.workers`, columns: workers.columns, rows: rows[name] ?? [] })
  }
  return engine
}

// Homes of very different size; some contributors are in two of them.
const all = { pay: rowsOf(0, 60), people: rowsOf(40, 80, 3), trips: rowsOf(1_000, 70, 11) }
let pooled: SqlEngine
let homes: readonly SqlEngine[]
beforeAll(async () => {
  pooled = await engineOf(all)
  homes = await Promise.all(names.map((name) => engineOf({ [name]: all[name] })))
})
afterAll(() => Promise.all([pooled, ...homes].map((engine) => engine.close())))

const shared = async (asked: Awaited<ReturnType<typeof plan>>, seed: number) => {
  requireDivisible(asked, homeOf)
  const shares: PlanShare[] = []
  for (const engine of homes) shares.push(await shareOfPlan({ plan: asked, engine }))
  return executeShares({
    plan: asked,
    // As they travel.
    shares: JSON.parse(JSON.stringify(shares)) as PlanShare[],
    random: repeatableRandom(seed),
  })
}

describe('shares of a plan', () => {
  it.each([
    [`SELECT count(*) AS n, sum(wage) AS s, avg(wage) AS a FROM ${union('wage')}`],
    [`SELECT sector, count(*) AS n, avg(wage) AS a FROM ${union('sector, wage')} GROUP BY sector`],
    [`SELECT sector, avg(bonus) AS a FROM ${union('sector, bonus')} GROUP BY ROLLUP (sector)`],
    [`SELECT count(*) FILTER (WHERE bonus > 20) AS n, median(wage) AS m FROM ${union('wage, bonus')}`],
    [`SELECT variance(wage) AS v FROM ${union('wage, bonus')} WHERE bonus < 140`],
    ['SELECT count(*) AS n FROM pay.workers UNION ALL SELECT count(*) FROM trips.workers'],
    [`SELECT sector, sum(wage) AS s FROM ${union('sector, wage')} GROUP BY sector HAVING sum(wage) > 900`],
  ])('make the very answer of one engine that holds all rows: %s', async (sql) => {
    const asked = await plan(sql)
    for (const seed of [1, 2, 3]) {
      const one = await executePlan({ plan: asked, engine: pooled, random: repeatableRandom(seed) })
      expect(await shared(asked, seed)).toEqual(one)
    }
  })

  it('of eight workers with an eighth of the contributors each make the answer of one, also when one of them is asked again after it broke', async () => {
    const rows = rowsOf(0, 1_600)
    const asked = await plan('SELECT sector, count(*) AS n, avg(wage) AS a FROM pay.workers GROUP BY sector')
    const whole = await engineOf({ pay: rows })
    const shares: PlanShare[] = []
    for (let worker = 0; worker < 8; worker += 1) {
      const engine = await engineOf({ pay: rows.filter(({ contributor }) => contributor % 8 === worker) })
      let broken = worker === 3
      const query: SqlEngine['query'] = async (...statement) => {
        if (broken) throw new Error('the worker was killed')
        return engine.query(...statement)
      }
      const ask = () => shareOfPlan({ plan: asked, engine: { ...engine, query } })
      if (broken) await expect(ask()).rejects.toThrow()
      broken = false
      shares.push(await ask())
      await engine.close()
    }
    const one = await executePlan({ plan: asked, engine: whole, random: repeatableRandom(4) })
    await whole.close()
    expect(one.rows.length).toBeGreaterThan(1)
    const together = { plan: asked, random: repeatableRandom(4) }
    expect(await executeShares({ ...together, shares })).toEqual(one)
    // A worker that is left out is seen.
    const fewer = await executeShares({ plan: asked, shares: shares.slice(1), random: repeatableRandom(4) })
    expect(fewer).not.toEqual(one)
  })

  it.each([
    'SELECT sector, count(*) AS n, avg(wage) AS a FROM pay.workers GROUP BY sector',
    'SELECT count(DISTINCT contributor) AS n FROM pay.workers',
    'SELECT sector, count(DISTINCT contributor) AS n, median(wage) AS m FROM pay.workers GROUP BY ROLLUP (sector)',
    'SELECT sum(p.wage) AS s FROM pay.workers AS p JOIN people.workers AS q ON p.contributor = q.contributor WHERE q.bonus > 10',
  ])(
    'of parts with all rows of some contributors each add up to the answer of one engine: %s',
    async (sql) => {
      const rows = { pay: rowsOf(0, 400), people: rowsOf(100, 400, 3), trips: [] }
      const asked = await plan(sql)
      requireDivisible(asked, () => 'one home')
      const whole = await engineOf(rows)
      const shares: PlanShare[] = []
      for (const part of [0, 1, 2]) {
        const of = (some: readonly Row[]) => some.filter(({ contributor }) => contributor % 3 === part)
        const engine = await engineOf({ pay: of(rows.pay), people: of(rows.people) })
        shares.push(await shareOfPlan({ plan: asked, engine }))
        await engine.close()
      }
      const one = await executePlan({ plan: asked, engine: whole, random: repeatableRandom(6) })
      await whole.close()
      expect(one.rows.length).toBeGreaterThan(0)
      const together = { plan: asked, shares, random: repeatableRandom(6) }
      expect(await executeShares({ ...together, contributors: 'disjoint' })).toEqual(one)
    },
  )

  it('of one form have groups and numbers alike, whatever rows a home has', async () => {
    const asked = await plan(`SELECT sector, avg(wage) AS a FROM ${union('sector, wage')} GROUP BY sector`)
    const empty = await engineOf({})
    const form = (share: PlanShare) =>
      share.releases.map(({ groups }) =>
        groups.map(({ statistics, bins }) => [statistics.length, bins.length]),
      )
    const [one, none] = [
      await shareOfPlan({ plan: asked, engine: homes[0] ?? empty }),
      await shareOfPlan({ plan: asked, engine: empty }),
    ]
    expect(form(one)).toEqual(form(none))
    await empty.close()
  })

  it('count nobody twice when a group is to be large enough', async () => {
    const privacy = {
      ...testPolicy('x', [workers]).privacy,
      epsilon: 1e6,
      perJob: { epsilon: 1e6, delta: 0 },
    }
    const strict = pools.map((pool) => ({
      ...pool,
      policy: { ...pool.policy, privacy: { ...privacy, minimumContributors: 30 } },
    }))
    const sql = `SELECT sector, count(*) AS n FROM ${union('sector')} GROUP BY sector`
    const asked = await plan(sql, { pools: strict, budget: { epsilon: 1e5, delta: 0 } })
    // The same 20 people in all three homes: 60 rows in a group, and 20 contributors.
    const same = await Promise.all(
      names.map((name) => engineOf({ [name]: rowsOf(0, 20).map((row) => ({ ...row, sector: 'other' })) })),
    )
    const enough = await engineOf({ pay: rowsOf(0, 40).map((row) => ({ ...row, sector: 'other' })) })
    const answer = async (engines: readonly SqlEngine[]) => {
      const shares = await Promise.all(engines.map((engine) => shareOfPlan({ plan: asked, engine })))
      return (await executeShares({ plan: asked, shares, random: repeatableRandom(5) })).rows
    }
    expect(await answer(same)).toEqual([])
    expect(await answer([...same.slice(1), enough])).toEqual([['other', 80]])
    // Where whoever divided the rows knows that nobody is in two parts, the people of all of them count.
    const apart = await Promise.all(
      [0, 20].map((first) => {
        const others = rowsOf(first, 20).map((row) => ({ ...row, sector: 'other' }))
        return engineOf({ pay: others, people: others })
      }),
    )
    const shares = await Promise.all(apart.map((engine) => shareOfPlan({ plan: asked, engine })))
    const rowsFor = async (contributors: 'disjoint' | 'overlapping') =>
      (await executeShares({ plan: asked, shares, contributors, random: repeatableRandom(5) })).rows
    expect(await rowsFor('overlapping')).toEqual([])
    expect(await rowsFor('disjoint')).toEqual([['other', 80]])
    await Promise.all([...same, ...apart, enough].map((engine) => engine.close()))
  })

  it.each([
    ['SELECT count(*) FROM pay.workers JOIN people.workers USING (contributor)', 'FROM'],
    [
      `SELECT count(*) FROM ${union('contributor', ['people', 'trips'])} JOIN pay.workers USING (contributor)`,
      'FROM',
    ],
    [
      `SELECT count(*) FROM ${union('contributor', ['people', 'trips'])} WHERE contributor IN (SELECT contributor FROM pay.workers)`,
      'FROM',
    ],
    [
      `SELECT count(*) FROM (SELECT contributor, sum(bonus) AS s FROM ${union('contributor, bonus')} GROUP BY contributor) AS v WHERE s > 10`,
      'FROM',
    ],
    [`SELECT count(DISTINCT contributor) FROM ${union('contributor')}`, 'count of contributors'],
    [`SELECT count(DISTINCT bonus) FROM ${union('bonus')}`, 'DISTINCT'],
  ])('are refused before anything is charged: %s', async (sql, place) => {
    const asked = await plan(sql)
    expect(() => requireDivisible(asked, homeOf)).toThrow(
      expect.objectContaining({ code: 'NOT_DIVISIBLE', place }),
    )
  })

  it('take a join of pools that are at home in one place', async () => {
    const asked = await plan('SELECT count(*) FROM pay.workers JOIN people.workers USING (contributor)')
    expect(() => requireDivisible(asked, () => 'here')).not.toThrow()
  })

  it('are refused for groups whose names are not public', async () => {
    const sql = `SELECT town, count(*) FROM ${union('town')} GROUP BY town`
    const asked = await plan(sql, { budget: { epsilon: 1, delta: 1e-7 } })
    const place = 'GROUP BY names that are not public'
    expect(() => requireDivisible(asked, homeOf)).toThrow(expect.objectContaining({ place }))
  })

  it('are refused under exact bounds', async () => {
    const sql = `SELECT sector, count(*) FROM ${union('sector')} GROUP BY sector`
    const asked = await plan(sql, { bounds: { groups: 1, rows: 1 } })
    expect(() => requireDivisible(asked, homeOf)).toThrow(expect.objectContaining({ place: 'bounds' }))
  })

  it('of another form or with other numbers are refused, whatever they are', async () => {
    const asked = await plan(`SELECT median(wage) AS m FROM ${union('wage')}`)
    const [share] = await Promise.all([shareOfPlan({ plan: asked, engine: pooled })])
    const random = repeatableRandom(1)
    const refused = expect.objectContaining({ code: 'SHARE_INVALID' })
    expect(() => requireShare(asked, share)).not.toThrow()
    const group = share.releases[0]?.groups[0]
    const withGroup = (change: object) => ({ releases: [{ groups: [{ ...group, ...change }] }] })
    for (const bad of [
      null,
      {},
      { releases: [] },
      { releases: [{ groups: [] }] },
      { releases: [{ groups: [group, group] }] },
      { releases: [...share.releases, ...share.releases] },
      withGroup({ statistics: [] }),
      withGroup({ statistics: group?.statistics.map(() => '01') }),
      withGroup({ statistics: group?.statistics.map(() => '1.5') }),
      withGroup({ statistics: group?.statistics.map(() => `1${'0'.repeat(60)}`) }),
      withGroup({ statistics: group?.statistics.map(() => 1) }),
      withGroup({ bins: [] }),
      withGroup({ bins: [['1']] }),
    ]) {
      await expect(executeShares({ plan: asked, shares: [share, bad as PlanShare], random })).rejects.toEqual(
        refused,
      )
      expect(() => requireShare(asked, bad)).toThrow(refused)
    }
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (bad) => {
        await expect(
          executeShares({ plan: asked, shares: [bad as unknown as PlanShare], random }),
        ).rejects.toEqual(refused)
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    'SELECT sector, count(*) AS n, avg(wage) AS a, variance(wage) AS v FROM pay.workers GROUP BY ROLLUP (sector)',
    'SELECT count(DISTINCT contributor) AS n, median(wage) AS m FROM pay.workers HAVING count(*) > 3',
  ])('with numbers that no rows make have an answer all the same: %s', async (sql) => {
    const asked = await plan(sql)
    const share = await shareOfPlan({ plan: asked, engine: pooled })
    const number = fc.oneof(fc.constant(0n), fc.bigInt({ min: -(10n ** 60n) + 1n, max: 10n ** 60n - 1n }))
    const holds = fc.asyncProperty(fc.infiniteStream(number), async (numbers) => {
      const next = () => String(numbers.next().value)
      const wild: PlanShare = {
        releases: share.releases.map(({ groups }) => ({
          groups: groups.map(({ statistics, bins }) => ({
            statistics: statistics.map(next),
            bins: bins.map((counts) => counts.map(next)),
          })),
        })),
      }
      requireShare(asked, wild)
      const random = repeatableRandom(1)
      const shares = [share, wild]
      const { columns } = await executeShares({ plan: asked, shares, contributors: 'disjoint', random })
      expect(columns).toHaveLength(asked.columns.length)
    })
    await fc.assert(holds, { numRuns: 50 })
  })
})
