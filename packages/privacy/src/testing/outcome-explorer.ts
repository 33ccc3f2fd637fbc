/**
 * Follows every way in which an algorithm's coins can fall, with its probability: exact masses without sampling. Tests replace
 * the functions through which randomness enters by ones that call {@link branch}.
 */
let path: number[] = []
let chances: (readonly number[])[] = []
let depth = 0
let weight = 1
let least = 0
const pruned = new Error('too unlikely to be followed')

/**
 * Takes one of several outcomes.
 *
 * @param probabilities - Of each outcome.
 * @returns Index of the outcome on the path that is being followed.
 */
export function branch(probabilities: readonly number[]): number {
  const at = depth++
  if (at === path.length) {
    path.push(probabilities.findIndex((probability) => probability > 0))
    chances.push(probabilities)
  }
  const taken = path[at] ?? 0
  weight *= chances[at]?.[taken] ?? 0
  if (weight < least) throw pruned
  return taken
}

/**
 * Leaves a path on which a rejection sampler begins again. What it does then it has done from the start, so the other paths
 * have the distribution that it is after.
 */
export function beginAgain(): never {
  throw pruned
}

/**
 * Mass of each outcome of an algorithm.
 *
 * @param run - The algorithm, its randomness replaced.
 * @param smallest - Paths that are less probable than this are not followed.
 * @returns `of`: mass found for an outcome, too small by at most `lost` in all; `share`: the same over all that was found.
 */
export function massesOf(run: () => unknown, smallest: number) {
  path = []
  chances = []
  least = smallest
  const found = new Map<string, number>()
  let lost = 1
  do {
    depth = 0
    weight = 1
    try {
      const outcome = String(run())
      found.set(outcome, (found.get(outcome) ?? 0) + weight)
      lost -= weight
    } catch (error) {
      if (error !== pruned) throw error
    }
  } while (advance())
  const of = (outcome: unknown): number => found.get(String(outcome)) ?? 0
  return { of, share: (outcome: unknown): number => of(outcome) / (1 - lost), lost }
}

/** Moves to the next path; false when all are done. */
function advance(): boolean {
  for (let last = path.length - 1; last >= 0; last--) {
    const taken = path[last] ?? 0
    const next = chances[last]?.findIndex((chance, index) => index > taken && chance > 0) ?? -1
    if (next >= 0) {
      path[last] = next
      return true
    }
    path.pop()
    chances.pop()
  }
  return false
}
