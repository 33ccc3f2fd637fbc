import { expect, test } from 'vitest'
import { exactly } from './exact-object.js'

test('an object with the fields, whatever their order and values', () => {
  expect(exactly({ b: undefined, a: null }, ['a', 'b'], 'JSON_INVALID', '$')).toEqual({
    b: undefined,
    a: null,
  })
  expect(exactly({}, [], 'JSON_INVALID', '$')).toEqual({})
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
  ['a symbol beside the fields', { a: 1, [Symbol('note')]: 1 }, ['a']],
  [
    'a field that cannot be listed, with another in its place',
    Object.defineProperty({ a: 1, c: 1 }, 'b', { value: 1, enumerable: false }),
    ['a', 'b'],
  ],
  ['a field that is inherited', Object.assign(Object.create({ b: 1 }), { a: 1, c: 1 }), ['a', 'b']],
])('not %s', (_, value, names) => {
  const refused = { code: 'JSON_INVALID', place: '$.it' }
  expect(() => exactly(value, names, 'JSON_INVALID', '$.it')).toThrow(expect.objectContaining(refused))
})

test('is read once, and a getter that throws is a refusal', () => {
  let reads = 0
  const value = Object.defineProperty({}, 'a', { enumerable: true, get: () => ++reads })
  const fields = exactly(value, ['a'], 'JSON_INVALID', '$')
  expect([fields['a'], fields['a'], reads]).toEqual([1, 1, 1])
  const cause = new Error('of the caller')
  const trap = () => {
    throw cause
  }
  const throwing = Object.defineProperty({}, 'a', { enumerable: true, get: trap })
  const refused = expect.objectContaining({ code: 'JSON_INVALID', cause })
  expect(() => exactly(throwing, ['a'], 'JSON_INVALID', '$')).toThrow(refused)
})
