import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { checkRow } from '../job/check-row.js'
import payroll from '../testing/payroll-refiner.js'
import { toDataDictionary } from './data-dictionary.js'
import { toDdl } from './ddl.js'
import { toJsonSchema } from './json-schema.js'
import { tableOf } from './table-of.js'
import type { RefinerSchema } from './table-schema.js'

const schema = payroll.describe()
const hostile: RefinerSchema = {
  id: 'hostile',
  version: '0.0.1',
  source: 'csv',
  notes: [{ column: 'a|b', statement: '<script>alert(1)</script> | `x`' }],
  tables: {
    select: {
      description: "it's; DROP TABLE x; -- | <b>",
      columns: {
        order: { type: 'text', description: "quote ' and \\", values: ["o'brien", 'a|b', '--'] },
        from: { type: 'decimal', decimals: 3, description: 'd', min: -0.001, max: 1e6 },
        date: { type: 'date', description: 'e', min: '2000-01-01', max: '2020-12-31' },
      },
    },
  },
}

async function duckdb() {
  const instance = await DuckDBInstance.create(':memory:')
  return instance.connect()
}

describe('toDdl', () => {
  test.each([schema, hostile])('DuckDB accepts what is printed', async (each) => {
    const connection = await duckdb()
    await connection.run(toDdl(each, 'duckdb'))
    const tables = await connection.runAndReadAll('SELECT table_name, comment FROM duckdb_tables()')
    expect(tables.getRowsJson()).toEqual(
      Object.entries(each.tables).map(([name, table]) => [name, table.description]),
    )
  })

  test('types, order, nulls and checks are those of the schema', async () => {
    const connection = await duckdb()
    await connection.run(toDdl(schema, 'duckdb'))
    const described = await connection.runAndReadAll('DESCRIBE workers')
    expect(described.getRowsJson().map(([name, type, nullable]) => [name, type, nullable])).toEqual([
      ['contributor', 'BIGINT', 'NO'],
      ['wage', 'DECIMAL(18,2)', 'NO'],
      ['member', 'BOOLEAN', 'NO'],
      ['occupation', 'VARCHAR', 'NO'],
      ['since', 'DATE', 'YES'],
      ['hours', 'BIGINT', 'YES'],
    ])
    await connection.run("INSERT INTO workers VALUES (1, 5.10, true, 'sales', '2001-02-03', NULL)")
    for (const row of [
      "(1, 100.01, true, 'sales', NULL, NULL)",
      "(1, -0.01, true, 'sales', NULL, NULL)",
      "(1, 5, true, 'pirate', NULL, NULL)",
      "(1, 5, true, 'sales', '1899-12-31', NULL)",
      "(1, 5, NULL, 'sales', NULL, NULL)",
      "(NULL, 5, true, 'sales', NULL, NULL)",
    ]) {
      await expect(connection.run(`INSERT INTO workers VALUES ${row}`), row).rejects.toThrow(/onstraint/)
    }
  })
})

describe('toJsonSchema', () => {
  // zod's own reader of JSON Schema is the independent judge here.
  const judge = z.fromJSONSchema(toJsonSchema(schema) as Parameters<typeof z.fromJSONSchema>[0])
  const row = (change: object) =>
    ({ wage: 5.1, member: true, occupation: 'sales', since: '2001-02-03', hours: null, ...change }) as object
  const refined = checkRow(tableOf(schema, 'workers'), row({}), 7, 0)

  test('takes rows as refineBatch returns them', () => {
    expect(judge.safeParse({ workers: [refined] }).error).toBeUndefined()
  })

  test.each([
    ['a decimal with other places', { ...refined, wage: '5.1' }],
    ['a decimal as number', { ...refined, wage: 5.1 }],
    ['a value that is not allowed', { ...refined, occupation: 'pirate' }],
    ['an integer out of range', { ...refined, hours: 169 }],
    ['a null that may not be', { ...refined, member: null }],
    ['an unknown column', { ...refined, name: 'x' }],
    ['a missing contributor', { ...refined, contributor: undefined }],
  ])('refuses %s', (_, bad) => {
    expect(judge.safeParse({ workers: [bad] }).success).toBe(false)
  })

  test('says its draft and a stable identifier', () => {
    expect(toJsonSchema(schema)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:sealpool:refiner:payroll:1.0.0',
    })
  })
})

describe('toDataDictionary', () => {
  test('has a line per column and the corrections to the source', () => {
    const text = toDataDictionary(schema)
    expect(text).toContain('| wage | DECIMAL(18,2) | {USD}/h | no | 0 to 100 | Hourly wage. |')
    expect(text).toContain('| since | DATE |  | yes | at least 1900-01-01 | First day of employment. |')
    expect(text).toContain('## Corrections to the source documentation')
    expect(text).toContain('| union | The documentation codes 0 as member')
  })

  test('says how long a text may be, and what becomes of personal data in it', () => {
    const note = { type: 'text', maxLength: 80, pii: 'mask', description: 'Note.' } as const
    const notes = { ...schema, tables: { notes: { description: 'Notes.', columns: { note } } } }
    expect(toDataDictionary(notes)).toContain(
      '| note | VARCHAR |  | no | up to 80 characters; personal data: mask | Note. |',
    )
  })

  test('text of the schema cannot break out of its cell', () => {
    const lines = toDataDictionary(hostile).split('\n')
    expect(lines.join('\n')).not.toContain('<script>')
    for (const line of lines.filter((each) => each.startsWith('| order') || each.startsWith('| a'))) {
      const cells = line.replaceAll(/\\./g, '').split('|').length - 2
      expect([2, 6]).toContain(cells)
    }
    expect(lines.filter((each) => each.startsWith('| order'))).toHaveLength(1)
  })
})
