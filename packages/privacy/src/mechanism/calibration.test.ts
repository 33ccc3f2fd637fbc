import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { oracle } from '../testing/oracle.js'
import { analyticGaussianSigma, gaussianSigmaFor, laplaceScaleFor } from './calibration.js'
import { logNormalTail, normalTail, normalTwoSided } from './normal.js'
import { ceilingSquareRoot, rational, rationalAtLeast, toNumber } from './rational.js'

describe('normal tail', () => {
  test.each([
    [0, 0.5],
    [1, 0.15865525393145707],
    [1.959963984540054, 0.025],
    [2.5, 0.006209665325776132],
    [5, 2.866515718791939e-7],
    [-1, 0.8413447460685429],
  ])('P[N > %s] = %s', (x, expected) => {
    expect(Math.abs(normalTail(x) / expected - 1)).toBeLessThan(1e-8)
  })
  test('is continuous where the methods meet and goes on where doubles underflow', () => {
    expect(Math.abs(normalTail(2.5 - 1e-12) / normalTail(2.5 + 1e-12) - 1)).toBeLessThan(1e-9)
    expect(logNormalTail(100)).toBeCloseTo(-5005.524208694205, 6)
  })
  test('two-sided quantile of 95 %', () => {
    expect(normalTwoSided(0.95)).toBeCloseTo(1.959963984540054, 10)
  })
})

describe('fractions', () => {
  test('rounding up never goes below and stays close', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-30, max: 1e30, noNaN: true }), (value) => {
        const { numerator, denominator } = rationalAtLeast(value)
        // 2^160 makes every such double an integer, exactly.
        const scaled = BigInt(value * 2 ** 160)
        expect(numerator << 160n).toBeGreaterThanOrEqual(scaled * denominator)
        const near = toNumber({ numerator, denominator }) / value
        expect(near).toBeGreaterThanOrEqual(1 - 1e-15)
        expect(near).toBeLessThan(1 + 1e-11)
      }),
    )
  })
  test('the smallest doubles are rounded up, and what is no amount is refused', () => {
    expect(toNumber(rationalAtLeast(5e-324))).toBe(2 ** -900)
    expect(rationalAtLeast(0).numerator).toBe(0n)
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => rationalAtLeast(value)).toThrow(expect.objectContaining({ place: 'value' }))
    }
  })
  test('square roots are rounded up', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: 10n ** 60n }), (value) => {
        const root = ceilingSquareRoot(value)
        expect(root * root >= value && (root - 1n) * (root - 1n) < value).toBe(true)
      }),
    )
  })
  test('come in lowest terms with a positive denominator', () => {
    expect(rational(6n, -4n)).toEqual({ numerator: -3n, denominator: 2n })
    expect(() => rational(1n, 0n)).toThrow(expect.objectContaining({ place: 'denominator' }))
  })
})

describe('Laplace scale', () => {
  test('is exactly sensitivity over epsilon', () => {
    expect(laplaceScaleFor({ epsilon: 0.1, sensitivity: 3n }).scale).toEqual({
      numerator: 30n,
      denominator: 1n,
    })
  })
  test.each([
    [0, 1n, 'epsilon'],
    [1e-10, 1n, 'epsilon'],
    [1, 0n, 'sensitivity'],
    [1, -3n, 'sensitivity'],
  ] as const)('refuses epsilon %s and sensitivity %s', (epsilon, sensitivity, place) => {
    expect(() => laplaceScaleFor({ epsilon, sensitivity })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})

describe('Gaussian sigma', () => {
  const job = { epsilon: 2, delta: 2.5e-7 }
  test('through zCDP is a little more than analytic', () => {
    const zcdp = gaussianSigmaFor({ ...job, sensitivity: 1n << 20n })
    const analytic = gaussianSigmaFor({ ...job, sensitivity: 1n << 20n, method: 'analytic', coordinates: 30 })
    expect(zcdp.sigma / analytic.sigma).toBeGreaterThan(1.03)
    expect(zcdp.sigma / analytic.sigma).toBeLessThan(1.1)
    expect(zcdp.rho).toBeCloseTo(1 / (2 * (zcdp.sigma / 2 ** 20) ** 2), 9)
  })
  test('takes a squared sensitivity as it is', () => {
    const whole = gaussianSigmaFor({ ...job, sensitivity: 6n })
    expect(gaussianSigmaFor({ ...job, sensitivity: { squared: 36n } }).sigmaSquared).toEqual(
      whole.sigmaSquared,
    )
    expect(gaussianSigmaFor({ ...job, sensitivity: { squared: 2n } }).sigma).toBeCloseTo(
      (whole.sigma / 6) * Math.SQRT2,
      9,
    )
  })
  test.each([0, -1, -1e9, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1'])(
    'refuses %s coordinates',
    (coordinates) => {
      const sensitivity = 10n
      expect(() =>
        gaussianSigmaFor({ ...job, sensitivity, method: 'analytic', coordinates: coordinates as number }),
      ).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'coordinates' }))
    },
  )

  test('refuses the analytic method on a coarse grid', () => {
    expect(() => gaussianSigmaFor({ ...job, sensitivity: 1n, method: 'analytic' })).toThrow(
      expect.objectContaining({ place: 'method' }),
    )
    expect(() =>
      gaussianSigmaFor({ ...job, sensitivity: 1n << 20n, method: 'analytic', coordinates: 1e12 }),
    ).toThrow(expect.objectContaining({ place: 'method' }))
  })
  test.each([
    [{ epsilon: 0, delta: 1e-6, sensitivity: 1n }, 'epsilon'],
    [{ epsilon: Number.NaN, delta: 1e-6, sensitivity: 1n }, 'epsilon'],
    [{ epsilon: 1, delta: 0, sensitivity: 1n }, 'delta'],
    [{ epsilon: 1, delta: 1, sensitivity: 1n }, 'delta'],
    [{ epsilon: 1, delta: 1e-6, sensitivity: 0n }, 'sensitivity'],
    [{ epsilon: 1, delta: 1e-6, sensitivity: -1n }, 'sensitivity'],
    [{ epsilon: 1, delta: 1e-6, sensitivity: { squared: 0n } }, 'sensitivity'],
  ] as const)('refuses case %#', (options, place) => {
    expect(() => gaussianSigmaFor(options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
  test('of the discrete mechanism on a fine grid has the promised delta, summed over the lattice', () => {
    // Exact hockey-stick divergence of the discrete Gaussian in one dimension, shift = sensitivity.
    const sensitivity = 200
    for (const method of ['zcdp', 'analytic'] as const) {
      const options = { epsilon: 1, delta: 1e-3, sensitivity: BigInt(sensitivity), method }
      const { sigma } = gaussianSigmaFor(options)
      const mass = (x: number) => Math.exp((-x * x) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI))
      let delta = 0
      for (let x = -8000; x <= 8000; x++) delta += Math.max(0, mass(x - sensitivity) - Math.E * mass(x))
      expect(delta).toBeLessThanOrEqual(1e-3)
      expect(delta).toBeGreaterThan(method === 'analytic' ? 0.99e-3 : 2e-4)
    }
  })
})

describe.skipIf(oracle === null)('oracle', () => {
  test('analytic sigma agrees and is rounded up', () => {
    for (const { eps, delta, sigma_over_l2 } of oracle?.gaussian_sigma ?? []) {
      const ratio = analyticGaussianSigma({ epsilon: eps, delta }) / sigma_over_l2
      expect(ratio).toBeGreaterThanOrEqual(1)
      expect(ratio).toBeLessThan(1 + 1e-7)
      expect(gaussianSigmaFor({ epsilon: eps, delta, sensitivity: 1n }).sigma).toBeGreaterThan(sigma_over_l2)
    }
  })
})
