import { expect, test } from 'vitest'
import { hasExactly } from './exact-object.js'

test('an object with the fields, whatever their order and values', () => {
  expect(hasExactly({ b: undefined, a: null }, ['a', 'b'])).toBe(true)
  expect(hasExactly({}, [])).toBe(true)
})

test.each<readonly [string, unknown, readonly string[]]>([
  ['nothing', null, []],
  ['undefined', undefined, []],
  ['a number', 1, []],
  ['a function', () => undefined, []],
  ['a text whose places are the names', 'xy', ['0', '1']],
  ['an array whose places are the names', [1, 2], ['0', '1']],
  ['a field too many', { a: 1, b: 2 }, ['a']],
  ['a field too few', { a: 1 }, ['a', 'b']],
  ['another field', { a: 1, c: 1 }, ['a', 'b']],
  [
    'a field that cannot be listed, with another in its place',
    Object.defineProperty({ a: 1, c: 1 }, 'b', { value: 1, enumerable: false }),
    ['a', 'b'],
  ],
  ['a field that is inherited', Object.assign(Object.create({ b: 1 }), { a: 1, c: 1 }), ['a', 'b']],
])('not %s', (_, value, names) => {
  expect(hasExactly(value, names)).toBe(false)
})
