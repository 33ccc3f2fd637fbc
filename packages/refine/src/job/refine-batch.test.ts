import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime, RunResult } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import payroll from '../testing/payroll-refiner.js'
import { property } from '../testing/property.js'
import { refineBatch } from '../with-platform.js'
import type { BundledRefiner, RefineContribution } from './refine-batch.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const limits = { memoryBytes: 32 * 1024 * 1024, timeMs: 2000, outputBytes: 1024 * 1024 }
const schema = payroll.describe()
const fixture = (name: string) => fileURLToPath(new URL(`../testing/${name}`, import.meta.url))

/** A refiner of the test schema whose mapping is written here. */
const handWritten = (refine: string, described: RefinerSchema = schema): BundledRefiner => {
  const code = `globalThis.sealpool = { describe: () => (${JSON.stringify(described)}), refine: ${refine} }`
  return { code, digest: sha256Digest(utf8(code)), schema: described }
}
const json = (id: string, contributor: number, value: unknown): RefineContribution => ({
  id,
  contributor,
  mediaType: 'application/json',
  bytes: utf8(JSON.stringify(value)),
})
const worker = { wage: 5.1, union: 1, occupation: 'sales', since: '2001-02-03', hours: 40 }

let runtime: JobRuntime
let refiner: BundledRefiner
let csvRefiner: BundledRefiner
beforeAll(async () => {
  runtime = await createQuickJsRuntime()
  refiner = await bundleRefiner({ entry: fixture('payroll-refiner.ts') })
  csvRefiner = await bundleRefiner({ entry: fixture('payroll-csv-refiner.ts') })
})
afterAll(() => runtime.close())

describe('refineBatch', () => {
  test('gives rows with contributor first, in the order of the batch', async () => {
    const { tables, refused } = await refineBatch({
      refiner,
      runtime,
      limits,
      contributions: [json('1', 7, worker), json('2', 3, { ...worker, union: 0, since: null })],
    })
    expect(refused).toEqual([])
    expect(tables).toEqual({
      workers: [
        { contributor: 7, wage: '5.10', member: true, occupation: 'sales', since: '2001-02-03', hours: 40 },
        { contributor: 3, wage: '5.10', member: false, occupation: 'sales', since: null, hours: 40 },
      ],
    })
    expect(Object.keys(tables['workers']?.[0] ?? {})[0]).toBe('contributor')
  })

  test('a host without the key of a column of hashes is at fault, and no contribution is refused for it', async () => {
    const hashed: RefinerSchema = {
      ...schema,
      tables: {
        notes: {
          description: 'Notes.',
          columns: { note: { type: 'text', pii: 'hash', description: 'Note.' } },
        },
      },
    }
    const of = {
      refiner: handWritten(`() => ({ tables: { notes: [{ note: 'ann@example.org' }] } })`, hashed),
      runtime,
      limits,
    }
    const batch = { ...of, contributions: [json('1', 1, {})] }
    await expect(refineBatch(batch)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'piiKey' })
    const { refused, tables } = await refineBatch({ ...batch, piiKey: new Uint8Array(32) })
    expect([refused, tables['notes']?.[0]?.['note']]).toEqual([[], expect.not.stringContaining('ann')])
  })

  test('each bad contribution is refused by code and place, and costs the others nothing', async () => {
    const { tables, refused } = await refineBatch({
      refiner,
      runtime,
      limits,
      contributions: [
        json('good', 1, worker),
        { ...json('type', 2, worker), mediaType: 'text/csv' },
        { ...json('cut', 3, worker), bytes: utf8('{"wage": 5.1,') },
        { ...json('twice', 4, worker), bytes: utf8('{"wage": 5.1, "wage": 9}') },
        json('range', 5, { ...worker, wage: 1000 }),
        json('value', 6, { ...worker, occupation: 'pirate' }),
        json('throws', 7, null),
        json('places', 8, { ...worker, wage: 5.123 }),
        json('also good', 9, worker),
      ],
    })
    expect(refused).toEqual([
      { id: 'type', code: 'MEDIA_TYPE_MISMATCH', place: 'mediaType' },
      { id: 'cut', code: 'JSON_INVALID', place: 'line 1, column 14' },
      { id: 'twice', code: 'JSON_DUPLICATE_KEY', place: 'line 1, column 15' },
      { id: 'range', code: 'VALUE_RANGE', place: 'workers[0].wage' },
      { id: 'value', code: 'VALUE_NOT_ALLOWED', place: 'workers[0].occupation' },
      { id: 'throws', code: 'MAP_FAILED', place: 'record 0' },
      { id: 'places', code: 'DECIMAL_PLACES', place: 'workers[0].wage' },
    ])
    expect(tables['workers']?.map((row) => row['contributor'])).toEqual([1, 9])
  })

  test('the same rows give the same digest from JSON and CSV, in any order and any division', async () => {
    const first = await refineBatch({
      refiner,
      runtime,
      limits,
      contributions: [json('1', 1, worker), json('2', 2, { ...worker, wage: 7, hours: null })],
    })
    const csv = (id: string, contributor: number, line: string): RefineContribution => ({
      id,
      contributor,
      mediaType: 'text/csv; charset=utf-8',
      bytes: utf8(`hours,wage,union,occupation,since\r\n${line}\r\n`),
    })
    const second = await refineBatch({
      refiner: csvRefiner,
      runtime,
      limits,
      contributions: [csv('b', 2, ',7.0,1,sales,2001-02-03'), csv('a', 1, '40,"5.1",1,sales,2001-02-03')],
    })
    expect(second.refused).toEqual([])
    expect(second.contentDigest).toBe(first.contentDigest)
    const other = await refineBatch({ refiner, runtime, limits, contributions: [json('1', 1, worker)] })
    expect(other.contentDigest).not.toBe(first.contentDigest)
  })

  test('a salt changes the digest and nothing else', async () => {
    const batch = { refiner, runtime, limits, contributions: [json('1', 1, worker)] }
    const plain = await refineBatch(batch)
    const salted = await refineBatch({ ...batch, salt: new Uint8Array(32).fill(1) })
    expect(salted.tables).toEqual(plain.tables)
    expect(salted.contentDigest).not.toBe(plain.contentDigest)
  })

  test('nothing survives from one contribution to the next', async () => {
    const counting = handWritten(`() => {
      globalThis.seen = (globalThis.seen ?? 0) + 1
      return { tables: { workers: Array.from({ length: globalThis.seen }, () => (
        { wage: 1, member: true, occupation: 'other' })) } }
    }`)
    const { tables } = await refineBatch({
      refiner: counting,
      runtime,
      limits,
      contributions: [json('1', 1, {}), json('2', 2, {}), json('3', 3, {})],
    })
    expect(tables['workers']?.map((row) => row['contributor'])).toEqual([1, 2, 3])
  })

  test('the mapping is not told who contributes', async () => {
    const seen: unknown[] = []
    const spy: JobRuntime = {
      ...runtime,
      run: (job) => {
        seen.push(job.input)
        return runtime.run(job)
      },
    }
    await refineBatch({ refiner, runtime: spy, limits, contributions: [json('secret-id', 424242, worker)] })
    expect(JSON.stringify(seen)).not.toMatch(/secret-id|424242/)
  })

  test.each([
    ['an endless loop', '() => { for (;;) {} }', 'MAP_FAILED', 'sandbox TIMEOUT'],
    ['no tables', '() => ({})', 'MAP_OUTPUT_INVALID', 'output'],
    ['a list', '() => []', 'MAP_OUTPUT_INVALID', 'output'],
    ['rows that are no list', '() => ({ tables: { workers: {} } })', 'MAP_OUTPUT_INVALID', 'output'],
    ['an undeclared table', '() => ({ tables: { others: [] } })', 'MAP_OUTPUT_INVALID', 'output'],
    ['a table named toString', '() => ({ tables: { toString: [] } })', 'MAP_OUTPUT_INVALID', 'output'],
    ['a row that is no object', '() => ({ tables: { workers: [1] } })', 'MAP_OUTPUT_INVALID', 'workers[0]'],
    [
      'too many rows',
      "() => ({ tables: { workers: Array(11).fill({ wage: 1, member: true, occupation: 'other' }) } })",
      'LIMIT_EXCEEDED',
      'workers',
    ],
  ])('%s from the mapping is a refusal', async (_, code, refusal, place) => {
    const { tables, refused } = await refineBatch({
      refiner: handWritten(code),
      runtime,
      limits: { ...limits, timeMs: 2_000 },
      contributions: [json('1', 1, worker)],
      rowsPerContribution: 10,
    })
    expect(refused).toEqual([{ id: '1', code: refusal, place }])
    expect(tables).toEqual({ workers: [] })
  })

  test('ten rows pass where eleven do not', async () => {
    const { tables } = await refineBatch({
      refiner: handWritten(
        "() => ({ tables: { workers: Array(10).fill({ wage: 1, member: true, occupation: 'other' }) } })",
      ),
      runtime,
      limits,
      contributions: [json('1', 1, worker)],
      rowsPerContribution: 10,
    })
    expect(tables['workers']).toHaveLength(10)
  })

  test('a lost child is tried once more, then the contribution is refused', async () => {
    let calls = 0
    const losing = (losses: number): JobRuntime => ({
      ...runtime,
      run: async (job): Promise<RunResult> => {
        if (job.entry === 'refine' && calls++ < losses) {
          return { ok: false, code: 'RUNTIME_LOST', message: 'lost', place: 'run' }
        }
        return runtime.run(job)
      },
    })
    const contributions = [json('1', 1, worker)]
    const once = await refineBatch({ refiner, runtime: losing(1), limits, contributions })
    expect(once.refused).toEqual([])
    calls = 0
    const twice = await refineBatch({ refiner, runtime: losing(2), limits, contributions })
    expect(twice.refused).toEqual([{ id: '1', code: 'MAP_FAILED', place: 'sandbox RUNTIME_LOST' }])
  })

  test('a runtime that need not give the same rows twice refines nothing', async () => {
    const native: JobRuntime = { ...runtime, repeatable: false }
    await expect(refineBatch({ refiner, runtime: native, limits, contributions: [] })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      place: 'runtime',
    })
  })

  test('code, digest and schema must belong together', async () => {
    const batch = { runtime, limits, contributions: [] }
    const other = handWritten('() => ({})')
    await expect(refineBatch({ ...batch, refiner: { ...refiner, code: other.code } })).rejects.toMatchObject({
      code: 'REFINER_MISMATCH',
      place: 'refiner.code',
    })
    await expect(
      refineBatch({ ...batch, refiner: { ...refiner, schema: { ...schema, notes: [] } } }),
    ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.schema' })
    await expect(
      refineBatch({ ...batch, refiner: { ...refiner, schema: { ...schema, source: 'csv' } } }),
    ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.schema' })
    await expect(
      refineBatch({ ...batch, refiner: { ...refiner, schema: { ...schema, version: '1.0.1' } } }),
    ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.schema' })
    const archive = handWritten('() => ({})', { ...schema, source: 'archive', files: ['a/*'] })
    for (const files of [['b/*'], undefined]) {
      const { files: _, ...rest } = archive.schema
      const other = files === undefined ? rest : { ...rest, files }
      await expect(refineBatch({ ...batch, refiner: { ...archive, schema: other } })).rejects.toMatchObject({
        code: 'REFINER_MISMATCH',
        place: 'refiner.schema',
      })
    }
    const silent = 'globalThis.sealpool = {}'
    await expect(
      refineBatch({ ...batch, refiner: { code: silent, digest: sha256Digest(utf8(silent)), schema } }),
    ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.code' })
  })

  test('two contributions of one id and contributors that are no surrogate are refused as a call', async () => {
    const batch = { refiner, runtime, limits }
    await expect(
      refineBatch({ ...batch, contributions: [json('1', 1, worker), json('1', 2, worker)] }),
    ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'contributions[1].id' })
    for (const contributor of [-1, 0.5, 2 ** 53]) {
      await expect(
        refineBatch({ ...batch, contributions: [json('1', contributor, worker)] }),
      ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'contributions[0].contributor' })
    }
  })

  test('no canary of any export reaches a refusal', async () => {
    const canary = 'CANARY'
    const { refused } = await refineBatch({
      refiner,
      runtime,
      limits,
      contributions: [
        json('1', 1, { ...worker, wage: canary }),
        json('2', 2, { ...worker, occupation: canary }),
        json('3', 3, { ...worker, since: canary }),
        { ...json('4', 4, null), bytes: utf8(`{"${canary}": ${canary}}`) },
        { ...json('5', 5, null), mediaType: `text/${canary}` },
      ],
    })
    expect(refused).toHaveLength(5)
    expect(JSON.stringify(refused)).not.toContain(canary)
  })

  property(
    'any bytes as an export give rows or a refusal',
    [fc.uint8Array({ maxLength: 100 })],
    async (bytes) => {
      const result = await refineBatch({
        refiner: csvRefiner,
        runtime,
        limits,
        contributions: [{ id: '1', contributor: 1, mediaType: 'text/csv', bytes }],
      })
      expect(result.refused.length + 1).toBeGreaterThan(0)
      if (result.refused.length > 0) expect(result.tables).toEqual({ workers: [] })
    },
  )
})
