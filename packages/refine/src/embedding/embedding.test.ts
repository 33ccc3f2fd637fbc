import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { PGlite } from '@electric-sql/pglite'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { tableFromIPC } from 'apache-arrow'
import initSqlJs from 'sql.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toArrowStream } from '../arrow/index.js'
import { bundleRefiner } from '../bundle/index.js'
import { runFileJob } from '../file-job/index.js'
import {
  type BundledRefiner,
  compareSchemas,
  mockTables,
  parseRefinerSchema,
  tableOf,
  toCroissant,
  toDataDictionary,
  toDdl,
  toJsonSchema,
  toRowTypes,
  vectorText,
} from '../index.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { toSqliteFile } from '../sqlite/index.js'
import { dummyEmbedder } from '../testing/dummy-embedder.js'
import { checkContribution, refineBatch } from '../with-platform.js'
import type { Embedder } from './embedder.js'

const limits = { memoryBytes: 32 << 20, timeMs: 5000, outputBytes: 1 << 20 }
const notes = [
  'I paid the price at the bank',
  'We ate soup, and cooked bread for money',
  'Walked along the road to the train',
  '',
  'Nothing of the kind',
  'Write to anna@example.org about the ride',
]
const folder = mkdtempSync(join(tmpdir(), 'sealpool-embedding-'))
let runtime: JobRuntime
let refiner: BundledRefiner
let embedder: Embedder
beforeAll(async () => {
  runtime = await createQuickJsRuntime()
  refiner = await bundleRefiner({
    entry: fileURLToPath(new URL('../testing/notes-refiner.ts', import.meta.url)),
  })
  const { model } = refiner.schema.tables['notes']?.columns['place']?.embedding ?? { model: '' }
  embedder = { ...dummyEmbedder, model: model as Embedder['model'] }
})
afterAll(async () => {
  await runtime.close()
  rmSync(folder, { recursive: true, force: true })
})
const jsonl = (texts: readonly string[]) => texts.map((note) => `${JSON.stringify({ note })}\n`).join('')
const contribution = (texts: readonly string[]) => ({
  mediaType: 'application/jsonl',
  bytes: new TextEncoder().encode(jsonl(texts)),
})
const check = (own: { embedder?: Embedder } = { embedder }) =>
  checkContribution({ refiner, runtime, limits, contribution: contribution(notes), ...own })
const batch = (own: { embedder?: Embedder } = { embedder }, texts = notes) =>
  refineBatch({
    refiner,
    runtime,
    limits,
    contributions: [{ id: 'a', contributor: 4, ...contribution(texts) }],
    ...own,
  })
const job = (name: string, own: { embedder?: Embedder; batchRecords?: number } = { embedder }) => {
  const path = join(folder, 'notes.jsonl')
  writeFileSync(path, jsonl(notes))
  return runFileJob({
    refiner,
    runtime,
    limits,
    inputs: [{ id: 'a', path, contributor: 4 }],
    output: join(folder, name),
    key,
    ...own,
  })
}
const key = new Uint8Array(randomBytes(32))

describe('a column of embeddings', () => {
  test('holds the vectors of texts as they are stored, and none for those without', async () => {
    const seen: string[] = []
    const watching: Embedder = {
      ...embedder,
      embed: (texts) => {
        seen.push(...texts)
        return embedder.embed(texts)
      },
    }
    const { tables, refused } = await batch({ embedder: watching }, [...notes, notes[0] ?? ''])
    expect(refused).toEqual([])
    expect(tables['notes']?.map((row) => Object.entries(row)[1])).toEqual([
      ['place', '[1,0,0]'],
      ['place', '[0.2425,0,0.9701]'],
      ['place', '[0,1,0]'],
      ['place', null],
      ['place', null],
      ['place', '[0,1,0]'],
      ['place', '[1,0,0]'],
    ])
    // Each text once, and after what its column does with personal data.
    expect(seen).toHaveLength(5)
    expect(seen.join()).not.toContain('anna@')
    expect(seen.at(-1)).toMatch(/about the ride$/)
  })

  test('answers which note is nearest to a question, in DuckDB out of the encrypted file', async () => {
    const done = await job('near')
    expect(done.refused).toEqual([])
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(`PRAGMA add_parquet_key('k', '${Buffer.from(key).toString('base64')}')`)
    await connection.run(toDdl(refiner.schema, 'duckdb'))
    const [part] = done.tables['notes']?.parts ?? []
    await connection.run(
      `INSERT INTO notes SELECT * FROM read_parquet('${join(folder, 'near', part?.file ?? '')}', encryption_config = {footer_key: 'k'})`,
    )
    const ask = async (question: string) => {
      const [vector] = await embedder.embed([question])
      const rows = await connection.runAndReadAll(
        `SELECT note FROM notes WHERE place IS NOT NULL
         ORDER BY array_cosine_distance(place, ${vectorText(vector ?? [], 3)}::FLOAT[3]), note LIMIT 1`,
      )
      return rows.getRowsJson()[0]?.[0]
    }
    expect(await ask('bank and money')).toBe(notes[0])
    expect(await ask('who cooked')).toBe(notes[1])
    expect(await ask('a road')).toMatch(/road|ride/)
    await expect(connection.run("INSERT INTO notes VALUES (1, [1, 0], 'x')")).rejects.toThrow()
  })

  test('gives one digest in a batch and in a job of any batches', async () => {
    const { contentDigest } = await batch()
    expect((await job('whole')).contentDigest).toBe(contentDigest)
    expect((await job('pieces', { embedder, batchRecords: 2 })).contentDigest).toBe(contentDigest)
    const other: Embedder = { ...embedder, embed: (texts) => texts.map(() => [0, 0, 1]) }
    expect((await batch({ embedder: other })).contentDigest).not.toBe(contentDigest)
    // What a processor differs in is not seen.
    const noisy: Embedder = {
      ...embedder,
      embed: async (texts) =>
        (await embedder.embed(texts)).map((vector) => Array.from(vector, (one) => one * 1.000001)),
    }
    expect((await batch({ embedder: noisy })).contentDigest).toBe(contentDigest)
  })
})

describe('an embedder', () => {
  test('must be there, of the model and the dimensions that the schema names', async () => {
    for (const run of [batch, check, (own: { embedder?: Embedder }) => job('never', own)]) {
      await expect(run({})).rejects.toMatchObject({ code: 'EMBEDDER_MISSING', place: 'notes.place' })
      await expect(run({ embedder: dummyEmbedder })).rejects.toMatchObject({ code: 'EMBEDDER_MISMATCH' })
      await expect(run({ embedder: { ...embedder, dimensions: 4 } })).rejects.toMatchObject({
        code: 'EMBEDDER_MISMATCH',
      })
    }
  })

  test.each<[string, Embedder['embed']]>([
    ['throws', () => Promise.reject(new Error('anna@example.org'))],
    ['gives too few', () => []],
    ['gives too many', (texts) => [...texts, ''].map(() => [1, 0, 0])],
    ['gives another length', (texts) => texts.map(() => [1, 0])],
    ['gives no numbers', (texts) => texts.map(() => [Number.NaN, 0, 0])],
    ['gives nothing', () => undefined as never],
  ])('that %s is the operator’s fault, and nothing of a text is told', async (name, embed) => {
    const own = { embedder: { ...embedder, embed } }
    for (const run of [batch(own), check(own), job(`bad ${name}`, own)]) {
      const error = await run.then(
        () => 'no error',
        (reason: unknown) => reason,
      )
      expect(error).toMatchObject({ code: 'EMBEDDER_FAILED', place: 'embedder' })
      expect(JSON.stringify([String(error), error])).not.toContain('anna')
    }
    // A job that stopped for it goes on with one that works.
    expect((await job(`bad ${name}`)).refused).toEqual([])
  })

  test('is not asked for by a mapping: a vector of its own is a column too many', async () => {
    const code = refiner.code.replace(/notes: ?\[\{ ?note:/, 'notes:[{place:"[1,0,0]",note:')
    expect(code).not.toBe(refiner.code)
    const forged = { ...refiner, code, digest: sha256Digest(new TextEncoder().encode(code)) }
    const { refused } = await refineBatch({
      refiner: forged,
      runtime,
      limits,
      contributions: [{ id: 'a', contributor: 4, ...contribution(notes) }],
      embedder,
    })
    expect(refused).toEqual([{ id: 'a', code: 'COLUMN_UNKNOWN', place: 'notes[0]' }])
  })
})

describe('its printed forms', () => {
  test('SQLite holds float32 values, and DDL refuses what is no vector', async () => {
    const sql = await initSqlJs()
    const { tables } = await batch()
    const database = new sql.Database(toSqliteFile(sql, refiner.schema, tables))
    const [found] = database.exec('SELECT place FROM notes LIMIT 2')
    const bytes = found?.values[1]?.[0] as Uint8Array
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual([
      ...Float32Array.of(0.2425, 0, 0.9701),
    ])
    for (const bad of ["x'00'", "'[1,0,0]'", '7'])
      expect(() => database.run(`INSERT INTO notes VALUES (1, ${bad}, 'x')`), bad).toThrow(/CHECK/)
    const postgresql = await PGlite.create()
    await postgresql.exec(toDdl(refiner.schema, 'postgresql'))
    await postgresql.exec("INSERT INTO notes VALUES (1, '{1,0,0}', 'x'), (1, NULL, NULL)")
    for (const bad of ['{1,0}', '{1,0,NULL}', '{1,0,0,0}'])
      await expect(postgresql.exec(`INSERT INTO notes VALUES (1, '${bad}', 'x')`), bad).rejects.toThrow(
        /constraint/,
      )
    await postgresql.close()
  })

  test('Arrow holds lists of one size', async () => {
    const { tables } = await batch()
    const read = tableFromIPC(toArrowStream(tableOf(refiner.schema, 'notes'), tables['notes'] ?? []))
    expect(String(read.schema.fields[1]?.type)).toBe('FixedSizeList[3]<Float32>')
    const column = read.getChildAt(1)
    expect([...(column?.get(1) ?? [])]).toEqual([...Float32Array.of(0.2425, 0, 0.9701)])
    expect(column?.get(3)).toBeNull()
  })

  test('JSON Schema takes the rows, and not other vectors', async () => {
    const { tables } = await batch()
    const judge = new Ajv2020({ strict: false }).compile(toJsonSchema(refiner.schema))
    expect(judge(tables), JSON.stringify(judge.errors)).toBe(true)
    for (const place of ['[1,0]', '[1,0,0,0]', '[2,0,0]', '1,0,0', '[0.12345,0,0]'])
      expect(judge({ notes: [{ contributor: 0, place, note: 'x' }] }), place).toBe(false)
  })

  test('say everywhere that it is as private as the text', () => {
    const { schema } = refiner
    for (const printed of [
      toDataDictionary(schema),
      toRowTypes(schema),
      JSON.stringify(toJsonSchema(schema)),
      JSON.stringify(toCroissant(schema, { name: 'n', description: 'd' })),
      toDdl(schema, 'duckdb'),
      toDdl(schema, 'postgresql'),
      toDdl(schema, 'sqlite'),
    ])
      expect(printed).toContain('as private as the text itself')
  })

  test('mock rows have vectors of the column, the seed’s own', () => {
    const { notes: mock = [] } = mockTables(refiner.schema, { seed: 'x', rows: 40 })
    const judge = new Ajv2020({ strict: false }).compile(toJsonSchema(refiner.schema))
    expect(judge({ notes: mock })).toBe(true)
    expect(new Set(mock.map(({ place }) => place)).size).toBeGreaterThan(20)
  })
})

describe('its schema', () => {
  const changed = (change: object, columns: object = {}): RefinerSchema => {
    const schema = structuredClone(refiner.schema)
    const table = tableOf(schema, 'notes')
    const place = { ...table.columns['place'], ...change }
    return {
      ...schema,
      tables: { notes: { ...schema.tables['notes'], columns: { ...table.columns, place, ...columns } } },
    } as RefinerSchema
  }
  test.each<[string, () => RefinerSchema]>([
    ['without an embedding', () => changed({ embedding: undefined })],
    ['of no column', () => changed({ embedding: { from: 'other', model: embedder.model, dimensions: 3 } })],
    ['of itself', () => changed({ embedding: { from: 'place', model: embedder.model, dimensions: 3 } })],
    [
      'of no dimensions',
      () => changed({ embedding: { from: 'note', model: embedder.model, dimensions: 0 } }),
    ],
    [
      'of a model without a digest',
      () => changed({ embedding: { from: 'note', model: 'small', dimensions: 3 } }),
    ],
    ['that may not be null where its text may', () => changed({ nullable: false })],
    ['with a unit', () => changed({ unit: 'm' })],
    ['with values', () => changed({ values: ['[1,0,0]'] })],
    ['with personal data', () => changed({ pii: 'mask' })],
    [
      'and one on a text column',
      () =>
        changed(
          {},
          {
            note: {
              type: 'text',
              nullable: true,
              description: 'd',
              embedding: { from: 'note', model: embedder.model, dimensions: 3 },
            },
          },
        ),
    ],
  ])('is refused %s', (_, make) => {
    expect(() => parseRefinerSchema(make())).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }))
  })

  test('is another one with another model: vectors of two models cannot be compared', () => {
    const other = changed({ embedding: { from: 'note', model: `sha256:${'1'.repeat(64)}`, dimensions: 3 } })
    expect(compareSchemas(refiner.schema, refiner.schema).compatibility).toBe('full')
    expect(compareSchemas(refiner.schema, other).compatibility).toBe('breaking')
  })
})
