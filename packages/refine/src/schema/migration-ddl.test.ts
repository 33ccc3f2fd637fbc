import { DuckDBInstance } from '@duckdb/node-api'
import { PGlite } from '@electric-sql/pglite'
import initSqlJs from 'sql.js'
import { describe, expect, test } from 'vitest'
import { type Dialect, toDdl } from './ddl.js'
import { toMigrationDdl } from './migration-ddl.js'
import type { ColumnSchema, RefinerSchema } from './table-schema.js'

type Columns = Readonly<Record<string, ColumnSchema>>
const schema = (columns: Columns, more: Readonly<Record<string, Columns>> = {}): RefinerSchema => ({
  id: 's',
  version: '1.0.0',
  source: 'json',
  notes: [],
  tables: Object.fromEntries(
    Object.entries({ t: columns, ...more }).map(([name, each]) => [
      name,
      { description: 'd', columns: each },
    ]),
  ),
})

interface Engine {
  run(text: string): Promise<unknown>
  rows(text: string): Promise<unknown[][]>
  close(): Promise<unknown>
}
const engines: Record<Dialect, () => Promise<Engine>> = {
  duckdb: async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    return {
      run: (text) => connection.run(text),
      rows: async (text) => (await connection.runAndReadAll(text)).getRowsJson() as unknown[][],
      close: async () => connection.closeSync(),
    }
  },
  postgresql: async () => {
    const database = await PGlite.create()
    return {
      run: (text) => database.exec(text),
      rows: async (text) => (await database.query(text, [], { rowMode: 'array' })).rows as unknown[][],
      close: () => database.close(),
    }
  },
  sqlite: async () => {
    const database = new (await initSqlJs()).Database()
    return {
      run: async (text) => database.run(text),
      rows: async (text) => database.exec(text)[0]?.values ?? [],
      close: async () => database.close(),
    }
  },
}

const from = schema({
  wage: { type: 'decimal', decimals: 2, min: 0, max: '9.00', description: 'd' },
  kind: { type: 'text', values: ['a', 'b'], description: 'd' },
  at: { type: 'timestamp', min: '2024-01-01T00:00:00.5Z', description: 'd' },
})
const to = schema(
  {
    wage: { type: 'decimal', decimals: 2, min: 0, max: '10.00', nullable: true, description: 'd' },
    kind: { type: 'text', values: ['a', 'b', 'c'], description: 'd' },
    at: { type: 'timestamp', min: '2024-01-01T00:00:00Z', description: 'd' },
    hours: { type: 'integer', min: 0, max: 168, nullable: true, description: 'd', unit: 'h' },
  },
  { u: { only: { type: 'boolean', description: 'd' } } },
)
const insert = (wage: string, kind: string, at: string, hours: string) =>
  `INSERT INTO t (contributor, wage, kind, "at", hours) VALUES (1, ${wage}, ${kind}, ${at}, ${hours})`
const good = `'2024-01-01T00:00:01Z'`
const attempts: readonly (readonly [taken: boolean, statement: string])[] = [
  [true, insert('10.00', `'c'`, good, '168')],
  [true, insert('NULL', `'a'`, `'2024-01-01T00:00:00Z'`, 'NULL')],
  [true, insert('0', `'a'`, `'2024-01-01T00:00:00.25Z'`, 'NULL')],
  [false, insert('10.01', `'a'`, good, 'NULL')],
  [false, insert('-0.01', `'a'`, good, 'NULL')],
  [false, insert('1', `'d'`, good, 'NULL')],
  [false, insert('1', 'NULL', good, 'NULL')],
  [false, insert('1', `'a'`, `'2023-12-31T23:59:59.75Z'`, 'NULL')],
  [false, insert('1', `'a'`, good, '-1')],
  [false, insert('1', `'a'`, good, '169')],
  [true, 'INSERT INTO u VALUES (1, true)'],
  [false, 'INSERT INTO u VALUES (1, NULL)'],
]

describe.each(['duckdb', 'postgresql', 'sqlite'] as const)('toMigrationDdl for %s', (dialect) => {
  test('stored tables demand afterwards what new ones demand, and keep their rows', async () => {
    const stored = await engines[dialect]()
    const fresh = await engines[dialect]()
    await stored.run(toDdl(from, dialect))
    await stored.run(
      `INSERT INTO t VALUES (0, 9.00, 'a', '2024-01-01T00:00:00.5Z'), (1, 0, 'b', '2024-06-01T00:00:00Z')`,
    )
    const before = 'INSERT INTO t (contributor, wage, kind, "at") VALUES '
    // Without the migration the older table refuses the newer rows.
    for (const row of [`(1, 9.50, 'a', ${good})`, `(1, 1, 'c', ${good})`, `(1, NULL, 'a', ${good})`])
      await expect(stored.run(before + row), row).rejects.toThrow(/onstraint/i)
    const statements = toMigrationDdl(from, to, dialect)
    await stored.run(`BEGIN; ${statements} COMMIT;`)
    await fresh.run(toDdl(to, dialect))
    for (const [taken, statement] of attempts) {
      for (const engine of [stored, fresh]) {
        const found = await engine.run(statement).then(
          () => true,
          () => false,
        )
        expect(found, statement).toBe(taken)
      }
    }
    const old = await stored.rows(`SELECT kind, hours FROM t WHERE contributor = 0`)
    expect(old).toEqual([['a', null]])
    await stored.close()
    await fresh.close()
  })

  test('a new column alone is added; the same schema needs nothing', async () => {
    const engine = await engines[dialect]()
    await engine.run(toDdl(from, dialect))
    const wider = schema({
      ...from.tables['t']?.columns,
      note: { type: 'text', nullable: true, description: 'd' },
    })
    const statements = toMigrationDdl(from, wider, dialect)
    expect(statements).toContain('ADD COLUMN "note"')
    expect(statements).not.toContain('CREATE TABLE')
    await engine.run(statements)
    await engine.run(`INSERT INTO t VALUES (0, 1, 'a', ${good}, 'n')`)
    await engine.close()
    expect(toMigrationDdl(from, from, dialect)).toBe('')
  })

  test('what loses something is refused', () => {
    expect(() => toMigrationDdl(to, from, dialect)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_INVALID', place: 't.wage' }),
    )
  })
})
