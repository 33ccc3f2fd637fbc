import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { requiredFields } from '../source/required-fields.js'
import payroll from '../testing/payroll-refiner.js'
import { parseRefinerSchema } from './parse-schema.js'
import { schemaId } from './schema-id.js'
import { tableOf } from './table-of.js'
import type { ColumnSchema } from './table-schema.js'

const schema = payroll.describe()
const withColumn = (column: unknown, name = 'probe') => ({
  ...schema,
  tables: { probes: { description: 'Probes.', columns: { [name]: column } } },
})
const fault = (value: unknown) => {
  try {
    parseRefinerSchema(value)
  } catch (error) {
    if (error instanceof RefineError) return { code: error.code, place: error.place }
    throw error
  }
  return undefined
}

describe('parseRefinerSchema', () => {
  test('takes what defineRefiner describes, also after a walk through JSON', () => {
    expect(parseRefinerSchema(schema)).toEqual(schema)
    expect(parseRefinerSchema(JSON.parse(JSON.stringify(schema)))).toEqual(schema)
  })

  const bad: [string, Partial<Record<keyof ColumnSchema, unknown>>][] = [
    ['an unknown type', { type: 'float' }],
    ['a decimal without places', { type: 'decimal' }],
    ['a decimal with 18 places', { type: 'decimal', decimals: 18 }],
    ['places on an integer', { type: 'integer', decimals: 2 }],
    ['maxLength on an integer', { type: 'integer', maxLength: 2 }],
    ['a range on text', { type: 'text', min: 1 }],
    ['a textual bound on an integer', { type: 'integer', min: '1' }],
    ['a bound with more places than the column', { type: 'decimal', decimals: 1, max: 0.25 }],
    ['a bound that is no day', { type: 'date', min: '2023-02-29' }],
    ['min above max', { type: 'integer', min: 2, max: 1 }],
    ['values of another type', { type: 'integer', values: ['a'] }],
    ['values on a date', { type: 'date', values: ['2024-01-01'] }],
    ['a repeated value', { type: 'text', values: ['a', 'a'] }],
    ['no values', { type: 'text', values: [] }],
    ['min above max as text', { type: 'decimal', decimals: 2, min: '10.00', max: '9.00' }],
    ['a bound that is no decimal', { type: 'decimal', decimals: 2, max: 'ten' }],
    ['a bound with more places', { type: 'decimal', decimals: 2, max: '1.001' }],
    [
      'min above max by a fraction',
      { type: 'timestamp', min: '2024-01-01T00:00:00.5Z', max: '2024-01-01T00:00:00Z' },
    ],
    ['a bound with an offset', { type: 'timestamp', min: '2024-01-01T00:00:00+01:00' }],
    ['values beside a range', { type: 'integer', values: [1], min: 0 }],
    ['a value longer than maxLength', { type: 'text', values: ['abc'], maxLength: 2 }],
    ['an unknown field', { type: 'text', ...({ secret: true } as object) }],
    ['a unit with a blank', { type: 'integer', unit: 'per hour' }],
    ['a line break in the description', { type: 'integer', description: 'a\nb' }],
  ]
  test.each(bad)('refuses %s and names the column', (_, column) => {
    const found = fault(withColumn({ description: 'x', ...column }))
    expect(found?.code).toBe('SCHEMA_INVALID')
    expect(found?.place).toMatch(/^tables\.probes\.columns\.probe/)
  })

  test('the same column without the fault passes', () => {
    for (const column of [
      { type: 'decimal', decimals: 1, max: 0.5 },
      { type: 'decimal', decimals: 2, min: '9.00', max: '10.00' },
      { type: 'timestamp', min: '2024-01-01T00:00:00Z', max: '2024-01-01T00:00:00.5Z' },
    ]) {
      expect(fault(withColumn({ ...column, description: 'x' }))).toBeUndefined()
    }
  })

  test.each(['contributor', 'Wage', '1a', 'a-b', '', '__proto__'.toUpperCase(), 'a"b'])(
    'refuses the column name %j',
    (name) => {
      expect(fault(withColumn({ type: 'integer', description: 'x' }, name))?.code).toBe('SCHEMA_INVALID')
    },
  )

  test.each([null, [], 'x', 1, {}, { ...schema, tables: {} }, { ...schema, source: 'xml' }])(
    'refuses %j as a whole',
    (value) => {
      expect(fault(value)?.code).toBe('SCHEMA_INVALID')
    },
  )

  test.each<[string, object, object, boolean]>([
    ['a column that may be null', { nullable: true }, {}, true],
    ['a column with a value for the empty text', {}, { values: { '': 'none' } }, true],
    ['a column that must have a value', {}, {}, false],
  ])('optional in a mapping: %s', (_, column, spec, fits) => {
    const source = {
      ...schema,
      source: 'csv',
      tables: { t: { description: 'd', columns: { c: { type: 'text', description: 'd', ...column } } } },
      direct: { table: 't', columns: { c: { from: 'C', optional: true, ...spec } } },
    }
    expect(fault(source)).toEqual(fits ? undefined : { code: 'SCHEMA_INVALID', place: 'direct' })
    if (fits) expect(requiredFields(parseRefinerSchema(source))).toEqual([])
  })

  test('tableOf refuses a name that the schema lacks', () => {
    expect(tableOf(schema, 'workers').name).toBe('workers')
    expect(() => tableOf(schema, 'toString')).toThrow(RefineError)
  })
})

describe('schemaId', () => {
  test('does not depend on the order of keys, the version or the source', () => {
    const columns = schema.tables['workers']?.columns ?? {}
    const turned = {
      ...schema,
      version: '2.0.0',
      source: 'csv' as const,
      tables: {
        workers: {
          columns: Object.fromEntries(Object.entries(columns).reverse()),
          description: 'One row per worker.',
        },
      },
    }
    expect(schemaId(turned)).toBe(schemaId(schema))
  })

  test.each<[string, (column: ColumnSchema) => ColumnSchema]>([
    ['type', (column) => ({ ...column, decimals: 3 })],
    ['range', (column) => ({ ...column, max: 101 })],
    ['unit', (column) => ({ ...column, unit: '{EUR}/h' })],
    ['meaning', (column) => ({ ...column, description: 'Weekly wage.' })],
  ])('depends on the %s of a column', (_, change) => {
    const table = tableOf(schema, 'workers')
    const wage = table.columns['wage']
    if (wage === undefined) throw new Error('no wage')
    const changed = {
      ...schema,
      tables: {
        workers: { description: table.description, columns: { ...table.columns, wage: change(wage) } },
      },
    }
    expect(schemaId(changed)).not.toBe(schemaId(schema))
  })

  test('depends on the notes', () => {
    expect(schemaId({ ...schema, notes: [] })).not.toBe(schemaId(schema))
  })
})

describe('files of an archive that are read', () => {
  const withFiles = (files: unknown, own: object = {}) => ({ ...schema, source: 'archive', files, ...own })
  test('are patterns, and no part of what the tables mean', () => {
    const given = withFiles(['Takeout/Mail/*.mbox', '**/a b/c*d.json', '**', 'ünicode/😀'])
    expect(parseRefinerSchema(given)).toEqual(given)
    expect(schemaId(parseRefinerSchema(given))).toBe(schemaId(schema))
  })
  test.each<[string, unknown, object?]>([
    ['none', []],
    ['an empty text', ['']],
    ['an absolute path', ['/a']],
    ['an empty part', ['a//b']],
    ['a folder', ['a/']],
    ['a climbing path', ['a/../b']],
    ['the same folder', ['./a']],
    ['a path of Windows', ['a\\b']],
    ['a control character', ['a\n']],
    ['parts inside of a part', ['a/b**']],
    ['a number', [1]],
    ['another source', ['a'], { source: 'mail' }],
  ])('%s is refused', (_, files, own) => {
    expect(fault(withFiles(files, own))?.code).toBe('SCHEMA_INVALID')
  })
})

describe('fields of a mapping of columns', () => {
  const withFields = (fields: unknown, own: object = {}) => ({ ...schema, source: 'rows', fields, ...own })
  test('are taken by name, and say what must stand in a header', () => {
    const given = withFields([{ name: 'a' }, { name: 'b', optional: true }, { name: '__proto__' }])
    const parsed = parseRefinerSchema(given)
    expect(parsed).toEqual(given)
    expect(requiredFields(parsed)).toEqual([
      { name: 'a', place: 'fields[0]' },
      { name: '__proto__', place: 'fields[2]' },
    ])
    expect(schemaId(parsed)).toBe(schemaId(schema))
  })
  const direct = { table: 'workers', columns: {} }
  test.each<[string, unknown, object?]>([
    ['none', []],
    ['a name twice', [{ name: 'a' }, { name: 'a', optional: true }]],
    ['a name that is empty', [{ name: '' }]],
    ['a plain text', ['a']],
    ['a member more', [{ name: 'a', from: 'b' }]],
    ['a source without fields', [{ name: 'a' }], { source: 'mail' }],
    ['a mapping as data as well', [{ name: 'a' }], { direct }],
  ])('%s is refused', (_, fields, own) => {
    expect(fault(withFields(fields, own))?.code).toBe('SCHEMA_INVALID')
  })
})
