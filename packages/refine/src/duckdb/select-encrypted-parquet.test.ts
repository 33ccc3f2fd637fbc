import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import type { NamedTable, Row } from '../schema/table-schema.js'
import { contributorsOfParquet, selectEncryptedParquet, writeEncryptedParquet } from './index.js'

/** A column of every type, with and without nulls. */
const table: NamedTable = {
  name: 'probes',
  description: 'Probes.',
  columns: {
    amount: { type: 'decimal', decimals: 2, description: 'd', nullable: true },
    flag: { type: 'boolean', description: 'd', nullable: true },
    label: { type: 'text', description: 'd', nullable: true },
    day: { type: 'date', description: 'd', nullable: true },
    at: { type: 'timestamp', description: 'd', nullable: true },
    sure: { type: 'boolean', description: 'd' },
    name: { type: 'text', description: 'd' },
    since: { type: 'date', description: 'd' },
  },
}
const columns = 1 + Object.keys(table.columns).length
const [fromKey, toKey] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))]
const cell = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: null })
const day = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\u0000'))
const anyRow: fc.Arbitrary<Row> = fc.record({
  contributor: fc.nat({ max: 20 }),
  amount: cell(fc.nat().map((value) => `${value}.25`)),
  flag: cell(fc.boolean()),
  label: cell(text),
  day: cell(day),
  at: cell(day.map((value) => `${value}T01:02:03Z`)),
  sure: fc.boolean(),
  name: text,
  since: day,
})
const rowOf = (contributor: number): Row => ({
  contributor,
  amount: contributor % 2 === 0 ? null : `${contributor}.10`,
  flag: contributor % 3 === 0,
  label: `label ${contributor}`,
  day: null,
  at: '2001-02-03T04:05:06Z',
  sure: contributor % 5 === 0,
  name: 'x'.repeat(contributor % 7),
  since: '2001-02-03',
})
const rows = Array.from({ length: 200 }, (_, index) => rowOf(index % 50))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-select-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const [from, to] = [() => join(folder, 'from.parquet'), () => join(folder, 'to.parquet')]
const write = (some: readonly Row[], rowGroupRows = 30) =>
  writeEncryptedParquet({ table, rows: some, key: fromKey, path: from(), rowGroupRows })
const odd = (contributor: number) => contributor % 2 === 1
const select = (change: Partial<Parameters<typeof selectEncryptedParquet>[0]> = {}) =>
  selectEncryptedParquet({ from: from(), table, fromKey, to: to(), toKey, takes: odd, ...change })

const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
let keys = 0
async function readWith(path: string, key: Uint8Array, where = 'true'): Promise<unknown> {
  const connection = await instance.connect()
  const name = `k${keys++}`
  await connection.run(`PRAGMA add_parquet_key('${name}', '${Buffer.from(key).toString('base64')}')`)
  // DuckDB filters no encrypted pages; see the engine's loading of tables.
  await connection.run(
    `CREATE TEMP TABLE ${name} AS SELECT * FROM read_parquet('${path}', encryption_config = {footer_key: '${name}'})`,
  )
  const read = await connection.runAndReadAll(`SELECT * FROM ${name} WHERE ${where}`)
  return read.getRowsJson()
}

describe('a Parquet file with the rows of some contributors', () => {
  test('has exactly their rows, in order, whatever they say and however they are grouped', async () => {
    const holds = fc.asyncProperty(
      fc.array(anyRow, { maxLength: 60 }),
      fc.integer({ min: 1, max: 70 }),
      fc.nat({ max: 3 }),
      async (some, rowGroupRows, rest) => {
        await write(some, rowGroupRows)
        await select({ takes: (contributor) => contributor % 4 === rest })
        const one = await readWith(to(), toKey)
        expect(one).toEqual(await readWith(from(), fromKey, `contributor % 4 = ${rest}`))
        rmSync(to())
      },
    )
    // Each run writes two files and has an engine read them.
    await fc.assert(holds, { numRuns: 30 })
  })

  test('and those of the others make up all rows, each once', async () => {
    await write(rows)
    await select()
    const one = (await readWith(to(), toKey)) as unknown[]
    await select({ takes: (contributor) => !odd(contributor) })
    const other = (await readWith(to(), toKey)) as unknown[]
    expect([one.length, other.length]).toEqual([100, 100])
  })

  test('opens under the new key alone, tells its size and digest, and may have no rows', async () => {
    await write(rows)
    const { bytes } = await select({ takes: () => false })
    expect(bytes).toBe(readFileSync(to()).length)
    expect(await readWith(to(), toKey)).toEqual([])
    await select()
    await expect(readWith(to(), fromKey)).rejects.toThrow()
  })

  test('may be of a file without rows', async () => {
    await write([])
    await select()
    expect(await readWith(to(), toKey)).toEqual([])
    expect([...(await contributorsOfParquet({ from: from(), columns, key: fromKey }))]).toEqual([])
  })

  test('names its contributors, each once', async () => {
    await write(rows)
    const found = await contributorsOfParquet({ from: from(), columns, key: fromKey })
    expect([...found].sort((one, two) => one - two)).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  const { since: _, ...fewer } = table.columns
  test.each<[string, Partial<Parameters<typeof selectEncryptedParquet>[0]>]>([
    ['another key', { fromKey: toKey }],
    ['fewer columns', { table: { ...table, columns: fewer } }],
    [
      'more columns',
      { table: { ...table, columns: { ...table.columns, more: { type: 'text', description: 'd' } } } },
    ],
    [
      'a column of another name',
      { table: { ...table, columns: { ...fewer, sinse: { type: 'date', description: 'd' } } } },
    ],
    [
      'a column of another type',
      { table: { ...table, columns: { ...fewer, since: { type: 'text', description: 'd' } } } },
    ],
    [
      'other places after the point',
      {
        table: {
          ...table,
          columns: {
            ...table.columns,
            amount: { type: 'decimal', decimals: 3, description: 'd', nullable: true },
          },
        },
      },
    ],
    [
      'nulls where there are none',
      {
        table: { ...table, columns: { ...fewer, since: { type: 'date', description: 'd', nullable: true } } },
      },
    ],
    ['no such file', { from: '/nowhere/else.parquet' }],
  ])('is refused with %s, and nothing is left behind', async (_, change) => {
    await write(rows)
    await expect(select(change)).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
    expect(readdirSync(folder)).toEqual(['from.parquet'])
  })

  test.each([[{ fromKey: new Uint8Array(31) }], [{ toKey: new Uint8Array(33) }]])(
    'wrong keys are named',
    async (change) => {
      await write(rows)
      await expect(select(change)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
      expect(existsSync(to())).toBe(false)
    },
  )

  test('ends with what is thrown for a contributor that nobody may have', async () => {
    await write(rows)
    const unknown = new RefineError('PARQUET_READ_FAILED', 'contributor', 'nobody has it')
    const takes = () => {
      throw unknown
    }
    await expect(select({ takes })).rejects.toBe(unknown)
    expect(existsSync(to())).toBe(false)
  })

  test('one changed, cut or added byte anywhere is refused', async () => {
    await write(rows.slice(0, 20), 10)
    const whole = readFileSync(from())
    const bad: Uint8Array[] = []
    // Headers of pages are not opened, so that a byte of one may change: what is written has its own.
    const footer = whole.readUInt32LE(whole.length - 8)
    for (let at = 4, module = 0; at < whole.length - 8 - footer; module += 1) {
      const length = 4 + whole.readUInt32LE(at)
      if (module % 2 === 1) {
        const changed = Uint8Array.from(whole)
        changed[at + 20] = (changed[at + 20] ?? 0) ^ 1
        bad.push(changed)
      }
      bad.push(whole.subarray(0, at))
      at += length
    }
    bad.push(Buffer.concat([whole, new Uint8Array(1)]), new Uint8Array(3), new Uint8Array(200))
    for (const bytes of bad) {
      writeFileSync(from(), bytes)
      await expect(select(), `${bytes.length}`).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
    }
  })

  test('row groups that were taken out at the end, or half of one, are refused', async () => {
    await write(rows, 100)
    const whole = readFileSync(from())
    const footer = whole.readUInt32LE(whole.length - 8)
    const data = whole.subarray(4, whole.length - 8 - footer)
    const ends = [whole.subarray(0, 4), whole.subarray(4 + data.length)] as const
    for (const modules of [0, 2 * columns, 3 * columns]) {
      let end = 0
      for (let module = 0; module < modules; module += 1) end += 4 + data.readUInt32LE(end)
      writeFileSync(from(), Buffer.concat([ends[0], data.subarray(0, end), ends[1]]))
      await expect(select(), `${modules}`).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
    }
  })
})
