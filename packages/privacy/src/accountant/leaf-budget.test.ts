import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admitLeaves, chargeLeaves, createLeafBudget, type LeafBudget, leafSpent } from './leaf-budget.js'

const totals = { accounting: 'basic', epsilon: 3, delta: 1e-6 } as const
const charge = (epsilon: number) => ({ epsilon, delta: 0 })
const admit = (budget: LeafBudget, table: string, contributors: number) =>
  admitLeaves(budget, { table, contributors }).budget

describe('the budget of leaves', () => {
  test('charges those who are there; who joins later has spent nothing', () => {
    let budget = admit(createLeafBudget(totals), 'pay', 100)
    budget = chargeLeaves(budget, { charge: charge(2), tables: ['pay', 'pay'] }).budget
    budget = admit(budget, 'pay', 50)
    expect(leafSpent(budget, { table: 'pay', contributor: 99 })).toEqual({ primary: '2', delta: '0' })
    expect(leafSpent(budget, { table: 'pay', contributor: 100 }).primary).toBe('0')
    const { paid } = chargeLeaves(budget, { charge: charge(1), tables: ['pay'] })
    expect(paid).toEqual([{ table: 'pay', from: 0, to: 150 }])
  })

  test('refuses when somebody cannot pay, or leaves them out and says who paid', () => {
    let budget = chargeLeaves(admit(createLeafBudget(totals), 'pay', 100), {
      charge: charge(2),
      tables: ['pay'],
    }).budget
    budget = admit(budget, 'pay', 50)
    expect(() => chargeLeaves(budget, { charge: charge(2), tables: ['pay'] })).toThrow(
      expect.objectContaining({ code: 'BUDGET_EXHAUSTED' }),
    )
    const after = chargeLeaves(budget, { charge: charge(2), tables: ['pay'], exhausted: 'leave-out' })
    expect(after.paid).toEqual([{ table: 'pay', from: 100, to: 150 }])
    expect(leafSpent(after.budget, { table: 'pay', contributor: 0 }).primary).toBe('2')
    expect(leafSpent(after.budget, { table: 'pay', contributor: 149 }).primary).toBe('2')
    expect(() =>
      chargeLeaves(after.budget, { charge: charge(2), tables: ['pay'], exhausted: 'leave-out' }),
    ).toThrow(expect.objectContaining({ code: 'BUDGET_EXHAUSTED' }))
  })

  test('delta runs out too', () => {
    const budget = admit(createLeafBudget(totals), 'pay', 1)
    expect(() => chargeLeaves(budget, { charge: { epsilon: 0, delta: 2e-6 }, tables: ['pay'] })).toThrow(
      expect.objectContaining({ code: 'BUDGET_EXHAUSTED' }),
    )
  })

  test('a charge of several tables is whole or not at all', () => {
    let budget = admit(admit(createLeafBudget(totals), 'pay', 5), 'trips', 5)
    budget = chargeLeaves(budget, { charge: charge(3), tables: ['trips'] }).budget
    expect(() => chargeLeaves(budget, { charge: charge(1), tables: ['pay', 'trips'] })).toThrow()
    expect(leafSpent(budget, { table: 'pay', contributor: 0 }).primary).toBe('0')
  })

  test('agrees with a budget kept for each contributor by itself, and past the limit only overstates', () => {
    const action = fc.oneof(
      fc.record({ admit: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ charge: fc.integer({ min: 1, max: 40 }) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.constantFrom(4096, 3), (actions, mostRuns) => {
        let budget = createLeafBudget(totals, { mostRuns })
        const spent: number[] = []
        for (const step of actions) {
          if ('admit' in step) {
            budget = admit(budget, 't', step.admit)
            spent.push(...new Array<number>(step.admit).fill(0))
            continue
          }
          if (spent.length === 0) continue
          const cost = step.charge / 10
          try {
            const { budget: after, paid } = chargeLeaves(budget, {
              charge: charge(cost),
              tables: ['t'],
              exhausted: 'leave-out',
            })
            budget = after
            for (const { from, to } of paid)
              for (let leaf = from; leaf < to; leaf++) spent[leaf] = (spent[leaf] ?? 0) + cost
          } catch {
            if (mostRuns === 4096) for (const each of spent) expect(each + cost).toBeGreaterThan(3)
          }
        }
        spent.forEach((exact, contributor) => {
          const booked = Number(leafSpent(budget, { table: 't', contributor }).primary)
          if (mostRuns === 4096) expect(booked).toBeCloseTo(exact, 8)
          else expect(booked).toBeGreaterThanOrEqual(exact - 1e-9)
          expect(exact).toBeLessThanOrEqual(3 + 1e-9)
          expect(booked).toBeLessThanOrEqual(3)
        })
        expect(budget.tables['t']?.runs.length ?? 0).toBeLessThanOrEqual(mostRuns)
      }),
    )
  })

  test('a million contributors who joined between two thousand charges fit well below a megabyte', () => {
    let budget = createLeafBudget({ ...totals, epsilon: 1_000 })
    for (let round = 0; round < 2_000; round++) {
      budget = admit(budget, 'pay', 500)
      budget = chargeLeaves(budget, { charge: charge(0.001), tables: ['pay'] }).budget
    }
    expect(leafSpent(budget, { table: 'pay', contributor: 999_999 }).primary).toBe('0.001')
    expect(leafSpent(budget, { table: 'pay', contributor: 0 }).primary).toBe('2')
    expect(JSON.stringify(budget).length).toBeLessThan(300_000)
  })

  test('one entry is enough, and stands for the one who spent most', () => {
    let budget = admit(createLeafBudget(totals, { mostRuns: 1 }), 'pay', 5)
    budget = chargeLeaves(budget, { charge: charge(2), tables: ['pay'] }).budget
    budget = admit(budget, 'pay', 5)
    expect(budget.tables['pay']?.runs).toHaveLength(1)
    expect(leafSpent(budget, { table: 'pay', contributor: 9 }).primary).toBe('2')
  })

  test('merges where it costs contributors least', () => {
    // Two who spent 2, a hundred who spent 0.1, then new ones: the hundred and the new ones are merged.
    let budget = admit(createLeafBudget(totals, { mostRuns: 2 }), 'pay', 2)
    budget = chargeLeaves(budget, { charge: charge(1.9), tables: ['pay'] }).budget
    budget = admit(budget, 'pay', 100)
    budget = chargeLeaves(budget, { charge: charge(0.1), tables: ['pay'] }).budget
    budget = admit(budget, 'pay', 1)
    const spent = (contributor: number) => leafSpent(budget, { table: 'pay', contributor }).primary
    expect([0, 1, 2, 101, 102].map(spent)).toEqual(['2', '2', '0.1', '0.1', '0.1'])
    // The other way round: one who spent little goes with the many who spent more.
    let other = admit(createLeafBudget(totals, { mostRuns: 2 }), 'pay', 1000)
    other = chargeLeaves(other, { charge: charge(1), tables: ['pay'] }).budget
    other = admit(other, 'pay', 1)
    other = chargeLeaves(other, { charge: charge(0.5), tables: ['pay'] }).budget
    other = admit(other, 'pay', 1000)
    expect(
      [0, 1000, 1001].map((contributor) => leafSpent(other, { table: 'pay', contributor }).primary),
    ).toEqual(['1.5', '1.5', '0'])
  })

  test('counts rho under zCDP', () => {
    const budget = admit(createLeafBudget({ ...totals, accounting: 'zcdp' }), 'pay', 1)
    const { budget: after } = chargeLeaves(budget, { charge: charge(0.1), tables: ['pay'] })
    expect(leafSpent(after, { table: 'pay', contributor: 0 }).primary).toBe('0.005')
  })

  test('keeps apart tables with the names of built-in properties', () => {
    const budget = admit(admit(createLeafBudget(totals), '__proto__', 3), 'constructor', 4)
    expect(leafSpent(budget, { table: '__proto__', contributor: 2 }).primary).toBe('0')
    expect(() => leafSpent(budget, { table: 'toString', contributor: 0 })).toThrow()
  })

  test.each([
    ['an empty table', () => chargeLeaves(createLeafBudget(totals), { charge: charge(1), tables: ['pay'] })],
    [
      'no tables',
      () => chargeLeaves(admit(createLeafBudget(totals), 'pay', 1), { charge: charge(1), tables: [] }),
    ],
    ['nobody', () => admit(createLeafBudget(totals), 'pay', 0)],
    ['half a person', () => admit(createLeafBudget(totals), 'pay', 0.5)],
    ['no entries', () => createLeafBudget(totals, { mostRuns: 0 })],
    [
      'a stranger',
      () => leafSpent(admit(createLeafBudget(totals), 'pay', 1), { table: 'pay', contributor: 1 }),
    ],
    [
      'a number below zero',
      () => leafSpent(admit(createLeafBudget(totals), 'pay', 1), { table: 'pay', contributor: -1 }),
    ],
  ])('refuses %s', (_, wrong) => {
    expect(wrong).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }))
  })
})

describe('what is no budget of leaves', () => {
  const totals = { accounting: 'basic', epsilon: 3, delta: 1e-6 } as const
  const invalid = (work: () => unknown, place: string) =>
    expect(work).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d runs', (mostRuns) => {
    invalid(() => createLeafBudget(totals, { mostRuns }), 'mostRuns')
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    '%d new contributors',
    (contributors) => {
      invalid(
        () => admitLeaves(createLeafBudget(totals), { table: 'pay.workers', contributors }),
        'contributors',
      )
    },
  )

  test('more contributors than can be counted', () => {
    const { budget } = admitLeaves(createLeafBudget(totals), {
      table: 'pay.workers',
      contributors: Number.MAX_SAFE_INTEGER,
    })
    invalid(() => admitLeaves(budget, { table: 'pay.workers', contributors: 1 }), 'contributors')
  })

  test.each([-1, 5, 2.5e9, Number.NaN])('contributor %d, whom nobody admitted', (contributor) => {
    const { budget } = admitLeaves(createLeafBudget(totals), { table: 'pay.workers', contributors: 5 })
    invalid(() => leafSpent(budget, { table: 'pay.workers', contributor }), 'leaf')
    invalid(() => leafSpent(budget, { table: 'pay.others', contributor: 0 }), 'leaf')
  })
})
