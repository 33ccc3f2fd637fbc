import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dealContributors } from './deal-contributors.js'

const keyOf = (byte: number) => new Uint8Array(32).fill(byte)
const never = async () => undefined
const people = fc.uniqueArray(fc.nat(), { maxLength: 80 })

describe('a deal', () => {
  it('is a partition, as even as it can be, and the same in any order and however often it is made', async () => {
    const parts = fc.integer({ min: 1, max: 16 })
    await fc.assert(
      fc.asyncProperty(people, parts, fc.nat({ max: 255 }), async (all, shards, byte) => {
        const deal = await dealContributors(all, shards, keyOf(byte), never)
        expect([...deal.keys()].sort()).toEqual([...all].sort())
        const sizes = Array.from(
          { length: shards },
          (_, shard) => [...deal.values()].filter((one) => one === shard).length,
        )
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(all.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        const again = await dealContributors([...all, ...all].reverse(), shards, keyOf(byte), never)
        expect(new Map(again)).toEqual(new Map(deal))
      }),
    )
  })

  it('is another one under another key', async () => {
    const all = Array.from({ length: 300 }, (_, index) => index)
    const one = await dealContributors(all, 3, keyOf(1), never)
    const other = await dealContributors(all, 3, keyOf(2), never)
    const alike = all.filter((contributor) => one.get(contributor) === other.get(contributor)).length
    // A third of them by chance: 100, and 25 more or less once in some hundreds of keys.
    expect(alike).toBeGreaterThan(60)
    expect(alike).toBeLessThan(140)
  })

  it('of many lets others have their turn', async () => {
    let turns = 0
    const giveWay = async () => {
      turns += 1
    }
    await dealContributors(Array.from({ length: 2_500 }).keys(), 3, keyOf(1), giveWay)
    expect(turns).toBe(2)
  })
})
