import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from './seeded-random.js'

const numbers = (seed: number): number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: 50 }, () => random.integer(0, 1_000_000))
}

describe('a seed', () => {
  it('gives the same stream again, and another seed another one', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(numbers(a)).toEqual(numbers(a))
        if (a !== b) expect(numbers(a)).not.toEqual(numbers(b))
      }),
      { numRuns: 50 },
    )
  })

  it('gives every number between its bounds, and keeps to them', () => {
    const random = seededRandom(3)
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(-2, 3)))
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3])
    expect(() => random.pick([])).toThrow(RangeError)
  })

  it('puts values into another order and loses none', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer()), (seed, values) => {
        const shuffled = seededRandom(seed).shuffled(values)
        expect([...shuffled].sort()).toEqual([...values].sort())
      }),
    )
  })
})
