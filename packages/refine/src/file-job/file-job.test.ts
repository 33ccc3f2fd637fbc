import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { sha256Digest } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import { contentDigest } from '../job/content-digest.js'
import { refineBatch } from '../with-platform.js'
import { saxesReader } from '../xml/index.js'
import { folderInputs, runFileJob } from './index.js'

const entry = (name: string) => fileURLToPath(new URL(`../testing/${name}`, import.meta.url))
const key = new Uint8Array(32).fill(3)
const built = (() => {
  try {
    return existsSync(createRequire(import.meta.url).resolve('@sealpool/refine/piece-worker'))
  } catch {
    return false
  }
})()
if (!built)
  console.warn('packages/refine is not built, tests of threads and kills are skipped: npm run build')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-job-'))
  mkdirSync(join(folder, 'in'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const put = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, 'in', name), text)
const out = (name = 'out') => join(folder, name)
const shops = ['Corner shop', 'Bakery, "north"', 'Café', 'Line\nbreak']
const receipt = (index: number) => ({
  date: `2024-0${1 + (index % 9)}-1${index % 9}`,
  shop: shops[index % 4] ?? '',
  total: (index / 100).toFixed(2),
  paid_by: ['card', 'cash', ''][index % 3] ?? '',
})
const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const csv = (count: number, first = 0) =>
  [
    'date,shop,total,paid_by',
    ...Array.from({ length: count }, (_, index) =>
      Object.values(receipt(first + index))
        .map(quoted)
        .join(','),
    ),
  ]
    .map((line) => `${line}\n`)
    .join('')
const jsonl = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => `${JSON.stringify(receipt(first + index))}\n`).join('')

async function job(options: Partial<Parameters<typeof runFileJob>[0]> & { refinerName?: string } = {}) {
  const { refinerName = 'receipts-refiner.ts', ...rest } = options
  return runFileJob({
    refiner: await bundleRefiner({ entry: entry(refinerName) }),
    inputs: await folderInputs(join(folder, 'in'), { contributor: 7 }),
    output: out(),
    key,
    workers: 0,
    ...rest,
  })
}

describe('runFileJob', () => {
  test('gives the content digest of refineBatch, whatever the format, the pieces and the path', async () => {
    put('a.csv', csv(500))
    const refiner = await bundleRefiner({ entry: entry('receipts-refiner.ts') })
    const runtime = await createQuickJsRuntime()
    const batch = await refineBatch({
      refiner,
      runtime,
      limits: { memoryBytes: 64 << 20, timeMs: 5000, outputBytes: 1 << 24 },
      contributions: [
        { id: 'a', contributor: 7, mediaType: 'text/csv', bytes: new TextEncoder().encode(csv(500)) },
      ],
    })
    expect(batch.refused).toEqual([])
    const whole = await job()
    expect(whole.refused).toEqual([])
    expect(whole.tables['receipts']?.rows).toBe(500)
    expect(whole.contentDigest).toBe(batch.contentDigest)
    expect((await job({ output: out('small'), pieceBytes: 100 })).contentDigest).toBe(batch.contentDigest)
    rmSync(join(folder, 'in/a.csv'))
    put('b.jsonl', jsonl(300))
    put('c.csv', csv(200, 300))
    expect((await job({ output: out('two') })).contentDigest).toBe(batch.contentDigest)
    put('b.jsonl', `\ufeff${jsonl(300)}`)
    put('c.csv', JSON.stringify(Array.from({ length: 200 }, (_, index) => receipt(300 + index))))
    const renamed = (await folderInputs(join(folder, 'in'), { contributor: 7 })).map((input) =>
      input.id === 'c.csv' ? { ...input, mediaType: 'application/json' } : input,
    )
    expect((await job({ output: out('json'), inputs: renamed })).contentDigest).toBe(batch.contentDigest)
    await runtime.close()
  })

  test('a salt, other rows and another contributor give other digests', async () => {
    put('a.csv', csv(10))
    const plain = (await job()).contentDigest
    const salt = new Uint8Array(32).fill(9)
    const salted = await job({ output: out('salted'), salt })
    const other = await job({
      output: out('other'),
      inputs: await folderInputs(join(folder, 'in'), { contributor: 8 }),
    })
    expect(new Set([plain, salted.contentDigest, other.contentDigest]).size).toBe(3)
  })

  test('DuckDB opens the parts with the key and finds the rows', async () => {
    put('a.csv', csv(1000))
    const { tables } = await job({ pieceBytes: 4096 })
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(`PRAGMA add_parquet_key('k', '${Buffer.from(key).toString('base64')}')`)
    const path = join(out(), tables['receipts']?.parts[0]?.file ?? '')
    const found = await connection.runAndReadAll(
      `SELECT count(*)::INT, sum(total)::VARCHAR, count(card)::INT, count(DISTINCT shop)::INT, min(contributor)::INT FROM read_parquet('${path}', encryption_config = {footer_key: 'k'})`,
    )
    expect(found.getRowsJson()).toEqual([[1000, '4995.00', 667, 4, 7]])
    expect(readFileSync(path).includes('Corner')).toBe(false)
  })

  test('what is refused is told by file and place, and never by value', async () => {
    put('a-good.csv', csv(3))
    put('b-day.csv', `${csv(40)}2024-02-30,CANARY,1.00,card\n`)
    put('c-fields.csv', 'date,shop,total,paid_by\n2024-01-01,CANARY\n')
    put('d-code.jsonl', `${jsonl(2)}${JSON.stringify({ ...receipt(1), paid_by: 'CANARY' })}\n`)
    put('e.bin', new Uint8Array([1, 2, 3]))
    put('f.json', '{"CANARY": 1}')
    symlinkSync('/etc/passwd', join(folder, 'in/g.csv'))
    const inputs = [
      ...(await folderInputs(join(folder, 'in'), { contributor: 1 })),
      { id: 'link', path: join(folder, 'in/g.csv'), contributor: 1 },
      { id: 'absent', path: join(folder, 'in/absent.csv'), contributor: 1 },
    ]
    const result = await job({ inputs, pieceBytes: 64 })
    expect(result.refused).toEqual([
      { id: 'b-day.csv', code: 'VALUE_TYPE', place: 'receipts[40].day' },
      { id: 'c-fields.csv', code: 'CSV_FIELD_COUNT', place: 'line 2' },
      { id: 'd-code.jsonl', code: 'VALUE_TYPE', place: 'receipts[2].card' },
      { id: 'e.bin', code: 'MEDIA_TYPE_MISMATCH', place: 'mediaType' },
      { id: 'f.json', code: 'JSON_INVALID', place: 'line 1, column 1' },
      { id: 'link', code: 'ARGUMENT_INVALID', place: 'input' },
      { id: 'absent', code: 'ARGUMENT_INVALID', place: 'input' },
    ])
    expect(result.tables['receipts']?.rows).toBe(3)
    for (const name of readdirSync(out())) {
      expect(readFileSync(join(out(), name)).includes('CANARY'), name).toBe(false)
      expect(name.endsWith('.part'), name).toBe(false)
    }
  })

  test('a mapping that is code sees absolute record numbers over all batches', async () => {
    put('a.csv', csv(25))
    const runtime = await createQuickJsRuntime()
    const result = await job({ refinerName: 'numbered-refiner.ts', runtime, batchRecords: 10 })
    const rows = Array.from({ length: 25 }, (_, number) => ({ contributor: 7, number }))
    expect(result.contentDigest).toBe(contentDigest({ numbers: rows }))
    await expect(job({ refinerName: 'numbered-refiner.ts', output: out('none') })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      place: 'runtime',
    })
    await runtime.close()
  })

  test('functions of the refiner are called for different values and mean the same as one by one', async () => {
    put('a.csv', csv(90))
    put('b.jsonl', jsonl(90))
    const runtime = await createQuickJsRuntime()
    let runs = 0
    const counting = {
      ...runtime,
      run: (one: Parameters<typeof runtime.run>[0]) => {
        if (one.entry === 'applyFunction') runs += 1
        return runtime.run(one)
      },
    }
    const result = await job({ refinerName: 'function-refiner.ts', runtime: counting, pieceBytes: 500 })
    expect(result.refused).toEqual([])
    // Two files, two functions; most pieces bring no new shop, but every total is new.
    expect(runs).toBeLessThan(40)
    const rows = Array.from({ length: 90 }, (_, index) => ({
      contributor: 7,
      shop: (shops[index % 4] ?? '').toUpperCase(),
      cents: index,
    }))
    expect(result.contentDigest).toBe(contentDigest({ shouts: [...rows, ...rows] }))
    await runtime.close()
  })

  test('a folder of another job, key or input is refused, and what is not a job is left alone', async () => {
    put('a.csv', csv(3))
    await job()
    await expect(job({ key: new Uint8Array(32) })).rejects.toMatchObject({ code: 'JOB_INVALID' })
    await expect(job({ pieceBytes: 99 })).rejects.toMatchObject({ code: 'JOB_INVALID' })
    put('a.csv', csv(4))
    await expect(job()).rejects.toMatchObject({ code: 'JOB_INVALID', place: 'inputs' })
    mkdirSync(out('mine'))
    writeFileSync(join(out('mine'), 'letter.txt'), 'mine')
    await expect(job({ output: out('mine') })).rejects.toMatchObject({ code: 'JOB_INVALID', place: 'output' })
    expect(readdirSync(out('mine'))).toEqual(['letter.txt'])
    await expect(job({ output: out('x'), key: new Uint8Array(31) })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    await expect(job({ output: out('x'), workers: -1 })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
    const twice = [
      { id: 'a', path: 'a', contributor: 0 },
      { id: 'a', path: 'b', contributor: 0 },
    ]
    await expect(job({ output: out('x'), inputs: twice })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })

  test('inputs that were done may not be left out, and one that could not be opened is tried again', async () => {
    put('a.csv', csv(3))
    const input = (id: string) => ({ id, path: join(folder, 'in', id), contributor: 7 })
    const inputs = [input('a.csv'), input('b.csv'), input('c.csv')]
    put('c.csv', csv(5, 10))
    const first = await job({ inputs })
    expect(first.refused).toEqual([{ id: 'b.csv', code: 'ARGUMENT_INVALID', place: 'input' }])
    await expect(job({ inputs: inputs.slice(0, 2) })).rejects.toMatchObject({
      code: 'JOB_INVALID',
      place: 'inputs',
    })
    put('b.csv', csv(4, 3))
    const second = await job({ inputs })
    expect(second).toMatchObject({ refused: [], resumed: 2 })
    const whole = await job({ inputs, output: out('whole') })
    expect(second.contentDigest).toBe(whole.contentDigest)
    expect(await job({ inputs: [...inputs, input('d.csv')] })).toMatchObject({ resumed: 3 })
  })

  test.each<[string, string, (path: string) => void]>([
    ['missing', '000000.receipts.parquet', (path) => rmSync(path)],
    ['cut', '000000.receipts.parquet', (path) => writeFileSync(path, readFileSync(path).subarray(0, 10))],
    [
      'changed',
      '000000.receipts.parquet',
      (path) =>
        writeFileSync(
          path,
          readFileSync(path).map((byte, index) => (index === 40 ? byte ^ 1 : byte)),
        ),
    ],
    ['of missing hashes', '000000.receipts.leaves', (path) => rmSync(path)],
    ['of cut hashes', '000000.receipts.leaves', (path) => writeFileSync(path, 'x')],
  ])('a finished part that is %s is made again', async (_, file, damage) => {
    put('a.csv', csv(50))
    put('b.csv', csv(50, 50))
    put('c.csv', 'date\n')
    const first = await job()
    expect(first.repaired).toEqual([])
    damage(join(out(), file))
    const again = await job()
    expect(again).toMatchObject({ repaired: ['a.csv'], resumed: 2, contentDigest: first.contentDigest })
    for (const { file: name, digest, bytes } of again.tables['receipts']?.parts ?? []) {
      const content = readFileSync(join(out(), name))
      expect([sha256Digest(content), content.length]).toEqual([digest, bytes])
    }
    expect(await job()).toMatchObject({ repaired: [], resumed: 3, contentDigest: first.contentDigest })
  })

  test('a part is made again without the digest of the content as well', async () => {
    put('a.csv', csv(50))
    await job({ withoutDigest: true })
    expect((await job({ withoutDigest: true })).repaired).toEqual([])
    rmSync(join(out(), '000000.receipts.parquet'))
    expect((await job({ withoutDigest: true })).repaired).toEqual(['a.csv'])
  })

  test('a header without a mapped field is refused by its column, in whatever file it stands', async () => {
    const runtime = await createQuickJsRuntime()
    const refiner = await bundleRefiner({ entry: entry('receipts-refiner.ts') })
    const renamed = csv(3).replace('paid_by', ' paid_by')
    put('a.csv', renamed)
    put('b.csv', csv(3).replaceAll(',', ';'))
    put('c.csv.gz', gzipSync(renamed))
    put('d.jsonl', '{"date":"2024-01-01","shop":"x","total":"1.00"}\n')
    const { refused, tables } = await job()
    const place = 'receipts.card'
    expect(refused).toEqual([
      { id: 'a.csv', code: 'FIELD_MISSING', place },
      { id: 'b.csv', code: 'FIELD_MISSING', place: 'receipts.day' },
      { id: 'c.csv.gz', code: 'FIELD_MISSING', place },
    ])
    // In JSON a field without a value is often left out.
    expect(tables['receipts']?.rows).toBe(1)
    const contribution = { id: 'a', contributor: 0, mediaType: 'text/csv' }
    const batch = await refineBatch({
      refiner,
      runtime,
      limits: { memoryBytes: 64 << 20, timeMs: 5000, outputBytes: 1 << 24 },
      contributions: [{ ...contribution, bytes: new TextEncoder().encode(renamed) }],
    })
    expect(batch.refused).toEqual([{ id: 'a', code: 'FIELD_MISSING', place }])
    await runtime.close()
  })

  test('damaged leaves and records are found', async () => {
    put('a.csv', csv(30))
    await job()
    const leaves = join(out(), '000000.receipts.leaves')
    const bytes = readFileSync(leaves)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    writeFileSync(leaves, bytes)
    await expect(job()).rejects.toMatchObject({ code: 'JOB_INVALID' })
    writeFileSync(join(out(), '000000.json'), '{}')
    await expect(job()).rejects.toMatchObject({ code: 'JOB_INVALID' })
  })

  test('a refiner that is not its digest, or describes another schema, does not run', async () => {
    put('a.csv', csv(1))
    const refiner = await bundleRefiner({ entry: entry('receipts-refiner.ts') })
    const runtime = await createQuickJsRuntime()
    await expect(job({ refiner: { ...refiner, code: `${refiner.code} ` } })).rejects.toMatchObject({
      code: 'REFINER_MISMATCH',
    })
    const schema = { ...refiner.schema, version: '9.9.9' }
    await expect(job({ refiner: { ...refiner, schema }, runtime })).rejects.toMatchObject({
      code: 'REFINER_MISMATCH',
    })
    await runtime.close()
  })

  test.skipIf(!built)(
    'threads give the rows of one thread, and a fault in one ends the file alone',
    async () => {
      put('a.csv', csv(20_000))
      const one = await job({ output: out('one'), pieceBytes: 20_000 })
      const two = await job({ output: out('two'), pieceBytes: 20_000, workers: 2 })
      expect(two.contentDigest).toBe(one.contentDigest)
      expect(two.tables['receipts']?.rows).toBe(20_000)
      put('a.csv', `${csv(20_000)}2024-02-30,x,1.00,card\n`)
      put('b.csv', csv(5))
      const faulty = await job({ output: out('faulty'), pieceBytes: 20_000, workers: 2 })
      expect(faulty.refused).toEqual([{ id: 'a.csv', code: 'VALUE_TYPE', place: 'receipts[20000].day' }])
      expect(faulty.tables['receipts']?.rows).toBe(5)
    },
  )

  test.skipIf(!built)('killed at many points it goes on and gives the same digest', async () => {
    for (let file = 0; file < 8; file += 1)
      put(`${String(file).padStart(2, '0')}.csv`, csv(1500, file * 1500))
    put('99-bad.csv', 'date\n')
    const expected = await job({ output: out('expected') })
    const script = fileURLToPath(new URL('../testing/job-child.mjs', import.meta.url))
    const refiner = await bundleRefiner({ entry: entry('receipts-refiner.ts') })
    writeFileSync(join(folder, 'refiner.json'), JSON.stringify(refiner))
    let kills = 0
    let answer = ''
    for (let turn = 0; turn < 60; turn += 1) {
      const child = spawn(
        process.execPath,
        [script, join(folder, 'refiner.json'), join(folder, 'in'), out('killed')],
        {
          env: {},
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      let text = ''
      let lines = 0
      // Each turn dies a few steps further than the one before could be sure of, at a moment of its own.
      const steps = 1 + (turn % 3)
      let complaint = ''
      child.stderr.on('data', (part: Buffer) => {
        complaint += part.toString()
      })
      child.stdout.on('data', (part: Buffer) => {
        text += part.toString()
        lines = text.split('\n').length - 1
        if (lines >= steps && !text.includes('digest')) setTimeout(() => child.kill('SIGKILL'), turn % 7)
      })
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
      if (signal === 'SIGKILL') {
        kills += 1
        await wait(1)
        continue
      }
      expect(code, complaint).toBe(0)
      answer = /digest (\S+)/.exec(text)?.[1] ?? ''
      break
    }
    expect(kills).toBeGreaterThan(2)
    expect(answer).toBe(expected.contentDigest)
    const left = readdirSync(out('killed')).sort()
    expect(left).toEqual(readdirSync(out('expected')).sort())
    expect(JSON.parse(readFileSync(join(out('killed'), 'refined.json'), 'utf8')).refused).toEqual(
      expected.refused,
    )
  })

  test('reads what needs a reader, and says so where there is none', async () => {
    put(
      'ride.gpx',
      '<gpx><trk><trkseg><trkpt lat="52.5" lon="13.4"><time>2024-01-01T00:00:00Z</time></trkpt></trkseg></trk></gpx>',
    )
    const runtime = await createQuickJsRuntime()
    const without = await job({ refinerName: 'samples-refiner.ts', runtime })
    expect(without.refused).toEqual([{ id: 'ride.gpx', code: 'FORMAT_UNKNOWN', place: 'readers' }])
    const result = await job({
      refinerName: 'samples-refiner.ts',
      runtime,
      readers: { xml: saxesReader },
      output: out('xml'),
    })
    expect(result.contentDigest).toBe(
      contentDigest({ samples: [{ contributor: 7, at: '2024-01-01T00:00:00Z', latitude: '52.50' }] }),
    )
    await runtime.close()
  })
})
