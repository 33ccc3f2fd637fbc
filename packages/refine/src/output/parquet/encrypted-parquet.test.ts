import { createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RefineError } from '../../errors.js'
import { printDecimal } from '../../schema/decimal.js'
import type { NamedTable, Row } from '../../schema/table-schema.js'
import { property } from '../../testing/property.js'
import { createEncryptedParquet } from './encrypted-parquet.js'

const table: NamedTable = {
  name: 'probe_table',
  description: 'Probes.',
  columns: {
    amount: { type: 'decimal', decimals: 2, description: 'd', nullable: true },
    flag: { type: 'boolean', description: 'd', nullable: true },
    label: { type: 'text', description: 'd', nullable: true },
    day: { type: 'date', description: 'd', nullable: true },
    whole: { type: 'integer', description: 'd', nullable: true },
    sure: { type: 'boolean', description: 'd' },
  },
}
const random = (length: number) => new Uint8Array(randomBytes(length))
const key = random(32)

async function write(
  groups: readonly (readonly Row[])[],
  options: Partial<{ table: NamedTable; key: Uint8Array }> = {},
) {
  const parquet = await createEncryptedParquet({ table, key, random, ...options })
  const parts: Uint8Array[] = []
  for (const group of groups) parts.push(await parquet.rowGroup(group))
  parts.push(await parquet.finish())
  return Buffer.concat(parts)
}

let directory: string
let connection: Awaited<ReturnType<DuckDBInstance['connect']>>
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sealpool-parquet-'))
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
  await connection.run('SET autoinstall_known_extensions = false')
  await connection.run('SET autoload_known_extensions = false')
  await connection.run(`PRAGMA add_parquet_key('right', '${Buffer.from(key).toString('base64')}')`)
  await connection.run(`PRAGMA add_parquet_key('wrong', '${randomBytes(32).toString('base64')}')`)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let files = 0
async function read(bytes: Uint8Array, select = '*', name = 'right') {
  // A new name each time: DuckDB may keep a file's metadata.
  files += 1
  const path = join(directory, `${files}.parquet`)
  writeFileSync(path, bytes)
  const result = await connection.runAndReadAll(
    `SELECT ${select} FROM read_parquet('${path}', encryption_config = {footer_key: '${name}'})`,
  )
  return result.getRowsJson()
}

const cell = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: null })
const anyRow: fc.Arbitrary<Row> = fc.record({
  contributor: fc.maxSafeNat(),
  amount: cell(
    fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map((value) => printDecimal(value, 2)),
  ),
  flag: cell(fc.boolean()),
  label: cell(fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\u0000'))),
  day: cell(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ),
  whole: cell(fc.maxSafeInteger()),
  sure: fc.boolean(),
})

describe('an encrypted Parquet file', () => {
  property(
    'gives DuckDB the same rows in the same order, over any row groups',
    [fc.array(fc.array(anyRow, { minLength: 1, maxLength: 20 }), { maxLength: 4 })],
    async (groups) => {
      const rows = await read(
        await write(groups),
        '* REPLACE (day::VARCHAR AS day, amount::VARCHAR AS amount)',
      )
      expect(rows).toEqual(
        groups
          .flat()
          .map((row) => [
            String(row['contributor']),
            row['amount'],
            row['flag'],
            row['label'],
            row['day'],
            row['whole'] === null ? null : String(row['whole']),
            row['sure'],
          ]),
      )
    },
  )

  test('has the schema of the table: contributor first, DECIMAL(18, decimals)', async () => {
    const path = join(directory, 'typed.parquet')
    writeFileSync(path, await write([]))
    const described = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet('${path}', encryption_config = {footer_key: 'right'})`,
    )
    expect(described.getRowsJson().map(([name, type]) => `${name} ${type}`)).toEqual([
      'contributor BIGINT',
      'amount DECIMAL(18,2)',
      'flag BOOLEAN',
      'label VARCHAR',
      'day DATE',
      'whole BIGINT',
      'sure BOOLEAN',
    ])
  })

  const rows = Array.from(
    { length: 50 },
    (_, index): Row => ({
      contributor: index,
      amount: '1.00',
      flag: null,
      label: `CANARY-${index}`,
      day: null,
      whole: 1,
      sure: true,
    }),
  )

  test('does not open with another key, nor without one', async () => {
    const bytes = await write([rows])
    await expect(read(bytes, '*', 'wrong')).rejects.toThrow('Computed AES tag differs')
    const path = join(directory, 'locked.parquet')
    writeFileSync(path, bytes)
    await expect(connection.run(`SELECT * FROM read_parquet('${path}')`)).rejects.toThrow()
  })

  test('holds no value, no column name and no key in clear', async () => {
    const bytes = await write([rows])
    for (const canary of ['CANARY', 'amount', 'label', 'contributor', 'probe_table', 'Probes']) {
      expect(bytes.includes(canary), canary).toBe(false)
    }
    expect(bytes.includes(Buffer.from(key))).toBe(false)
  })

  test('uses every nonce once, and none twice over two files of the same rows', async () => {
    const drawn: string[] = []
    const counting = (length: number) => {
      const bytes = random(length)
      drawn.push(Buffer.from(bytes).toString('hex'))
      return bytes
    }
    for (let file = 0; file < 2; file += 1) {
      const parquet = await createEncryptedParquet({ table, key, random: counting })
      await parquet.rowGroup(rows)
      await parquet.finish()
    }
    // Per file: its identifier, two modules for each of 7 columns, the footer.
    expect(drawn).toHaveLength(2 * (1 + 2 * 7 + 1))
    expect(new Set(drawn).size).toBe(drawn.length)
  })

  test('its footer opens with AES-256-GCM under the AAD of Encryption.md 4.4, and under no other', async () => {
    const bytes = await write([rows])
    expect(bytes.subarray(0, 4).toString()).toBe('PARE')
    expect(bytes.subarray(-4).toString()).toBe('PARE')
    const tail = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), -8)
    // FileCryptoMetaData of this writer: 5 bytes, the identifier (16), 3 ends of structs.
    const fileUnique = tail.subarray(4, 20)
    const module = tail.subarray(23)
    expect(module.readUInt32LE(0)).toBe(module.length - 4)
    const open = (aad: Uint8Array) => {
      const decipher = createDecipheriv('aes-256-gcm', key, module.subarray(4, 16))
      decipher.setAAD(aad)
      decipher.setAuthTag(module.subarray(-16))
      return Buffer.concat([decipher.update(module.subarray(16, -16)), decipher.final()])
    }
    expect(open(Buffer.concat([fileUnique, Uint8Array.of(0)])).includes('contributor')).toBe(true)
    expect(() => open(Buffer.concat([fileUnique, Uint8Array.of(1)]))).toThrow()
  })

  test('a flipped bit in any module is found', async () => {
    const bytes = await write([rows])
    const tail = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
    for (let offset = 4 + 20; offset < bytes.length - 8; offset += 37) {
      const flipped = Buffer.from(bytes)
      flipped[offset] = (flipped[offset] ?? 0) ^ 1
      // The 23 bytes of crypto metadata are not encrypted; what they say goes into the AAD or the algorithm.
      if (offset >= tail && offset < tail + 4) continue
      await expect(read(flipped, 'sum(hash(COLUMNS(*)))'), `offset ${offset}`).rejects.toThrow()
    }
  })

  test('two pages of one length cannot change places', async () => {
    const twins: NamedTable = {
      name: 'twins',
      description: 'd',
      columns: { a: { type: 'integer', description: 'd' }, b: { type: 'integer', description: 'd' } },
    }
    const bytes = await write([[{ contributor: 1, a: 111, b: 222 }]], { table: twins })
    expect(await read(bytes)).toEqual([['1', '111', '222']])
    // Three columns of one row have chunks of one size: header module and page module.
    const tail = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
    const size = (tail - 4) / 3
    expect(Number.isInteger(size)).toBe(true)
    const swapped = Buffer.concat([
      bytes.subarray(0, 4 + size),
      bytes.subarray(4 + 2 * size, tail),
      bytes.subarray(4 + size, 4 + 2 * size),
      bytes.subarray(tail),
    ])
    await expect(read(swapped)).rejects.toThrow('Computed AES tag differs')
  })

  test('refuses values of another type and nulls that may not be, and names the column', async () => {
    const parquet = await createEncryptedParquet({ table, key, random })
    const good = rows[0] ?? {}
    for (const [change, code, place] of [
      [{ amount: 1 }, 'VALUE_TYPE', 'amount'],
      [{ amount: '1.001' }, 'VALUE_TYPE', 'amount'],
      [{ flag: 1 }, 'VALUE_TYPE', 'flag'],
      [{ label: 1 }, 'VALUE_TYPE', 'label'],
      [{ day: 'yesterday' }, 'VALUE_TYPE', 'day'],
      [{ day: '2023-02-29' }, 'VALUE_TYPE', 'day'],
      [{ whole: 0.5 }, 'VALUE_TYPE', 'whole'],
      [{ sure: null }, 'VALUE_MISSING', 'sure'],
      [{ contributor: null }, 'VALUE_MISSING', 'contributor'],
    ] as const) {
      await expect(parquet.rowGroup([{ ...good, ...change }])).rejects.toMatchObject({ code, place })
    }
    // A refused row group leaves the file as it was.
    expect(
      Buffer.from(await parquet.rowGroup([good]))
        .subarray(0, 4)
        .toString(),
    ).toBe('PARE')
  })

  test('refuses more row groups than the AAD can number', async () => {
    const narrow: NamedTable = { name: 'narrow', description: 'd', columns: {} }
    const parquet = await createEncryptedParquet({ table: narrow, key, random })
    for (let group = 0; group < 32_768; group += 1) await parquet.rowGroup([{ contributor: group }])
    await expect(parquet.rowGroup([{ contributor: 0 }])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('refuses a key that is not 32 bytes', async () => {
    await expect(createEncryptedParquet({ table, key: random(16), random })).rejects.toThrow(RefineError)
  })
})
