import { type AllWords, compareBand, type SortedBands } from './sorted-bands.js'

/** Two sets that have much in common. */
export interface SimilarPair {
  /** Places in what the index was made of; `left` is the smaller one, of equally large ones the one that came first. */
  readonly left: number
  readonly right: number
  /** Estimated Jaccard similarity. */
  readonly similarity: number
  readonly standardError: number
}

/** What all pairs are looked for in. */
interface PairQuestion {
  readonly all: AllWords
  readonly sizes: Float64Array
  readonly parts: readonly SortedBands[]
  readonly bands: number
  /** Words of a band that must be equal. */
  readonly prefix: number
  readonly threshold: number
  readonly margin: number
}

/**
 * All pairs that share the beginning of a band and whose estimate is high enough, each in the first band that shows it, so that none has to be remembered.
 *
 * @param question the index's, with the threshold
 */
export function* similarPairs(question: PairQuestion): Generator<SimilarPair> {
  const { parts, bands, threshold } = question
  for (const [index, smaller] of parts.entries()) {
    for (const larger of parts.slice(index)) {
      // Sets are no more alike than the quotient of their sizes: parts further on are larger still.
      if (smaller.to < threshold * larger.from) break
      for (let band = 0; band < bands; band++) yield* pairsOfBand(question, smaller, larger, band)
    }
  }
}

/** Goes through the sorted orders of two parts side by side. */
function* pairsOfBand(
  question: PairQuestion,
  smaller: SortedBands,
  larger: SortedBands,
  band: number,
): Generator<SimilarPair> {
  const { all, prefix } = question
  const one = smaller.sorted[band] ?? smaller.entries
  const two = larger.sorted[band] ?? larger.entries
  const order = (left: number, right: number) => compareBand(all, left, all, right, band, prefix)
  const runEnd = (entries: Uint32Array, from: number): number => {
    let end = from + 1
    while (end < entries.length && order(entries[from] ?? 0, entries[end] ?? 0) === 0) end++
    return end
  }
  for (let left = 0, right = 0; left < one.length && right < two.length; ) {
    const held = order(one[left] ?? 0, two[right] ?? 0)
    if (held < 0) left++
    else if (held > 0) right++
    else {
      const leftEnd = runEnd(one, left)
      const rightEnd = runEnd(two, right)
      for (let first = left; first < leftEnd; first++) {
        // Within one part each pair stands twice, and everything beside itself.
        for (let second = one === two ? first + 1 : right; second < rightEnd; second++) {
          const pair = similarPair(question, one[first] ?? 0, two[second] ?? 0, band)
          if (pair !== undefined) yield pair
        }
      }
      left = leftEnd
      right = rightEnd
    }
  }
}

function similarPair(
  question: PairQuestion,
  one: number,
  two: number,
  band: number,
): SimilarPair | undefined {
  const { all, sizes, prefix, threshold, margin } = question
  const size = sizes[one] ?? 0
  const otherSize = sizes[two] ?? 0
  // Sizes are known and not estimated: they allow no margin.
  if (Math.min(size, otherSize) < threshold * Math.max(size, otherSize)) return undefined
  for (let earlier = 0; earlier < band; earlier++)
    if (compareBand(all, one, all, two, earlier, prefix) === 0) return undefined
  const { orders, words } = all
  let equal = 0
  for (let order = 0, at = one * orders, other = two * orders; order < orders; order++, at++, other++)
    if (words[at] === words[other]) equal++
  const similarity = equal / orders
  const smoothed = (equal + 1) / (orders + 2)
  const standardError = Math.sqrt((smoothed * (1 - smoothed)) / orders)
  if (similarity < threshold - margin * standardError) return undefined
  const swapped = size > otherSize || (size === otherSize && one > two)
  return { left: swapped ? two : one, right: swapped ? one : two, similarity, standardError }
}
