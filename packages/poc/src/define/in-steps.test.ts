import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { itemsOf } from '../uniqueness/content-items.js'
import { inSteps } from './in-steps.js'

const same = (a: number, b: number, step: number): boolean =>
  itemsOf([{ x: inSteps(a, step) }, { x: inSteps(b, step) }]).items.length === 1

test('the host tells two numbers apart exactly when they are in two steps', () => {
  const number = fc.integer({ min: -1e9, max: 1e9 })
  fc.assert(
    fc.property(number, number, fc.constantFrom(1, 60, 0.001, 1e-7), (a, b, step) => {
      expect(same(a * step, b * step, step)).toBe(a === b)
      expect(same(a * step, (a + 0.4) * step, step)).toBe(true)
    }),
  )
  expect(same(-5, 5, 1)).toBe(false)
})
test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a step of %s is refused', (step) => {
  expect(() => inSteps(1, step)).toThrow(TypeError)
})
