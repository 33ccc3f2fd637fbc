import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkRow } from '../job/check-row.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import payroll from '../testing/payroll-refiner.js'
import { property } from '../testing/property.js'
import { maskedSample } from './masked-sample.js'
import { mockTables } from './mock-tables.js'

const wide: RefinerSchema = {
  id: 'wide',
  version: '1.0.0',
  source: 'json',
  notes: [],
  tables: {
    t: {
      description: 'd',
      columns: {
        low: { type: 'integer', min: -5, max: -3, description: 'd' },
        high: { type: 'integer', min: 2000, description: 'd' },
        below: { type: 'decimal', decimals: 3, max: -1, description: 'd' },
        any: { type: 'decimal', decimals: 17, nullable: true, description: 'd' },
        day: { type: 'date', max: '1999-01-01', description: 'd' },
        at: { type: 'timestamp', min: '2030-01-01T00:00:00Z', description: 'd' },
        moment: {
          type: 'timestamp',
          min: '2030-01-01T00:00:00.25Z',
          max: '2030-01-01T00:00:00.5Z',
          description: 'd',
        },
        before: { type: 'timestamp', max: '1960-01-01T00:00:00.5Z', description: 'd' },
        exact: { type: 'decimal', decimals: 2, min: '9.00', max: '10.00', description: 'd' },
        short: { type: 'text', maxLength: 3, description: 'd' },
        sure: { type: 'boolean', description: 'd' },
      },
    },
  },
}
const key = new Uint8Array(32).fill(4)

describe('mockTables', () => {
  property('satisfies the schema for any seed', [fc.string()], (seed) => {
    for (const schema of [wide, payroll.describe()]) {
      for (const [name, rows] of Object.entries(mockTables(schema, { seed, rows: 20 }))) {
        for (const [index, { contributor, ...row }] of rows.entries()) {
          expect(checkRow(tableOf(schema, name), row, Number(contributor), index)).toEqual({
            contributor,
            ...row,
          })
        }
      }
    }
  })

  test('is the seed’s alone, and each seed’s own', () => {
    const rows = (seed: string) => mockTables(wide, { seed, rows: 50 })
    expect(rows('a')).toEqual(rows('a'))
    expect(rows('a')).not.toEqual(rows('b'))
    expect(() => mockTables(wide, { seed: '', rows: -1 })).toThrow(/rows/)
    expect(() => mockTables(wide, { seed: '', rows: 1, contributors: 0 })).toThrow(/contributors/)
  })
})

describe('maskedSample', () => {
  const table = tableOf(wide, 't')
  const rows = mockTables(wide, { seed: 'real', rows: 30 })['t'] ?? []

  test('shows the pattern of nulls in rows of the schema', () => {
    const sample = maskedSample(table, rows, { key, count: 10 })
    expect(sample).toHaveLength(10)
    for (const [index, { contributor, ...row }] of sample.entries()) {
      expect(checkRow(table, row, Number(contributor), index)).toEqual({ contributor, ...row })
    }
    const nulls = maskedSample(table, rows, { key, count: 30 }).filter((row) => row['any'] === null).length
    expect(nulls).toBe(rows.filter((row) => row['any'] === null).length)
    expect(nulls).toBeGreaterThan(0)
  })

  property('does not depend on any value: what it lacks says nothing either', [fc.string()], (seed) => {
    // The same cells are empty, everything else is another: no reader of the sample can tell the two tables apart.
    const filled = (mockTables(wide, { seed, rows: 30 })['t'] ?? []).map((row, index) => ({
      ...row,
      any: rows[index]?.['any'] === null ? null : (row['any'] ?? '0.00000000000000000'),
    }))
    expect(maskedSample(table, filled, { key, count: 30 })).toEqual(
      maskedSample(table, rows, { key, count: 30 }),
    )
  })

  test('a column whose rows all hold one value of two shows both', () => {
    const columns = { state: { type: 'text', values: ['sick', 'well'], description: 'd' } } as const
    const all = Array.from({ length: 50 }, (_, contributor) => ({ contributor, state: 'sick' }))
    const sample = maskedSample({ name: 't', description: 'd', columns }, all, { key, count: 50 })
    expect(new Set(sample.map((row) => row['state']))).toEqual(new Set(['sick', 'well']))
  })

  test('is the key’s alone, and needs one', () => {
    expect(maskedSample(table, rows, { key, count: 5 })).toEqual(maskedSample(table, rows, { key, count: 5 }))
    expect(maskedSample(table, rows, { key: new Uint8Array(32), count: 5 })).not.toEqual(
      maskedSample(table, rows, { key, count: 5 }),
    )
    expect(maskedSample(table, rows, { key, count: 99 })).toHaveLength(30)
    expect(() => maskedSample(table, rows, { key: new Uint8Array(31), count: 1 })).toThrow(/key/)
    expect(() => maskedSample(table, rows, { key, count: -1 })).toThrow(/count/)
  })
})
