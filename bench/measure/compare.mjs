/**
 * Times several pieces of work against each other. They take turns, so that a neighbour on the machine slows all of them
 * alike, and each gets one unmeasured turn first.
 *
 * @param work pieces of work by name; each is a whole turn, synchronous or not
 * @param options.turns measured turns, 5 by default
 * @returns median seconds of a turn, by name
 */
export async function compare(work, { turns = 5 } = {}) {
  const names = Object.keys(work)
  const seconds = Object.fromEntries(names.map((name) => [name, []]))
  for (let turn = -1; turn < turns; turn++) {
    for (const name of names) {
      const started = performance.now()
      await work[name]()
      if (turn >= 0) seconds[name].push((performance.now() - started) / 1000)
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
