import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { zcdpEpsilon } from '../accountant/conversion.js'
import type { RandomBytes } from '../mechanism/random.js'
import { deterministicRandom } from '../testing/deterministic-random.js'
import {
  clippedToGrid,
  GRID,
  gridBound,
  noisyVectorSum,
  perturbedRegression,
  privateDescent,
  trainingCharge,
} from './index.js'

describe('the grid', () => {
  test('holds any vector to its bound', () => {
    const numbers = fc.array(fc.double(), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(numbers, fc.double({ min: 1e-50, max: 1e50, noNaN: true }), (vector, clip) => {
        const steps = clippedToGrid(vector, clip)
        const squared = steps.reduce((sum, step) => sum + BigInt(step) ** 2n, 0n)
        expect(squared <= gridBound(vector.length)).toBe(true)
        expect(steps.some((step) => Object.is(step, -0))).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
  test('keeps what fits, scales down what does not, and drops what is no number', () => {
    expect(clippedToGrid([0.5, -0.25], 1)).toEqual([GRID / 2, -GRID / 4])
    expect(clippedToGrid([30, 40], 5)).toEqual([Math.round(0.6 * GRID), Math.round(0.8 * GRID)])
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(clippedToGrid([bad, 1], 1)).toEqual([0, 0])
    expect(clippedToGrid([1e308, 1e308], 1)[0]).toBeCloseTo(GRID / Math.SQRT2, -1)
  })
  test('a contributor moves the noisy sum by at most the clip, and not the use of randomness', () => {
    const vector = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(vector, { minLength: 1, maxLength: 6 }), fc.nat(), (vectors, seed) => {
        const run = (data: readonly (readonly number[])[]) => {
          const inner = deterministicRandom(seed)
          let bytes = 0
          const random: RandomBytes = (length) => {
            bytes += length
            return inner(length)
          }
          const { sum } = noisyVectorSum({
            vectors: data,
            coordinates: 3,
            clip: 2,
            noiseMultiplier: 1,
            random,
          })
          return { sum, bytes }
        }
        const [before, after] = [run(vectors), run(vectors.slice(1))]
        const moved = before.sum.map((value, index) => value - (after.sum[index] ?? 0))
        expect(Math.hypot(...moved)).toBeLessThanOrEqual(2 * (1 + 1e-6))
        expect(after.bytes).toBe(before.bytes)
      }),
      { numRuns: 50 },
    )
  })
  test('noise has the announced size', () => {
    const random = deterministicRandom(2)
    const { sum } = noisyVectorSum({ vectors: [], coordinates: 4_000, clip: 3, noiseMultiplier: 2, random })
    const variance = sum.reduce((total, value) => total + value * value, 0) / sum.length
    expect(Math.abs(variance / 36 - 1)).toBeLessThan(0.12)
  })
})

describe('the price of training', () => {
  // Independent: the Renyi divergence of the sampled Gaussian by numerical integration.
  const integrated = (order: number, sigma: number, rate: number) => {
    const density = (x: number, mean: number) =>
      Math.exp(-((x - mean) ** 2) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI))
    let sum = 0
    const step = 0.002
    for (let x = -12 * sigma; x < 12 * sigma + 2 * order; x += step) {
      const base = density(x, 0)
      const mixed = (1 - rate) * base + rate * density(x, 1)
      if (base > 0) sum += base * (mixed / base) ** order * step
    }
    return Math.log(sum) / (order - 1)
  }
  const best = (sigma: number, rate: number, steps: number, delta: number) => {
    let epsilon = Number.POSITIVE_INFINITY
    for (let order = 2; order <= 24; order++) {
      const divergence = steps * integrated(order, sigma, rate)
      epsilon = Math.min(
        epsilon,
        divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1),
      )
    }
    return epsilon
  }
  test.each([
    [1.1, 0.01, 1_000, 1e-5],
    [2, 0.05, 200, 1e-6],
    [1.5, 0.2, 20, 1e-6],
  ])(
    'of sigma %s, rate %s, %i steps agrees with numerical integration',
    (noiseMultiplier, samplingRate, steps, delta) => {
      const { epsilon } = trainingCharge({ noiseMultiplier, samplingRate, steps, delta })
      expect(epsilon / best(noiseMultiplier, samplingRate, steps, delta) - 1).toBeLessThan(1e-3)
      expect(epsilon / best(noiseMultiplier, samplingRate, steps, delta) - 1).toBeGreaterThan(-1e-2)
    },
  )
  test('without sampling is that of zCDP, up to whole orders', () => {
    const { epsilon, zcdp } = trainingCharge({
      noiseMultiplier: 10,
      samplingRate: 1,
      steps: 100,
      delta: 1e-6,
    })
    expect(zcdp?.rho).toBeCloseTo(0.5, 6)
    const exact = zcdpEpsilon({ rho: 0.5, delta: 1e-6 })
    expect(epsilon).toBeGreaterThanOrEqual(exact)
    expect(epsilon).toBeLessThan(exact * 1.01)
  })
  test('grows with rate and steps, falls with noise', () => {
    const plan = { noiseMultiplier: 1, samplingRate: 0.01, steps: 500, delta: 1e-6 }
    const { epsilon } = trainingCharge(plan)
    expect(trainingCharge({ ...plan, steps: 1_000 }).epsilon).toBeGreaterThan(epsilon)
    expect(trainingCharge({ ...plan, samplingRate: 0.02 }).epsilon).toBeGreaterThan(epsilon)
    expect(trainingCharge({ ...plan, noiseMultiplier: 2 }).epsilon).toBeLessThan(epsilon)
    expect(trainingCharge(plan).zcdp).toBeUndefined()
  })
  test.each([
    ['noiseMultiplier', { noiseMultiplier: 0 }],
    ['samplingRate', { samplingRate: 0 }],
    ['samplingRate', { samplingRate: 1.1 }],
    ['steps', { steps: 0.5 }],
    ['delta', { delta: 0 }],
  ])('refuses a wrong %s', (place, wrong) => {
    const plan = { noiseMultiplier: 1, samplingRate: 0.01, steps: 500, delta: 1e-6, ...wrong }
    expect(() => trainingCharge(plan)).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))
  })
})

/** Points around a line: y = 1.5 + 2 a - b, and a label that says on which side of a line a point lies. */
function points(count: number) {
  const random = deterministicRandom(8)
  const uniform = () => {
    const [a = 0, b = 0] = random(2)
    return (a * 256 + b) / 32_768 - 1
  }
  return Array.from({ length: count }, () => {
    const x = [uniform(), uniform()]
    const y = 1.5 + 2 * (x[0] ?? 0) - (x[1] ?? 0) + 0.1 * uniform()
    return { x, y, label: 3 * (x[0] ?? 0) - (x[1] ?? 0) + 0.5 * uniform() > 0.2 ? 1 : 0 }
  })
}

describe('training', () => {
  const plan = {
    coordinates: 3,
    clip: 1,
    noiseMultiplier: 1,
    samplingRate: 0.1,
    steps: 150,
    learningRate: () => 4,
    delta: 1e-6,
    expectedContributors: 3_000,
  }
  const gradient = (w: readonly number[], { x, label }: { x: readonly number[]; label: number }) => {
    const z = (w[0] ?? 0) + (w[1] ?? 0) * (x[0] ?? 0) + (w[2] ?? 0) * (x[1] ?? 0)
    const error = 1 / (1 + Math.exp(-z)) - label
    return [error, error * (x[0] ?? 0), error * (x[1] ?? 0)]
  }
  const accuracy = (w: readonly number[], data: ReturnType<typeof points>) =>
    data.filter(
      ({ x, label }) =>
        (w[0] ?? 0) + (w[1] ?? 0) * (x[0] ?? 0) + (w[2] ?? 0) * (x[1] ?? 0) > 0 === (label === 1),
    ).length / data.length

  test('by private descent learns what is there, at the price of its plan', () => {
    const contributors = points(3_000)
    const { parameters, charge } = privateDescent({
      ...plan,
      contributors,
      gradient,
      random: deterministicRandom(1),
    })
    expect(accuracy(parameters, contributors)).toBeGreaterThan(0.88)
    expect(charge.epsilon).toBeLessThan(12)
    expect(charge).toEqual(trainingCharge(plan))
  })
  test('with overwhelming noise learns nothing', () => {
    const contributors = points(300)
    const { parameters } = privateDescent({
      ...plan,
      noiseMultiplier: 1e4,
      steps: 5,
      contributors,
      gradient,
      random: deterministicRandom(1),
    })
    expect(Math.hypot(...parameters)).toBeGreaterThan(100)
  })
  test.each([
    ['expectedContributors', { expectedContributors: 0 }],
    ['start', { start: [1] }],
    ['coordinates', { coordinates: 0, start: [] }],
    ['clip', { clip: 0 }],
    ['vectors[0]', { gradient: () => [1], samplingRate: 1 }],
  ])('refuses a wrong %s', (place, wrong) => {
    const options = { ...plan, contributors: points(5), gradient, random: deterministicRandom(1), ...wrong }
    expect(() => privateDescent(options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })

  test('by a perturbed objective finds the line and the side of it', () => {
    const rows = points(20_000)
    const question = { features: 2, featureClip: 1.5, noiseMultiplier: 2, delta: 1e-6 } as const
    const line = perturbedRegression({
      ...question,
      link: 'identity',
      targetClip: 5,
      contributors: rows,
      random: deterministicRandom(4),
    })
    expect(line.coefficients[0]).toBeCloseTo(1.5, 1)
    expect(line.coefficients[1]).toBeCloseTo(2, 0)
    expect(line.coefficients[2]).toBeCloseTo(-1, 0)
    const side = perturbedRegression({
      ...question,
      link: 'logit',
      contributors: rows.map(({ x, label }) => ({ x, y: label })),
      random: deterministicRandom(4),
    })
    expect(accuracy(side.coefficients, rows)).toBeGreaterThan(0.9)
    expect(side.charge).toEqual(line.charge)
  })
  test('with little noise a perturbed objective is least squares', () => {
    const rows = Array.from({ length: 4_000 }, (_, index) => {
      const x = [((index % 40) - 20) / 20, ((index % 7) - 3) / 3]
      return { x, y: 0.5 + (x[0] ?? 0) - 0.25 * (x[1] ?? 0) }
    })
    const { coefficients } = perturbedRegression({
      link: 'identity',
      features: 2,
      featureClip: 2,
      targetClip: 3,
      noiseMultiplier: 0.01,
      delta: 1e-6,
      contributors: rows,
      random: deterministicRandom(1),
    })
    for (const [index, exact] of [0.5, 1, -0.25].entries()) expect(coefficients[index]).toBeCloseTo(exact, 2)
  })
  test.each([
    ['features', { features: 0 }],
    ['featureClip', { featureClip: 0 }],
    ['targetClip', { targetClip: Number.POSITIVE_INFINITY }],
    ['contributors', { contributors: [{ x: [1], y: 1 }] }],
  ])('a perturbed objective refuses a wrong %s', (place, wrong) => {
    const options = {
      link: 'identity' as const,
      features: 2,
      featureClip: 1,
      targetClip: 1,
      noiseMultiplier: 1,
      delta: 1e-6,
      contributors: [],
      random: deterministicRandom(1),
      ...wrong,
    }
    expect(() => perturbedRegression(options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})
