import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tableOf } from '../schema/table-of.js'
import type { Row } from '../schema/table-schema.js'
import payroll from '../testing/payroll-refiner.js'
import { rekeyEncryptedParquet, writeEncryptedParquet } from './index.js'

const table = tableOf(payroll.describe(), 'workers')
const columns = 1 + Object.keys(table.columns).length
const [fromKey, toKey] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))]
const rows = Array.from(
  { length: 1000 },
  (_, index): Row => ({
    contributor: index,
    wage: `${index}.10`,
    member: index % 2 === 0,
    occupation: 'sales',
    since: index % 3 === 0 ? null : '2001-02-03',
    hours: 40,
  }),
)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-rekey-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const [from, to] = [() => join(folder, 'from.parquet'), () => join(folder, 'to.parquet')]
const rekey = (change: Partial<Parameters<typeof rekeyEncryptedParquet>[0]> = {}) =>
  rekeyEncryptedParquet({ from: from(), fromKey, columns, to: to(), toKey, ...change })

async function readWith(path: string, key: Uint8Array): Promise<unknown> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  await connection.run(`PRAGMA add_parquet_key('k', '${Buffer.from(key).toString('base64')}')`)
  const source = `read_parquet('${path}', encryption_config = {footer_key: 'k'})`
  const read = await connection.runAndReadAll(`SELECT * FROM ${source}`)
  return read.getRowsJson()
}

describe('a Parquet file under another key', () => {
  test.each([
    ['several row groups', rows, 300],
    ['one row', rows.slice(0, 1), 100],
    ['no rows', [], 100],
  ])('%s: reads the same in DuckDB, under the new key alone', async (_, some, rowGroupRows) => {
    await writeEncryptedParquet({ table, rows: some, key: fromKey, path: from(), rowGroupRows })
    const written = await rekey()
    expect(written.bytes).toBe(readFileSync(from()).length)
    expect(await readWith(to(), toKey)).toEqual(await readWith(from(), fromKey))
    await expect(readWith(to(), fromKey)).rejects.toThrow()
  })

  test('has its own identifier, nonces and ciphertext', async () => {
    await writeEncryptedParquet({ table, rows, key: fromKey, path: from() })
    await rekey()
    const [one, other] = [readFileSync(from()), readFileSync(to())]
    // Modules are 100s of bytes; 24 equal bytes in a row would be a nonce, an identifier or a page that was kept.
    for (let at = 4; at + 24 < one.length - 8; at += 24) {
      expect(other.includes(one.subarray(at, at + 24)), `at ${at}`).toBe(false)
    }
  })

  test.each<[string, Partial<Parameters<typeof rekeyEncryptedParquet>[0]>]>([
    ['another key', { fromKey: toKey }],
    ['fewer columns', { columns: columns - 1 }],
    ['more columns', { columns: columns + 1 }],
    ['no such file', { from: '/nowhere/else.parquet' }],
  ])('is refused with %s, and nothing is left behind', async (_, change) => {
    await writeEncryptedParquet({ table, rows, key: fromKey, path: from(), rowGroupRows: 300 })
    await expect(rekey(change)).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
    expect(readdirSync(folder)).toEqual(['from.parquet'])
  })

  test.each([[{ fromKey: new Uint8Array(31) }], [{ toKey: new Uint8Array(33) }], [{ columns: 0 }]])(
    'wrong arguments are named',
    async (change) => {
      await writeEncryptedParquet({ table, rows, key: fromKey, path: from() })
      await expect(rekey(change)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
      expect(existsSync(to())).toBe(false)
    },
  )

  test('one changed, cut or added byte anywhere is refused', async () => {
    await writeEncryptedParquet({
      table,
      rows: rows.slice(0, 20),
      key: fromKey,
      path: from(),
      rowGroupRows: 10,
    })
    const whole = readFileSync(from())
    const bad: Uint8Array[] = []
    for (let at = 0; at < whole.length; at += 29) {
      const changed = Uint8Array.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      bad.push(changed, whole.subarray(0, at))
    }
    bad.push(Buffer.concat([whole, new Uint8Array(1)]), new Uint8Array(3), new Uint8Array(200))
    for (const bytes of bad) {
      writeFileSync(from(), bytes)
      await expect(rekey(), `${bytes.length}`).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
    }
  })

  test('row groups that were taken out or exchanged are refused', async () => {
    await writeEncryptedParquet({ table, rows, key: fromKey, path: from(), rowGroupRows: 500 })
    const whole = readFileSync(from())
    const footer = whole.readUInt32LE(whole.length - 8)
    const data = whole.subarray(4, whole.length - 8 - footer)
    // 2 modules for each column: where the second row group begins.
    let half = 0
    for (let module = 0; module < 2 * columns; module += 1) half += 4 + data.readUInt32LE(half)
    const [first, second] = [data.subarray(0, half), data.subarray(half)]
    const ends = [whole.subarray(0, 4), whole.subarray(4 + data.length)] as const
    writeFileSync(from(), Buffer.concat([ends[0], second, first, ends[1]]))
    await expect(rekey()).rejects.toMatchObject({ code: 'PARQUET_READ_FAILED' })
  })
})
