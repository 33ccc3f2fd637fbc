import { describe, expect, expectTypeOf, test } from 'vitest'
import payroll from '../testing/payroll-refiner.js'
import { defineRefiner, type RowOf } from './define-refiner.js'

describe('defineRefiner', () => {
  test('maps every record and keeps empty tables', () => {
    const refiner = defineRefiner({
      id: 'two',
      version: '1.0.0',
      source: 'csv',
      tables: {
        a: { description: 'd', columns: { n: { type: 'integer', description: 'd' } } },
        b: { description: 'd', columns: { n: { type: 'integer', description: 'd' } } },
      },
      map: (record, { index, count }) => ({ a: [{ n: Number(record['x']) }, { n: index * 10 + count }] }),
    })
    expect(refiner.refine({ records: [{ x: '1' }, { x: '2' }] })).toEqual({
      tables: { a: [{ n: 1 }, { n: 2 }, { n: 2 }, { n: 12 }], b: [] },
    })
  })

  test('a mapping that throws names the record and nothing else', () => {
    const refiner = defineRefiner({
      id: 'throws',
      version: '1.0.0',
      source: 'json',
      tables: { a: { description: 'd', columns: { n: { type: 'integer', description: 'd' } } } },
      map: (_, { index }) => {
        if (index === 1) throw new Error('CANARY')
        return {}
      },
    })
    expect(refiner.refine({ records: [1, 2, 3] })).toEqual({ failedRecord: 1 })
  })

  test('an undeclared table is passed on to the host, which refuses it', () => {
    const refiner = defineRefiner({
      id: 'undeclared',
      version: '1.0.0',
      source: 'json',
      tables: { a: { description: 'd', columns: { n: { type: 'integer', description: 'd' } } } },
      map: () => ({ b: [{ n: 1 }] }) as object,
    })
    expect(refiner.refine({ records: [1] })).toEqual({ tables: { a: [], b: [{ n: 1 }] } })
  })

  test('describes itself as plain JSON', () => {
    const described = payroll.describe()
    expect(JSON.parse(JSON.stringify(described))).toEqual(described)
    expect(described.notes).toHaveLength(1)
  })

  test('row types follow the columns', () => {
    expectTypeOf<
      RowOf<{
        readonly columns: {
          readonly a: { readonly type: 'integer' }
          readonly b: { readonly type: 'decimal'; readonly nullable: true }
          readonly c: { readonly type: 'text'; readonly values: readonly ['x', 'y'] }
          readonly d: { readonly type: 'date' }
          readonly e: { readonly type: 'boolean' }
        }
      }>
    >().toEqualTypeOf<{
      readonly a: number
      readonly b: number | string | null
      readonly c: 'x' | 'y'
      readonly d: string
      readonly e: boolean
    }>()
  })
})
