import { describe, expect, test } from 'vitest'
import { contentItems } from './content-items.js'
import { contentSketch } from './content-sketch.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'
import { novelty } from './novelty.js'
import { createRowIndex } from './row-index.js'
import { isTelling, withoutOneCell } from './telling-row.js'
import { unnamedRows } from './unnamed-rows.js'

const key = new Uint8Array(32).fill(5)
const days = Array.from({ length: 12 }, (_, at) => ({
  day: `2026-01-${10 + at}`,
  steps: 4100 + 700 * at,
  pulse: 51 + 2 * at,
}))
const json = (value: unknown) => ({
  mediaType: 'application/json',
  bytes: new TextEncoder().encode(JSON.stringify(value)),
})
/** A pool that holds what was given, and how new it finds something else. */
function poolOf(...held: readonly unknown[]) {
  const [near, rows] = [createNearDuplicateIndex(), createRowIndex({ key })]
  for (const value of held) {
    near.add(contentSketch({ key, ...json(value) }))
    rows.add(json(value))
  }
  return {
    both: (value: unknown) => novelty({ key, content: json(value), near, rows }),
    rows: (value: unknown) => rows.novelty(json(value)),
    near: (value: unknown) => novelty({ key, content: json(value), near }),
  }
}

describe('a table is the same', () => {
  const items = (value: unknown) => [...(unnamedRows(value)?.items ?? [])].sort()
  const expected = items(days)
  test.each<[string, unknown]>([
    ['under other names', days.map(({ day, steps, pulse }) => ({ a: day, b: steps, c: pulse }))],
    ['with a constant of its own', days.map((row) => ({ ...row, mine: 'x17' }))],
    ['with members in members', days.map(({ day, ...rest }) => ({ at: { day }, was: rest }))],
    ['as lists', days.map((row) => Object.values(row))],
    [
      'as columns',
      { a: days.map((row) => row.day), b: days.map((row) => row.steps), c: days.map((row) => row.pulse) },
    ],
    ['by day', Object.fromEntries(days.map(({ day, ...rest }) => [day, rest]))],
    ['as a list in an object', { list: days }],
  ])('%s', (_, value) => {
    expect(items(value)).toEqual(expected)
    expect(expected).toHaveLength(12)
  })
  test('and another one is not', () => {
    expect(items(days.map((row) => ({ ...row, steps: row.steps * 2 })))).not.toEqual(expected)
  })
})

describe('names stay', () => {
  test.each<[string, unknown]>([
    ['of single values', { steps: 4000, pulse: 60 }],
    ['of rows with one cell', days.map(({ steps }) => ({ steps }))],
    [
      'of places on earth',
      days.map(({ day, steps }) => ({ day, latitude: 52.5 + steps / 1e6, longitude: 13.4 })),
    ],
    ['in lists of few values beside each other', { a: [1, 2, 3], b: [4, 5, 6] }],
    ['in what is no table', 'text'],
  ])('%s', (_, value) => {
    expect(unnamedRows(value)).toBeUndefined()
  })
  test('of everything beside the rows', () => {
    expect(unnamedRows({ user: 'ann', days })?.items).toContain('user\u001fann')
  })
})

test('rows say enough from a day and two numbers on', () => {
  const [row = ''] = unnamedRows(days)?.items ?? []
  expect(isTelling(row)).toBe(true)
  const [short = ''] = unnamedRows(days.map(({ day, steps }) => ({ day, steps })))?.items ?? []
  expect(isTelling(short)).toBe(false)
  expect(isTelling('\u001f1.0\u001e\u001f2.0\u001e\u001f3.0\u001e\u001f4.0')).toBe(false)
  expect(isTelling('\u001fa message of some length')).toBe(true)
  expect(isTelling('day\u001fa message of some length')).toBe(false)
})

test('rows with a column less are made of few and short rows alone', () => {
  const row = '\u001fa\u001e\u001fb'
  expect(withoutOneCell(row, 10)).toEqual(['\u001fb', '\u001fa'])
  expect(withoutOneCell(row, 10_001)).toEqual([])
  expect(withoutOneCell(`${row}${'b'.repeat(2_000)}`, 10)).toEqual([])
  expect(withoutOneCell(Array.from({ length: 13 }, (_, at) => `\u001f${at}`).join('\u001e'), 10)).toEqual([])
})

describe('a pool that holds a table', () => {
  const wide = days.map((row, at) => ({ ...row, weight: 60 + at, hours: 5 + (at % 4) }))
  const named = (at: number) =>
    wide.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name + at, value])))
  const pool = poolOf(wide)
  test('finds nothing new in it under other names, by either index', () => {
    expect([pool.rows(named(1)), pool.near(named(1))]).toEqual([0, 0])
  })
  test('nor with another value in a column of its own in each row', () => {
    expect(pool.rows(named(1).map((row, at) => ({ ...row, own: `own ${at * 7919}` })))).toBe(0)
  })
  test('nor with a column left out', () => {
    expect(pool.rows(named(1).map(({ weight1: _, ...row }) => row))).toBe(0)
  })
  test('nor with numbers that went to the next step', () => {
    expect(pool.rows(named(1).map((row) => ({ ...row, steps1: Number(row['steps1']) + 100 })))).toBeLessThan(
      0.1,
    )
  })
  test('and finds new what is new', () => {
    const later = wide.map((row, at) => ({ ...row, day: `2026-03-${10 + at}` }))
    expect(pool.both(later)).toBe(1)
    expect(pool.both([...wide.slice(0, 6), ...later.slice(0, 6)])).toBeCloseTo(0.5, 0)
  })
  test('finds rows of another kind new that have a number in common, whatever it is the number of', () => {
    const steps = days.map(({ day, pulse }) => ({ day, pulse }))
    const weights = days.map(({ day, pulse }) => ({ day, weight: pulse }))
    expect(poolOf(steps).rows(weights)).toBe(1)
    // One file against one file: that all of its rows are there under another name is no chance.
    expect(poolOf(steps).near(weights)).toBe(0)
  })
  test('takes nothing from others by a list of all combinations', () => {
    const list = [40, 50, 60, 70].flatMap((steps) =>
      [51, 53, 55, 57].flatMap((pulse) => days.map(({ day }) => ({ a: day, b: steps * 100, c: pulse }))),
    )
    const one = days.map(({ day }, at) => ({ day, steps: 4000 + 1000 * (at % 4), pulse: 51 + 2 * (at % 4) }))
    expect(poolOf(list).rows(one)).toBe(1)
    expect(poolOf(list).rows(list.map(({ a, b, c }) => ({ x: a, y: b, z: c })))).toBe(0)
  })
})

test('items that a proof gives keep the names that it gave them', () => {
  expect(contentItems({ items: ['day\u001f1\u001esteps\u001f2'] })).not.toHaveProperty('unnamed')
})
