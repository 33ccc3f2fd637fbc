import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerSteps } from './answer.js'

const outputs = [
  { name: 'a', min: 0, max: 10 },
  { name: 'constructor', min: -1, max: 1 },
]
const steps = 1000

test.each<[string, unknown, readonly number[]]>([
  ['the middles', { a: 5, constructor: 0 }, [0, 0]],
  ['the ends', { a: 0, constructor: 1 }, [-1000, 1000]],
  ['numbers past the ends', { a: -1e308, constructor: 1e308 }, [-1000, 1000]],
  ['in another order', { constructor: -1, a: 10 }, [1000, -1000]],
  ['minus zero', { a: -0, constructor: -0 }, [-1000, 0]],
  ['the smallest numbers', { a: 5 + 5e-324, constructor: 5e-324 }, [0, 0]],
])('%s are placed on the grid', (_, answer, expected) => {
  expect(answerSteps(answer, outputs, steps)).toEqual(expected)
})

test.each<[string, unknown]>([
  ['null', null],
  ['nothing', undefined],
  ['a number', 5],
  ['text', '{"a":5,"constructor":0}'],
  ['a list', [5, 0]],
  ['a missing number', { a: 5 }],
  ['a number that every object has', { a: 5, toString: 0 }],
  ['one more', { a: 5, constructor: 0, b: 1 }],
  ['another name', { a: 5, b: 0 }],
  ['NaN', { a: Number.NaN, constructor: 0 }],
  ['Infinity', { a: Number.POSITIVE_INFINITY, constructor: 0 }],
  ['minus Infinity', { a: 5, constructor: Number.NEGATIVE_INFINITY }],
  ['a number in text', { a: '5', constructor: 0 }],
  ['a truth', { a: true, constructor: 0 }],
  ['a number in a list', { a: [5], constructor: 0 }],
  ['a big integer', { a: 5n, constructor: 0 }],
  ['null for a number', { a: null, constructor: 0 }],
])('%s is no answer', (_, answer) => {
  expect(answerSteps(answer, outputs, steps)).toBeNull()
})

test('a range without width gives no answer', () => {
  expect(answerSteps({ a: 1 }, [{ name: 'a', min: 1, max: 1 }], steps)).toBeNull()
})

test('whatever is given, steps stay whole and within the bound', () => {
  const bound = fc.double({ min: -1e15, max: 1e15, noNaN: true })
  fc.assert(
    fc.property(bound, bound, fc.double(), (one, other, value) => {
      const range = [{ name: 'a', min: Math.min(one, other), max: Math.max(one, other) }]
      for (const step of answerSteps({ a: value }, range, 2 ** 24) ?? []) {
        expect(Number.isSafeInteger(step) && Math.abs(step) <= 2 ** 24).toBe(true)
        expect(Object.is(step, -0)).toBe(false)
      }
    }),
  )
})
