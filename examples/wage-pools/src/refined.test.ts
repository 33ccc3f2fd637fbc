import { fileURLToPath } from 'node:url'
import { runPoc } from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import { refineBatch } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPayrollBureau, createWorkers } from './workers.js'

const limits = { memoryBytes: 64e6, timeMs: 5_000, outputBytes: 1e6 }
const entry = (path: string) => fileURLToPath(new URL(`./${path}`, import.meta.url))
const workers = createWorkers({ count: 534, bureau: createPayrollBureau() })
const [first, second] = workers
if (first === undefined || second === undefined) throw new Error('no workers')
let runtime: JobRuntime

beforeAll(async () => {
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

const judge = async (
  kind: 'payroll' | 'survey',
  worker: typeof first,
  bytes: Uint8Array,
  duplicate = false,
) =>
  runPoc({
    poc: await bundlePoc({ entry: entry(`poc/${kind}.ts`) }),
    runtime,
    limits,
    contribution: {
      id: '1',
      pool: `0x${'11'.repeat(20)}`,
      owner: worker.account.address,
      mediaType: kind === 'payroll' ? 'application/json' : 'text/csv',
      bytes,
    },
    facts: { uniqueness: { duplicate } },
  })

describe('the proofs of contribution', () => {
  test('accept a worker’s own exports', async () => {
    expect((await judge('payroll', first, first.payroll)).score).toBe(1)
    expect((await judge('survey', first, first.survey)).score).toBe(1)
  })

  test('refuse a payroll statement of somebody else, also before the copied one is known', async () => {
    expect((await judge('payroll', second, first.payroll)).refusal?.code).toBe('WRONG_OWNER')
    expect((await judge('payroll', second, first.payroll, true)).refusal?.code).toBe('DUPLICATE')
  })

  test('refuse a payroll statement that was changed after it was signed', async () => {
    const text = new TextDecoder().decode(first.payroll).replace('"5.10"', '"51.0"').replace('51.0', '9.99')
    expect((await judge('payroll', first, new TextEncoder().encode(text))).refusal?.code).toBe(
      'WRONG_SIGNATURE',
    )
  })

  test('refuse answers that are no answers', async () => {
    const bytes = new TextEncoder().encode('respondent;answers\r\nR-0000;lost\r\n')
    expect((await judge('survey', first, bytes)).refusal?.code).toBe('MALFORMED_EXPORT')
  })
})

describe('the refiners', () => {
  const refine = async (kind: 'payroll' | 'survey') =>
    refineBatch({
      refiner: await bundleRefiner({ entry: entry(`refiner/${kind}.ts`) }),
      runtime,
      limits,
      contributions: workers.map((worker) => ({
        id: String(worker.index),
        contributor: worker.index,
        mediaType: kind === 'payroll' ? 'application/json' : 'text/csv',
        bytes: worker[kind],
      })),
    })

  test('set the codes of union and marriage right for all 534', async () => {
    const pay = await refine('payroll')
    const people = await refine('survey')
    expect([...pay.refused, ...people.refused]).toEqual([])
    expect(pay.tables['workers']?.filter((row) => row['union_member'] === true)).toHaveLength(96)
    expect(people.tables['persons']?.filter((row) => row['married'] === true)).toHaveLength(350)
  })

  test('keep the wage in dollars, exactly', async () => {
    const { tables } = await refine('payroll')
    expect(tables['workers']?.map((row) => row['wage'])).toEqual(
      workers.map(({ record }) => record.wage.toFixed(2)),
    )
  })

  test('document what they correct', async () => {
    const { schema } = await bundleRefiner({ entry: entry('refiner/payroll.ts') })
    expect(schema.notes.map(({ column }) => column)).toEqual(['wage', 'union'])
  })
})
