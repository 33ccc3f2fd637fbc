import { sha256Digest } from '@sealpool/crypto'
import type { Job, JobRuntime, RunResult } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RefinerSchema } from '../schema/table-schema.js'
import payroll from '../testing/payroll-refiner.js'
import { checkContribution, refineBatch } from '../with-platform.js'
import type { BundledRefiner } from './refine-batch.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const limits = { memoryBytes: 32 * 1024 * 1024, timeMs: 2000, outputBytes: 1024 * 1024 }
const worker = { wage: '5.10', member: true, occupation: 'sales', since: null, hours: 40 }
const handWritten = (refine: string, described: RefinerSchema = payroll.describe()): BundledRefiner => {
  const code = `globalThis.sealpool = { describe: () => (${JSON.stringify(described)}), refine: ${refine} }`
  return { code, digest: sha256Digest(utf8(code)), schema: described }
}
const file = (text: string) => ({ mediaType: 'application/json', bytes: utf8(text) })
const gives = (...rows: unknown[]) => handWritten(`() => ({ tables: { workers: ${JSON.stringify(rows)} } })`)

let runtime: JobRuntime
beforeAll(async () => {
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

/** A runtime whose runs of the mapping end as told; counts them all. */
const ending = (end: RunResult) => {
  const entries: string[] = []
  const told: JobRuntime = {
    ...runtime,
    run: async (job: Job) => {
      entries.push(job.entry)
      return job.entry === 'refine' ? end : runtime.run(job)
    },
  }
  return { entries, told }
}

test.each([
  ['one that fits', gives(worker, worker), '{}', { ok: true, rows: 2 }],
  ['one without rows', gives(), '{}', { ok: true, rows: 0 }],
  [
    'a value outside its column',
    gives({ ...worker, wage: '9999' }),
    '{}',
    { ok: false, code: 'VALUE_RANGE' },
  ],
  ['a document that is too deep', gives(worker), '['.repeat(70) + ']'.repeat(70), { code: 'LIMIT_EXCEEDED' }],
  [
    'a mapping that throws',
    handWritten('() => { throw new Error() }'),
    '{}',
    { code: 'MAP_FAILED', byClock: false },
  ],
])('it says of %s what a batch would say', async (_, refiner, text, expected) => {
  const contribution = file(text)
  const check = await checkContribution({ refiner, runtime, limits, contribution })
  expect(check).toMatchObject(expected)
  const { refused, tables } = await refineBatch({
    refiner,
    runtime,
    limits,
    contributions: [{ ...contribution, id: '1', contributor: 7 }],
  })
  expect(check.ok ? { rows: check.rows } : { code: check.code, place: check.place }).toEqual(
    refused[0] === undefined
      ? { rows: tables['workers']?.length }
      : { code: refused[0].code, place: refused[0].place },
  )
})

test('it keeps to the most rows of a contribution', async () => {
  const check = await checkContribution({
    refiner: gives(worker, worker),
    runtime,
    limits,
    contribution: file('{}'),
    rowsPerContribution: 1,
  })
  expect(check).toEqual({ ok: false, code: 'LIMIT_EXCEEDED', place: 'workers', byClock: false })
})

test('a column of hashes asks for no key, and the answer is that under any', async () => {
  const note = { type: 'text', pii: 'hash', maxLength: 40, description: 'Note.' } as const
  const hashed: RefinerSchema = {
    ...payroll.describe(),
    tables: { notes: { description: 'Notes.', columns: { note } } },
  }
  const refiner = handWritten(`() => ({ tables: { notes: [{ note: 'write to ann@example.org' }] } })`, hashed)
  const check = await checkContribution({ refiner, runtime, limits, contribution: file('{}') })
  for (const byte of [1, 2, 255]) {
    const { refused } = await refineBatch({
      refiner,
      runtime,
      limits,
      contributions: [{ ...file('{}'), id: '1', contributor: 1 }],
      piiKey: new Uint8Array(32).fill(byte),
    })
    expect(check).toMatchObject({ ok: refused.length === 0 })
  }
})

test('it says when it was a clock that ended the mapping, and when not', async () => {
  const of = (code: 'TIMEOUT' | 'OUT_OF_MEMORY' | 'RUNTIME_LOST') =>
    checkContribution({
      refiner: gives(worker),
      runtime: ending({ ok: false, code, message: 'x', place: 'run' }).told,
      limits,
      contribution: file('{}'),
    })
  expect(await of('TIMEOUT')).toMatchObject({ ok: false, code: 'MAP_FAILED', byClock: true })
  expect(await of('OUT_OF_MEMORY')).toMatchObject({ ok: false, code: 'MAP_FAILED', byClock: false })
})

test('a runtime is asked once what a refiner describes, and again when it was lost', async () => {
  const refiner = gives(worker)
  const { entries, told } = ending({ ok: true, output: { tables: { workers: [worker] } }, logs: [] })
  let lost = true
  const flaky: JobRuntime = {
    ...told,
    run: async (job) => {
      if (lost) return { ok: false, code: 'RUNTIME_LOST', message: 'x', place: 'run' }
      return told.run(job)
    },
  }
  const check = () => checkContribution({ refiner, runtime: flaky, limits, contribution: file('{}') })
  await expect(check()).rejects.toMatchObject({ code: 'REFINER_MISMATCH' })
  lost = false
  await check()
  await check()
  expect(entries).toEqual(['describe', 'refine', 'refine'])
  const other = { ...refiner, code: `${refiner.code} ` }
  await expect(
    checkContribution({ refiner: other, runtime: flaky, limits, contribution: file('{}') }),
  ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.code' })
  const claimed = { ...refiner, schema: { ...refiner.schema, version: '9.0.0' } }
  await expect(
    checkContribution({ refiner: claimed, runtime: flaky, limits, contribution: file('{}') }),
  ).rejects.toMatchObject({ code: 'REFINER_MISMATCH', place: 'refiner.schema' })
})

test('what is the machine’s fault is none of the contribution', async () => {
  const broken: JobRuntime = {
    ...runtime,
    run: (job) => (job.entry === 'refine' ? Promise.reject(new Error('no memory')) : runtime.run(job)),
  }
  const check = checkContribution({
    refiner: gives(worker),
    runtime: broken,
    limits,
    contribution: file('{}'),
  })
  await expect(check).rejects.toThrow('no memory')
})
