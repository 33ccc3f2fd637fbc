import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Keys are fresh in every run, and a zero byte of a signature costs less: figures differ by less than this part. */
const NOISE = 0.004
/** The scalars of a signature decide how many points the Solidity fallback adds. */
const NOISE_OF_CURVE = 0.02
const noiseOf = (name: string) => (name.includes('in Solidity') ? NOISE_OF_CURVE : NOISE)
const file = fileURLToPath(new URL('../gas-snapshot.json', import.meta.url))

/**
 * The figures with a goal, as the bench measures them, against the committed ones. After a change that is meant to cost:
 * `SEALPOOL_UPDATE_GAS=1 npx vitest run --project 'node*' packages/contracts/src/gas.test.ts`, and a changeset that says why.
 */
test('gas has not risen above the committed snapshot', async () => {
  const bench = (await import(new URL('../../../bench/contracts.mjs', import.meta.url).href)) as {
    measureGas(): Promise<object>
    figuresOf(measured: object): Record<string, number>
  }
  const figures = bench.figuresOf(await bench.measureGas())
  if (process.env['SEALPOOL_UPDATE_GAS'] === '1') writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`)
  const committed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
  expect(Object.keys(figures).sort()).toEqual(Object.keys(committed).sort())
  const risen = Object.entries(figures).filter(
    ([name, used]) => used > (committed[name] ?? 0) * (1 + noiseOf(name)),
  )
  expect(risen, 'risen above gas-snapshot.json; see the comment above this test').toEqual([])
}, 120_000)
