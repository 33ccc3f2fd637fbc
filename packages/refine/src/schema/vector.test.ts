import fc from 'fast-check'
import { expect, test } from 'vitest'
import { property } from '../testing/property.js'
import { vectorText, vectorValues } from './vector.js'

test('a vector has one form, of unit length, which reads back', () => {
  expect(vectorText([3, -4, 0], 3)).toBe('[0.6,-0.8,0]')
  expect(vectorText(Float32Array.of(0, -0, -5), 3)).toBe('[0,0,-1]')
  expect(vectorText([1e-200, 1e200], 2)).toBe('[0,1]')
  expect(vectorText([5e-324, 0], 2)).toBe('[1,0]')
})

property(
  'any numbers become a vector of unit length, or none',
  [fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 })],
  (values) => {
    const text = vectorText(values, values.length)
    if (text === null) {
      expect(values.every((value) => value === 0)).toBe(true)
      return
    }
    const read = vectorValues(text ?? '', values.length)
    expect(read).toBeDefined()
    const square = [...(read ?? [])].reduce((sum, value) => sum + value * value, 0)
    // Each number is off by half a step at most.
    expect(Math.abs(Math.sqrt(square) - 1)).toBeLessThan(0.00005 * Math.sqrt(values.length) + 1e-6)
  },
)

test('what is no vector is none', () => {
  for (const bad of [[1], [1, 2, 3], [Number.NaN, 1], [Infinity, 1], ['1', 1] as never])
    expect(vectorText(bad, 2)).toBeUndefined()
  expect(vectorText([0, -0], 2)).toBeNull()
  for (const bad of [
    '',
    '[]',
    '1,0',
    '[1]',
    '[1,0,0]',
    '[1,-0]',
    '[1,0.50]',
    '[1,00]',
    '[1,2]',
    '[1, 0]',
    '[1,1e-3]',
    '[1,0.12345]',
    '[1,]',
  ])
    expect(vectorValues(bad, 2), bad).toBeUndefined()
})
