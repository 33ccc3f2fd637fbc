import { describe, expect, test } from 'vitest'
import { deterministicRandom } from '../testing/deterministic-random.js'
import { oracle } from '../testing/oracle.js'
import { keepProbability, selectPartition } from './partition-selection.js'

const cost = { epsilon: 1, delta: 1e-6 }

describe('partition selection', () => {
  test('never shows an empty group and shows a single contributor with probability delta', () => {
    expect(keepProbability({ ...cost, contributors: 0 })).toBe(0)
    expect(keepProbability({ ...cost, contributors: 1 })).toBeCloseTo(1e-6, 15)
  })

  test('keeps both inequalities of differential privacy for every pair of neighbours', () => {
    for (const epsilon of [0.1, 1, 3]) {
      const at = (contributors: number) => keepProbability({ epsilon, delta: 1e-5, contributors })
      for (let count = 0; count < 200; count++) {
        const [less, more] = [at(count), at(count + 1)]
        const slack = 1e-15
        expect(more).toBeLessThanOrEqual(Math.exp(epsilon) * less + 1e-5 + slack)
        expect(1 - less).toBeLessThanOrEqual(Math.exp(epsilon) * (1 - more) + 1e-5 + slack)
        expect(more).toBeGreaterThanOrEqual(less)
      }
    }
  })

  test('a minimum shifts the rule, so fewer are never shown and the minimum itself counts as one', () => {
    const minimumContributors = 10
    expect(keepProbability({ ...cost, minimumContributors, contributors: 9 })).toBe(0)
    for (const contributors of [10, 20, 40]) {
      expect(keepProbability({ ...cost, minimumContributors, contributors })).toBe(
        keepProbability({ ...cost, contributors: contributors - 9 }),
      )
    }
  })

  test('keeps as often as it says', () => {
    const random = deterministicRandom(4)
    const probability = keepProbability({ ...cost, contributors: 14 })
    let kept = 0
    for (let trial = 0; trial < 20_000; trial++)
      kept += selectPartition({ ...cost, contributors: 14, random }) ? 1 : 0
    expect(Math.abs(kept / 20_000 - probability)).toBeLessThan(0.015)
  })

  test('a large group is certain', () => {
    expect(keepProbability({ ...cost, contributors: 1_000_000 })).toBe(1)
    expect(selectPartition({ ...cost, contributors: 1_000_000, random: deterministicRandom(1) })).toBe(true)
  })

  test.each([
    [{ ...cost, contributors: -1 }, 'contributors'],
    [{ ...cost, contributors: 1.5 }, 'contributors'],
    [{ ...cost, contributors: Number.NaN }, 'contributors'],
    [{ ...cost, contributors: 3, minimumContributors: 0 }, 'minimumContributors'],
    [{ epsilon: 1, delta: 0, contributors: 3 }, 'delta'],
    [{ epsilon: 1, delta: 1, contributors: 3 }, 'delta'],
    [{ epsilon: 1e-5, delta: 1e-6, contributors: 3 }, 'epsilon'],
    [{ epsilon: 101, delta: 1e-6, contributors: 3 }, 'epsilon'],
  ] as const)('refuses case %#', (options, place) => {
    expect(() => keepProbability(options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})

describe.skipIf(oracle === null)('oracle', () => {
  test('keep probabilities agree', () => {
    for (const { eps, delta, at } of oracle?.keep_probability ?? []) {
      for (const [contributors, probability] of Object.entries(at)) {
        const kept = keepProbability({ epsilon: eps, delta, contributors: Number(contributors) })
        expect(Math.abs(kept - probability)).toBeLessThan(1e-9 + 1e-6 * probability)
      }
    }
  })
  test('half of the groups are kept from the same size on', () => {
    for (const { eps, delta, optimal } of oracle?.keep_half_at ?? []) {
      const at = (contributors: number) => keepProbability({ epsilon: eps, delta, contributors })
      expect(at(optimal)).toBeGreaterThanOrEqual(0.5)
      expect(at(optimal - 1)).toBeLessThan(0.5)
    }
  })
})
