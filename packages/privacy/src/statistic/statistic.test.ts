import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RandomBytes } from '../mechanism/random.js'
import { deterministicRandom } from '../testing/deterministic-random.js'
import {
  boundContributions,
  type ContributedRow,
  histogramAboveThreshold,
  histogramOfPrivateGroups,
  histogramOfPublicGroups,
  laplaceThreshold,
  noisyCount,
  noisyMean,
  noisyQuantile,
  noisySum,
  noisyVariance,
  quantileScores,
  quantileSensitivity,
} from './index.js'

const range = { min: -20n, max: 100n }
const rowsOf = fc.array(
  fc.record({
    contributor: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    value: fc.bigInt({ min: -1000n, max: 1000n }),
    group: fc.constantFrom('north', 'south', 'east', 'west'),
  }),
  { maxLength: 40 },
)
const without = (rows: readonly ContributedRow[], leaving: string) =>
  rows.filter(({ contributor }) => contributor !== leaving)
const distance = (left: bigint, right: bigint) => (left < right ? right - left : left - right)
/** Huge epsilon: no noise worth speaking of, so that the exact statistic shows. */
const sharp = { epsilon: 1_000, random: deterministicRandom(1) }

describe('contribution bounds', () => {
  test('keep the first rows and groups of each, and take nothing from others', () => {
    fc.assert(
      fc.property(
        rowsOf,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (rows, most, groups) => {
          const bound = { rowsPerContributor: most, groupsPerContributor: groups }
          const kept = boundContributions(rows, bound)
          for (const name of ['a', 'b']) {
            const own = kept.filter(({ contributor }) => contributor === name)
            expect(own.length).toBeLessThanOrEqual(most)
            expect(new Set(own.map(({ group }) => group)).size).toBeLessThanOrEqual(groups)
            // Neighbouring data: the others' rows are the same with or without this contributor.
            expect(boundContributions(without(rows, name), bound)).toEqual(without(kept, name))
          }
        },
      ),
    )
  })
  test.each([0, -1, 1.5, Number.NaN, 1_000_001])('refuse %s rows', (rowsPerContributor) => {
    expect(() => boundContributions([], { rowsPerContributor })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'rowsPerContributor' }),
    )
    expect(() =>
      boundContributions([], { rowsPerContributor: 1, groupsPerContributor: rowsPerContributor }),
    ).toThrow(expect.objectContaining({ place: 'groupsPerContributor' }))
  })
  test('refuse what TypeScript would not compile', () => {
    const range = { min: 0n, max: 40n }
    const random = deterministicRandom(1)
    const rows = [{ contributor: 'a', value: 1 as unknown as bigint }]
    expect(() => noisySum({ rows, range, rowsPerContributor: 1, epsilon: 1, random })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'rows' }),
    )
    for (const statistic of [noisySum, noisyMean]) {
      expect(() => statistic({ rows: [], range, rowsPerContributor: 1.5, epsilon: 1, random })).toThrow(
        expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'rowsPerContributor' }),
      )
    }
  })
})

describe('record and replay on neighbours', () => {
  /** The same random bytes give the same noise, so what is left of a difference is exact. */
  const replayed = <Released>(seed: number, run: (random: RandomBytes) => Released) => {
    let bytes = 0
    const inner = deterministicRandom(seed)
    const released = run((length) => {
      bytes += length
      return inner(length)
    })
    return { released, bytes }
  }

  test('no released number moves further than its sensitivity, whoever leaves', () => {
    fc.assert(
      fc.property(
        rowsOf,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        fc.boolean(),
        (rows, most, seed, gaussian) => {
          const cost = { epsilon: 0.5, ...(gaussian ? { delta: 1e-6 } : {}), rowsPerContributor: most, range }
          const run = (data: readonly ContributedRow[]) =>
            replayed(seed, (random) => {
              const options = { ...cost, rows: data, random }
              return [
                noisyCount(options),
                noisySum(options),
                ...Object.values(noisyMean(options).released),
                ...Object.values(noisyVariance(options).released),
              ]
            })
          const before = run(rows)
          for (const leaving of ['a', 'b']) {
            const after = run(without(rows, leaving))
            // The use of randomness does not depend on the data either.
            expect(after.bytes).toBe(before.bytes)
            before.released.forEach(({ value, sensitivity }, index) => {
              const other = after.released[index]
              expect(distance(value, other?.value ?? 0n)).toBeLessThanOrEqual(sensitivity)
              expect(other?.sensitivity).toBe(sensitivity)
            })
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('reaches the stated sensitivity, so it is not stated too large', () => {
    const one = [1, 2, 3].map((): ContributedRow => ({ contributor: 'a', value: 999n }))
    for (const statistic of [noisySum, (options: Parameters<typeof noisySum>[0]) => noisyCount(options)]) {
      const run = (rows: readonly ContributedRow[]) =>
        statistic({ rows, range, rowsPerContributor: 2, epsilon: 1, random: deterministicRandom(5) })
      expect(distance(run(one).value, run([]).value)).toBe(run([]).sensitivity)
    }
    for (const name of ['distance', 'square', 'count']) {
      const run = (rows: readonly ContributedRow[]) =>
        noisyVariance({ rows, range, rowsPerContributor: 2, epsilon: 1, random: deterministicRandom(5) })
          .released[name]
      expect(distance(run(one)?.value ?? 0n, run([])?.value ?? 0n)).toBe(run([])?.sensitivity)
    }
  })

  test('holds where the middle of the range is no whole number', () => {
    for (const max of [1n, 2n, 3n, 4n, 5n, 6n, 7n]) {
      for (const value of [0n, 1n, 2n, max]) {
        const run = (rows: readonly ContributedRow[]) =>
          noisyVariance({
            rows,
            range: { min: 0n, max },
            rowsPerContributor: 1,
            epsilon: 1,
            random: deterministicRandom(5),
          }).released
        const [before, after] = [run([{ contributor: 'a', value }]), run([])]
        for (const [name, { value: noisy, sensitivity }] of Object.entries(before)) {
          expect(distance(noisy, after[name]?.value ?? 0n)).toBeLessThanOrEqual(sensitivity)
        }
      }
    }
  })

  test('quantile scores move by at most their sensitivity', () => {
    fc.assert(
      fc.property(
        rowsOf,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 3 }),
        (rows, tenth, most) => {
          const question = {
            rowsPerContributor: most,
            candidates: [-500n, -20n, 0n, 7n, 100n, 600n],
            quantile: { numerator: BigInt(tenth), denominator: 10n },
          }
          const before = quantileScores({ ...question, rows })
          const after = quantileScores({ ...question, rows: without(rows, 'a') })
          const limit = quantileSensitivity(question)
          before.forEach((score, index) => {
            expect(distance(score, after[index] ?? 0n)).toBeLessThanOrEqual(limit)
          })
        },
      ),
    )
  })

  test('a contributor moves so many counts of a histogram, each by one', () => {
    fc.assert(
      fc.property(rowsOf, fc.integer({ min: 1, max: 3 }), fc.nat(), (rows, groupsPerContributor, seed) => {
        const run = (data: readonly ContributedRow[]) =>
          replayed(seed, (random) =>
            histogramOfPublicGroups({
              rows: data,
              groups: ['north', 'east', 'south'],
              groupsPerContributor,
              epsilon: 1,
              random,
            }),
          )
        const before = run(rows)
        const after = run(without(rows, 'a'))
        expect(after.bytes).toBe(before.bytes)
        const moved = before.released.groups.map(({ group, contributors }, index) => {
          expect(after.released.groups[index]?.group).toBe(group)
          return distance(contributors, after.released.groups[index]?.contributors ?? 0n)
        })
        expect(moved.every((step) => step <= 1n)).toBe(true)
        expect(moved.reduce((sum, step) => sum + step, 0n)).toBeLessThanOrEqual(BigInt(groupsPerContributor))
      }),
    )
  })
})

describe('the exact statistics inside', () => {
  test('are those of an independent computation, where noise is negligible', () => {
    fc.assert(
      fc.property(rowsOf, (rows) => {
        const values = rows.map(({ value }) => Math.min(100, Math.max(-20, Number(value))))
        const sum = values.reduce((total, value) => total + value, 0)
        const options = { rows, range, rowsPerContributor: 40, ...sharp, epsilon: 1e9 }
        expect(Number(noisyCount(options).value)).toBe(rows.length)
        expect(Number(noisySum(options).value)).toBe(sum)
        if (values.length === 0) return
        const mean = sum / values.length
        const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length
        expect(noisyMean(options).estimate).toBeCloseTo(mean, 6)
        expect(noisyVariance(options).estimate).toBeCloseTo(variance, 6)
      }),
    )
  })

  test('a quantile is the candidate in whose rank it lies, also among ties', () => {
    const half = { numerator: 1n, denominator: 2n }
    const candidates = Array.from({ length: 11 }, (_, index) => BigInt(index * 10))
    const ask = (values: readonly number[], quantile = half) =>
      Number(
        noisyQuantile({
          rows: values.map((value, index) => ({ contributor: String(index), value: BigInt(value) })),
          rowsPerContributor: 1,
          candidates,
          quantile,
          ...sharp,
        }).value,
      )
    expect(ask([1, 2, 40, 98, 99])).toBe(40)
    expect(ask([50, 50, 50, 50, 50, 50])).toBe(50)
    expect(ask([0, 10, 20, 30, 40, 50, 60, 70, 80, 90], { numerator: 9n, denominator: 10n })).toBe(80)
  })

  test('an interval of a variance is narrow where values are alike and far from the middle', () => {
    const rows = Array.from({ length: 4_000 }, (_, index) => ({ contributor: `c${index}`, value: 95n }))
    const { interval, estimate } = noisyVariance({
      rows,
      range: { min: 0n, max: 100n },
      rowsPerContributor: 1,
      epsilon: 10,
      random: deterministicRandom(2),
    })
    expect(interval.high).toBeLessThan(40)
    expect(estimate).toBeLessThan(40)
  })

  test('intervals hold in at least 95 of 100 cases, over the noise', () => {
    const rows = Array.from({ length: 400 }, (_, index) => ({
      contributor: `c${index}`,
      value: BigInt((index * 37) % 90),
    }))
    const values = rows.map(({ value }) => Number(value))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    const random = deterministicRandom(9)
    const options = { rows, range, rowsPerContributor: 1, epsilon: 1, random }
    const runs = 200
    let [meanHeld, varianceHeld] = [0, 0]
    for (let run = 0; run < runs; run++) {
      const average = noisyMean(options).interval
      const spread = noisyVariance(options).interval
      if (average.low <= mean && mean <= average.high) meanHeld++
      if (spread.low <= variance && variance <= spread.high) varianceHeld++
      expect(average.low).toBeGreaterThan(-20)
    }
    expect(meanHeld).toBeGreaterThanOrEqual(0.95 * runs)
    expect(varianceHeld).toBeGreaterThanOrEqual(0.95 * runs)
  })
})

describe('prices', () => {
  test('are the epsilon and delta that were asked for, and zCDP where noise is Gaussian', () => {
    const options = { rows: [], range, rowsPerContributor: 1, epsilon: 0.5, random: deterministicRandom(1) }
    expect(noisySum(options).charge).toEqual({ epsilon: 0.5, delta: 0 })
    const { charge } = noisyVariance({ ...options, delta: 3e-6 })
    expect(charge.epsilon).toBeCloseTo(0.5, 12)
    expect(charge.delta).toBeCloseTo(3e-6, 18)
    expect(charge.zcdp?.rho).toBeGreaterThan(0)
  })
})

describe('groups whose names are private', () => {
  const crowd = (group: string, size: number) =>
    Array.from({ length: size }, (_, index) => ({ contributor: `${group}${index}`, group }))
  const rows = [...crowd('large', 400), ...crowd('small', 3), ...crowd('alone', 1)]
  const selection = { epsilon: 1, delta: 1e-6 }

  test('appear when they are large, never when below the minimum, sorted, whatever the order of rows', () => {
    for (let seed = 1; seed < 40; seed++) {
      const shared = { groupsPerContributor: 1, maximumGroups: 10, minimumContributors: 5 }
      const given = seed % 2 === 0 ? rows : [...rows].reverse()
      const chosen = histogramOfPrivateGroups({
        rows: given,
        ...shared,
        selection,
        count: { epsilon: 1 },
        random: deterministicRandom(seed),
      })
      const above = histogramAboveThreshold({
        rows: given,
        ...shared,
        ...selection,
        random: deterministicRandom(seed),
      })
      for (const { groups } of [chosen, above]) expect(groups.map(({ group }) => group)).toEqual(['large'])
      expect(chosen.charge).toEqual({ epsilon: 2, delta: 1e-6 })
      expect(above.charge).toEqual({ epsilon: 1, delta: 1e-6 })
    }
  })

  test('of one contributor appear with a chance of at most delta', () => {
    const delta = 0.02
    let shown = 0
    const random = deterministicRandom(3)
    for (let run = 0; run < 4_000; run++) {
      const { groups } = histogramAboveThreshold({
        rows: crowd('alone', 1),
        groupsPerContributor: 1,
        maximumGroups: 1,
        epsilon: 1,
        delta,
        random,
      })
      shown += groups.length
    }
    expect(shown).toBeLessThan(4_000 * delta + 4 * Math.sqrt(4_000 * delta))
    // Of integer noise that keeps to delta 0.02, 1.34 % reach the threshold.
    expect(shown).toBeGreaterThan(4_000 * 0.0134 - 4 * Math.sqrt(4_000 * 0.0134))
  })

  test('below the minimum never appear, however large the noise', () => {
    const random = deterministicRandom(6)
    const show = (size: number) => {
      let shown = 0
      for (let run = 0; run < 60; run++) {
        const { groups } = histogramAboveThreshold({
          rows: crowd('town', size),
          groupsPerContributor: 1,
          maximumGroups: 1,
          minimumContributors: 5,
          epsilon: 0.01,
          delta: 0.4,
          random,
        })
        shown += groups.length
      }
      return shown
    }
    expect(show(4)).toBe(0)
    expect(show(5)).toBeGreaterThan(5)
  })

  test('a contributor with many groups pays for each', () => {
    const one = { epsilon: 1, delta: 1e-6, groupsPerContributor: 1 }
    expect(laplaceThreshold({ ...one, groupsPerContributor: 4 })).toBeGreaterThan(3 * laplaceThreshold(one))
    // 1 + ln(1 / (2 delta)) / epsilon for continuous noise, see the oracle; integers need at most one more.
    expect(laplaceThreshold(one) - 14.122).toBeGreaterThan(0)
    expect(laplaceThreshold(one) - 14.122).toBeLessThan(2)
  })

  test.each([
    ['delta', { delta: 0 }],
    ['delta', { delta: 0.5 }],
    ['epsilon', { epsilon: 0 }],
    ['groupsPerContributor', { groupsPerContributor: 0 }],
    ['maximumGroups', { maximumGroups: 0 }],
    ['minimumContributors', { minimumContributors: 0 }],
  ])('refuse a wrong %s', (place, wrong) => {
    expect(() =>
      histogramAboveThreshold({
        rows: [],
        groupsPerContributor: 1,
        maximumGroups: 1,
        ...selection,
        random: deterministicRandom(1),
        ...wrong,
      }),
    ).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))
  })

  test('count each contributor once, however many rows it has', () => {
    const { groups } = histogramOfPublicGroups({
      rows: [...crowd('large', 5), ...crowd('large', 5), { contributor: 'large0' }],
      groups: ['large', 'large', 'none'],
      groupsPerContributor: 1,
      epsilon: 1e6,
      random: deterministicRandom(1),
    })
    expect(groups).toEqual([
      { group: 'large', contributors: 5n },
      { group: 'none', contributors: 0n },
    ])
  })
})

describe('refused questions', () => {
  const options = { rows: [], rowsPerContributor: 1, epsilon: 1, random: deterministicRandom(1) }
  test('an empty range', () => {
    for (const statistic of [noisySum, noisyMean, noisyVariance]) {
      expect(() => statistic({ ...options, range: { min: 1n, max: 1n } })).toThrow(
        expect.objectContaining({ place: 'max' }),
      )
    }
  })
  test.each([
    [[], { numerator: 1n, denominator: 2n }, 'candidates'],
    [[1n, 1n], { numerator: 1n, denominator: 2n }, 'candidates'],
    [[1n], { numerator: 0n, denominator: 2n }, 'quantile'],
    [[1n], { numerator: 2n, denominator: 2n }, 'quantile'],
    [[1n], { numerator: 1n, denominator: 2000n }, 'quantile'],
  ])('a quantile, case %#', (candidates, quantile, place) => {
    expect(() => noisyQuantile({ ...options, candidates, quantile })).toThrow(
      expect.objectContaining({ place }),
    )
  })
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d groups', (count) => {
    const cost = { epsilon: 1, random: deterministicRandom(1) }
    const place = (name: string) => expect.objectContaining({ code: 'PARAMETER_INVALID', place: name })
    const known = { rows: [], groups: ['a'], groupsPerContributor: count, ...cost }
    expect(() => histogramOfPublicGroups(known)).toThrow(place('groupsPerContributor'))
    const unknown = {
      rows: [],
      groupsPerContributor: 1,
      maximumGroups: 1,
      selection: { epsilon: 1, delta: 1e-7 },
      count: { epsilon: 1 },
      random: cost.random,
    }
    const more = { ...unknown, groupsPerContributor: count }
    expect(() => histogramOfPrivateGroups(more)).toThrow(place('groupsPerContributor'))
    const most = { ...unknown, maximumGroups: count }
    expect(() => histogramOfPrivateGroups(most)).toThrow(place('maximumGroups'))
  })
})
