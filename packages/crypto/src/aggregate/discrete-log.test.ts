import { describe, expect, it } from 'vitest'
import { generator, identityElement } from '../threshold/group.js'
import { smallDiscreteLogs } from './discrete-log.js'

describe('small discrete logarithms', () => {
  it('are found up to the bound and not beyond', () => {
    const points = [0, 1, 2, 99, 100, 5000].map((value) =>
      value === 0 ? identityElement() : generator().multiply(BigInt(value)),
    )
    expect(smallDiscreteLogs(points, 5000)).toEqual([0, 1, 2, 99, 100, 5000])
    for (const beyond of [101n, 5000n, 2n ** 200n]) {
      expect(() => smallDiscreteLogs([generator().multiply(beyond)], 100)).toThrow(
        expect.objectContaining({ code: 'AGGREGATE_INVALID' }),
      )
    }
    expect(smallDiscreteLogs([generator().multiply(40_000_000n)], 40_000_001)).toEqual([40_000_000])
  })
})
