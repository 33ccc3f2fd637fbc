import { sha256Digest } from '@sealpool/crypto'

/** Draws that depend on the seed alone; for samples, never for secrets. */
export interface SeededRandom {
  /** An integer from 0 below `bound`. @param bound - 1 to 2^63 */
  below(bound: bigint): bigint
  /** One of a list. @param items - not empty */
  pick<Item>(items: readonly Item[]): Item
}

/**
 * SHA-256 in counter mode over a seed: the same draws on every machine.
 *
 * @param seed - any text
 * @returns the draws
 */
export function seededRandom(seed: string): SeededRandom {
  const utf8 = new TextEncoder()
  let counter = 0
  let left = ''
  const draw64 = (): bigint => {
    if (left === '') {
      left = sha256Digest(utf8.encode(`${counter}\n${seed}`)).slice('sha256:'.length)
      counter += 1
    }
    const value = BigInt(`0x${left.slice(0, 16)}`)
    left = left.slice(16)
    return value
  }
  const below = (bound: bigint) => (bound <= 1n ? 0n : draw64() % bound)
  return {
    below,
    pick: (items) => {
      const item = items[Number(below(BigInt(items.length)))]
      if (item === undefined) throw new RangeError('pick needs a list that is not empty')
      return item
    },
  }
}
