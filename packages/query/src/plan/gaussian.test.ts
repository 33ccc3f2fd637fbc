import { createMemoryLedger, type PoolPolicy, platformRandom, zcdpEpsilon } from '@sealpool/privacy'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerer } from '../answer/answer-query.js'
import { createMemoryAnswers } from '../answer/answer-store.js'
import { executePlan } from '../execute/execute-plan.js'
import { exactGroups } from '../execute/statistics.js'
import { explainPlan } from '../explain/explain-plan.js'
import { testPools } from '../testing/pools.js'
import { repeatableRandom } from '../testing/repeatable-random.js'
import { acceptedStatement } from '../testing/statements.js'
import { loaded, testData, without } from '../testing/tables.js'
import { checkPlan } from './check-plan.js'
import type { QueryPlan } from './plan.js'
import { releasesOf } from './plan.js'
import { type PlanQueryOptions, planQuery } from './plan-query.js'

const privacy: PoolPolicy['privacy'] = {
  accounting: 'zcdp',
  epsilon: 6,
  delta: 1e-5,
  perJob: { epsilon: 4, delta: 1e-6 },
  minimumContributors: 1,
  maximumGroups: 200,
}
const budget = { epsilon: 2, delta: 1e-6 }
const plan = (sql: string, changes: Partial<PlanQueryOptions> = {}) =>
  planQuery({ sql, pools: testPools({ privacy }), budget, ...changes })

const zones = 'SELECT zone, count(*), count(DISTINCT contributor), sum(miles) FROM trips.rides GROUP BY zone'

describe('noise in pools with zCDP accounting', () => {
  it('is Gaussian, with a variance from the L2 sensitivity and a part of rho', async () => {
    const made = await plan(zones)
    expect(made.statistics.map(({ mechanism }) => mechanism)).toEqual([
      'discrete-gaussian',
      'discrete-gaussian',
      'discrete-gaussian',
      'discrete-gaussian',
    ])
    const by = new Map(
      made.program.statistics.map(({ kind }, index) => [kind, made.statistics[index]] as const),
    )
    // Three rows of one contributor may all be in one group, but it is only once in each of three groups.
    expect(by.get('rows')).toMatchObject({ sensitivity: '3', squaredSensitivity: '9', epsilonNano: 0 })
    expect(by.get('contributors')).toMatchObject({ sensitivity: '3', squaredSensitivity: '3' })
    expect(by.get('sum')).toMatchObject({ sensitivity: '300', squaredSensitivity: '90000' })
    for (const { squaredSensitivity, rhoPico, scale } of made.statistics) {
      const square = BigInt(squaredSensitivity ?? 0) * 10n ** 12n * BigInt(scale.denominator)
      expect(square).toBe(BigInt(scale.numerator) * 2n * BigInt(rhoPico ?? 0))
    }
    const rho = made.statistics.reduce((sum, { rhoPico = 0 }) => sum + rhoPico, 0)
    expect(rho).toBeLessThanOrEqual(made.privacy.rhoPico ?? 0)
    expect(rho).toBeGreaterThan(0.9999 * (made.privacy.rhoPico ?? 0))
    expect(checkPlan(structuredClone(made))).toEqual(made)
  })

  it('costs as much rho as the promised epsilon and delta allow, and no more', async () => {
    const made = await plan(zones)
    const rho = (made.privacy.rhoPico ?? 0) / 1e12
    expect(zcdpEpsilon({ rho, delta: 1e-6 })).toBeLessThanOrEqual(2)
    expect(zcdpEpsilon({ rho: rho * 1.000001, delta: 1e-6 })).toBeGreaterThan(2)
    expect(made.pools.map(({ charge }) => charge)).toEqual([
      { epsilon: 2, delta: 1e-6, zcdp: { rho, delta: 0 } },
    ])
    expect(made.privacy.delta).toBe(1e-6)
  })

  it('keeps half of delta for groups of unknown name', async () => {
    const made = await plan('SELECT town, count(*) FROM pay.workers GROUP BY town')
    const rho = (made.privacy.rhoPico ?? 0) / 1e12
    expect(zcdpEpsilon({ rho, delta: 5e-7 })).toBeLessThanOrEqual(2)
    expect(made.pools[0]?.charge).toEqual({ epsilon: 2, delta: 1e-6, zcdp: { rho, delta: 5e-7 } })
    expect(made.statistics.map(({ mechanism }) => mechanism).sort()).toEqual([
      'discrete-gaussian',
      'partition-selection',
    ])
    const selection = made.statistics.find(({ mechanism }) => mechanism === 'partition-selection')
    expect(selection?.delta).toBeCloseTo(5e-7, 12)
    // A pure part costs half the square of its epsilon.
    expect((selection?.epsilonNano ?? 0) ** 2 / 2e18).toBeLessThanOrEqual((selection?.rhoPico ?? 0) / 1e12)
    expect(explainPlan(made).text.join(' ')).toContain('with delta 5e-7')
  })

  it('is said by the plan`s explanation and by the answer', async () => {
    const made = await plan('SELECT count(*) FROM pay.workers')
    const { mechanism, text, charge } = explainPlan(made)
    expect(mechanism).toBe('discrete-gaussian')
    expect(text.join(' ')).toContain('Discrete Gaussian noise')
    expect(text.join(' ')).toContain('its zCDP accounting books rho')
    expect(text.join(' ')).toContain('All 1 public group(s)')
    expect(charge['pay']?.zcdp).toBeDefined()
    const engine = await loaded({ workers: [], persons: [], rides: [] })
    const { notes } = await executePlan({ plan: made, engine, random: platformRandom })
    expect(notes[0]).toBe(
      'Noise was added: discrete Gaussian, epsilon 2 at delta 0.000001 in each of the pools pay.',
    )
    expect(notes.join(' ')).not.toContain('unknown name')
    await engine.close()
  })

  it('is Laplace where a pool counts otherwise, where there is no delta, and where it is asked for', async () => {
    const [pay, ...others] = testPools({ privacy })
    const [plainPay] = testPools()
    if (pay === undefined || plainPay === undefined) throw new Error('no pools')
    const join = 'SELECT count(*) FROM pay.workers JOIN people.persons USING (contributor)'
    const kinds = async (made: Promise<QueryPlan>) => [
      ...new Set((await made).statistics.map(({ mechanism }) => mechanism)),
    ]
    expect(await kinds(plan(join))).toEqual(['discrete-gaussian'])
    expect(await kinds(plan(join, { pools: [plainPay, ...others] }))).toEqual(['discrete-laplace'])
    expect(await kinds(plan(join, { budget: { epsilon: 1, delta: 0 } }))).toEqual(['discrete-laplace'])
    expect(await kinds(plan(join, { noise: 'laplace' }))).toEqual(['discrete-laplace'])
    expect(await kinds(plan(join, { noise: 'gaussian' }))).toEqual(['discrete-gaussian'])
    for (const changes of [{ pools: [plainPay, ...others] }, { budget: { epsilon: 1, delta: 0 } }] as const) {
      await expect(plan(join, { ...changes, noise: 'gaussian' })).rejects.toMatchObject({
        code: 'BUDGET_INVALID',
        place: 'noise',
      })
    }
    const made = await plan(join, { noise: 'laplace' })
    expect(made.pools[0]?.charge).toEqual({ epsilon: 2, delta: 0 })
  })

  it('charges a pool that only some releases read for those alone', async () => {
    const made = await plan(
      'SELECT (SELECT count(*) FROM pay.workers) + (SELECT count(*) FROM people.persons) AS both',
    )
    const [first, second] = releasesOf(made)
    const rho = made.pools.map(({ charge }) => Math.round((charge.zcdp?.rho ?? 0) * 1e12))
    expect(rho).toEqual([first, second].map((release) => release?.statistics[0]?.rhoPico))
    expect(made.pools.map(({ charge }) => charge.epsilon)).toEqual([2, 2])
    expect(() => checkPlan(made)).not.toThrow()
  })

  it('is booked in a ledger by its rho, so that more answers fit', async () => {
    const engine = await loaded({ workers: [], persons: [], rides: [] })
    const spend = async (changes: Partial<PlanQueryOptions>) => {
      const ledger = createMemoryLedger()
      for (const { address, policy } of testPools({ privacy })) await ledger.open(address, policy.privacy)
      const made = await plan('SELECT count(*) FROM pay.workers', {
        budget: { epsilon: 1, delta: 1e-6 },
        ...changes,
      })
      const answer = answerer({
        ledger,
        engine,
        answers: createMemoryAnswers(),
        random: platformRandom,
        dataVersion: '1',
      })
      await answer(made)
      const [pool] = made.pools
      const { state } = await ledger.head(pool?.address ?? '')
      return { spent: Number(state.epsilonSpent), rho: pool?.charge.zcdp?.rho ?? 0.5 }
    }
    const [gaussian, laplace] = [await spend({}), await spend({ noise: 'laplace' })]
    expect(gaussian.spent).toBeCloseTo(zcdpEpsilon({ rho: gaussian.rho, delta: 5e-6 }), 6)
    expect(laplace.spent).toBeCloseTo(zcdpEpsilon({ rho: 0.5, delta: 5e-6 }), 6)
    expect(gaussian.spent).toBeLessThan(laplace.spent / 3)
    await engine.close()
  })

  it('is spread as it says', async () => {
    const workers = Array.from({ length: 40 }, (_, contributor) => ({
      contributor,
      wage: 10,
      bonus: 0,
      union_member: true,
      sector: 'other',
    }))
    const engine = await loaded({ workers, persons: [], rides: [] })
    const made = await plan('SELECT count(*) FROM pay.workers', { budget: { epsilon: 0.5, delta: 1e-6 } })
    const [statistic] = made.statistics
    const variance = Number(statistic?.scale.numerator) / Number(statistic?.scale.denominator)
    const random = repeatableRandom(7)
    const interval: boolean[] = []
    const noise: number[] = []
    for (let turn = 0; turn < 600; turn += 1) {
      const { rows, intervals } = await executePlan({ plan: made, engine, random })
      const cell = intervals[0]?.[0]
      if (cell == null) continue
      interval.push(cell.low <= 40 && cell.high >= 40)
      // Counts are not told below zero: the upper end of the interval has not been cut.
      noise.push(cell.high - 40 - (made.expectedErrors[0]?.plusMinus ?? 0))
      expect(rows).toHaveLength(1)
    }
    // Ends that were cut at zero tell only that noise was below: their share is small enough to be left out of the upper half.
    const above = noise.filter((value) => value > 0)
    const half = above.reduce((sum, value) => sum + value * value, 0) / above.length
    expect(half / variance).toBeGreaterThan(0.75)
    expect(half / variance).toBeLessThan(1.3)
    expect(interval.filter(Boolean).length / interval.length).toBeGreaterThan(0.92)
    // Laplace noise of the same variance goes past three standard deviations 14 times in 1000, Gaussian noise 2.7 times.
    expect(above.filter((value) => value ** 2 > 16 * variance).length).toBeLessThan(3)
    await engine.close()
  })
})

describe('neighbouring data', () => {
  it('moves no statistic further than its L2 sensitivity, for any tables and statements', async () => {
    await fc.assert(
      fc.asyncProperty(
        testData,
        acceptedStatement,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(undefined, { groups: 1, rows: 2 }, { groups: 2, rows: 1 }),
        async (data, sql, leaving, bounds) => {
          const made = await plan(sql, bounds === undefined ? {} : { bounds })
          const engines = [await loaded(data), await loaded(without(data, leaving))] as const
          try {
            const [before, after] = [await exactGroups(made, engines[0]), await exactGroups(made, engines[1])]
            made.statistics.forEach(({ mechanism, squaredSensitivity, sensitivity }, position) => {
              expect(mechanism).toBe('discrete-gaussian')
              const moved = before.map(
                (group, index) =>
                  (group.statistics[position] ?? 0n) - (after[index]?.statistics[position] ?? 0n),
              )
              const square = moved.reduce((sum, value) => sum + value * value, 0n)
              expect(square).toBeLessThanOrEqual(BigInt(squaredSensitivity ?? 0))
              const size = moved.reduce((sum, value) => sum + (value < 0n ? -value : value), 0n)
              expect(size).toBeLessThanOrEqual(BigInt(sensitivity))
            })
          } finally {
            await Promise.all(engines.map((engine) => engine.close()))
          }
        },
      ),
      { numRuns: 60 },
    )
  }, 240_000)

  it('reaches it, so it is not stated too large', async () => {
    const squares = async (sql: string, rides: readonly { zone: number }[], changes = {}) => {
      const made = await plan(sql, changes)
      const engine = await loaded({
        workers: [],
        persons: [],
        rides: rides.map((row) => ({ contributor: 1, miles: 20, ...row })),
      })
      const groups = await exactGroups(made, engine)
      await engine.close()
      return made.statistics.map(({ squaredSensitivity }, position) => [
        squaredSensitivity,
        String(groups.reduce((sum, { statistics }) => sum + (statistics[position] ?? 0n) ** 2n, 0n)),
      ])
    }
    const rows = 'SELECT zone, count(*), sum(miles) FROM trips.rides GROUP BY zone'
    const [, heap, sum] = await squares(rows, [{ zone: 1 }, { zone: 1 }, { zone: 1 }])
    expect(heap?.[0]).toBe(heap?.[1])
    expect(sum?.[0]).toBe(sum?.[1])
    const [people] = await squares(rows, [{ zone: 1 }, { zone: 2 }, { zone: 3 }])
    expect(people?.[0]).toBe(people?.[1])
    const sets = 'SELECT zone, count(*) FROM trips.rides GROUP BY ROLLUP (zone)'
    const [, total] = await squares(sets, [{ zone: 1 }, { zone: 1 }, { zone: 1 }])
    expect(total).toEqual(['18', '18'])
    const bounds = { bounds: { groups: 2, rows: 1 } }
    const [, each] = await squares(rows, [{ zone: 1 }, { zone: 2 }, { zone: 3 }], bounds)
    expect(each).toEqual(['2', '2'])
  })
})

describe('a plan that was changed', () => {
  it('is refused wherever its Gaussian noise or its charge no longer fits', async () => {
    const made = await plan(zones)
    const [first, ...rest] = made.statistics
    const [pool] = made.pools
    if (first === undefined || pool === undefined) throw new Error('no parts')
    const { rhoPico: _, ...withoutRho } = first
    const { squaredSensitivity: __, ...withoutSquare } = first
    const withFirst = (changes: object) => ({ ...made, statistics: [{ ...first, ...changes }, ...rest] })
    const half = { ...first.scale, denominator: String(2n * BigInt(first.scale.denominator)) }
    const charge = (changes: object) => ({
      ...made,
      pools: [{ ...pool, charge: { ...pool.charge, ...changes } }],
    })
    const rho = (made.privacy.rhoPico ?? 0) / 1e12
    const squaresOf = (position: number, by: bigint) => ({
      ...made,
      statistics: made.statistics.map((statistic, index) => {
        if (index !== position) return statistic
        const square = BigInt(statistic.squaredSensitivity ?? 0) / by
        const numerator = String(BigInt(statistic.scale.numerator) / by)
        return { ...statistic, squaredSensitivity: String(square), scale: { ...statistic.scale, numerator } }
      }),
    })
    const changed: readonly [string, object][] = [
      ['less variance', withFirst({ scale: half })],
      ['more rho than there is', withFirst({ rhoPico: 2 * (first.rhoPico ?? 0), scale: half })],
      ['no rho', { ...made, statistics: [withoutRho, ...rest] }],
      ['no L2 sensitivity', { ...made, statistics: [withoutSquare, ...rest] }],
      ['an epsilon beside rho', withFirst({ epsilonNano: 1 })],
      ['Laplace among Gaussian', withFirst({ mechanism: 'discrete-laplace', epsilonNano: 1 })],
      ...[...made.statistics.keys()].map((position): [string, object] => [
        `a smaller L2 sensitivity of ${position}`,
        squaresOf(position, 3n),
      ]),
      ['no rho in all', { ...made, privacy: { ...made.privacy, rhoPico: undefined } }],
      ['less rho in all', { ...made, privacy: { ...made.privacy, rhoPico: 5 } }],
      ['more rho than epsilon allows', { ...made, privacy: { ...made.privacy, epsilonNano: 1_999_000_000 } }],
      ['less delta than it needs', { ...made, privacy: { ...made.privacy, delta: 9e-7 } }],
      ['no delta', { ...made, privacy: { ...made.privacy, delta: 0 } }],
      ['no zCDP charge', charge({ zcdp: undefined })],
      ['a smaller charge', charge({ zcdp: { rho: rho * 0.99, delta: 0 } })],
      ['a smaller epsilon in the charge', charge({ epsilon: 1.9 })],
      ['a smaller delta in the charge', charge({ delta: 0 })],
    ]
    for (const [what, entry] of changed) {
      const json = JSON.parse(JSON.stringify(entry)) as QueryPlan
      let code = 'accepted'
      try {
        checkPlan(json)
      } catch (error) {
        code = String((error as { code?: string }).code)
      }
      expect([what, code]).toEqual([what, 'PLAN_INVALID'])
    }
  })

  it('is refused where selection takes more than its share', async () => {
    const made = await plan('SELECT town, count(*), median(bonus) FROM pay.workers GROUP BY town')
    const at = (mechanism: string) => made.statistics.findIndex((entry) => entry.mechanism === mechanism)
    const withMore = (position: number) => ({
      ...made,
      statistics: made.statistics.map((entry, index) => {
        if (index !== position) return entry
        const epsilonNano = entry.epsilonNano * 2
        return { ...entry, epsilonNano, scale: { ...entry.scale, denominator: String(epsilonNano) } }
      }),
    })
    expect(() => checkPlan(made)).not.toThrow()
    for (const mechanism of ['partition-selection', 'report-noisy-max']) {
      expect(() => checkPlan(withMore(at(mechanism)))).toThrow(
        expect.objectContaining({ code: 'PLAN_INVALID' }),
      )
    }
    const [pool] = made.pools
    const free = {
      ...made,
      pools: [{ ...pool, charge: { ...pool?.charge, zcdp: { ...pool?.charge.zcdp, delta: 0 } } }],
    }
    expect(() => checkPlan(free as QueryPlan)).toThrow(expect.objectContaining({ code: 'PLAN_INVALID' }))
  })
})
