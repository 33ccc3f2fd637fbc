import { describe, expect, test, vi } from 'vitest'
import { beginAgain, branch, massesOf } from '../testing/outcome-explorer.js'

// Uniform draws and coins of exp(-x) are replaced by an explorer of all their outcomes: sampling.test.ts and
// bernoulli-mass.isolated.test.ts show that they have these probabilities.
let remainders = 0
vi.mock('./random.js', async (original) => ({
  ...(await original<typeof import('./random.js')>()),
  buffered: (random: unknown) => random,
  uniformBelow: (bound: bigint) => {
    // A second remainder is that of a second attempt; all scales below have an odd numerator, a sign has bound 2.
    if (bound !== 2n && remainders++ > 0) beginAgain()
    return BigInt(branch(new Array<number>(Number(bound)).fill(1 / Number(bound))))
  },
}))
vi.mock('./bernoulli.js', () => ({
  bernoulliExp: ({ numerator, denominator }: { numerator: bigint; denominator: bigint }) => {
    const chance = Math.exp(-Number(numerator) / Number(denominator))
    return branch([chance, 1 - chance]) === 0
  },
}))

const { discreteLaplace } = await import('./discrete-laplace.js')
const { discreteGaussian } = await import('./discrete-gaussian.js')
const { permuteAndFlip, reportNoisyMax } = await import('./selection.js')
const random = () => new Uint8Array(0)
const firstAttempt = (run: () => unknown) =>
  massesOf(() => {
    remainders = 0
    return run()
  }, 1e-16)
const everyAttempt = (run: () => unknown, smallest: number) => {
  remainders = Number.NEGATIVE_INFINITY
  return massesOf(run, smallest)
}

describe('exact mass', () => {
  test.each([
    [1n, 2n],
    [1n, 1n],
    [3n, 2n],
    [3n, 1n],
    [7n, 2n],
  ])('of discrete Laplace noise of scale %s/%s', (numerator, denominator) => {
    const { share } = firstAttempt(() => discreteLaplace({ scale: { numerator, denominator }, random }))
    const q = Math.exp(-Number(denominator) / Number(numerator))
    for (let x = -8; x <= 8; x++) expect(share(x)).toBeCloseTo(((1 - q) / (1 + q)) * q ** Math.abs(x), 12)
  })

  test.each([
    [1n, 4n],
    [1n, 1n],
    [25n, 4n],
    [25n, 1n],
  ])('of discrete Gaussian noise of variance parameter %s/%s', (numerator, denominator) => {
    const sigmaSquared = { numerator, denominator }
    const { share } = firstAttempt(() => discreteGaussian({ sigmaSquared, random }))
    const weight = (x: number) => Math.exp((-x * x * Number(denominator)) / (2 * Number(numerator)))
    let total = 0
    for (let x = -90; x <= 90; x++) total += weight(x)
    for (let x = -12; x <= 12; x++) expect(share(x)).toBeCloseTo(weight(x) / total, 12)
  })

  test('of permute-and-flip is that of its definition, summed over all orders', () => {
    const scores = [4n, 2n, 3n]
    const accept = scores.map((score) => Math.exp(-Number(4n - score) / 2))
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]
    const expected = [0, 0, 0]
    for (const order of orders) {
      let reach = 1 / 6
      for (const candidate of order) {
        expected[candidate] = (expected[candidate] ?? 0) + reach * (accept[candidate] ?? 0)
        reach *= 1 - (accept[candidate] ?? 0)
      }
    }
    const select = (of: readonly bigint[]) =>
      permuteAndFlip({ scores: of, epsilon: 1, sensitivity: 1n, random })
    const { of, lost } = everyAttempt(() => select(scores), 0)
    expect(lost).toBeLessThan(1e-12)
    expected.forEach((mass, index) => {
      expect(of(index)).toBeCloseTo(mass, 12)
    })
  })

  test.each([
    ['permute-and-flip', permuteAndFlip, false],
    ['permute-and-flip, monotone', permuteAndFlip, true],
    ['report-noisy-max', reportNoisyMax, false],
    ['report-noisy-max, monotone', reportNoisyMax, true],
  ])('of %s on neighbouring scores differs by at most exp(epsilon)', (_, select, monotone) => {
    const cost = { epsilon: 1, sensitivity: 1n, monotone, random }
    const base = [2n, 0n]
    const neighbours = monotone
      ? [
          [3n, 0n],
          [3n, 1n],
          [2n, 1n],
        ]
      : [
          [3n, -1n],
          [1n, 1n],
          [3n, 1n],
        ]
    let widest = 0
    const massOf = (scores: readonly bigint[]) => everyAttempt(() => select({ ...cost, scores }), 1e-8)
    const one = massOf(base)
    for (const scores of neighbours) {
      const other = massOf(scores)
      for (const index of [0, 1]) {
        const slack = (one.lost + other.lost) / Math.min(one.of(index), other.of(index))
        const ratio = Math.abs(Math.log(one.of(index) / other.of(index)))
        expect(slack).toBeLessThan(0.1)
        expect(ratio).toBeLessThan(1 + slack + 1e-9)
        widest = Math.max(widest, ratio)
      }
    }
    // The bound is used: with half of the noise this test would fail.
    expect(widest).toBeGreaterThan(0.55)
  })
})
