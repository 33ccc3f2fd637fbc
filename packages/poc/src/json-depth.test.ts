import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEEPEST_JSON, isWithinDepth } from './json-depth.js'

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`)
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

test('a value of the deepest nesting passes, one level more does not', () => {
  expect(isWithinDepth(nested(DEEPEST_JSON))).toBe(true)
  expect(isWithinDepth(nested(DEEPEST_JSON + 1))).toBe(false)
  expect(isWithinDepth({ a: [{ b: {} }] }, 4)).toBe(true)
  expect(isWithinDepth({ a: [{ b: {} }] }, 3)).toBe(false)
  expect(isWithinDepth('text', 0)).toBe(true)
})
test('no depth ends the stack', () => {
  expect(isWithinDepth(nested(200_000))).toBe(false)
})
test('any value is measured as by recursion', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(7), (value, deepest) => {
      expect(isWithinDepth(value, deepest)).toBe(depthOf(value) <= deepest)
    }),
  )
})
