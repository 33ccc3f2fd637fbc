import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deterministicRandom } from '../testing/deterministic-random.js'
import type { RandomBytes } from './random.js'
import { permuteAndFlip, prepareSelection, reportNoisyMax } from './selection.js'

const cost = { epsilon: 1, sensitivity: 1n }

describe.each([
  ['permute-and-flip', permuteAndFlip],
  ['report-noisy-max', reportNoisyMax],
])('%s', (_, select) => {
  test('chooses within the candidates and prefers high scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (scores, seed) => {
          const index = select({ ...cost, scores, random: deterministicRandom(seed) })
          expect(index).toBeGreaterThanOrEqual(0)
          expect(index).toBeLessThan(scores.length)
        },
      ),
      { numRuns: 100 },
    )
    for (let seed = 1; seed < 50; seed++) {
      expect(select({ ...cost, scores: [0n, 500n, 3n], random: deterministicRandom(seed) })).toBe(1)
    }
  })

  test('is even among equals, up to the ties of integer noise', () => {
    const seen = [0, 0, 0]
    const random = deterministicRandom(7)
    for (let draw = 0; draw < 6_000; draw++) {
      const index = select({ ...cost, epsilon: 0.01, scores: [5n, 5n, 5n], random })
      seen[index] = (seen[index] ?? 0) + 1
    }
    for (const count of seen) expect(Math.abs(count - 2_000)).toBeLessThan(200)
  })

  test('less epsilon, wider sensitivity: closer to a fair choice; monotone: further from it', () => {
    const share = (options: { epsilon: number; sensitivity: bigint; monotone?: boolean }) => {
      const random = deterministicRandom(11)
      let best = 0
      for (let draw = 0; draw < 3_000; draw++) {
        if (select({ ...options, scores: [0n, 4n], random }) === 1) best++
      }
      return best / 3_000
    }
    const plain = share(cost)
    expect(share({ epsilon: 0.1, sensitivity: 1n })).toBeLessThan(plain - 0.1)
    expect(share({ epsilon: 1, sensitivity: 10n })).toBeLessThan(plain - 0.1)
    expect(share({ ...cost, monotone: true })).toBeGreaterThan(plain + 0.02)
  })

  test.each([
    [{ scores: [] }, 'candidates'],
    [{ epsilon: 0 }, 'epsilon'],
    [{ epsilon: 1e-10 }, 'epsilon'],
    [{ epsilon: Number.NaN }, 'epsilon'],
    [{ sensitivity: 0n }, 'sensitivity'],
  ])('refuses %o', (wrong, place) => {
    expect(() => select({ ...cost, scores: [1n], random: deterministicRandom(1), ...wrong })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})

describe('a prepared selection', () => {
  test('draws everything before it sees a score, and the same for any scores', () => {
    const used = (scores: readonly bigint[]) => {
      const inner = deterministicRandom(4)
      let bytes = 0
      const counting: RandomBytes = (length) => {
        bytes += length
        return inner(length)
      }
      const prepared = prepareSelection({ ...cost, candidates: scores.length, random: counting })
      const before = bytes
      prepared.choose(scores)
      expect(bytes).toBe(before)
      return bytes
    }
    expect(used([0n, 0n, 0n])).toBe(used([-(10n ** 9n), 10n ** 9n, 5n]))
  })

  test('serves once, and only as many scores as were announced', () => {
    const prepared = prepareSelection({ ...cost, candidates: 2, random: deterministicRandom(1) })
    expect(() => prepared.choose([1n])).toThrow(expect.objectContaining({ place: 'scores' }))
    expect([0, 1]).toContain(prepared.choose([1n, 2n]))
    expect(() => prepared.choose([1n, 2n])).toThrow(expect.objectContaining({ code: 'NOISE_NOT_RESERVED' }))
  })

  test('gives ties to the first, so that some least noise makes each candidate win', () => {
    const chosen = new Set<number>()
    for (let seed = 1; seed < 400; seed++) {
      chosen.add(
        reportNoisyMax({ epsilon: 50, sensitivity: 1n, scores: [0n, 0n], random: deterministicRandom(seed) }),
      )
    }
    expect([...chosen]).toEqual([0])
  })
})
