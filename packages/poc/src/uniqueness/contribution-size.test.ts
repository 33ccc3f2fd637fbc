import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentSketch } from './content-sketch.js'
import { contributionSize, typicalSize } from './contribution-size.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'

const typicalOf = (sizes: readonly number[]) => {
  const typical = typicalSize()
  for (const size of sizes) typical.add(size)
  return typical.items
}
const times = (count: number, size: number) => Array.from({ length: count }, () => size)

describe('a typical contribution', () => {
  test('has the median of items', () => {
    expect(typicalOf([10, 20, 30, 40, 50])).toBe(30)
    expect(typicalOf([50, 10, 40, 20, 30])).toBe(30)
    // Of an even number the smaller of the two in the middle.
    expect(typicalOf([10, 10, 10, 20, 20, 20])).toBe(10)
  })
  test('is unknown of four, and empty ones do not count', () => {
    expect(typicalOf(times(4, 50))).toBeUndefined()
    expect(typicalOf([...times(4, 50), 0])).toBeUndefined()
  })
  test('has two significant digits', () => {
    expect(typicalOf(times(5, 12_345))).toBe(12_000)
    expect(typicalOf(times(5, 99))).toBe(99)
  })
  test('stays what it is until pieces are as much as everything before', () => {
    expect(typicalOf([...times(10, 50), ...times(400, 1)])).toBe(50)
    expect(typicalOf([...times(10, 50), ...times(600, 1)])).toBe(1)
  })
  test('even of large contributions, beside which a piece is next to nothing', () => {
    expect(typicalOf([...times(5, 20_000), ...times(49_999, 1)])).toBe(20_000)
    expect(typicalOf([...times(5, 20_000), ...times(50_000, 1)])).toBe(1)
  })
  test('and however long a few are', () => {
    expect(typicalOf([...times(10, 50), ...times(9, 200_000)])).toBe(50)
  })
  test('is one of the sizes that came, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 5, maxLength: 60 }), (sizes) => {
        expect(sizes).toContain(typicalOf(sizes))
      }),
    )
  })
})

test('an index says it, also when it was read from a file', () => {
  const key = new Uint8Array(32).fill(1)
  const near = createNearDuplicateIndex()
  const content = (person: number, items: number) => ({
    items: Array.from({ length: items }, (_, at) => `${person} ${at}`),
  })
  for (let person = 0; person < 4; person++) near.add(contentSketch({ key, ...content(person, 20 + person) }))
  expect(contributionSize({ content: content(9, 3), near })).toBeUndefined()
  near.add(contentSketch({ key, ...content(4, 24) }))
  expect(contributionSize({ content: content(9, 3), near })).toEqual({ items: 3, typical: 22 })
  expect(createNearDuplicateIndex({ from: near.toBytes() }).typicalItems).toBe(22)
})

test('a row counts once, whatever its columns are called', () => {
  const key = new Uint8Array(32).fill(1)
  const near = createNearDuplicateIndex()
  for (let person = 0; person < 5; person++)
    near.add(contentSketch({ key, items: Array.from({ length: 20 }, (_, at) => `${person} ${at}`) }))
  const days = [5100, 7200, 9300].map((steps, at) => ({ day: `2026-01-0${at + 1}`, steps }))
  const again = days.map(({ day, steps }) => ({ date: day, walked: steps }))
  const bytes = new TextEncoder().encode(JSON.stringify([...days, ...again]))
  expect(contributionSize({ content: { mediaType: 'application/json', bytes }, near })).toEqual({
    items: 3,
    typical: 20,
  })
})
