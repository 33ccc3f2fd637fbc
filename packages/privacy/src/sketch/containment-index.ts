import { PrivacyError } from '../errors.js'
import { bandsOf, leastSimilarity, prefixFor } from './band-prefix.js'
import { containment, type MinHash } from './min-hash.js'
import { type SimilarPair, similarPairs } from './similar-pairs.js'
import { type AllWords, runOf, type SortedBands, sortBands } from './sorted-bands.js'

/** A set's sketch with how many different items the set has: counted, or from a `hyperLogLog`. */
export interface SizedSketch {
  readonly sketch: MinHash
  readonly size: number
}

/** A set of the index that holds much of the asked one. */
export interface Containing {
  /** Its place in what the index was made of. */
  readonly entry: number
  /** Estimated share of the asked set's items that are in it. */
  readonly containment: number
  /** Standard error of the estimate: it grows with the difference of the sizes. */
  readonly standardError: number
}

/** Finds sets that hold others, and all sets that are alike, among many. Nobody without the sketches' key can ask it anything. */
export interface ContainmentIndex {
  /** Sets in it. */
  readonly size: number
  /** Bytes that it takes. */
  readonly bytes: number
  /**
   * Sets that hold at least a share of the asked one, those that hold most first.
   *
   * @param question `sketch` and `size` of the asked set; `threshold`: the share, above 0, at most 1; `margin`: how many standard errors an
   *   estimate may lie below the threshold, 0 to 10; default 2, so that of sets at the threshold itself few are missed
   * @throws PrivacyError `PARAMETER_INVALID`
   */
  containing(
    question: SizedSketch & { readonly threshold: number; readonly margin?: number },
  ): readonly Containing[]
  /**
   * All pairs of sets that are alike, each once, in no order that means something; empty sets are like none. Many equal sets have many pairs: take as
   * many as you want.
   *
   * @param question `threshold`: the least Jaccard similarity, at most 1; `margin` as for `containing`
   * @throws PrivacyError `PARAMETER_INVALID`, also for thresholds at which sketches this short find too few: all pairs would have to be compared
   */
  similarPairs(question: { readonly threshold: number; readonly margin?: number }): Iterable<SimilarPair>
}

const refuse = (place: string, message: string) => new PrivacyError('PARAMETER_INVALID', place, message)

/**
 * Makes an index of many sketched sets for questions of containment: a small set in a large one has a low similarity, so sets are divided by size,
 * and each part is asked with the similarity that the share means at its sizes (LSH Ensemble, Zhu and others 2016), over bands that are sorted, so
 * that each part takes as long a prefix as it may (LSH Forest, Bawa and others 2005). Parts whose sets are so much larger than the asked one that bands
 * would miss them are looked through whole: what is found does not depend on sizes, how long it takes does. How sure an answer is does:
 * 256 orders tell a set of 1,000 in one of 10,000 with a standard error of 0.2.
 *
 * @param options `sketches`: all of one key, use and number of orders; `partitions`: by size, equally many sets in each, 1 to 256; default 16
 * @returns The index, in memory. It is as private as the sketches.
 * @throws PrivacyError `PARAMETER_INVALID`
 * @example
 * ```ts
 * import { containmentIndex, minHash } from '@sealpool/privacy/sketch'
 * const key = new Uint8Array(32).fill(1)
 * const set = (from: number, to: number) => {
 *   const items = Array.from({ length: to - from }, (_, index) => `item ${from + index}`)
 *   return { sketch: minHash({ items, key, use: 'columns' }), size: items.length }
 * }
 * const index = containmentIndex({ sketches: [set(0, 900), set(5000, 5300), set(100, 400)] })
 * const found = index.containing({ ...set(100, 300), threshold: 0.8 })
 * console.assert(found.length === 2 && found.every(({ entry }) => entry !== 1))
 * ```
 */
export function containmentIndex(options: {
  readonly sketches: readonly SizedSketch[]
  readonly partitions?: number
}): ContainmentIndex {
  const { sketches, partitions = 16 } = options
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > 256)
    throw refuse('partitions', 'partitions must be a whole number from 1 to 256.')
  const orders = sketches[0]?.sketch.words.length ?? 0
  const all: AllWords = { orders, words: new Uint32Array(sketches.length * orders) }
  const sizes = new Float64Array(sketches.length)
  for (const [entry, { sketch, size }] of sketches.entries()) {
    requireSketch(sketch, size, orders, `sketches[${entry}]`)
    all.words.set(sketch.words, entry * orders)
    sizes[entry] = size
  }
  const bands = bandsOf(orders)
  const parts = partsBySize(all, sizes, partitions, bands)
  const seen = new Uint32Array(sketches.length)
  let turn = 0

  return {
    size: sketches.length,
    bytes:
      all.words.byteLength +
      sizes.byteLength +
      seen.byteLength +
      parts.reduce((sum, { entries }) => sum + entries.byteLength * (1 + bands), 0),
    containing({ sketch, size, threshold, margin = 2 }) {
      requireThreshold(threshold)
      requireMargin(margin)
      if (sketches.length === 0) return []
      requireSketch(sketch, size, orders, 'sketch')
      // Nothing is no part of anything that one would want to know.
      if (size === 0) return []
      const asked = { all: { orders, words: sketch.words }, entry: 0 }
      const found: Containing[] = []
      turn = (turn + 1) >>> 0
      if (turn === 0) {
        seen.fill(0)
        turn = 1
      }
      const look = (entry: number): void => {
        if (seen[entry] === turn) return
        seen[entry] = turn
        // An estimate may be below the threshold by the margin, a count may not: what is too small holds too little.
        if ((sizes[entry] ?? 0) < threshold * size) return
        const one = estimate(all, entry, sketch.words, size, sizes[entry] ?? 0)
        if (one.containment >= threshold - margin * one.standardError) found.push({ entry, ...one })
      }
      for (const part of parts) {
        if (part.to < threshold * size) continue
        const prefix = prefixFor(leastSimilarity(threshold, size, part.to), bands)
        if (prefix === 0) for (const entry of part.entries) look(entry)
        else
          for (let band = 0; band < bands; band++) {
            const [from, to] = runOf(part, all, asked, band, prefix)
            for (let place = from; place < to; place++) look(part.sorted[band]?.[place] ?? 0)
          }
      }
      return found.sort((one, two) => two.containment - one.containment || one.entry - two.entry)
    },
    similarPairs({ threshold, margin = 2 }) {
      requireThreshold(threshold)
      requireMargin(margin)
      const prefix = prefixFor(threshold, bands)
      if (prefix === 0 && sketches.length > 0)
        throw refuse(
          'threshold',
          `Sketches of ${orders} orders find too few pairs at ${threshold}; ask for more similarity or sketch with more orders.`,
        )
      return similarPairs({ all, sizes, parts, bands, prefix, threshold, margin })
    },
  }
}

function requireSketch(sketch: MinHash, size: number, orders: number, place: string): void {
  if (sketch.words.length !== orders || orders < 16)
    throw refuse(
      `${place}.sketch`,
      `Only sketches of the same number of orders compare; the index has ${orders}.`,
    )
  if (!Number.isSafeInteger(size) || size < 0)
    throw refuse(`${place}.size`, 'The size of a set is a whole number, not negative.')
}

function requireThreshold(threshold: number): void {
  if (!(threshold > 0 && threshold <= 1)) throw refuse('threshold', 'A threshold is above 0 and at most 1.')
}

function requireMargin(margin: number): void {
  if (!(margin >= 0 && margin <= 10)) throw refuse('margin', 'A margin is 0 to 10 standard errors.')
}

/** Parts of equally many sets by size; sets without items hold nothing and are in none. */
function partsBySize(
  all: AllWords,
  sizes: Float64Array,
  partitions: number,
  bands: number,
): readonly SortedBands[] {
  const bySize = Uint32Array.from(sizes.keys())
    .filter((entry) => (sizes[entry] ?? 0) > 0)
    .sort((left, right) => (sizes[left] ?? 0) - (sizes[right] ?? 0) || left - right)
  const parts: SortedBands[] = []
  for (let part = 0; part < partitions; part++) {
    const from = Math.floor((part * bySize.length) / partitions)
    const to = Math.floor(((part + 1) * bySize.length) / partitions)
    if (to > from) parts.push(sortBands(all, bySize.slice(from, to), sizes, bands))
  }
  return parts
}

function estimate(
  all: AllWords,
  entry: number,
  asked: Uint32Array,
  size: number,
  otherSize: number,
): { readonly containment: number; readonly standardError: number } {
  const { orders, words } = all
  let equal = 0
  for (let order = 0, at = entry * orders; order < orders; order++, at++)
    if (asked[order] === words[at]) equal++
  const jaccard = equal / orders
  // The share is (J / (1 + J)) (size + otherSize) / size: its error is the similarity's, times the slope. A similarity of none or all has
  // an error as well, which one order more on either side stands for.
  const smoothed = (equal + 1) / (orders + 2)
  const error = Math.sqrt((smoothed * (1 - smoothed)) / orders)
  return {
    containment: containment({ jaccard, size, otherSize }),
    standardError: (error * (size + otherSize)) / (size * (1 + jaccard) ** 2),
  }
}
