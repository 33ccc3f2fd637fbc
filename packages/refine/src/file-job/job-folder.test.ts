import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleRefiner } from '../bundle/index.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { runFileJob } from './index.js'
import { isClaim, lockJob } from './job-lock.js'

let refiner: BundledRefiner
let folder: string
beforeAll(async () => {
  refiner = await bundleRefiner({
    entry: fileURLToPath(new URL('../testing/receipts-refiner.ts', import.meta.url)),
  })
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-job-folder-'))
  writeFileSync(join(folder, 'a.csv'), 'date,shop,total,paid_by\n2024-01-01,x,1.00,card\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const out = (...parts: string[]) => join(folder, 'out', ...parts)
const job = (options: Partial<Parameters<typeof runFileJob>[0]> = {}) =>
  runFileJob({
    refiner,
    inputs: [{ id: 'a', path: join(folder, 'a.csv'), contributor: 0 }],
    output: out(),
    key: new Uint8Array(32).fill(3),
    workers: 0,
    ...options,
  })

describe("a job's folder", () => {
  test('is of one run at a time', async () => {
    mkdirSync(out())
    const lock = await lockJob(out())
    await expect(job()).rejects.toMatchObject({ code: 'JOB_INVALID', place: 'output' })
    expect(readdirSync(out()).filter((name) => !isClaim(name))).toEqual([])
    await lock.release()
    const held: boolean[] = []
    await job({ onProgress: () => held.push(readdirSync(out()).some(isClaim)) })
    expect([...new Set(held)]).toEqual([true])
    expect(readdirSync(out()).some(isClaim)).toBe(false)
  })

  test('is let go when a run fails', async () => {
    await job()
    await expect(job({ key: new Uint8Array(32) })).rejects.toMatchObject({ code: 'JOB_INVALID' })
    expect(readdirSync(out()).some(isClaim)).toBe(false)
    expect((await job()).resumed).toBe(1)
  })

  test('keeps what others put there, and loses what a stopped job left half-written', async () => {
    const first = await job()
    const foreign = [
      'film.part',
      '.film.mkv.part',
      '000001.film.part',
      '000001.receipts.part',
      '000001.others.parquet',
      '000001.txt',
      '.000001.others.parquet.part',
      '.000001.receipts.leaves.part',
      '.job.json.part',
      'letter.txt',
      '.lock.mine',
      '.merged.leaves',
    ]
    const half = [
      '.000001.receipts.parquet.part',
      '.merged.0.leaves',
      '000001.receipts.parquet',
      '000001.receipts.leaves',
      `.000001.json.${'a'.repeat(16)}.part`,
      `.refined.json.${'b'.repeat(16)}.part`,
      `.job.json.${'c'.repeat(16)}.part`,
    ]
    const own = readdirSync(out())
    for (const name of [...foreign, ...half]) writeFileSync(out(name), 'x')
    expect((await job()).contentDigest).toBe(first.contentDigest)
    expect(readdirSync(out()).sort()).toEqual([...own, ...foreign].sort())
    for (const name of foreign) expect(readFileSync(out(name), 'utf8')).toBe('x')
  })

  test('of something else is refused, whatever its files are called, and nothing is left in it', async () => {
    mkdirSync(out())
    for (const name of ['film.part', '000001.receipts.parquet', '.lock.mine']) {
      writeFileSync(out(name), 'x')
      await expect(job()).rejects.toMatchObject({ code: 'JOB_INVALID', place: 'output' })
      expect(readdirSync(out())).toEqual([name])
      rmSync(out(name))
    }
    // A run that was killed before it had written what job it is.
    writeFileSync(out(`.job.json.${'a'.repeat(16)}.part`), '{"for')
    expect((await job()).refused).toEqual([])
  })

  test('that cannot be made is refused', async () => {
    writeFileSync(out(), '')
    for (const output of [out(), out('x'), '/proc/x/y'])
      await expect(job({ output })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', place: 'output' })
  })
})
