import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CellValue, ColumnType } from '../../schema/table-schema.js'
import { pageWithRows } from './page-rows.js'
import { encodeColumnPage, type ParquetColumn } from './plain-column.js'

const columnOf = (type: ColumnType, nullable: boolean): ParquetColumn => ({
  name: 'probe',
  type,
  nullable,
  decimals: 2,
})
const day = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const cellsOf: Readonly<Record<Exclude<ColumnType, 'vector'>, fc.Arbitrary<CellValue>>> = {
  integer: fc.integer(),
  decimal: fc.nat().map((value) => `${value}.25`),
  text: fc.string({ unit: 'grapheme' }),
  date: day,
  timestamp: day.map((value) => `${value}T01:02:03Z`),
  boolean: fc.boolean(),
}
const types = Object.keys(cellsOf) as (keyof typeof cellsOf)[]
const every = types.flatMap((type) => [[type, false] as const, [type, true] as const])
const bytes = (...values: number[]) => Uint8Array.from(values)

describe('a page with some of a page’s rows', () => {
  test.each(every)('is what is made of their values: %s, with nulls: %s', (type, nullable) => {
    const column = columnOf(type, nullable)
    const cell = nullable ? fc.option(cellsOf[type], { nil: null }) : cellsOf[type]
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, fc.boolean()), { minLength: 1, maxLength: 40 }), (cells) => {
        const page = encodeColumnPage(
          column,
          cells.map(([value]) => value),
        )
        const rows = cells.flatMap(([, kept], row) => (kept ? [row] : []))
        const kept = cells.flatMap(([value, of]) => (of ? [value] : []))
        expect(pageWithRows(column, page, cells.length, rows)).toEqual(encodeColumnPage(column, kept))
      }),
    )
  })

  test.each(every)(
    'is none of whatever bytes there are, and nothing is thrown: %s, with nulls: %s',
    (type, nullable) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 20 }), (body, count) => {
          const rows = Array.from({ length: count }, (_, row) => row)
          const page = pageWithRows(columnOf(type, nullable), body, count, rows)
          expect(page === undefined || page.length <= body.length).toBe(true)
        }),
      )
    },
  )

  const two = encodeColumnPage(columnOf('integer', false), [1, 2])
  const text = encodeColumnPage(columnOf('text', false), ['one', 'two'])
  const some = encodeColumnPage(columnOf('integer', true), [1, null, 2])
  const changed = (page: Uint8Array, at: number, value: number) => page.with(at, value)
  test.each<[string, ColumnType, boolean, Uint8Array, number]>([
    ['more values than rows', 'integer', false, two, 1],
    ['fewer values than rows', 'integer', false, two, 3],
    ['half a value', 'integer', false, two.subarray(0, 12), 2],
    ['more flags than rows', 'boolean', false, bytes(1, 1), 8],
    ['fewer flags than rows', 'boolean', false, bytes(1), 9],
    ['a text that is cut', 'text', false, text.subarray(0, text.length - 1), 2],
    ['the length of a text cut', 'text', false, text.subarray(0, 9), 2],
    ['a text more', 'text', false, text, 1],
    ['a text less', 'text', false, text, 3],
    ['no length of levels', 'integer', true, some.subarray(0, 3), 3],
    ['levels that are cut', 'integer', true, some.subarray(0, 5), 3],
    ['levels without a run', 'integer', true, bytes(1, 0, 0, 0, 5), 3],
    ['levels of another run', 'integer', true, changed(some, 4, 2), 3],
    ['a level of no row', 'integer', true, changed(some, 5, 13), 3],
    [
      'levels of more rows',
      'integer',
      true,
      encodeColumnPage(columnOf('integer', true), Array(9).fill(null)),
      3,
    ],
    ['more values than levels', 'integer', true, Uint8Array.from([...some, ...two]), 3],
  ])('is none of a page with %s', (_, type, nullable, body, count) => {
    expect(pageWithRows(columnOf(type, nullable), body, count, [0])).toBeUndefined()
  })
})
