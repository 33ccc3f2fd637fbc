import { describe, expect, test, vi } from 'vitest'
import { branch, massesOf } from '../testing/outcome-explorer.js'

// The coin is replaced by an explorer of both its sides; what it does with bytes is tested in sampling.test.ts.
vi.mock('./random.js', async (original) => ({
  ...(await original<typeof import('./random.js')>()),
  coin: (word: number, divisor: number, of: { numerator: bigint; denominator: bigint }) => {
    if (BigInt(word) !== (of.numerator << 32n) / of.denominator) throw new Error('wrong leading word')
    const chance = Number(of.numerator) / (Number(of.denominator) * divisor)
    return branch([chance, 1 - chance]) === 0
  },
}))
const { bernoulli, bernoulliExp } = await import('./bernoulli.js')
const random = () => new Uint8Array(0)

describe('exact mass of a coin', () => {
  test.each([
    [0n, 1n],
    [3n, 7n],
    [1n, 1n],
  ])('of %s/%s', (numerator, denominator) => {
    const { of } = massesOf(() => bernoulli({ numerator, denominator }, random), 0)
    expect(of(true)).toBeCloseTo(Number(numerator) / Number(denominator), 15)
  })

  test.each([
    [0n, 1n],
    [1n, 7n],
    [1n, 1n],
    [5n, 2n],
    [4n, 1n],
  ])('of exp(-%s/%s)', (numerator, denominator) => {
    const { of, lost } = massesOf(() => bernoulliExp({ numerator, denominator }, random), 1e-13)
    expect(lost).toBeLessThan(1e-9)
    expect(Math.abs(of(true) - Math.exp(-Number(numerator) / Number(denominator)))).toBeLessThan(lost + 1e-12)
  })
})
