import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deterministicRandom } from '../testing/deterministic-random.js'
import { oracle } from '../testing/oracle.js'
import { bernoulli, bernoulliExp } from './bernoulli.js'
import { discreteGaussian } from './discrete-gaussian.js'
import { discreteLaplace } from './discrete-laplace.js'
import { predrawn, sampleNoise } from './predrawn.js'
import { buffered, coin, type RandomBytes, uniformBelow } from './random.js'

/** z-score of a chi-square statistic against masses, cells of expectation below 20 merged into one. */
function chiSquareZ(samples: readonly number[], mass: (value: number) => number): number {
  const counts = new Map<number, number>()
  for (const value of samples) counts.set(value, (counts.get(value) ?? 0) + 1)
  const reach = samples.reduce((far, value) => Math.max(far, Math.abs(value)), 0)
  let [statistic, cells, inside, seen] = [0, 0, 0, 0]
  for (let value = -reach; value <= reach; value++) {
    const expected = mass(value) * samples.length
    if (expected < 20) continue
    const count = counts.get(value) ?? 0
    statistic += (count - expected) ** 2 / expected
    inside += expected
    seen += count
    cells++
  }
  const [restExpected, restSeen] = [samples.length - inside, samples.length - seen]
  if (restExpected > 5) {
    statistic += (restSeen - restExpected) ** 2 / restExpected
    cells++
  }
  return (statistic - (cells - 1)) / Math.sqrt(2 * (cells - 1))
}

const draw = (count: number, sample: (random: RandomBytes) => bigint, seed = 1): number[] => {
  const random = deterministicRandom(seed)
  return Array.from({ length: count }, () => Number(sample(random)))
}
const gaussianMass = (sigma: number) => {
  let total = 0
  for (let x = -2000; x <= 2000; x++) total += Math.exp((-x * x) / (2 * sigma * sigma))
  return (x: number) => Math.exp((-x * x) / (2 * sigma * sigma)) / total
}
const laplaceMass = (scale: number) => {
  const q = Math.exp(-1 / scale)
  return (x: number) => ((1 - q) / (1 + q)) * q ** Math.abs(x)
}

describe('uniform draws', () => {
  test.each([3n, 10n, 256n, 1000n])('are even over [0, %s)', (bound) => {
    const samples = draw(40_000, (random) => uniformBelow(bound, random))
    expect(Math.max(...samples)).toBe(Number(bound) - 1)
    expect(
      Math.abs(chiSquareZ(samples, (x) => (x >= 0 && x < Number(bound) ? 1 / Number(bound) : 0))),
    ).toBeLessThan(4)
  })
  test('reach beyond 32 bits', () => {
    const bound = 3n * 2n ** 62n
    const random = deterministicRandom(5)
    const high = Array.from({ length: 6000 }, () => Number(uniformBelow(bound, random) / 2n ** 62n))
    expect(Math.abs(chiSquareZ(high, (x) => (x >= 0 && x < 3 ? 1 / 3 : 0)))).toBeLessThan(4)
  })
  test('refuse an empty range and a port that returns too little', () => {
    expect(() => uniformBelow(0n, deterministicRandom(1))).toThrow(
      expect.objectContaining({ place: 'bound' }),
    )
    expect(() => uniformBelow(5n, () => new Uint8Array(0))).toThrow(
      expect.objectContaining({ place: 'random' }),
    )
  })
  test('buffering hands out each byte once', () => {
    let next = 0
    const counting: RandomBytes = (length) => Uint8Array.from({ length }, () => next++ % 256)
    const random = buffered(counting)
    const bytes = Array.from({ length: 1000 }, () => [...random(3)]).flat()
    expect(bytes.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, index) => index % 256))
  })
  test('buffering gives one and the same stream, whatever is asked of it', () => {
    const own = (seed: number) =>
      discreteGaussian({
        sigmaSquared: { numerator: 9n, denominator: 1n },
        random: deterministicRandom(seed),
      })
    const through = (seed: number) =>
      discreteGaussian({
        sigmaSquared: { numerator: 9n, denominator: 1n },
        random: buffered(deterministicRandom(seed)),
      })
    for (let seed = 1; seed < 60; seed++) expect(through(seed)).toBe(own(seed))
  })
  test('a buffer refuses a port that returns too little', () => {
    expect(() =>
      uniformBelow(
        5n,
        buffered(() => new Uint8Array(8)),
      ),
    ).toThrow(expect.objectContaining({ place: 'random' }))
  })
})

describe('Bernoulli draws', () => {
  const rate = (trial: (random: RandomBytes) => boolean) =>
    draw(40_000, (random) => (trial(random) ? 1n : 0n)).reduce((sum, value) => sum + value, 0) / 40_000
  test('compare a uniform real with the fraction, however many words agree with it', () => {
    const big = fc.bigInt({ min: 1n, max: 2n ** 140n })
    fc.assert(
      fc.property(
        big,
        big,
        fc.integer({ min: 1, max: 9 }),
        fc.nat(3),
        fc.array(fc.nat(255), { minLength: 24, maxLength: 24 }),
        (a, b, divisor, agreeing, tail) => {
          const numerator = a < b ? a : b
          const denominator = (a < b ? b : a) + 1n
          // The real's first words are the fraction's own, the rest are arbitrary.
          const own = (numerator << 192n) / (denominator * BigInt(divisor))
          const bytes = [...Array(24).keys()].map((index) =>
            index < 4 * agreeing ? Number((own >> BigInt(184 - 8 * index)) & 255n) : (tail[index] ?? 0),
          )
          let used = 0
          const port: RandomBytes = (length) => {
            used += length
            return Uint8Array.from(bytes.slice(used - length, used))
          }
          const drawn = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
          fc.pre(drawn !== own)
          const word = Number((numerator << 32n) / denominator)
          const expected = drawn * denominator * BigInt(divisor) < numerator << 192n
          expect(coin(word, divisor, { numerator, denominator }, port)).toBe(expected)
          // One word decides, or one more than agree.
          expect(used).toBeLessThanOrEqual(24)
        },
      ),
      { numRuns: 500 },
    )
  })
  test('never fall for a fraction of zero and always for one', () => {
    const zeros: RandomBytes = (length) => new Uint8Array(length)
    const ones: RandomBytes = (length) => new Uint8Array(length).fill(255)
    expect(bernoulli({ numerator: 0n, denominator: 5n }, zeros)).toBe(false)
    expect(bernoulli({ numerator: 5n, denominator: 5n }, ones)).toBe(true)
    // A quarter has a short expansion: the word that equals it is not below it.
    const quarter: RandomBytes = () => Uint8Array.of(64, 0, 0, 0)
    expect(bernoulli({ numerator: 1n, denominator: 4n }, quarter)).toBe(false)
  })
  test('have the exact probability', () => {
    expect(
      Math.abs(rate((random) => bernoulli({ numerator: 3n, denominator: 7n }, random)) - 3 / 7),
    ).toBeLessThan(0.01)
  })
  test.each([
    [0n, 1n],
    [1n, 3n],
    [1n, 1n],
    [5n, 2n],
  ])('of exp(-%s/%s) have the exact probability', (numerator, denominator) => {
    const exact = Math.exp(-Number(numerator) / Number(denominator))
    expect(Math.abs(rate((random) => bernoulliExp({ numerator, denominator }, random)) - exact)).toBeLessThan(
      0.01,
    )
  })
})

describe('discrete Laplace', () => {
  test.each([
    [3n, 10n],
    [1n, 1n],
    [5n, 2n],
    [10n, 1n],
  ])('of scale %s/%s passes chi-square', (numerator, denominator) => {
    const scale = { numerator, denominator }
    const samples = draw(60_000, (random) => discreteLaplace({ scale, random }))
    expect(Math.abs(chiSquareZ(samples, laplaceMass(Number(numerator) / Number(denominator))))).toBeLessThan(
      4,
    )
  })
  test('does not pass for another scale', () => {
    const samples = draw(60_000, (random) =>
      discreteLaplace({ scale: { numerator: 21n, denominator: 20n }, random }),
    )
    expect(chiSquareZ(samples, laplaceMass(1))).toBeGreaterThan(8)
  })
  test('refuses a scale that is not positive', () => {
    for (const numerator of [0n, -1n]) {
      expect(() =>
        discreteLaplace({ scale: { numerator, denominator: 1n }, random: deterministicRandom(1) }),
      ).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place: 'scale' }))
    }
  })
})

describe('discrete Gaussian', () => {
  test.each([
    [9n, 100n],
    [1n, 4n],
    [1n, 1n],
    [25n, 4n],
    [100n, 1n],
  ])('of variance parameter %s/%s passes chi-square', (numerator, denominator) => {
    const sigmaSquared = { numerator, denominator }
    const samples = draw(50_000, (random) => discreteGaussian({ sigmaSquared, random }))
    expect(
      Math.abs(chiSquareZ(samples, gaussianMass(Math.sqrt(Number(numerator) / Number(denominator))))),
    ).toBeLessThan(4)
  })
  test('does not pass for another variance', () => {
    const samples = draw(50_000, (random) =>
      discreteGaussian({ sigmaSquared: { numerator: 11n, denominator: 10n }, random }),
    )
    expect(chiSquareZ(samples, gaussianMass(1))).toBeGreaterThan(8)
  })
  test('reaches scales far beyond doubles', () => {
    const sigmaSquared = { numerator: 10n ** 80n, denominator: 1n }
    const random = deterministicRandom(3)
    const samples = Array.from(
      { length: 2000 },
      () => Number(discreteGaussian({ sigmaSquared, random }) / 10n ** 36n) / 1e4,
    )
    const variance = samples.reduce((sum, value) => sum + value * value, 0) / samples.length
    expect(Math.abs(variance - 1)).toBeLessThan(0.15)
  })
})

describe('noise drawn ahead', () => {
  const noise = { kind: 'laplace', scale: { numerator: 7n, denominator: 2n } } as const
  test('is the noise of the same seed, in another order, and then continues', () => {
    const direct = buffered(deterministicRandom(9))
    const expected = Array.from({ length: 5 }, () => sampleNoise(noise, direct))
    const pool = predrawn(deterministicRandom(9))
    pool.reserve(noise, 5)
    const drawn = Array.from({ length: 5 }, () => pool.draw(noise))
    expect([...drawn].sort()).toEqual([...expected].sort())
    expect(typeof pool.draw(noise)).toBe('bigint')
  })
  test('refuses to draw more than was reserved where it was told to', () => {
    const pool = predrawn(deterministicRandom(3), { whenEmpty: 'refuse' })
    const noise = { kind: 'laplace', scale: { numerator: 2n, denominator: 1n } } as const
    pool.reserve(noise, 2)
    pool.draw(noise)
    pool.draw(noise)
    expect(() => pool.draw(noise)).toThrow(expect.objectContaining({ code: 'NOISE_NOT_RESERVED' }))
  })
  test('asks the port for nothing once reserved', () => {
    let calls = 0
    const random = deterministicRandom(2)
    const pool = predrawn((length) => {
      calls++
      return random(length)
    })
    pool.reserve(noise, 200)
    const before = calls
    for (let index = 0; index < 200; index++) pool.draw(noise)
    expect(calls).toBe(before)
  })
})

describe.skipIf(oracle === null)('oracle', () => {
  test('masses that the chi-square tests use agree', () => {
    for (const { scale, p0 } of oracle?.discrete_laplace ?? [])
      expect(laplaceMass(scale)(0)).toBeCloseTo(p0, 12)
    for (const { scale, p0, p1 } of oracle?.discrete_gaussian ?? []) {
      expect(gaussianMass(scale)(0)).toBeCloseTo(p0, 12)
      expect(gaussianMass(scale)(1)).toBeCloseTo(p1, 12)
    }
  })
})

test.each([0x00, 0x01, 0x55, 0x7f, 0x80, 0xaa, 0xfe, 0xff])(
  'a generator of %d only is told, or ends',
  (byte) => {
    const random = (length: number) => new Uint8Array(length).fill(byte)
    for (const numerator of [1n, 3n, 1000n, 2n ** 40n + 1n]) {
      const scale = { numerator, denominator: 1n }
      for (const draw of [
        () => discreteLaplace({ scale, random }),
        () => discreteGaussian({ sigmaSquared: scale, random }),
      ]) {
        try {
          expect(typeof draw()).toBe('bigint')
        } catch (error) {
          expect(error).toMatchObject({ code: 'PARAMETER_INVALID', place: 'random' })
        }
      }
    }
  },
)

test('zeros only are told', () => {
  const random = (length: number) => new Uint8Array(length)
  const scale = { numerator: 3n, denominator: 2n }
  expect(() => discreteLaplace({ scale, random })).toThrow(expect.objectContaining({ place: 'random' }))
})
