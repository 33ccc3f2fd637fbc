import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row, SqlEngine } from '../engine/engine.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { splitName } from './load.js'

const columns = [
  { name: 'wage', type: 'decimal', decimals: 2, min: 0, max: 50 },
  { name: 'age', type: 'integer' },
  { name: 'married', type: 'boolean' },
  { name: 'town', type: 'text' },
] as const

const rows: readonly Row[] = [
  { contributor: 1, wage: 12.345, age: 30, married: true, town: 'x' },
  { contributor: 2, wage: -3, age: 9007199254740991, married: 'nonsense', town: null },
  { contributor: 3, wage: 1e300, age: '9007199254740992', married: null, town: "o'x" },
  { contributor: 4, wage: 'NaN', age: 'twelve', married: 0, town: '' },
  { contributor: 5, wage: 99.9 },
  { contributor: null, wage: 1 },
  { contributor: 'x', wage: 1 },
]

let engine: SqlEngine
let stored: readonly Row[]
beforeAll(async () => {
  engine = await memoryEngine()
  await engine.load({ name: 'pay.workers', columns, rows })
  const twice = Array.from({ length: 9 }, (_, index) => ({ contributor: index % 3, wage: index, age: 1 }))
  await engine.load({ name: 'pay.many', columns, rows: [...twice, ...twice] })
  await engine.load({ name: 'pay.again', columns, rows: [...twice, ...twice].reverse() })
  stored = await engine.query(
    'SELECT w.contributor, w.wage, w.age, w.married, w.town, w.row_rank FROM pay.workers AS w ORDER BY w.contributor',
  )
})
afterAll(() => engine.close())

describe('what is loaded', () => {
  const column = (name: string) => stored.map((row) => row[name])

  it('leaves out rows without a contributor', () => {
    expect(column('contributor')).toEqual(['1', '2', '3', '4', '5'])
  })

  it('rounds decimals, clamps to the bounds, and makes null of what is no number', () => {
    expect(column('wage')).toEqual(['12.35', '0.00', null, null, '50.00'])
  })

  it('keeps integers that are exact in JSON and makes null of larger ones', () => {
    expect(column('age')).toEqual(['30', '9007199254740991', null, null, null])
  })

  it('keeps texts as they are and makes null of what is no boolean', () => {
    expect(column('town')).toEqual(['x', null, "o'x", '', null])
    expect(column('married')).toEqual([true, null, null, false, null])
  })

  it('ranks the rows of each contributor from 1, the same in whatever order they come', async () => {
    const ranks = async (table: string) =>
      engine.query(
        `SELECT w.contributor, w.wage, w.row_rank FROM ${table} AS w ORDER BY w.contributor, w.row_rank`,
      )
    const first = await ranks('pay.many')
    expect(first.map((row) => row['row_rank'])).toEqual(
      [1, 2, 3].flatMap(() => ['1', '2', '3', '4', '5', '6']),
    )
    expect(await ranks('pay.again')).toEqual(first)
  })
})

describe('table names', () => {
  it('are pool.table in lower-case ASCII', () => {
    expect(splitName('pay.workers')).toEqual({ pool: 'pay', table: 'workers' })
    for (const name of ['pay', 'a.b.c', 'Pay.x', 'pay.', '.x', 'pay."x"', 'päy.x', `a.${'b'.repeat(64)}`]) {
      expect(splitName(name)).toBeNull()
    }
  })
})
