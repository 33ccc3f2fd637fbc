import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { oracle } from '../testing/oracle.js'
import { fromUnits, toUnits } from './amount.js'
import { zcdpEpsilon, zcdpRho } from './conversion.js'
import {
  affordable,
  applyCharge,
  type Charge,
  createFilter,
  type FilterState,
  remainingBudget,
  spentBudget,
} from './filter.js'
import { odometer } from './odometer.js'

function spendAll(state: FilterState, charge: Charge): number {
  let [count, current] = [0, state]
  while (affordable(current, charge)) {
    current = applyCharge(current, charge)
    count++
  }
  return count
}

describe('amounts', () => {
  test('a number stands for its shortest decimal form', () => {
    expect(toUnits(0.1, 'epsilon', 'up')).toBe(100_000_000n)
    expect(toUnits(2.5e-7, 'delta', 'up')).toBe(250_000_000_000n)
    expect(toUnits(1e-19, 'delta', 'up')).toBe(1n)
    expect(toUnits(1e-19, 'delta', 'down')).toBe(0n)
  })
  test('what is spent rounds up and what may be spent rounds down', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (value) => {
        const [down, up] = [toUnits(value, 'epsilon', 'down'), toUnits(value, 'epsilon', 'up')]
        expect(up - down === 0n || up - down === 1n).toBe(true)
        expect(Number(fromUnits(down, 'epsilon'))).toBeLessThanOrEqual(value)
        expect(Number(fromUnits(up, 'epsilon'))).toBeGreaterThanOrEqual(value)
      }),
    )
  })
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e13])('refuses %s', (value) => {
    expect(() => toUnits(value, 'epsilon', 'up')).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID' }),
    )
  })
})

describe('what no budget can be', () => {
  const invalid = (work: () => unknown, place: string) =>
    expect(work).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))

  test.each(['basic', 'zcdp'] as const)('a delta of 1 protects nobody: %s', (accounting) => {
    invalid(() => createFilter({ accounting, epsilon: 1, delta: 1 }), 'delta')
  })

  test('what TypeScript would not compile', () => {
    const accounting = 'Basic' as 'basic'
    invalid(() => createFilter({ accounting, epsilon: 1, delta: 0 }), 'accounting')
    const filter = createFilter({ accounting: 'basic', epsilon: 1, delta: 0 })
    invalid(() => applyCharge(filter, { epsilon: '1' as unknown as number, delta: 0 }), 'epsilon')
  })

  test('a charge of nothing is no charge', () => {
    const filter = createFilter({ accounting: 'zcdp', epsilon: 1, delta: 1e-6 })
    const charge = { epsilon: 0.5, delta: 1e-7, zcdp: { rho: 0, delta: 0 } }
    invalid(() => applyCharge(filter, charge), 'charge.zcdp')
  })

  test.each([Number.NaN, -1e-9, Number.POSITIVE_INFINITY])('a rho or an epsilon of %d', (value) => {
    invalid(() => zcdpEpsilon({ rho: value, delta: 1e-6 }), 'rho')
    invalid(() => zcdpRho({ epsilon: value, delta: 1e-6 }), 'epsilon')
  })

  test.each([Number.NaN, 0, 1, -1e-9, Number.POSITIVE_INFINITY])('a delta of %d to convert with', (delta) => {
    invalid(() => zcdpEpsilon({ rho: 0, delta }), 'delta')
    invalid(() => zcdpEpsilon({ rho: 1, delta }), 'delta')
    invalid(() => zcdpRho({ epsilon: 1, delta }), 'delta')
  })

  test('no rho implies less than nothing', () => {
    expect(zcdpEpsilon({ rho: 1e-9, delta: 0.99 })).toBe(0)
  })
})

describe('basic filter', () => {
  const state = createFilter({ accounting: 'basic', epsilon: 6, delta: 1e-6 })
  test('three jobs of epsilon 2 fit into 6 exactly, a fourth does not', () => {
    expect(spendAll(state, { epsilon: 2, delta: 2.5e-7 })).toBe(3)
    expect(spendAll(state, { epsilon: 0.1, delta: 0 })).toBe(60)
  })
  test('delta can run out first', () => {
    expect(spendAll(state, { epsilon: 0.1, delta: 4e-7 })).toBe(2)
  })
  test('a refusal says what remains', () => {
    const used = applyCharge(state, { epsilon: 5.5, delta: 0 })
    expect(() => applyCharge(used, { epsilon: 0.6, delta: 0 })).toThrow(
      expect.objectContaining({ code: 'BUDGET_EXHAUSTED', remaining: { epsilon: '0.5', delta: '0.000001' } }),
    )
  })
  test('a charge of nothing is refused', () => {
    expect(() => affordable(state, { epsilon: 0, delta: 0 })).toThrow(
      expect.objectContaining({ place: 'charge' }),
    )
  })
  test('never spends more than the total, whatever the charges', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 3, noNaN: true })), (epsilons) => {
        let current = state
        for (const epsilon of epsilons) {
          if (affordable(current, { epsilon, delta: 0 }))
            current = applyCharge(current, { epsilon, delta: 0 })
        }
        expect(Number(spentBudget(current).epsilonSpent)).toBeLessThanOrEqual(6)
      }),
    )
  })
})

describe('zCDP filter', () => {
  const state = createFilter({ accounting: 'zcdp', epsilon: 3, delta: 1e-6 })
  test('its rho converts back to no more than the promised epsilon', () => {
    const rho = Number(state.primaryTotal) / 1e12
    expect(zcdpEpsilon({ rho, delta: 5e-7 })).toBeLessThanOrEqual(3)
    expect(zcdpEpsilon({ rho: rho + 1e-9, delta: 5e-7 })).toBeGreaterThan(3)
  })
  test('many small charges fit that basic accounting would refuse', () => {
    expect(spendAll(state, { epsilon: 0.05, delta: 0 })).toBeGreaterThan(130)
  })
  test("a mechanism's own rho is cheaper than epsilon squared over two", () => {
    const charge = { epsilon: 1, delta: 1e-8 }
    const native = { ...charge, zcdp: { rho: 0.03, delta: 0 } }
    expect(spendAll(state, native)).toBeGreaterThan(spendAll(state, charge))
  })
  test('the delta of charges has half of the total', () => {
    expect(spendAll(state, { epsilon: 0.001, delta: 1.25e-7 })).toBe(4)
  })
  test('reserves half of delta for the conversion from the first charge on', () => {
    expect(spentBudget(state)).toMatchObject({ epsilonSpent: '0', deltaSpent: '0' })
    const used = applyCharge(state, { epsilon: 0.1, delta: 1e-9 })
    expect(spentBudget(used).deltaSpent).toBe('0.000000501')
  })
  test('what remains is affordable as one charge, and a little more is not', () => {
    const used = applyCharge(state, { epsilon: 0.3, delta: 0 })
    const epsilon = Number(remainingBudget(used).epsilon)
    expect(affordable(used, { epsilon, delta: 0 })).toBe(true)
    expect(affordable(used, { epsilon: epsilon + 2e-9, delta: 0 })).toBe(false)
  })
  test('needs a delta', () => {
    expect(() => createFilter({ accounting: 'zcdp', epsilon: 3, delta: 0 })).toThrow(
      expect.objectContaining({ place: 'delta' }),
    )
  })
})

test('the odometer counts the answers that are left', () => {
  const charge = { epsilon: 2, delta: 2.5e-7 }
  let state = createFilter({ accounting: 'basic', epsilon: 6, delta: 1e-6 })
  expect(odometer(state, charge)).toMatchObject({
    answersLeft: 3,
    sentence: '3 more answers of this kind; epsilon 0 of 6 is spent.',
  })
  for (const left of [2, 1, 0]) {
    state = applyCharge(state, charge)
    expect(odometer(state, charge).answersLeft).toBe(left)
  }
})

describe.skipIf(oracle === null)('oracle', () => {
  test('zCDP converts to epsilon as the published bound does', () => {
    for (const { rho, delta, eps } of oracle?.zcdp_to_eps ?? []) {
      expect(Math.abs(zcdpEpsilon({ rho, delta }) / eps - 1)).toBeLessThan(1e-9)
      const back = zcdpRho({ epsilon: eps, delta })
      expect(Math.abs(back / rho - 1)).toBeLessThan(1e-8)
      expect(zcdpEpsilon({ rho: back, delta })).toBeLessThanOrEqual(eps)
    }
  })
  test('as many releases fit as the oracle counts', () => {
    for (const { eps0, basic, zcdp } of oracle?.['releases_that_fit_eps3_delta1e-6'] ?? []) {
      const charge = { epsilon: eps0, delta: 0 }
      expect(spendAll(createFilter({ accounting: 'basic', epsilon: 3, delta: 1e-6 }), charge)).toBe(basic)
      // The oracle converts at the whole of delta; the filter keeps half for charges with a delta of their own.
      const whole = createFilter({ accounting: 'zcdp', epsilon: 3, delta: 2e-6 })
      expect(spendAll(whole, charge)).toBe(zcdp)
    }
  })
})
