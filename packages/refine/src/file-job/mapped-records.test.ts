import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Digest } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { defaultSourceLimits } from '../source/source-limits.js'
import { refineBatch } from '../with-platform.js'
import { runFileJob } from './index.js'

const entry = (name: string) => fileURLToPath(new URL(`../testing/${name}.ts`, import.meta.url))
const limits = { memoryBytes: 64 << 20, timeMs: 20_000, outputBytes: 1 << 24 }
const built = (() => {
  try {
    return existsSync(createRequire(import.meta.url).resolve('@sealpool/refine/piece-worker'))
  } catch {
    return false
  }
})()

let runtime: JobRuntime
let entries: string[] = []
const refiners: Record<string, BundledRefiner> = {}
const refinerOf = (name: string): BundledRefiner => {
  const refiner = refiners[name]
  if (refiner === undefined) throw new Error(name)
  return refiner
}
/** As it was bundled before records came by column. */
const early = ({ code, schema }: BundledRefiner): BundledRefiner => {
  const own = `${code}\n{ const { refineColumns, ...rest } = globalThis.sealpool; globalThis.sealpool = rest }`
  return { code: own, schema, digest: sha256Digest(new TextEncoder().encode(own)) }
}
beforeAll(async () => {
  for (const name of [
    'walks-data-refiner',
    'walks-code-refiner',
    'walks-columns-refiner',
    'odd-rows-refiner',
    'many-rows-refiner',
  ])
    refiners[name] = await bundleRefiner({ entry: entry(name) })
  const quickjs = await createQuickJsRuntime()
  runtime = {
    ...quickjs,
    run: (job) => {
      entries.push(job.entry)
      return quickjs.run(job)
    },
  }
})
afterAll(() => runtime.close())

let folder: string
let jobs = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-mapped-'))
  entries = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function job(
  refiner: BundledRefiner,
  format: 'csv' | 'jsonl',
  text: string,
  own: Partial<Parameters<typeof runFileJob>[0]> = {},
) {
  jobs += 1
  const path = join(folder, `export-${jobs}.${format}`)
  writeFileSync(path, text)
  const done = await runFileJob({
    refiner,
    runtime,
    inputs: [{ id: 'a', path, contributor: 7 }],
    output: join(folder, `out-${jobs}`),
    key: new Uint8Array(32),
    workers: 0,
    limits,
    ...own,
  })
  const rows = Object.fromEntries(Object.entries(done.tables).map(([name, table]) => [name, table.rows]))
  return { digest: done.contentDigest, refused: done.refused, rows }
}
const batch = async (refiner: BundledRefiner, mediaType: string, text: string) => {
  const contribution = { id: 'a', contributor: 7, mediaType, bytes: new TextEncoder().encode(text) }
  const done = await refineBatch({ refiner, runtime, limits, contributions: [contribution] })
  const rows = Object.fromEntries(Object.entries(done.tables).map(([name, table]) => [name, table.length]))
  return { digest: done.contentDigest, refused: done.refused, rows }
}

const walk = fc.record({
  day: fc.constantFrom('2024-02-29', '1999-12-31', ''),
  steps: fc.oneof(fc.nat(1_000_000).map(String), fc.constant('')),
  label: fc
    .string({ unit: 'grapheme', maxLength: 8 })
    .map((text) => text.replaceAll('\0', '').slice(0, 20))
    .filter((text) => !/\p{Surrogate}/u.test(text)),
  fast: fc.constantFrom('yes', 'no', ''),
  km: fc.oneof(
    fc.nat(99_999).map((cents) => (cents / 100).toFixed(2)),
    fc.constant(''),
  ),
})
const quoted = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const csvOf = (rows: readonly object[]) =>
  `day,steps,label,fast,km\n${rows.map((row) => `${Object.values(row).map(quoted).join(',')}\n`).join('')}`
/** The same rows as JSON, where numbers may be numbers, and what is empty null, absent or an empty text. */
const jsonlOf = (rows: readonly Readonly<Record<string, string>>[], seed: number) =>
  rows
    .map((row, index) => {
      const style = (seed + index) % 4
      const fields = Object.entries(row).flatMap(([name, text]): [string, unknown][] => {
        if (text === '') return style === 0 ? [] : [[name, style === 1 ? '' : null]]
        return [[name, style < 2 && (name === 'steps' || name === 'km') ? Number(text) : text]]
      })
      if (style === 3) fields.reverse()
      return `${JSON.stringify(Object.fromEntries(fields))}\n`
    })
    .join('')

describe('a mapping gives the same rows on every path', () => {
  test('as data, as code, of columns; out of CSV and JSON Lines; in one run and in many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(walk, { maxLength: 30 }), fc.nat(3), async (rows, seed) => {
        const csv = csvOf(rows)
        const jsonl = jsonlOf(rows, seed)
        const wanted = await batch(refinerOf('walks-data-refiner'), 'text/csv', csv)
        expect(wanted).toMatchObject({ refused: [], rows: { walks: rows.length } })
        for (const name of ['walks-data-refiner', 'walks-code-refiner', 'walks-columns-refiner']) {
          const refiner = refinerOf(name)
          // In one run of the sandbox, or in many over many pieces.
          const own = seed % 2 === 0 ? {} : { batchRecords: 4, pieceBytes: 150 }
          expect(await job(refiner, 'csv', csv, own), name).toEqual(wanted)
          expect(await job(refiner, 'jsonl', jsonl, own), name).toEqual(wanted)
          if (seed === 3) expect(await batch(refiner, 'application/jsonl', jsonl), name).toEqual(wanted)
        }
      }),
      { numRuns: 6 },
    )
  })

  test('records really go by column, and one by one for a bundle of an earlier version', async () => {
    const text = csvOf(
      Array.from({ length: 9 }, () => ({ day: '', steps: '1', label: 'x', fast: 'no', km: '' })),
    )
    const now = await job(refinerOf('walks-code-refiner'), 'csv', text, { batchRecords: 4 })
    expect(entries).toEqual(['describe', 'refineColumns', 'refineColumns', 'refineColumns', 'refineColumns'])
    entries = []
    const then = await job(early(refinerOf('walks-code-refiner')), 'csv', text, { batchRecords: 4 })
    expect(entries).toEqual(['describe', 'refineColumns', 'refine', 'refine', 'refine'])
    expect(then).toEqual(now)
    expect(now.rows).toEqual({ walks: 9 })
  })

  test.each(['walks-code-refiner', 'walks-columns-refiner'])(
    'and one by one where the runtime brings no attachments: %s',
    async (name) => {
      const text = `day,steps,label,fast,km\n${'2024-02-29,5,x,yes,1.00\n'.repeat(9)}`
      const now = await job(refinerOf(name), 'csv', text, { batchRecords: 4 })
      const without: JobRuntime = {
        ...runtime,
        run: ({ attachments: _, ...rest }) => runtime.run(rest),
      }
      entries = []
      expect(await job(refinerOf(name), 'csv', text, { batchRecords: 4, runtime: without })).toEqual(now)
      expect(entries).toEqual(['describe', 'refineColumns', 'refine', 'refine', 'refine'])
      expect(now).toMatchObject({ refused: [], rows: { walks: 9 } })
    },
  )

  test('a runtime that need not give the same rows twice refines nothing', async () => {
    const native: JobRuntime = { ...runtime, repeatable: false }
    const text = 'day,steps,label,fast,km\n'
    await expect(
      job(refinerOf('walks-code-refiner'), 'csv', text, { runtime: native }),
    ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'runtime' })
  })

  test('a record may become many rows, more than a row group holds', async () => {
    const refiner = refinerOf('many-rows-refiner')
    const text = `count,n\n${Array.from({ length: 30 }, (_, n) => `${n % 3 === 0 ? 8_000 : 0},${n}\n`).join('')}`
    const now = await job(refiner, 'csv', text, { batchRecords: 4 })
    expect(now).toEqual(await job(early(refiner), 'csv', text, { batchRecords: 4 }))
    expect(now.rows).toEqual({ many: 80_000 })
  })

  test.skipIf(!built)('threads give what one thread gives, record numbers included', async () => {
    const kinds = Array.from({ length: 4_000 }, (_, n) => `${n},plain\n`).join('')
    const text = `n,kind\n${kinds}`
    const one = await job(refinerOf('odd-rows-refiner'), 'csv', text, { pieceBytes: 4_000 })
    const two = await job(refinerOf('odd-rows-refiner'), 'csv', text, {
      pieceBytes: 4_000,
      workers: 2,
      batchRecords: 100,
    })
    expect(two).toEqual(one)
    expect(one).toMatchObject({ refused: [], rows: { odds: 4_000, others: 4_000 } })
    // The first record that fails is told, whatever is read and mapped at once.
    const failing = `${text}1,throws\n2,throws\n${kinds}3,throws\n`
    for (const workers of [0, 2]) {
      expect(
        (await job(refinerOf('odd-rows-refiner'), 'csv', failing, { pieceBytes: 4_000, workers })).refused,
      ).toEqual([{ id: 'a', code: 'MAP_FAILED', place: 'record 4000' }])
    }
  })
})

describe('what code gives for a row is judged as where records go one by one', () => {
  test.each([
    'plain',
    'undefined',
    'class',
    'hidden',
    'hidden and more',
    'reversed',
    'getter',
    'inherited',
    'json',
    'bare',
    'unknown',
    'none',
    'nan',
    'list',
    'large',
    'half',
    'truth',
    'surrogate',
    'long',
    'infinite',
    'large_integer',
    'symbol',
    'function',
    'wrapped',
    'speaking',
    'mute',
    'failing',
    'null as a word',
    'a bracket',
    'inherited by all',
    'throws',
    'missing',
  ])('%s', async (kind) => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `${n},plain\n`).join('')
    const text = `n,kind\n${lines(12)}12,${kind}\n${lines(2)}`
    const own = { batchRecords: 5, pieceBytes: 60 }
    const refiner = refinerOf('odd-rows-refiner')
    const wanted = await job(early(refiner), 'csv', text, own)
    expect(await job(refiner, 'csv', text, own)).toEqual(wanted)
    expect(await job(refiner, 'csv', text)).toEqual(await job(early(refiner), 'csv', text))
    const taken = ['plain', 'undefined', 'class', 'json', 'bare', 'hidden', 'reversed', 'getter', 'inherited']
    const more = ['wrapped', 'speaking', 'null as a word', 'a bracket', 'inherited by all']
    expect(wanted.refused.length).toBe([...taken, ...more].includes(kind) ? 0 : 1)
  })

  test.each([
    // The code says that its tables are empty; it is taken at its word.
    ['lists that speak', { odds: 1, others: 2 }],
    // What a row inherits is not in it.
    ['inherited by all', { odds: 2, others: 2 }],
  ])('what the code makes of all objects: %s', async (kind, rows) => {
    const refiner = refinerOf('odd-rows-refiner')
    const text = `n,kind\n1,plain\n2,${kind}\n`
    const wanted = await job(early(refiner), 'csv', text, { batchRecords: 1 })
    expect(wanted).toMatchObject({ refused: [], rows })
    expect(await job(refiner, 'csv', text, { batchRecords: 1 })).toEqual(wanted)
  })
})

describe('places', () => {
  const walks = (count: number) => '2024-01-01,5,x,yes,1.00\n'.repeat(count)
  const head = 'day,steps,label,fast,km\n'
  const refusals = async (name: string, format: 'csv' | 'jsonl', text: string) =>
    (await job(refinerOf(name), format, text, { pieceBytes: 100, batchRecords: 3 })).refused
  test.each(['walks-code-refiner', 'walks-columns-refiner'])('of %s', async (name) => {
    expect(await refusals(name, 'csv', `${head}${walks(20)}2024-02-30,5,CANARY,yes,1.00\n`)).toEqual([
      { id: 'a', code: 'VALUE_TYPE', place: 'walks[20].day' },
    ])
    // The first row is told, and in it the first column.
    expect(
      await refusals(name, 'csv', `${head}${walks(20)}2024-01-01,5,x,yes,1.001\n2024-02-30,-1,x,yes,1.00\n`),
    ).toEqual([{ id: 'a', code: 'DECIMAL_PLACES', place: 'walks[20].km' }])
    expect(await refusals(name, 'csv', `${head}${walks(20)}2024-01-01,5\n`)).toEqual([
      { id: 'a', code: 'CSV_FIELD_COUNT', place: 'line 22' },
    ])
    const line = '{"day":"2024-01-01","steps":5,"label":"x","fast":"yes","km":1}\n'
    expect(await refusals(name, 'jsonl', `${line.repeat(20)}{"day":\n`)).toEqual([
      { id: 'a', code: 'JSON_INVALID', place: 'line 21, column 8' },
    ])
    expect(await refusals(name, 'jsonl', `${line.repeat(20)}{"steps":9007199254740993}\n`)).toEqual([
      { id: 'a', code: 'JSON_NUMBER_INEXACT', place: 'line 21, column 10' },
    ])
  })
  test.each(['walks-data-refiner', 'walks-code-refiner', 'walks-columns-refiner'])(
    'of faults of an export are those of refineBatch: %s',
    async (name) => {
      const good = walks(2)
      for (const rows of [
        '2024-01-01,5\n',
        `\n\n"2024-01-01",5,"a\nb",yes,1.00\n${good}2024-01-01,5,x,yes,1.00,6\n`,
        '2024-01-01,5,"x,yes,1.00\n',
        '2024-01-01,5,x"y,yes,1.00\n',
        '2024-01-01,5,x,yes,1.00\r2024-01-01,5,x,yes,1.00\n',
        // The fault of a value comes before, and is not what is told: all is read before anything is mapped.
        `2024-02-30,5,x,yes,1.00\n${good}2024-01-01\n`,
        `2024-02-30,5,x,yes,1.00\n${good}`,
      ]) {
        const text = `${head}${good}${rows}`
        const want = (await batch(refinerOf(name), 'text/csv', text)).refused
        expect(want).toHaveLength(1)
        expect((await job(refinerOf(name), 'csv', text)).refused).toEqual(want)
      }
      const want = (await batch(refinerOf(name), 'application/jsonl', '{}\n{}\n[1]\n')).refused
      if (name !== 'walks-code-refiner') expect(want[0]?.code).toBe('MAP_OUTPUT_INVALID')
      expect((await job(refinerOf(name), 'jsonl', '{}\n{}\n[1]\n')).refused).toEqual(want)
    },
  )

  test('the length of a field is that of its text, not of its bytes', async () => {
    const sourceLimits = { ...defaultSourceLimits, fieldLength: 20 }
    for (const name of ['walks-data-refiner', 'walks-code-refiner', 'walks-columns-refiner']) {
      for (const field of ['é'.repeat(20), `"${'é'.repeat(20)}"`]) {
        const text = `${head}2024-01-01,5,${field},yes,1.00\n`
        expect((await job(refinerOf(name), 'csv', text, { sourceLimits })).refused).toEqual([])
        const longer = text.replace('é', 'éé')
        expect((await job(refinerOf(name), 'csv', longer, { sourceLimits })).refused).toMatchObject([
          { code: 'LIMIT_EXCEEDED', place: 'line 2' },
        ])
      }
    }
  })

  test('a field that the mapping reads must be in the header, unless it is optional', async () => {
    const name = 'walks-columns-refiner'
    expect(await refusals(name, 'csv', 'day,steps,label,km\n')).toEqual([
      { id: 'a', code: 'FIELD_MISSING', place: 'fields[3]' },
    ])
    expect(await refusals(name, 'csv', 'day,steps,label,fast\n,,,\n')).toEqual([])
    expect(await refusals(name, 'jsonl', '[1]\n')).toEqual([
      { id: 'a', code: 'MAP_OUTPUT_INVALID', place: 'record[0]' },
    ])
  })
})
