import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCell } from '../job/check-row.js'
import { mockTables } from '../sample/mock-tables.js'
import { property } from '../testing/property.js'
import { compareSchemas, migrateRows } from './compatibility.js'
import { printInstant } from './instant.js'
import type { ColumnSchema, PiiMode, RefinerSchema } from './table-schema.js'

const base: Readonly<Record<string, ColumnSchema>> = {
  a: { type: 'integer', min: 0, max: 10, description: 'd' },
  b: { type: 'text', values: ['x', 'y'], description: 'd' },
  c: { type: 'text', maxLength: 10, nullable: true, description: 'd' },
  d: { type: 'date', min: '2000-01-01', description: 'd' },
  g: { type: 'boolean', description: 'd' },
}
const boolean = (values: readonly boolean[]): ColumnSchema => ({ type: 'boolean', values, description: 'd' })
const schema = (columns: Readonly<Record<string, ColumnSchema | undefined>>): RefinerSchema => ({
  id: 's',
  version: '1.0.0',
  source: 'json',
  notes: [],
  tables: {
    t: {
      description: 'd',
      columns: Object.fromEntries(
        Object.entries({ ...base, ...columns }).filter(([, column]) => column !== undefined),
      ) as Record<string, ColumnSchema>,
    },
  },
})
const integer = (change: object): ColumnSchema => ({
  type: 'integer',
  min: 0,
  max: 10,
  description: 'd',
  ...change,
})

describe('compareSchemas', () => {
  test.each<[string, Readonly<Record<string, ColumnSchema | undefined>>, string]>([
    ['nothing', {}, 'full'],
    ['a description', { a: integer({ description: 'other' }) }, 'full'],
    ['a wider range', { a: integer({ max: 11 }) }, 'backward'],
    ['a narrower range', { a: integer({ min: 1 }) }, 'forward'],
    ['a shifted range', { a: integer({ min: 1, max: 11 }) }, 'breaking'],
    ['no range', { a: { type: 'integer', description: 'd' } }, 'backward'],
    ['a null that may be', { a: integer({ nullable: true }) }, 'backward'],
    ['a null that may not be', { c: { type: 'text', maxLength: 10, description: 'd' } }, 'forward'],
    ['more values', { b: { type: 'text', values: ['x', 'y', 'z'], description: 'd' } }, 'backward'],
    ['fewer values', { b: { type: 'text', values: ['x'], description: 'd' } }, 'forward'],
    ['any text', { b: { type: 'text', description: 'd' } }, 'backward'],
    ['values that are too long', { b: { type: 'text', maxLength: 1, description: 'd' } }, 'backward'],
    ['a shorter text', { c: { type: 'text', maxLength: 9, nullable: true, description: 'd' } }, 'forward'],
    ['an earlier day', { d: { type: 'date', min: '1999-01-01', description: 'd' } }, 'backward'],
    ['another type', { a: { type: 'text', description: 'd' } }, 'breaking'],
    ['another unit', { a: integer({ unit: 'kg' }) }, 'breaking'],
    ['a new column that may be null', { e: { type: 'integer', nullable: true, description: 'd' } }, 'full'],
    ['a new column that may not', { e: { type: 'integer', description: 'd' } }, 'forward'],
    ['a boolean with both values', { g: boolean([true, false]) }, 'full'],
    ['a boolean with one value', { g: boolean([true]) }, 'forward'],
    ['no column that may be null', { c: undefined }, 'forward'],
    ['no column that may not', { a: undefined }, 'breaking'],
  ])('%s', (_, columns, want) => {
    // A column that went and could be null: old rows have more than the new schema knows, new rows are old ones.
    expect(compareSchemas(schema({}), schema(columns)).compatibility).toBe(want)
  })

  const decimal = (max: string): ColumnSchema => ({ type: 'decimal', decimals: 2, max, description: 'd' })
  const instant = (min: string): ColumnSchema => ({ type: 'timestamp', min, description: 'd' })
  test.each<[string, ColumnSchema, ColumnSchema, string]>([
    ['a decimal with one digit more', decimal('9.00'), decimal('10.00'), 'backward'],
    ['a decimal with one digit less', decimal('10.00'), decimal('9.00'), 'forward'],
    ['a decimal in another form', decimal('10.00'), { ...decimal('1'), max: 10 }, 'full'],
    ['a later instant', instant('2024-01-01T00:00:00Z'), instant('2024-01-01T00:00:00.5Z'), 'forward'],
    ['an earlier instant', instant('2024-01-01T00:00:00.5Z'), instant('2024-01-01T00:00:00Z'), 'backward'],
  ])('%s', (_, from, to, want) => {
    expect(compareSchemas(schema({ f: from }), schema({ f: to })).compatibility).toBe(want)
  })

  test.each<[string, PiiMode | undefined, PiiMode | undefined, string]>([
    ['appears', undefined, 'mask', 'forward'],
    ['goes', 'refuse', undefined, 'backward'],
    ['changes', 'hash', 'drop', 'breaking'],
    ['stays', 'hash', 'hash', 'full'],
  ])('a treatment of personal data that %s', (_, before, after, want) => {
    const told = (pii: PiiMode | undefined): ColumnSchema => ({
      type: 'text',
      description: 'd',
      ...(pii === undefined ? {} : { pii }),
    })
    expect(compareSchemas(schema({ f: told(before) }), schema({ f: told(after) })).compatibility).toBe(want)
  })

  test('a bound that is no value of its column is refused, not compared', () => {
    expect(() => compareSchemas(schema({ f: decimal('ten') }), schema({ f: decimal('9') }))).toThrow(
      expect.objectContaining({ code: 'SCHEMA_INVALID' }),
    )
  })

  const bound = fc.option(fc.integer({ min: -1500, max: 1500 }), { nil: undefined })
  const forms: Record<string, { of: (at: number) => string | number; column: ColumnSchema }> = {
    integer: { of: (at) => at, column: { type: 'integer', description: 'd' } },
    decimal: {
      of: (at) => (at / 100).toFixed(at % 2 === 0 ? 2 : 3),
      column: { type: 'decimal', decimals: 3, description: 'd' },
    },
    timestamp: {
      of: (at) => printInstant(BigInt(at) * 100_000n) ?? '',
      column: { type: 'timestamp', description: 'd' },
    },
  }
  property(
    'says of ranges what the check of rows does',
    [fc.constantFrom(...Object.keys(forms)), bound, bound, bound, bound],
    (type, ...bounds) => {
      const form = forms[type]
      if (form === undefined) throw new Error('no such form')
      const { of, column } = form
      const [a, b, c, d] = bounds.map((at) => (at === undefined ? undefined : of(at)))
      const ranged = (min: string | number | undefined, max: string | number | undefined): ColumnSchema => ({
        ...column,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      })
      const takes = (range: ColumnSchema, value: string | number) => {
        try {
          checkCell(range, value, 'p')
          return true
        } catch {
          return false
        }
      }
      const [from, to] = [ranged(a, b), ranged(c, d)]
      const probes = [a, b, c, d, of(-1600), of(1600)].flatMap((value) =>
        value === undefined ? [] : [value],
      )
      // Empty ranges are refused with the schema.
      if (!probes.some((value) => takes(from, value)) || !probes.some((value) => takes(to, value))) return
      const inside = (inner: ColumnSchema, outer: ColumnSchema) =>
        probes.every((value) => !takes(inner, value) || takes(outer, value))
      const backward = inside(from, to)
      const forward = inside(to, from)
      const want = backward ? (forward ? 'full' : 'backward') : forward ? 'forward' : 'breaking'
      expect(compareSchemas(schema({ f: from }), schema({ f: to })).compatibility).toBe(want)
    },
  )

  test('tables', () => {
    const two = { ...schema({}), tables: { ...schema({}).tables, u: { description: 'd', columns: base } } }
    expect(compareSchemas(schema({}), two).compatibility).toBe('full')
    expect(compareSchemas(two, schema({})).compatibility).toBe('forward')
  })
})

describe('migrations', () => {
  const from = schema({})

  test('rows are renamed, filled, computed and checked', () => {
    const rows = mockTables(from, { seed: 'm', rows: 5 })['t'] ?? []
    const next = schema({
      a: undefined,
      n: integer({}),
      k: { type: 'text', description: 'd' },
      twice: { type: 'integer', description: 'd' },
    })
    const migrated = migrateRows(rows, next, {
      table: 't',
      rename: { n: 'a' },
      fill: { k: 'old' },
      compute: { twice: (row) => 2 * Number(row['a']) },
    })
    for (const [index, row] of migrated.entries()) {
      expect(row).toMatchObject({
        contributor: rows[index]?.['contributor'],
        n: rows[index]?.['a'],
        k: 'old',
        twice: 2 * Number(rows[index]?.['a']),
      })
      expect(Object.hasOwn(row, 'a')).toBe(false)
    }
    expect(() => migrateRows(rows, next, { table: 't', fill: { k: 5 } })).toThrow(
      expect.objectContaining({ place: 't[0].n' }),
    )
    expect(() => migrateRows(rows, next, { table: 't', fill: { zz: 5 } })).toThrow(/lacks/)
    // A misspelt name must not become nulls.
    const some = schema({ n: { type: 'integer', nullable: true, description: 'd' } })
    expect(() => migrateRows(rows, some, { table: 't', rename: { n: 'aa' } })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', place: 'migration.rename' }),
    )
  })
})
