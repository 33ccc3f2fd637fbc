/** A stream of numbers that a seed fixes: the same seed chooses the same faults in the same order. */
export interface SeededRandom {
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number
  /** One of the given values. */
  pick<Value>(values: readonly Value[]): Value
  /** The same values in another order. */
  shuffled<Value>(values: readonly Value[]): Value[]
}

/**
 * Makes the stream (mulberry32: small, fast, even enough to choose faults; nothing secret comes from it).
 * @param seed any whole number
 */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    integer,
    pick(values) {
      const value = values[integer(0, values.length - 1)]
      if (value === undefined) throw new RangeError('nothing to pick from')
      return value
    },
    shuffled(values) {
      const order = [...values]
      for (let last = order.length - 1; last > 0; last--) {
        const other = integer(0, last)
        const [a, b] = [order[last], order[other]]
        if (a === undefined || b === undefined) continue
        order[last] = b
        order[other] = a
      }
      return order
    },
  }
}
