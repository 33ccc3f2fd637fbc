import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planQuery } from '../plan/plan-query.js'
import { testPools } from '../testing/pools.js'
import { acceptedStatement } from '../testing/statements.js'
import { loaded, type TestData, testData, without } from '../testing/tables.js'
import { exactGroups } from './statistics.js'

const magnitude = (value: bigint) => (value < 0n ? -value : value)

/** How far each statistic moves, summed over the groups, when one contributor leaves. */
async function distances(sql: string, data: TestData, leaving: number, bounded = true) {
  const plan = await planQuery({ sql, pools: testPools(), grant: {}, budget: { epsilon: 1, delta: 0 } })
  const engines = [await loaded(data, bounded), await loaded(without(data, leaving), bounded)] as const
  try {
    const numbers = async (engine: (typeof engines)[number]) =>
      (await exactGroups(plan, engine)).map(({ statistics }) => statistics)
    const [before, after] = [await numbers(engines[0]), await numbers(engines[1])]
    const moved = plan.statistics.map((_, position) =>
      before.reduce(
        (sum, group, index) => sum + magnitude((group[position] ?? 0n) - (after[index]?.[position] ?? 0n)),
        0n,
      ),
    )
    return { plan, moved, before, after }
  } finally {
    await Promise.all(engines.map((engine) => engine.close()))
  }
}

describe('neighbouring data', () => {
  it('moves no statistic further than its sensitivity, for any tables and statements', async () => {
    await fc.assert(
      fc.asyncProperty(
        testData,
        acceptedStatement,
        fc.integer({ min: 1, max: 6 }),
        async (data, sql, leaving) => {
          const { plan, moved, before, after } = await distances(sql, data, leaving)
          plan.statistics.forEach(({ sensitivity }, position) => {
            expect(moved[position] ?? 0n).toBeLessThanOrEqual(BigInt(sensitivity))
          })
          // What else could be seen is the same: the groups and their order.
          expect(after.length).toBe(before.length)
        },
      ),
      { numRuns: 120 },
    )
  }, 240_000)

  it('reaches the stated sensitivity, so it is not stated too large', async () => {
    const workers = [{ contributor: 1, wage: 50, bonus: 300, union_member: true, sector: 'other' }]
    const rides = [1, 2, 3].map((zone) => ({ contributor: 1, miles: 20, zone }))
    const data = { workers, persons: [], rides }
    for (const sql of [
      'SELECT count(*), avg(wage), sum(bonus) FROM pay.workers',
      'SELECT zone, count(*), count(DISTINCT contributor), sum(miles), count(miles) FROM trips.rides GROUP BY zone',
    ]) {
      const { plan, moved } = await distances(sql, data, 1)
      expect(moved.map(String)).toEqual(plan.statistics.map(({ sensitivity }) => sensitivity))
    }
  })

  it('is clamped by the plan, even in a table that was loaded without bounds', async () => {
    const workers = [{ contributor: 1, wage: 99_999, bonus: -99_999, union_member: true, sector: 'other' }]
    const rides = [{ contributor: 1, miles: 99_999, zone: 1 }]
    const data = { workers, persons: [], rides }
    for (const sql of [
      'SELECT avg(wage), sum(bonus), sum(wage * bonus) FROM pay.workers',
      'SELECT sum(miles * miles) FROM trips.rides',
    ]) {
      const { plan, moved } = await distances(sql, data, 1, false)
      plan.statistics.forEach(({ sensitivity }, position) => {
        expect(moved[position] ?? 0n).toBeLessThanOrEqual(BigInt(sensitivity))
      })
    }
  })

  it('keeps the same rows of a contributor whatever the statement filters', async () => {
    const rides = Array.from({ length: 20 }, (_, index) => ({ contributor: 1, miles: index, zone: 1 }))
    const data = { workers: [], persons: [], rides }
    const total = async (where: string) => {
      const { before } = await distances(`SELECT count(*) FROM trips.rides WHERE ${where}`, data, 2)
      return Number(before[0]?.[1] ?? 0n)
    }
    expect((await total('miles < 10')) + (await total('miles >= 10'))).toBe(3)
  })
})
