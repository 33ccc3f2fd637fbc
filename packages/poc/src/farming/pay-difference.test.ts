import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { payDifference } from './pay-difference.js'

describe('payDifference', () => {
  test('pays the difference upwards', () => {
    expect(payDifference({ worth: 9_000, rewarded: 8_000 })).toBe(1_000)
    expect(payDifference({ worth: 8_000, rewarded: 9_000 })).toBe(0)
    expect(payDifference({ worth: 8_000, rewarded: 0 })).toBe(8_000)
  })

  test('comes to what the best is worth, in whatever order scores come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 })), (scores) => {
        let paid = 0
        for (const worth of scores) paid += payDifference({ worth, rewarded: paid })
        expect(paid).toBe(Math.max(0, ...scores))
      }),
    )
  })

  test.each([
    [{ worth: -1, rewarded: 0 }, 'worth'],
    [{ worth: 10_001, rewarded: 0 }, 'worth'],
    [{ worth: 0.5, rewarded: 0 }, 'worth'],
    [{ worth: 1, rewarded: -1 }, 'rewarded'],
    [{ worth: 1, rewarded: Number.NaN }, 'rewarded'],
  ])('refuses %j', (options, place) => {
    expect(() => payDifference(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place }))
  })
})
