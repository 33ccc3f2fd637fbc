/** Milliseconds that a turn lasts at least. */
const shortestTurn = 20

/**
 * Times several pieces of work against each other. They take turns, so that a neighbour on the machine slows all of them
 * alike, and each gets one unmeasured turn first. Work too short for the clock is repeated within its turn, for 20 ms.
 *
 * @param work pieces of work by name, synchronous or not
 * @param options.turns measured turns, 5 by default
 * @param options.before done before each turn, outside of the clock; nothing by default
 * @returns median seconds of one piece of work, by name
 */
export async function compare(work, { turns = 5, before = () => undefined } = {}) {
  const names = Object.keys(work)
  const seconds = Object.fromEntries(names.map((name) => [name, []]))
  for (let turn = -1; turn < turns; turn++) {
    for (const name of names) {
      await before()
      const started = performance.now()
      let times = 0
      let elapsed = 0
      do {
        await work[name]()
        times += 1
        elapsed = performance.now() - started
      } while (elapsed < shortestTurn)
      if (turn >= 0) seconds[name].push(elapsed / times / 1000)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(seconds[name])]))
}

/** The middle one of an odd count of numbers, the mean of the middle two otherwise. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
