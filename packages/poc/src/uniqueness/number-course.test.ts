import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { itemsOf } from './content-items.js'
import { numberCourse } from './number-course.js'

const days = (count: number) =>
  Array.from({ length: count }, (_, at) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10))
const course = (rows: readonly object[]) => numberCourse(itemsOf(rows))
const zigzag = (count: number, high = 90) =>
  days(count).map((day, at) => ({ day, x: at % 2 === 0 ? high : 10 }))

test('a number stands above or below its neighbours, by the day of its row', () => {
  const { items } = course([...zigzag(9)].reverse())
  expect(items).toHaveLength(9)
  expect(items).toContain('x\u001f2026 01 01\u001fabove')
  expect(items).toContain('x\u001f2026 01 02\u001fbelow')
})
test('levels are no part of it: ten times as much is the same course', () => {
  expect(course(zigzag(20, 90)).items).toEqual(course(zigzag(20, 900)).items)
})
test('what nearly equals its neighbours says nothing, nor does what never changes', () => {
  expect(course(days(20).map((day, at) => ({ day, x: 100 + (at % 2) }))).items).toEqual([])
  expect(course(days(20).map((day) => ({ day, x: 5 })))).toEqual({ items: [], independent: 0, recurring: 0 })
})
test.each<[string, readonly object[]]>([
  ['nothing', []],
  ['values without rows', [1, 2, 3] as unknown as object[]],
  ['rows without a text', Array.from({ length: 20 }, (_, at) => ({ n: at, x: at % 2 === 0 ? 90 : 10 }))],
  ['seven rows', zigzag(7)],
  ['texts alone', days(20).map((day) => ({ day, place: 'here' }))],
])('%s have no course', (_, rows) => {
  expect(course(rows)).toEqual({ items: [], independent: 0, recurring: 0 })
})
test('several rows of a day count by their mean, in whatever order', () => {
  const once = zigzag(12)
  const twice = once.flatMap((row) => [
    { ...row, x: row.x - 5 },
    { ...row, x: row.x + 5 },
  ])
  expect(course(twice).items).toEqual(course(once).items)
  expect(course([...twice].reverse()).items).toEqual(course(once).items)
})
test('rows are named by their days before any other text', () => {
  const named = zigzag(12).map((row, at) => ({ ...row, a: `a${at}`, place: `Town${at}` }))
  expect(course(named).items.every((item) => item.includes('2026 01'))).toBe(true)
  const others = named.map(({ day: _, ...row }) => row)
  expect(course(others).items[0]?.startsWith('x\u001fa')).toBe(true)
})
test('columns that go together or against each other are counted once', () => {
  const { items, independent } = course(zigzag(20).map((row) => ({ ...row, y: row.x * 3, z: 100 - row.x })))
  expect([items.length, independent]).toEqual([60, 20])
  const apart = zigzag(20).map((row, at) => ({ ...row, y: at % 4 < 2 ? 90 : 10 }))
  expect(course(apart).independent).toBeGreaterThan(30)
})
test('what comes again every week or month is told, by the day and not by the row', () => {
  const week = (count: number) => days(count).map((day, at) => ({ day, x: at % 7 > 4 ? 0 : 8 }))
  const rows = week(100)
  expect(course(rows).recurring).toBe(1)
  const unix = rows.map(({ day, x }) => ({ day: Date.parse(day) / 1000, x }))
  expect(course(unix).recurring).toBe(1)
  expect(course(rows.filter((_, at) => at % 9 !== 0)).recurring).toBe(1)
  const wage = days(300).map((day) => ({ day, x: Number(day.slice(8)) < 7 ? 90 : 10 }))
  expect(course(wage).recurring).toBe(1)
  expect(course(rows.map((row, at) => ({ ...row, x: (at * at) % 11 }))).recurring).toBeLessThan(0.7)
  expect(course(rows.map(({ x }, at) => ({ name: `n${at}`, x }))).recurring).toBe(0)
})
describe('it is total', () => {
  test('for any rows', () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.constant(null), fc.constant('1e999'))
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), value), { maxLength: 30 }), (rows) => {
        const { items, independent } = course(rows)
        expect(independent).toBeLessThanOrEqual(items.length)
      }),
      { numRuns: 50 },
    )
  })
  test('and bounded for wide and long ones', () => {
    const wide = zigzag(20).map((row) => ({
      ...row,
      ...Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`c${at}`, row.x])),
    }))
    expect(course(wide).items).toHaveLength(16 * 20)
    const long = Array.from({ length: 12_000 }, (_, at) => ({ name: `n${at}`, x: at % 2 === 0 ? 90 : 10 }))
    const { length } = course(long).items
    expect(length).toBeGreaterThan(9_000)
    expect(length).toBeLessThanOrEqual(10_000)
  })
})
