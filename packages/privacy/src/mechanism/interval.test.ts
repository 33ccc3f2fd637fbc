import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deterministicRandom } from '../testing/deterministic-random.js'
import { gaussianSigmaFor, laplaceScaleFor } from './calibration.js'
import { discreteGaussian } from './discrete-gaussian.js'
import { discreteLaplace } from './discrete-laplace.js'
import { gaussianInterval, laplaceInterval, ratioInterval } from './interval.js'

const laplaceTail = (halfWidth: number, scale: number) =>
  (2 * Math.exp(-(halfWidth + 1) / scale)) / (1 + Math.exp(-1 / scale))

describe('intervals', () => {
  test('Laplace: the smallest half-width whose tail is at most 5 %', () => {
    for (const [epsilon, sensitivity] of [
      [1, 1n],
      [0.1, 1n],
      [2, 17n],
      [5, 1n],
    ] as const) {
      const { halfWidth } = laplaceInterval({ epsilon, sensitivity })
      const scale = Number(sensitivity) / epsilon
      expect(laplaceTail(halfWidth, scale)).toBeLessThanOrEqual(0.05 + 1e-12)
      if (halfWidth > 0) expect(laplaceTail(halfWidth - 1, scale)).toBeGreaterThan(0.05 - 1e-9)
    }
  })

  test('both cover exact samples at no less than 95 %', () => {
    const random = deterministicRandom(11)
    const laplace = laplaceScaleFor({ epsilon: 0.5, sensitivity: 4n })
    const gaussian = gaussianSigmaFor({ epsilon: 0.5, delta: 1e-6, sensitivity: 4n })
    const [l, g] = [laplaceInterval(laplace), gaussianInterval(gaussian)]
    const outside = { laplace: 0, gaussian: 0 }
    for (let trial = 0; trial < 20_000; trial++) {
      if (Math.abs(Number(discreteLaplace({ ...laplace, random }))) > l.halfWidth) outside.laplace++
      if (Math.abs(Number(discreteGaussian({ ...gaussian, random }))) > g.halfWidth) outside.gaussian++
    }
    for (const count of Object.values(outside)) {
      expect(count / 20_000).toBeLessThan(0.055)
      expect(count / 20_000).toBeGreaterThan(0.035)
    }
  })

  test('higher confidence is wider', () => {
    const options = { epsilon: 1, delta: 1e-6, sensitivity: 100n }
    expect(gaussianInterval({ ...options, confidence: 0.99 }).halfWidth).toBeGreaterThan(
      gaussianInterval(options).halfWidth,
    )
    expect(laplaceInterval({ ...options, confidence: 0.975 }).halfWidth).toBeGreaterThan(
      laplaceInterval(options).halfWidth,
    )
  })

  test.each([0, 1, -1, Number.NaN])('refuse a confidence of %s', (confidence) => {
    expect(() => laplaceInterval({ epsilon: 1, sensitivity: 1n, confidence })).toThrow(
      expect.objectContaining({ place: 'confidence' }),
    )
    expect(() => gaussianInterval({ sigmaSquared: { numerator: 1n, denominator: 1n }, confidence })).toThrow(
      expect.objectContaining({ place: 'confidence' }),
    )
  })
})

describe('ratio of sum and count', () => {
  const part = fc.record({
    value: fc.integer({ min: -1000, max: 1000 }),
    halfWidth: fc.integer({ min: 0, max: 300 }),
  })
  test('holds every ratio of a sum and a count inside their intervals', () => {
    fc.assert(
      fc.property(
        part,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 300 }),
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        (sum, countValue, countHalf, [a, b]) => {
          const { low, high } = ratioInterval({ sum, count: { value: countValue, halfWidth: countHalf } })
          const trueSum = sum.value + (2 * a - 1) * sum.halfWidth
          const trueCount = countValue + (2 * b - 1) * countHalf
          if (trueCount <= 0) return
          expect(low).toBeLessThanOrEqual(trueSum / trueCount + 1e-9)
          expect(high).toBeGreaterThanOrEqual(trueSum / trueCount - 1e-9)
        },
      ),
    )
  })
  test('is the whole public range when the count may be zero', () => {
    const count = { value: 3, halfWidth: 3 }
    expect(ratioInterval({ sum: { value: 9, halfWidth: 1 }, count, bounds: { min: 1, max: 30 } })).toEqual({
      low: 1,
      high: 30,
    })
    expect(ratioInterval({ sum: { value: 9, halfWidth: 1 }, count }).high).toBe(Number.POSITIVE_INFINITY)
  })
  test('stays within the public range', () => {
    const exact = { value: 1, halfWidth: 0 }
    expect(
      ratioInterval({ sum: { value: 50, halfWidth: 5 }, count: exact, bounds: { min: 1, max: 30 } }),
    ).toEqual({ low: 30, high: 30 })
    expect(
      ratioInterval({ sum: { value: -50, halfWidth: 5 }, count: exact, bounds: { min: 1, max: 30 } }),
    ).toEqual({ low: 1, high: 1 })
  })
  test('refuses widths below zero and numbers that are not finite', () => {
    const good = { value: 1, halfWidth: 1 }
    expect(() => ratioInterval({ sum: { value: 1, halfWidth: -1 }, count: good })).toThrow(
      expect.objectContaining({ place: 'sum' }),
    )
    expect(() => ratioInterval({ sum: good, count: { value: Number.NaN, halfWidth: 1 } })).toThrow(
      expect.objectContaining({ place: 'count' }),
    )
  })
})
