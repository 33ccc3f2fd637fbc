/**
 * How many of a band's words to compare, so that sets alike enough are found and few others are looked at.
 * @module
 */

/** Words of a band: the longest prefix that can be compared. */
export const BAND_WORDS = 8
/** Most bands: more find little more and take memory. */
const MOST_BANDS = 64
/** Share of the sets at the threshold itself that bands find; those above it are found more surely. */
const FOUND = 0.99

/** @returns bands of a sketch with so many words */
export function bandsOf(orders: number): number {
  return Math.min(MOST_BANDS, Math.floor(orders / BAND_WORDS))
}

/**
 * The longest prefix with which two sets of a similarity share one band with a probability of 0.99: 1 - (1 - s^prefix)^bands.
 *
 * @param similarity Jaccard, 0 to 1
 * @param bands how many are compared
 * @returns 1 to {@link BAND_WORDS}; 0 when not even one word finds them, so that everything must be looked at
 */
export function prefixFor(similarity: number, bands: number): number {
  let prefix = 0
  while (prefix < BAND_WORDS && 1 - (1 - similarity ** (prefix + 1)) ** bands >= FOUND) prefix++
  return prefix
}

/**
 * The least Jaccard similarity that a set may have with one that it holds `contained` of.
 *
 * @param contained share of the asked set that must be in the other
 * @param size of the asked set
 * @param otherSize at most so many items are in the other
 */
export function leastSimilarity(contained: number, size: number, otherSize: number): number {
  const shared = Math.min(contained * size, otherSize)
  return shared / (size + otherSize - shared)
}
