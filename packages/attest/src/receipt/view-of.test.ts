import type { JsonValue } from '@sealpool/crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { viewOf } from './view-of.js'

const answer = {
  columns: [
    { name: 'sector', kind: 'key' },
    { name: 'mean', kind: 'average' },
    { name: 'n', kind: 'count' },
  ],
  // By the mean: the order tells which sector pays better.
  rows: [
    ['mill', 9, 4],
    ['farm', 7, 2],
    ['farm', 5, 2],
  ],
  intervals: [
    [null, { low: 8, high: 10, confidence: 0.95 }, { low: 3, high: 5, confidence: 0.95 }],
    [null, { low: 6, high: 8, confidence: 0.95 }, { low: 1, high: 3, confidence: 0.95 }],
    [null, { low: 4, high: 6, confidence: 0.95 }, { low: 0, high: 3, confidence: 0.95 }],
  ],
  suppressedGroups: 'unknown',
  charge: { pay: { epsilon: 1, delta: 0 } },
  notes: ['a note'],
} satisfies JsonValue
const coefficients = [
  { name: 'school', value: 2, low: 1, high: 3 },
  { name: 'intercept', value: -1, low: -2, high: 0 },
]

it('shows the whole, or how many rows there are', () => {
  expect(viewOf(answer, { kind: 'whole' })).toBe(answer)
  expect(viewOf(answer, { kind: 'count' })).toEqual({ count: 3 })
  expect(viewOf({ coefficients, notes: [] }, { kind: 'count' })).toEqual({ count: 2 })
  expect(viewOf({ ...answer, rows: [], intervals: [] }, { kind: 'count' })).toEqual({ count: 0 })
})

it('shows columns with their intervals, each in the order that was asked for, and nothing beside them', () => {
  expect(viewOf(answer, { kind: 'columns', columns: ['n', 'sector'] })).toEqual({
    columns: [answer.columns[2], answer.columns[0]],
    rows: [
      [2, 'farm'],
      [2, 'farm'],
      [4, 'mill'],
    ],
    intervals: [
      [{ low: 0, high: 3, confidence: 0.95 }, null],
      [{ low: 1, high: 3, confidence: 0.95 }, null],
      [{ low: 3, high: 5, confidence: 0.95 }, null],
    ],
  })
  expect(
    viewOf({ coefficients, notes: ['x'], charge: {} }, { kind: 'columns', columns: ['name', 'value'] }),
  ).toEqual({
    coefficients: [
      { name: 'intercept', value: -1 },
      { name: 'school', value: 2 },
    ],
  })
})

it('shows the outputs of a program as it does coefficients', () => {
  const outputs = [
    { name: 'wage', value: 2, low: 1, high: 3 },
    { name: 'age', value: 40, low: 39, high: 41 },
  ]
  const released = { outputs, answered: { value: 9, low: 8, high: 10 }, notes: ['x'], charge: {} }
  expect(viewOf(released, { kind: 'count' })).toEqual({ count: 2 })
  expect(viewOf(released, { kind: 'columns', columns: ['name', 'value'] })).toEqual({
    outputs: [
      { name: 'age', value: 40 },
      { name: 'wage', value: 2 },
    ],
  })
  expect(viewOf(released, { kind: 'columns', columns: ['answered'] })).toBeUndefined()
})

it('shows the same whatever the order of the rows, and whatever is in columns that it leaves out', () => {
  const columns = ['sector', 'n']
  const places = answer.rows.map((_, place) => place)
  fc.assert(
    fc.property(
      fc.shuffledSubarray(places, { minLength: 3 }),
      fc.array(fc.double({ noNaN: true })),
      (order, means) => {
        const changed = {
          ...answer,
          rows: order.map((place) => {
            const [sector = '', , n = 0] = answer.rows[place] ?? []
            return [sector, Number.isFinite(means[place] ?? 0) ? (means[place] ?? 0) : 0, n]
          }),
          intervals: order.map((place) => {
            const [sector = null, , n = null] = answer.intervals[place] ?? []
            return [sector, null, n]
          }),
        }
        expect(viewOf(changed, { kind: 'columns', columns })).toEqual(
          viewOf(answer, { kind: 'columns', columns }),
        )
      },
    ),
  )
})

it.each<[string, JsonValue, string[]]>([
  ['a column that is not there', answer, ['wage']],
  ['a column that is there twice', { ...answer, columns: [...answer.columns, { name: 'n' }] }, ['n']],
  ['a name that every object has', { coefficients }, ['toString']],
  ['an answer without rows', { notes: [] }, ['n']],
  ['an answer without columns', { rows: [[1]], intervals: [[null]] }, ['n']],
  ['an answer without intervals', { rows: [[1]], columns: [{ name: 'n' }] }, ['n']],
  ['coefficients that are none', { coefficients: [null, 7, []] }, ['name']],
  ['rows that are none', { ...answer, rows: 'many' }, ['n']],
  ['no answer', null, ['n']],
  ['a list', [[1]], ['n']],
])('shows nothing of %s', (_, from, columns) => {
  expect(viewOf(from, { kind: 'columns', columns })).toBeUndefined()
})

it('shows nothing to whom only the receipt is given, and no count of what has no rows', () => {
  expect(viewOf(answer, { kind: 'receipt' })).toBeUndefined()
  for (const from of [null, 7, 'rows', [], {}, { rows: 7 }]) {
    expect(viewOf(from, { kind: 'count' })).toBeUndefined()
  }
})

it('never throws, whatever the answer is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (one, two, three) => {
      for (const from of [
        one,
        { columns: [one], rows: [two], intervals: [three] },
        { coefficients: [one, two] },
      ]) {
        viewOf(from as JsonValue, { kind: 'columns', columns: ['name', '__proto__'] })
        viewOf(from as JsonValue, { kind: 'count' })
      }
    }),
  )
})
