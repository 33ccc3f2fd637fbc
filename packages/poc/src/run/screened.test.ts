import { fileURLToPath } from 'node:url'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BundledPoc, bundlePoc } from '../bundle/index.js'
import { scoreCard } from '../cli/score-card.js'
import type { Facts } from '../define/check.js'
import { referenceOf } from '../testing/measure-screens.js'
import {
  drawsOf,
  honestLabels,
  honestNumbers,
  honestTexts,
  madeUpSeries,
  madeUpTexts,
  poisonedLabels,
} from '../testing/screen-fixtures.js'
import screened from '../testing/screened-proof.js'
import { verdictInputs } from '../verdict/verdict-inputs.js'
import { runPoc } from './run-poc.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 10_000, outputBytes: 65_536 }
const owner = `0x${'ab'.repeat(20)}` as const
let poc: BundledPoc
let runtime: JobRuntime
beforeAll(async () => {
  poc = await bundlePoc({ entry: fileURLToPath(new URL('../testing/screened-proof.ts', import.meta.url)) })
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

const labels = referenceOf(7)
const exported = (seed: number, honest: boolean) => {
  const draw = drawsOf(seed)
  return {
    notes: (honest ? honestTexts : madeUpTexts['one template'])?.(draw, 16) ?? [],
    steps: (honest ? honestNumbers['steps'] : madeUpSeries['copied'])?.(draw) ?? [],
    rows: (honest ? honestLabels : poisonedLabels['half'])?.(draw, 60) ?? [],
  }
}
const judge = (value: object, facts: Pick<Facts, 'labels'> = { labels }) =>
  runPoc({
    poc,
    runtime,
    limits,
    contribution: {
      id: '1',
      pool: `0x${'bb'.repeat(20)}`,
      owner,
      mediaType: 'application/json',
      bytes: new TextEncoder().encode(JSON.stringify(value)),
    },
    facts: { uniqueness: { duplicate: false }, ...facts },
  })

test('screens say the same in the sandbox and outside of it, to the last digit', async () => {
  for (const value of [exported(1, true), exported(2, true), exported(3, false), exported(4, false)]) {
    const outside = screened.evaluate({
      file: { mediaType: 'application/json', text: JSON.stringify(value) },
      facts: { uniqueness: { duplicate: false }, owner, labels },
    })
    expect(await judge(value)).toMatchObject({ ...outside })
  }
})

test('a contribution that all of them suspect is accepted, and costs a fifth; the card says who guesses', async () => {
  const verdict = await judge(exported(3, false))
  expect(verdict).toMatchObject({ valid: true, score: 0.8, refusal: null })
  expect(verdict.evidence.filter(({ result }) => result === 'review').map(({ check }) => check)).toEqual([
    'text',
    'numbers',
    'labels',
  ])
  expect(verdict.evidence.at(-1)).toMatchObject({ check: 'endless', result: 'not-checked', heuristic: true })
  expect(scoreCard(verdict)).toMatch(/^! numbers +review 0 % {2}\(steps\) {2}heuristic$/m)
  expect(await judge(exported(1, true))).toMatchObject({ valid: true, score: 1 })
})

test('the pool’s labels are a fact: without them nobody looked, and validators sign them with what they judged by', async () => {
  const { evidence } = await judge(exported(3, false), {})
  expect(evidence.find(({ check }) => check === 'labels')).toMatchObject({ result: 'not-checked' })
  const key = new Uint8Array(32).fill(1)
  const facts = { uniqueness: { duplicate: false }, owner }
  const inputs = (own: object) =>
    verdictInputs({ key, mediaType: 'text/csv', facts: { ...facts, ...own }, limits })
  expect(new Set([inputs({}), inputs({ labels }), inputs({ labels: referenceOf(8) })]).size).toBe(3)
})
