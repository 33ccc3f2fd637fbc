import { spawn } from 'node:child_process'
import crypto, { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toDdl } from '../schema/ddl.js'
import { tableOf } from '../schema/table-of.js'
import type { Row } from '../schema/table-schema.js'
import payroll from '../testing/payroll-refiner.js'
import { inspectEncryptedParquet, rekeyEncryptedParquet, writeEncryptedParquet } from './index.js'

const schema = payroll.describe()
const table = tableOf(schema, 'workers')
const key = new Uint8Array(randomBytes(32))
const row = (contributor: number): Row => ({
  contributor,
  wage: '5.10',
  member: contributor % 2 === 0,
  occupation: 'sales',
  since: contributor % 3 === 0 ? null : '2001-02-03',
  hours: 40,
})
const rows = Array.from({ length: 1000 }, (_, index) => row(index))
const built = (() => {
  try {
    return existsSync(createRequire(import.meta.url).resolve('@sealpool/refine/duckdb-worker'))
  } catch {
    return false
  }
})()
if (!built) console.warn('packages/refine is not built, tests of child processes are skipped: npm run build')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealpool-refine-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const target = () => join(directory, 'workers.parquet')

describe('the key of writeEncryptedParquet', () => {
  test('may be destroyed by its owner while rows are written: none of them is written under zeros', async () => {
    const own = Uint8Array.from(key)
    function* destroying() {
      for (const one of rows) {
        yield one
        own.fill(0)
      }
    }
    await writeEncryptedParquet({ table, rows: destroying(), key: own, path: target(), rowGroupRows: 100 })
    const columns = 1 + Object.keys(table.columns).length
    await rekeyEncryptedParquet({ from: target(), columns, fromKey: key, to: `${target()}.2`, toKey: key })
  })

  test('is in no copy of this process when the file is written', async () => {
    const { createCipheriv } = crypto
    const used = new Set<unknown>()
    crypto.createCipheriv = ((name: string, secret: Uint8Array, iv: Uint8Array) => {
      used.add(secret)
      return createCipheriv(name, secret, iv)
    }) as typeof createCipheriv
    syncBuiltinESMExports()
    try {
      await writeEncryptedParquet({ table, rows, key, path: target() })
    } finally {
      crypto.createCipheriv = createCipheriv
      syncBuiltinESMExports()
    }
    expect([...used]).toEqual([Buffer.alloc(32)])
  })
})

describe('writeEncryptedParquet', () => {
  test('tells size, rows and digest of what it wrote, readable by its owner alone', async () => {
    const written = await writeEncryptedParquet({ table, rows, key, path: target() })
    const bytes = readFileSync(target())
    expect(written).toEqual({
      path: target(),
      bytes: bytes.length,
      rows: 1000,
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    })
    expect(statSync(target()).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['workers.parquet'])
  })

  test('replaces a file whole, and leaves the old one when the rows fail', async () => {
    await writeEncryptedParquet({ table, rows: [row(1)], key, path: target() })
    const old = readFileSync(target())
    function* failing() {
      for (let index = 0; index < 20; index += 1) yield row(index)
      throw new Error('source gone')
    }
    await expect(
      writeEncryptedParquet({ table, rows: failing(), key, path: target(), rowGroupRows: 10 }),
    ).rejects.toMatchObject({ code: 'PARQUET_WRITE_FAILED', place: 'path' })
    await expect(
      writeEncryptedParquet({ table, rows: [row(1), { ...row(2), wage: 'x' }], key, path: target() }),
    ).rejects.toMatchObject({ code: 'VALUE_TYPE', place: 'wage' })
    expect(readFileSync(target())).toEqual(old)
    expect(readdirSync(directory)).toEqual(['workers.parquet'])
    await writeEncryptedParquet({ table, rows, key, path: target() })
    expect(readFileSync(target())).not.toEqual(old)
  })

  test('a row group ends early when its text is large, so that memory stays bounded', async () => {
    const wide = {
      name: 'wide',
      description: 'd',
      columns: { label: { type: 'text', description: 'd' } },
    } as const
    const label = 'x'.repeat(65_536)
    function* many() {
      for (let contributor = 0; contributor < 300; contributor += 1) yield { contributor, label }
    }
    let nonces = 0
    const random = (length: number) => {
      if (length === 12) nonces += 1
      return new Uint8Array(randomBytes(length))
    }
    await writeEncryptedParquet({ table: wide, rows: many(), key, path: target(), random })
    // 256 rows hold 16 Mi characters: two row groups of two columns with two modules each, and the footer.
    expect(nonces).toBe(2 * 2 * 2 + 1)
  })

  test('a directory that is not there, a path that is a directory, a bad size are typed errors', async () => {
    await expect(
      writeEncryptedParquet({ table, rows, key, path: join(directory, 'no', 'x.parquet') }),
    ).rejects.toMatchObject({ code: 'PARQUET_WRITE_FAILED' })
    mkdirSync(target())
    await expect(writeEncryptedParquet({ table, rows, key, path: target() })).rejects.toMatchObject({
      code: 'PARQUET_WRITE_FAILED',
    })
    expect(readdirSync(directory)).toEqual(['workers.parquet'])
    await expect(
      writeEncryptedParquet({ table, rows, key, path: target(), rowGroupRows: 0 }),
    ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })

  test.skipIf(!built)(
    'a writer killed in the middle leaves nothing under the final name and no plaintext',
    async () => {
      const script = fileURLToPath(new URL('../testing/slow-writer.mjs', import.meta.url))
      const child = spawn(process.execPath, [script, target()], {
        env: {},
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let complaint = ''
      child.stderr.on('data', (part: Buffer) => {
        complaint += part.toString()
      })
      const exit = once(child, 'exit')
      const partial = () => readdirSync(directory).map((name) => statSync(join(directory, name)).size)
      for (let turn = 0; turn < 500 && !partial().some((size) => size > 10_000); turn += 1) await wait(20)
      child.kill('SIGKILL')
      expect(await exit, complaint).toEqual([null, 'SIGKILL'])
      const left = readdirSync(directory)
      expect(left).toHaveLength(1)
      expect(left[0]).toMatch(/^\.workers\.parquet\.[0-9a-f]{16}\.part$/)
      const bytes = readFileSync(join(directory, left[0] ?? ''))
      expect(bytes.length).toBeGreaterThan(10_000)
      expect(bytes.includes('CANARY')).toBe(false)
    },
  )
})

describe.skipIf(!built)('inspectEncryptedParquet', () => {
  test('a second DuckDB finds the rows, and the types of the DDL', async () => {
    await writeEncryptedParquet({ table, rows, key, path: target(), rowGroupRows: 300 })
    const found = await inspectEncryptedParquet({ path: target(), key })
    expect(found.rows).toBe(1000)
    expect(found.columns.map(({ name, type }) => `"${name}" ${type}`)).toEqual(
      [...toDdl(schema, 'duckdb').matchAll(/^ {2}("[a-z]+" [A-Z]+(?:\(\d+,\d+\))?)/gm)].map(
        (match) => match[1],
      ),
    )
  })

  test('a wrong key, a damaged page, a truncated file and no file do not open', async () => {
    const failed = { code: 'PARQUET_READ_FAILED', place: 'path' }
    await writeEncryptedParquet({ table, rows, key, path: target() })
    const bytes = readFileSync(target())
    await expect(inspectEncryptedParquet({ path: target(), key: new Uint8Array(32) })).rejects.toMatchObject(
      failed,
    )
    const damaged = Buffer.from(bytes)
    damaged[200] = (damaged[200] ?? 0) ^ 1
    writeFileSync(target(), damaged)
    await expect(inspectEncryptedParquet({ path: target(), key })).rejects.toMatchObject(failed)
    writeFileSync(target(), bytes.subarray(0, bytes.length - 100))
    await expect(inspectEncryptedParquet({ path: target(), key })).rejects.toMatchObject(failed)
    await expect(
      inspectEncryptedParquet({ path: join(directory, 'absent.parquet'), key }),
    ).rejects.toMatchObject(failed)
  })

  test('a child that takes too long is killed and named', async () => {
    await writeEncryptedParquet({ table, rows, key, path: target() })
    await expect(inspectEncryptedParquet({ path: target(), key, timeoutMs: 1 })).rejects.toMatchObject({
      code: 'PARQUET_READ_FAILED',
      place: 'worker',
    })
  })

  test('a path with quotes is a path', async () => {
    const path = join(directory, "o'brien.parquet")
    await writeEncryptedParquet({ table, rows: [row(1)], key, path })
    expect((await inspectEncryptedParquet({ path, key })).rows).toBe(1)
  })

  test('a key that is not 32 bytes is refused before any child starts', async () => {
    await expect(inspectEncryptedParquet({ path: target(), key: new Uint8Array(31) })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      place: 'key',
    })
  })
})
