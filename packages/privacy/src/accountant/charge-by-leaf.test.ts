import { describe, expect, test } from 'vitest'
import { chargeByLeaf, type DataFlow, sumOfCharges } from './charge-by-leaf.js'
import { applyCharge, createFilter } from './filter.js'
import { odometer } from './odometer.js'

const pay: DataFlow = { kind: 'table', leaf: 'pay.workers' }
const trips: DataFlow = { kind: 'table', leaf: 'trips.rides' }
const step = (...from: DataFlow[]): DataFlow => ({ kind: 'step', from })
const release = (epsilon: number, ...from: DataFlow[]): DataFlow => ({
  kind: 'release',
  charge: { epsilon, delta: 0 },
  from,
})

describe('charge by leaf', () => {
  test('a self-join through nested subqueries pays once for one release', () => {
    const nested = step(step(pay), step(step(pay), pay))
    expect([...chargeByLeaf([release(1, nested)])]).toEqual([['pay.workers', { epsilon: 1, delta: 0 }]])
  })
  test('a join across pools charges the whole release to each', () => {
    const joined = release(0.5, step(pay, trips))
    expect([...chargeByLeaf([joined])]).toEqual([
      ['pay.workers', { epsilon: 0.5, delta: 0 }],
      ['trips.rides', { epsilon: 0.5, delta: 0 }],
    ])
  })
  test('what is computed from a release is free; a second release of the table is not', () => {
    const inner = release(1, pay)
    const outer = release(2, step(inner, trips))
    const charges = chargeByLeaf([step(outer), step(inner), release(4, pay)])
    expect(charges.get('pay.workers')).toMatchObject({ epsilon: 5 })
    expect(charges.get('trips.rides')).toMatchObject({ epsilon: 2 })
  })
  test('private data never reaches an output without a release', () => {
    for (const leak of [[pay], [step(pay)], [release(1, trips), step(step(pay))]]) {
      expect(() => chargeByLeaf(leak)).toThrow(expect.objectContaining({ code: 'OUTPUT_REFUSED' }))
    }
  })
  test('is total: very deep flows are answered, very large ones refused, circles end', () => {
    let deep: DataFlow = pay
    for (let depth = 0; depth < 50_000; depth++) deep = step(deep)
    expect(chargeByLeaf([release(1, deep)]).get('pay.workers')?.epsilon).toBe(1)
    const wide = step(...Array.from({ length: 100_001 }, () => step()))
    expect(() => chargeByLeaf([wide])).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID' }))
    const circle = { kind: 'step' as const, from: [] as DataFlow[] }
    circle.from.push(circle, pay)
    expect(() => chargeByLeaf([circle])).toThrow(expect.objectContaining({ code: 'OUTPUT_REFUSED' }))
  })
})

describe('the sum of charges', () => {
  test('books what its parts would book one by one, or less, under either accounting', () => {
    const parts = [
      { epsilon: 0.1, delta: 0 },
      { epsilon: 0.2, delta: 1e-9 },
      { epsilon: 1, delta: 1e-7, zcdp: { rho: 0.02, delta: 0 } },
    ]
    for (const accounting of ['basic', 'zcdp'] as const) {
      const fresh = createFilter({ accounting, epsilon: 10, delta: 1e-5 })
      const apart = parts.reduce(applyCharge, fresh)
      const together = applyCharge(fresh, sumOfCharges(parts))
      expect(Number(together.primarySpent)).toBeCloseTo(Number(apart.primarySpent), -1)
      expect(Number(together.deltaSpent)).toBeCloseTo(Number(apart.deltaSpent), -1)
    }
    expect(sumOfCharges(parts.slice(0, 1))).toBe(parts[0])
  })
})

describe('the odometer for people', () => {
  const state = createFilter({ accounting: 'basic', epsilon: 5, delta: 0 })
  const charge = { epsilon: 0.12, delta: 0 }
  test.each([
    [0.021, 'About 41 more answers of this kind; expected error +-2.1 %; epsilon 0 of 5 is spent.'],
    [0, 'About 41 more answers of this kind; expected error +-0 %; epsilon 0 of 5 is spent.'],
    [0.000_321, 'About 41 more answers of this kind; expected error +-0.032 %; epsilon 0 of 5 is spent.'],
    [12.3, 'About 41 more answers of this kind; expected error +-1230 %; epsilon 0 of 5 is spent.'],
  ])('tells an error of %s', (expectedError, sentence) => {
    expect(odometer(state, charge, { expectedError }).sentence).toBe(sentence)
  })
  test('tells one and none apart', () => {
    expect(odometer(state, { epsilon: 3, delta: 0 }, { expectedError: 0.5 }).sentence).toMatch(
      /^One more answer of/,
    )
    expect(odometer(state, { epsilon: 6, delta: 0 }, { expectedError: 0.5 }).sentence).toMatch(
      /^No further answer/,
    )
  })
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses an error of %s', (expectedError) => {
    expect(() => odometer(state, charge, { expectedError })).toThrow(
      expect.objectContaining({ place: 'expectedError' }),
    )
  })
})
