import { sha256Digest } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, describe, expect, test } from 'vitest'
import { defineRefiner } from '../define/define-refiner.js'
import { schemaId } from '../schema/schema-id.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { refineBatch } from '../with-platform.js'
import { schemaPreflight } from './index.js'

const runtime = await createQuickJsRuntime()
afterAll(() => runtime.close())
const utf8 = (text: string) => new TextEncoder().encode(text)

const receipts = defineRefiner({
  id: 'receipts',
  version: '1.0.0',
  source: 'rows',
  tables: {
    receipts: {
      description: 'One row per receipt.',
      columns: {
        day: { type: 'date', description: 'Day.' },
        total: { type: 'decimal', decimals: 2, min: 0, max: 100, description: 'Total.' },
        shop: { type: 'text', values: ['a', 'b'], description: 'Shop.' },
        note: { type: 'text', nullable: true, pii: 'refuse', description: 'Note.' },
      },
    },
  },
  direct: {
    table: 'receipts',
    columns: {
      day: { from: 'date' },
      total: { from: 'sum' },
      shop: { from: 'shop' },
      note: { from: 'note', optional: true },
    },
  },
}).describe()
const check = (text: string, options: object = {}, schema: RefinerSchema = receipts) =>
  schemaPreflight({ refiner: { schema }, ...options })({ bytes: utf8(text), mediaType: 'text/csv' })
const head = 'date,sum,shop,note\n'

describe('a mapping that is data', () => {
  test('passes what fits', async () => {
    expect(await check(`${head}2026-01-02,12.50,a,milk\n2026-01-03,0,b,\n`)).toMatchObject({
      id: 'schema',
      result: 'pass',
      rows: 2,
      records: 2,
      faults: [],
      more: 0,
    })
  })

  test('names row, field and column of each fault, and what is expected, and no value', async () => {
    const found = await check(
      `${head}2026-01-02,12.50,a,\n2026-13-02,secret,a,\n2026-01-04,4.123,geheim,write to ann@example.org\n`,
    )
    expect(found.result).toBe('fail')
    expect(found.faults).toEqual([
      {
        record: 2,
        table: 'receipts',
        column: 'day',
        field: 'date',
        code: 'VALUE_TYPE',
        place: 'receipts[1].day',
      },
      {
        record: 2,
        table: 'receipts',
        column: 'total',
        field: 'sum',
        code: 'VALUE_TYPE',
        place: 'receipts[1].total',
      },
      {
        record: 3,
        table: 'receipts',
        column: 'total',
        field: 'sum',
        code: 'DECIMAL_PLACES',
        place: 'receipts[2].total',
      },
      {
        record: 3,
        table: 'receipts',
        column: 'shop',
        field: 'shop',
        code: 'VALUE_NOT_ALLOWED',
        place: 'receipts[2].shop',
      },
      {
        record: 3,
        table: 'receipts',
        column: 'note',
        field: 'note',
        code: 'PII_FOUND',
        place: 'receipts[2].note',
      },
    ])
    expect(found.detail).toContain(
      'row 2, field sum, column receipts.total: the value is of another kind (VALUE_TYPE); expected a number with at most 2 places from 0 to 100',
    )
    for (const value of ['secret', 'geheim', 'ann@', '4.123', '2026-13']) {
      expect(JSON.stringify(found)).not.toContain(value)
    }
  })

  test('names the first faults and counts the others, wherever they stand', async () => {
    const rows = Array.from(
      { length: 1_000 },
      (_, index) => `2026-01-02,${index % 100 === 7 ? 'x' : '1'},a,\n`,
    )
    const found = await check(head + rows.join(''), { faults: 3 })
    expect(found.faults.map(({ record }) => record)).toEqual([8, 108, 208])
    expect(found).toMatchObject({ more: 7, records: 1_000, rows: 1_000 })
    expect(found.detail).toContain('and 7 more at least')
  })

  test('tells a header without a field, and where reading ended', async () => {
    expect((await check('date,sum,note\n2026-01-02,1,\n')).faults).toEqual([
      {
        record: null,
        table: 'receipts',
        column: 'shop',
        field: 'shop',
        code: 'FIELD_MISSING',
        place: 'receipts.shop',
      },
    ])
    const ragged = await check(`${head}2026-01-02,1,a,\n2026-01-03,1\n`)
    expect(ragged.faults).toMatchObject([{ record: null, code: 'CSV_FIELD_COUNT' }])
    expect(ragged.detail).toContain('line 3')
  })

  test('warns of an export without rows, and stops at too many', async () => {
    expect((await check(head)).result).toBe('warn')
    const two = `${head}2026-01-02,1,a,\n2026-01-02,1,a,\n`
    expect((await check(two, { rowsPerContribution: 1 })).faults).toMatchObject([{ code: 'LIMIT_EXCEEDED' }])
    expect((await check(two, { rowsPerContribution: 2 })).result).toBe('pass')
  })

  test('is for one schema alone', async () => {
    const input = { bytes: utf8(`${head}2026-01-02,1,a,\n`), mediaType: 'text/csv' }
    const run = schemaPreflight({ refiner: { schema: receipts } })
    expect((await run({ ...input, schemaId: schemaId(receipts) })).result).toBe('pass')
    const other = await run({ ...input, schemaId: `sha256:${'0'.repeat(64)}` })
    expect(other.faults).toMatchObject([{ code: 'REFINER_MISMATCH', place: 'schemaId' }])
  })

  test('reads other formats as the pool does', async () => {
    const run = schemaPreflight({ refiner: { schema: receipts } })
    const lines = '{"date":"2026-01-02","sum":1,"shop":"a"}\n{"date":"2026-01-02","sum":true,"shop":"a"}\n'
    expect((await run({ bytes: utf8(lines), mediaType: 'application/jsonl' })).faults).toMatchObject([
      { record: 2, field: 'sum', code: 'VALUE_TYPE' },
    ])
    expect((await run({ bytes: utf8('x'), mediaType: 'image/png' })).faults).toMatchObject([
      { code: 'MEDIA_TYPE_MISMATCH' },
    ])
  })
})

describe('while it goes on', () => {
  const long = head + '2026-01-02,1,a,\n'.repeat(600)

  test('tells how far it is, and waits for whoever is told', async () => {
    const told: number[] = []
    await check(long, {
      onProgress: async ({ records }: { records: number }) => {
        await Promise.resolve()
        told.push(records)
      },
    })
    expect(told).toEqual([256, 512, 600])
  })

  test('stops when it is told to', async () => {
    const stop = new AbortController()
    const onProgress = () => stop.abort(new Error('left'))
    const run = schemaPreflight({ refiner: { schema: receipts }, onProgress })
    await expect(run({ bytes: utf8(long), mediaType: 'text/csv' }, stop.signal)).rejects.toThrow('left')
  })
})

describe('a mapping that is code', () => {
  const schema: RefinerSchema = {
    id: 'pay',
    version: '1.0.0',
    source: 'jsonl',
    notes: [],
    tables: {
      workers: { description: 'Rows.', columns: { wage: { type: 'integer', description: 'Wage.' } } },
    },
  }
  const code = `globalThis.sealpool = {
    describe: () => (${JSON.stringify(schema)}),
    refine: ({ records }) => {
      const workers = []
      for (let at = 0; at < records.length; at++) {
        const { wage, times = 1 } = records[at]
        if (wage === 'throws') return { failedRecord: at }
        for (let time = 0; time < times; time++) workers.push({ wage })
      }
      return { tables: { workers } }
    },
  }`
  const refiner = { code, digest: sha256Digest(utf8(code)), schema }
  const run = schemaPreflight({ refiner, runtime })

  test('needs the code and a runtime', () => {
    expect(() => schemaPreflight({ refiner })).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }))
    expect(() => schemaPreflight({ refiner: { schema: refiner.schema }, runtime })).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    )
    const digest = `sha256:${'0'.repeat(64)}` as const
    expect(() => schemaPreflight({ refiner: { ...refiner, digest }, runtime })).toThrow(
      expect.objectContaining({ code: 'REFINER_MISMATCH' }),
    )
  })

  test('finds the record of a row, however many rows the records before it give', async () => {
    const lines = [
      { wage: 1, times: 3 },
      { wage: 2, times: 0 },
      { wage: 'secret', times: 2 },
      { wage: 'throws' },
      { wage: 4 },
    ]
    const found = await run({
      bytes: utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
      mediaType: 'application/jsonl',
    })
    expect(found.faults).toMatchObject([
      { record: 3, column: 'wage', field: null, code: 'VALUE_TYPE', place: 'workers[3].wage' },
      { record: 3, column: 'wage', place: 'workers[4].wage' },
      { record: 4, column: null, code: 'MAP_FAILED' },
    ])
    expect(found.rows).toBe(6)
    expect(found.detail).toContain('record 3, column workers.wage')
    expect(JSON.stringify(found)).not.toContain('secret')
  })

  test('says of a bad file what the pool’s node says of it', async () => {
    for (const lines of [
      [{ wage: 1 }],
      [{ wage: 'x' }],
      [{ wage: 'throws' }],
      [{ wage: 1, times: 3 }, { wage: null }],
    ]) {
      const bytes = utf8(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      const { refused } = await refineBatch({
        refiner,
        runtime,
        limits: { memoryBytes: 64 * 2 ** 20, timeMs: 5_000, outputBytes: 2 ** 20 },
        contributions: [{ id: '1', contributor: 0, mediaType: 'application/jsonl', bytes }],
      })
      const { faults } = await run({ bytes, mediaType: 'application/jsonl' })
      expect(faults.slice(0, 1).map(({ code, place }) => ({ id: '1', code, place }))).toEqual(refused)
    }
  })
})

test('a record that is none is named as the pool’s node names it', async () => {
  const run = schemaPreflight({ refiner: { schema: receipts } })
  const line = '{"date":"2026-01-02","sum":1,"shop":"a"}\n'
  const found = await run({ bytes: utf8(`${line.repeat(300)}5\n`), mediaType: 'application/jsonl' })
  expect(found.faults).toMatchObject([{ record: 301, code: 'MAP_OUTPUT_INVALID', place: 'receipts[300]' }])
})

describe('columns of embeddings, which the pool’s node fills', () => {
  const schema: RefinerSchema = {
    ...receipts,
    tables: {
      receipts: {
        description: 'One row per receipt.',
        columns: {
          day: { type: 'date', description: 'Day.' },
          note: { type: 'text', description: 'Note.' },
          about: {
            type: 'vector',
            description: 'What it is about.',
            embedding: { from: 'note', model: `sha256:${'0'.repeat(64)}`, dimensions: 3 },
          },
        },
      },
    },
    direct: { table: 'receipts', columns: { day: { from: 'date' }, note: { from: 'note' } } },
  }
  const own = (text: string) => check(text, {}, schema)

  test('are asked of nobody', async () => {
    expect(await own('date,note\n2026-01-02,milk\n')).toMatchObject({ result: 'pass', rows: 1 })
  })

  test('need a text where they may not be null', async () => {
    expect((await own('date,note\n2026-01-02,milk\n2026-01-03,\n')).faults).toMatchObject([
      { record: 2, column: 'about', field: null, code: 'VALUE_MISSING', place: 'receipts[1].about' },
    ])
  })
})
