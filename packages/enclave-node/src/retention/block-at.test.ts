import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockAt } from './block-at.js'

const hashOf = (number: bigint): `0x${string}` => `0x${number.toString(16).padStart(64, '0')}`
/** A chain with blocks at these times, in order. */
function chainOf(times: readonly number[]) {
  let asked = 0
  return {
    asked: () => asked,
    blockHash: async (number: bigint) => (number < times.length ? hashOf(number) : undefined),
    blockTime: async (hash: `0x${string}`) => {
      asked += 1
      return times[Number(BigInt(hash))] ?? Number.NaN
    },
  }
}

describe('the last block up to a time', () => {
  it('is the one that looking at all of them finds, with few questions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: -1, max: 1_300 }),
        async (steps, at) => {
          let time = 0
          const times = steps.map((step) => {
            time += step
            return time
          })
          const chain = chainOf(times)
          const found = times.filter((one) => one <= at).length - 1
          expect(await blockAt(chain, at, BigInt(times.length - 1))).toBe(found < 0 ? null : BigInt(found))
          expect(chain.asked()).toBeLessThanOrEqual(Math.ceil(Math.log2(times.length + 1)))
        },
      ),
    )
  })

  it('is none that a reorganisation has taken away meanwhile', async () => {
    expect(await blockAt(chainOf([1, 2, 3]), 10, 9n)).toBe(2n)
  })
})
