import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dealContributors } from './deal-contributors.js'

const keyOf = (byte: number) => new Uint8Array(32).fill(byte)
const people = fc.uniqueArray(fc.nat(), { maxLength: 80 })

describe('a deal', () => {
  it('is a partition, as even as it can be, and the same in any order and however often it is made', () => {
    fc.assert(
      fc.property(people, fc.integer({ min: 1, max: 16 }), fc.nat({ max: 255 }), (all, shards, byte) => {
        const deal = dealContributors(all, shards, keyOf(byte))
        expect([...deal.keys()].sort()).toEqual([...all].sort())
        const sizes = Array.from(
          { length: shards },
          (_, shard) => [...deal.values()].filter((one) => one === shard).length,
        )
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(all.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        const again = dealContributors([...all, ...all].reverse(), shards, keyOf(byte))
        expect(new Map(again)).toEqual(new Map(deal))
      }),
    )
  })

  it('is another one under another key', () => {
    const all = Array.from({ length: 300 }, (_, index) => index)
    const [one, other] = [1, 2].map((byte) => dealContributors(all, 3, keyOf(byte)))
    const alike = all.filter((contributor) => one?.get(contributor) === other?.get(contributor)).length
    // A third of them by chance: 100, and 25 more or less once in some hundreds of keys.
    expect(alike).toBeGreaterThan(60)
    expect(alike).toBeLessThan(140)
  })
})
