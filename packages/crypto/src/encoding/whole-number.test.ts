import { expect, test } from 'vitest'
import { isWhole } from './whole-number.js'

test.each([
  [0, true],
  [-0, true],
  [7, true],
  [-1, false],
  [8, false],
  [0.5, false],
  [Number.NaN, false],
  [Number.POSITIVE_INFINITY, false],
  ['3', false],
  [3n, false],
  [null, false],
  [[3], false],
])('%s is a whole number from 0 to 7: %s', (value, whole) => {
  expect(isWhole(value, 0, 7)).toBe(whole)
})

test('reaches to 2^53 - 1 and no further', () => {
  expect(isWhole(Number.MAX_SAFE_INTEGER, 1)).toBe(true)
  expect(isWhole(2 ** 53, 1)).toBe(false)
  expect(isWhole(0, 1)).toBe(false)
})
