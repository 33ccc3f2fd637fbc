import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outputRuleOf } from './output-rule.js'
import { roundOutwards } from './round-outwards.js'

test('the strictest rule of several policies holds, field by field', () => {
  expect(outputRuleOf([])).toBeNull()
  expect(outputRuleOf([{}, { output: {} }, { output: { purposeRequired: true } }])).toBeNull()
  expect(
    outputRuleOf([{ output: { maximumRows: 9, significantDigits: 2 } }, { output: { maximumRows: 4 } }, {}]),
  ).toEqual({ maximumRows: 4, significantDigits: 2 })
})

test('an end is rounded to so many digits, never into the interval, and by less than one step', () => {
  fc.assert(
    fc.property(
      fc
        .double({ noNaN: true, min: -1e12, max: 1e12 })
        .filter((value) => Math.abs(value) > 1e-9 || value === 0),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom<-1 | 1>(-1, 1),
      (value, digits, direction) => {
        const end = roundOutwards(value, digits, direction)
        expect(Number(end.toPrecision(digits))).toBe(end)
        expect((end - value) * direction).toBeGreaterThanOrEqual(0)
        const step = 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - digits + 1)
        expect(Math.abs(end - value)).toBeLessThanOrEqual(step * (1 + 1e-9))
      },
    ),
  )
  expect(roundOutwards(9.96, 2, -1)).toBe(9.9)
  expect(roundOutwards(-0.0123, 1, 1)).toBe(-0.01)
})
