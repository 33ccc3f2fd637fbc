import { describe, expect, test } from 'vitest'
import { coarseRows } from './coarse-rows.js'
import { itemsOf } from './content-items.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(1)
const coarse = (rows: readonly object[]): number => coarseRows(itemsOf(rows).items).size
const grid = (days: readonly string[], values: readonly unknown[]) =>
  days.flatMap((day) => values.map((value) => ({ day, value })))
const days = (count: number) =>
  Array.from({ length: count }, (_, at) => new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10))
/** Steps of two significant digits, from 1,000 to 29,000: all that people walk in a day. */
const steps = [
  ...Array.from({ length: 90 }, (_, at) => 1000 + at * 100),
  ...Array.from({ length: 20 }, (_, at) => 10_000 + at * 1000),
]

describe('rows are coarse', () => {
  test('when they list combinations, of numbers and of words', () => {
    expect(coarse(grid(days(3), steps.slice(0, 3)))).toBe(9)
    expect(coarse(grid(['a', 'b', 'c'], ['x', 'y', 'z']))).toBe(9)
    const cube = grid(['a', 'b', 'c'], [1, 2, 3]).flatMap((row) =>
      [7, 8, 9].map((third) => ({ ...row, third })),
    )
    expect(coarse(cube)).toBe(27)
    expect(coarse(cube.slice(1))).toBe(26 - 3 * 2)
  })
  test('and not when another column says one thing alone, or two', () => {
    expect(coarse(days(300).map((day, at) => ({ day, value: steps[at % 5] })))).toBe(0)
    expect(coarse(grid(days(300), [1, 2]))).toBe(0)
    expect(coarse(grid(days(2), steps))).toBe(0)
    expect(coarse(grid(days(5), steps).map((row, at) => ({ ...row, number: `n${at}` })))).toBe(0)
  })
  test('and not when there is nothing to tell: one column, words, statements, very many columns', () => {
    expect(coarse(steps.map((value) => ({ value })))).toBe(0)
    expect(coarseRows(['a b c d e', 'b c d e f', 'signed\u001f0x00', '', '\u001e', 'x\u001ey']).size).toBe(0)
    const wide = Object.fromEntries(Array.from({ length: 7 }, (_, at) => [`c${at}`, 'same']))
    expect(coarse(grid(days(3), [1, 2, 3]).map((row) => ({ ...row, ...wide })))).toBe(0)
  })
})

/** A SIMULATION of one's days: log-normal steps about a level of his own. */
function walker(seed: number, count = 50) {
  let state = seed * 7919 + 1
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const normal = (): number => Array.from({ length: 12 }, next).reduce((sum, one) => sum + one, -6)
  const level = 7000 * Math.exp(0.5 * normal())
  return days(count).map((day) => ({ day, value: Math.round(level * Math.exp(0.45 * normal())) }))
}

describe('who lists all that a pool can hold', () => {
  const everything = itemsOf(grid(days(365), steps))
  const leftAfter = (first: readonly ReturnType<typeof itemsOf>[]): number => {
    const index = createRowIndex({ key })
    for (const content of first) index.add(content)
    const people = Array.from({ length: 20 }, (_, seed) => index.novelty(itemsOf(walker(seed + 1))))
    return people.reduce((sum, one) => sum + one, 0) / people.length
  }

  test('takes nothing from anybody else', () => {
    expect(everything.items).toHaveLength(40_150)
    expect(leftAfter([everything])).toBe(1)
  })
  test('is held all the same: the list is not new again, nor is a part of it that lists as much', () => {
    const index = createRowIndex({ key })
    const list = itemsOf(grid(days(50), steps))
    expect(index.add(list)).toBe(5500)
    expect(index.add(list)).toBe(0)
    expect(index.novelty(itemsOf(grid(days(20), steps.slice(0, 50))))).toBe(0)
    const kept = createRowIndex({ key, from: index.toBytes() })
    expect(kept.novelty(list)).toBe(0)
    expect(kept.novelty(itemsOf(walker(1)))).toBe(1)
  })
  test('with two numbers a day, or two whole days, takes little: README says how much', () => {
    const pairs = grid(days(365), [7000, 7100])
    const wholeDays = grid(days(2), steps)
    expect(leftAfter([itemsOf(pairs)])).toBeGreaterThan(0.9)
    expect(leftAfter([itemsOf(wholeDays)])).toBeGreaterThan(0.9)
  })
  test('rows of one a day that came before are held when a list has them as well', () => {
    const index = createRowIndex({ key })
    index.add(itemsOf(walker(1)))
    const list = itemsOf(grid(days(50), steps))
    expect(index.add(list)).toBeLessThan(list.items.length - 30)
    expect(index.novelty(itemsOf(walker(1)))).toBe(0)
  })
})
