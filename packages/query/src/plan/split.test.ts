import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averageCountWeight, splitEpsilon } from './split.js'

const weights = fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 })

describe('the split of epsilon', () => {
  it('never spends more than there is and gives something to each statistic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000_000, max: 2_000_000_000 }), weights, (nano, parts) => {
        const split = splitEpsilon(nano, parts)
        expect(split.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(nano)
        expect(Math.min(...split)).toBeGreaterThan(0)
      }),
    )
  })

  it('has no better split of two statistics on a fine grid', () => {
    const nano = 1_000_000_000
    const cost = ([first = 0, second = 0]: readonly number[]) =>
      1 / (first / nano) ** 2 + averageCountWeight / (second / nano) ** 2
    const best = cost(splitEpsilon(nano, [1, averageCountWeight]))
    for (let share = 0.01; share < 1; share += 0.01) {
      expect(cost([share * nano, (1 - share) * nano])).toBeGreaterThan(best * 0.9999)
    }
  })
})
