import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeOutput, jsonDepth, MAXIMUM_DEPTH } from './json-boundary.js'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('depth counted in the text equals depth of the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonDepth(JSON.stringify(value))).toBe(depthOf(value))
    }),
  )
})

test('brackets and escaped quotes in strings do not count', () => {
  for (const text of ['[{"', '\\', '\\"[', '"]}', '\\\\"[[']) {
    expect(jsonDepth(JSON.stringify([text, { [text]: text }]))).toBe(2)
  }
})

test('any text gives a depth', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(jsonDepth(text)).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('a million brackets are refused at once', () => {
  expect(decodeOutput('['.repeat(1_000_000))).toBeUndefined()
  const allowed = '['.repeat(MAXIMUM_DEPTH) + ']'.repeat(MAXIMUM_DEPTH)
  expect(decodeOutput(allowed)).toBeDefined()
  expect(decodeOutput(`[${allowed}]`)).toBeUndefined()
})

test('text that is not JSON is undefined', () => {
  for (const text of ['', '{', 'undefined', '01', '[1,]', '"\n"']) expect(decodeOutput(text)).toBeUndefined()
})

test.each(['1e999', '[-1E+400]', `{"a":1${'0'.repeat(400)}}`])(
  'a number that becomes an infinity is no output',
  (text) => {
    expect(decodeOutput(text)).toBeUndefined()
  },
)
test('large numbers that are finite are output', () => {
  expect(decodeOutput('[1e308,1e100]')).toEqual({ value: [1e308, 1e100] })
})
