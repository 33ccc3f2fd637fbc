import { expect, test } from 'vitest'
import { itemsOf } from './content-items.js'
import { shareOfNudgedRows } from './nudged-rows.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(1)
const item = (row: object): string => itemsOf([row]).items[0] ?? ''
const share = (known: object, ...rows: object[]): number =>
  shareOfNudgedRows({
    rows: rows.map((row, order) => ({ item: item(row), order, isCoarse: false })),
    isKnown: (asked) => asked === item(known),
  })

test.each<[number, number, number]>([
  [10, 9.9, 9.8],
  [9.9, 10, 11],
  [11, 10, 9.9],
  [-1000, -990, -980],
  [-1100, -1200, -1300],
  [0.012, 0.013, 0.014],
  [990_000, 1_000_000, 1_100_000],
])('%s is next to %s and not to %s', (known, beside, beyond) => {
  expect(share({ day: 'a', x: known }, { day: 'a', x: beside })).toBe(1)
  expect(share({ day: 'a', x: known }, { day: 'a', x: beyond })).toBe(0)
  expect(share({ day: 'a', x: known }, { day: 'b', x: beside })).toBe(0)
  expect(share({ day: 'a', x: known }, { day: 'a', y: beside })).toBe(0)
})
test('every number may be a step away, a name that begins with a digit included', () => {
  expect(share({ b: 20, '2a': 30, c: 500 }, { b: 21, '2a': 29, c: 510 }, { b: 22, '2a': 29, c: 510 })).toBe(
    0.5,
  )
})
test('look-ups are bounded: six numbers are compared for some rows, ten for none', () => {
  const asked = (numbers: number) => {
    let count = 0
    const row = (at: number) =>
      item(
        Object.fromEntries(Array.from({ length: numbers }, (_, column) => [`c${column}`, 11 + at + column])),
      )
    const rows = Array.from({ length: 80 }, (_, order) => ({ item: row(order), order, isCoarse: false }))
    shareOfNudgedRows({ rows, isKnown: () => count++ < 0 })
    return count
  }
  expect(asked(2)).toBe(64 * 9)
  expect(asked(6)).toBe(54 * 729)
  expect(asked(10)).toBe(0)
})
test('a row as long as a file is looked up and costs no more than others', () => {
  const long = (cells: number, x: number) => ({
    ...Object.fromEntries(Array.from({ length: cells }, (_, at) => [`c${at}`, `t${at}`])),
    x,
  })
  // As deep as calls go one into the other, once for each cell.
  const index = createRowIndex({ key })
  index.add(itemsOf([long(20_000, 11)]))
  expect(index.novelty(itemsOf([long(20_000, 12)]))).toBe(0)
  let asked = 0
  const numbers = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`n${at}`, 11 + at]))
  const rows = Array.from({ length: 64 }, (_, order) => ({
    item: item({ ...long(1000, 11 + order), ...numbers }),
    order,
    isCoarse: false,
  }))
  shareOfNudgedRows({ rows, isKnown: () => asked++ < 0 })
  expect(asked).toBe(Math.floor(40_000_000 / (rows[0]?.item.length ?? 0) / 729) * 729)
})
test('a hundred honest contributors of the same days stay new, where rows have two numbers', () => {
  // A SIMULATION: 50 days of steps (log-normal) and pulse (normal) each.
  let state = 5
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const normal = () => Array.from({ length: 12 }, next).reduce((sum, one) => sum + one, -6)
  const index = createRowIndex({ key })
  let least = 1
  for (let person = 0; person < 100; person++) {
    const content = itemsOf(
      Array.from({ length: 50 }, (_, day) => ({
        day: `2026-01-${10 + day}`,
        steps: Math.round(7000 * Math.exp(0.5 * normal())),
        pulse: Math.round(68 + 8 * normal()),
      })),
    )
    least = Math.min(least, index.novelty(content))
    index.add(content)
  }
  expect(least).toBeGreaterThan(0.8)
})
