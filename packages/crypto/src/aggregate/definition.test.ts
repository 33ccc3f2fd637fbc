import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sum } from '../testing/aggregate-question.js'
import { bitsOf, parseAggregateDefinition, weightsOf } from './definition.js'
import { type AggregateMeasure, aggregateDigest } from './index.js'

describe('the bits of a sum', () => {
  it('reach exactly the numbers within bounds, whatever the bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 300 }), (minimum, range) => {
        const measure: AggregateMeasure = { kind: 'sum', minimum, maximum: minimum + range }
        const weights = weightsOf(measure)
        expect(weights.reduce((total, weight) => total + weight, 0)).toBe(range)
        expect(weights.length).toBe(Math.ceil(Math.log2(range + 1)))
        for (let value = minimum; value <= minimum + range; value++) {
          const bits = bitsOf(measure, value)
          expect(
            bits.reduce<number>((total, bit, place) => total + bit * (weights[place] ?? 0), minimum),
          ).toBe(value)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('a definition of unknown origin', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['$.type', { type: 'x' }],
    ['$.type', { version: 2 }],
    ['$.publicKey', { publicKey: '0x' }],
    ['$.session', { session: 'x' }],
    ['$.question', { question: 'x' }],
    ['$.measure.kind', { measure: { kind: 'mean' } }],
    ['$.measure.kind', { measure: null }],
    ['$.measure.kind', { measure: [] }],
    ['$.measure', { measure: { kind: 'sum', minimum: 0, maximum: 1, more: 1 } }],
    ['$.measure.maximum', { measure: { kind: 'sum', minimum: 1, maximum: 1 } }],
    ['$.measure.maximum', { measure: { kind: 'sum', minimum: 0, maximum: 2 ** 32 } }],
    ['$.measure.bins', { measure: { kind: 'histogram', bins: 257 } }],
    ['$.contributors', { contributors: [] }],
    ['$.contributors', { contributors: 7 }],
    ['$.contributors[0]', { contributors: ['0x1', '0x2'] }],
    ['$.contributors[1]', { contributors: [`0x${'2'.repeat(40)}`, `0x${'1'.repeat(40)}`] }],
    ['$.contributors[1]', { contributors: [`0x${'2'.repeat(40)}`, `0x${'2'.repeat(40)}`] }],
    [
      '$.maximumCohort',
      { measure: { kind: 'sum', minimum: 2 ** 40, maximum: 2 ** 40 + 1 }, maximumCohort: 10_000 },
    ],
    ['$.minimumCohort', { minimumCohort: 1 }],
    ['$.maximumCohort', { maximumCohort: 2 }],
    ['$.maximumCohort', { measure: { kind: 'sum', minimum: 0, maximum: 2 ** 30 } }],
    ['$', { more: 1 }],
  ]
  it.each(cases)('is refused at %s for %o', (place, change) => {
    const value = { ...sum, ...change }
    expect(() => parseAggregateDefinition(value)).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_INVALID', place }),
    )
  })

  it('has a digest that every field changes', () => {
    expect(aggregateDigest(sum)).not.toBe(aggregateDigest({ ...sum, minimumCohort: 4 }))
  })
})
