import { contentItems, type ItemSource } from './content-items.js'
import type { NearDuplicateIndex } from './near-duplicate-index.js'

/** How much a contribution is, beside others of its pool. */
export interface ContributionSize {
  /** Its distinct items. */
  readonly items: number
  /** Items of a typical contribution of the pool, with two significant digits. */
  readonly typical: number
}

/** Contributions from which on something is typical. */
const LEAST_CONTRIBUTIONS = 5
/** Weight of a whole contribution. */
const WHOLE = 10_000

/** What is typical of contributions that come one after the other. */
interface TypicalSize {
  /** Takes in the next contribution's number of items. */
  add(items: number): void
  /** Items of a typical contribution, with two significant digits; undefined of fewer than five contributions. */
  readonly items: number | undefined
}

/**
 * The median number of items, by weight: a contribution weighs what it was of a typical one when it came, and 1 at most. So neither many
 * pieces nor a few contributions of any length move it: who wants another median must bring as much as all others have brought.
 *
 * @returns of no contributions; the same numbers in the same order give the same
 */
export function typicalSize(): TypicalSize {
  const weights = new Map<number, number>()
  let [count, total] = [0, 0]
  let sizes: readonly number[] = []
  let typical: number | undefined
  const median = (): number => {
    let below = 0
    for (const size of sizes) {
      below += weights.get(size) ?? 0
      if (below * 2 >= total) return size
    }
    return 1
  }
  return {
    get items() {
      return typical
    },
    add(items) {
      const size = twoDigits(items)
      if (size === 0) return
      const weight =
        typical === undefined ? WHOLE : Math.max(1, Math.floor((WHOLE * Math.min(size, typical)) / typical))
      if (!weights.has(size)) sizes = [...sizes, size].sort((a, b) => a - b)
      weights.set(size, (weights.get(size) ?? 0) + weight)
      total += weight
      count++
      if (count >= LEAST_CONTRIBUTIONS) typical = median()
    },
  }
}

/** A whole number from 0 without what is behind its two first digits. */
function twoDigits(items: number): number {
  let width = 1
  while (Math.floor(items / width) >= 100) width *= 10
  return Math.floor(items / width) * width
}

/**
 * How much a contribution is, for `marginalValue`: ask before it is taken in.
 *
 * @param options `content`: the file, or better the items that the proof read; `near`: the pool's index of near duplicates, without this
 *   contribution
 * @returns undefined where the pool has fewer than five contributions, so that nothing is typical
 * @example
 * ```ts
 * import { contentSketch, contributionSize, createNearDuplicateIndex, itemsOf } from '@sealpool/poc'
 * const key = new Uint8Array(32).fill(1)
 * const near = createNearDuplicateIndex()
 * const days = (person: number, count: number) =>
 *   itemsOf(Array.from({ length: count }, (_, day) => ({ day: `day ${day}`, steps: 1000 * person + day })))
 * for (let person = 1; person <= 5; person++) near.add(contentSketch({ key, ...days(person, 50) }))
 * console.log(contributionSize({ content: days(6, 1), near })) // { items: 1, typical: 50 }
 * ```
 */
export function contributionSize({
  content,
  near,
}: {
  readonly content: ItemSource
  readonly near: NearDuplicateIndex
}): ContributionSize | undefined {
  const { items, unnamed } = contentItems(content)
  const { typicalItems } = near
  return typicalItems === undefined
    ? undefined
    : { items: unnamed?.items.length ?? items.length, typical: typicalItems }
}
