import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { refineBatch } from '../with-platform.js'
import { runFileJob } from './index.js'

const limits = { memoryBytes: 64 << 20, timeMs: 20_000, outputBytes: 1 << 24 }
const folder = mkdtempSync(join(tmpdir(), 'sealpool-columns-'))
let runtime: JobRuntime
let refiner: BundledRefiner
let jobs = 0
beforeAll(async () => {
  const entry = fileURLToPath(new URL('../testing/mixed-columns-refiner.ts', import.meta.url))
  refiner = await bundleRefiner({ entry })
  runtime = await createQuickJsRuntime()
})
afterAll(async () => {
  await runtime.close()
  rmSync(folder, { recursive: true, force: true })
})

async function job(
  format: 'csv' | 'jsonl',
  text: string,
  own: { batchRecords?: number; pieceBytes?: number },
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
  return { digest: done.contentDigest, refused: done.refused, rows: done.tables['mixed']?.rows }
}
async function batch(mediaType: string, text: string) {
  const contribution = { id: 'a', contributor: 7, mediaType, bytes: new TextEncoder().encode(text) }
  const done = await refineBatch({ refiner, runtime, limits, contributions: [contribution] })
  return { digest: done.contentDigest, refused: done.refused, rows: done.tables['mixed']?.length }
}
const ways = [
  {},
  ...[1, 2, 3].map((batchRecords) => ({ batchRecords })),
  { pieceBytes: 16 },
  { pieceBytes: 40, batchRecords: 2 },
]

describe('a mapping of whole columns', () => {
  // As JSON writes them; a file may write them otherwise.
  const numbers = [
    '1.50',
    '0.5',
    '-0.5',
    '0.0000015',
    '0.000001',
    '-0',
    '0',
    '-0.0',
    '12345',
    '1e3',
    '1E-7',
    '123456789012345',
    '5.0',
  ]
  const value = fc.oneof(
    fc.constantFrom(...numbers),
    fc.constantFrom(
      '"A4"',
      '"12345"',
      '"1.5"',
      '""',
      'null',
      'true',
      'false',
      '"true"',
      '{"a":[1,"x"]}',
      '[]',
      '"\\u00e9"',
      '"x\\"y"',
    ),
  )
  test('gives the same rows whatever types stand beside each other, in one batch and in many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(value), { minLength: 1, maxLength: 7 }), async (values) => {
        const jsonl = values.map((one) => (one === null ? '{}\n' : `{"field":${one}}\n`)).join('')
        const wanted = await batch('application/jsonl', jsonl)
        const kept = values.filter((one) => one !== null && one !== 'null' && one !== '""')
        expect(wanted).toMatchObject({ refused: [], rows: kept.length })
        for (const own of ways) expect(await job('jsonl', jsonl, own), JSON.stringify(own)).toEqual(wanted)
        // CSV has the text that JSON writes.
        const fields = kept.map((one) => {
          const parsed: unknown = JSON.parse(one ?? '')
          return typeof parsed === 'string' ? parsed : JSON.stringify(parsed)
        })
        const csv = `field\n${fields.map((one) => `"${one.replaceAll('"', '""')}"\n`).join('')}`
        expect(await batch('text/csv', csv)).toEqual(wanted)
        expect(await job('csv', csv, { batchRecords: 2 })).toEqual(wanted)
      }),
      { numRuns: 5 },
    )
  })
  test('loses no row where one of many numbers is a text', async () => {
    const line = (n: number) => `{"field":${n === 3 ? '"A4"' : 100_000 + n}}\n`
    const text = Array.from({ length: 6_000 }, (_, n) => line(n)).join('')
    const wanted = await batch('application/jsonl', text)
    expect(wanted).toMatchObject({ refused: [], rows: 6_000 })
    expect(await job('jsonl', text, {})).toEqual(wanted)
    expect(await job('jsonl', text, { pieceBytes: 20_000 })).toEqual(wanted)
  })
})
