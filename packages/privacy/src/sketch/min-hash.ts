import { PrivacyError } from '../errors.js'
import { keyedHash } from './keyed-hash.js'

/** The least hashes of a set's items in each of several orders. Whoever has two of one key can compare the sets. */
export interface MinHash {
  readonly kind: 'min-hash'
  /** One 32-bit word for each order. */
  readonly words: Uint32Array
}

/** Most orders; the standard error of a similarity is at most 1 / (2 sqrt(orders)). */
const MOST_ORDERS = 4096

/**
 * A keyed MinHash sketch (Broder 1997): equal words in two sketches estimate the Jaccard similarity of the sets.
 *
 * @param options - `items`: distinct or not; `key` and `use` as for all sketches of the pool; `orders` from 16 to 4096, default
 *   256 (standard error at most 0.031).
 * @returns The sketch. It belongs inside of the enclave; `sealSketch` makes it fit to leave.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { jaccardSimilarity, minHash } from '@sealpool/privacy/sketch'
 * const key = new Uint8Array(32).fill(1)
 * const one = minHash({ items: ['a', 'b', 'c'], key, use: 'tags' })
 * console.assert(jaccardSimilarity(one, minHash({ items: ['c', 'b', 'a'], key, use: 'tags' })) === 1)
 * ```
 */
export function minHash(options: {
  readonly items: Iterable<string>
  readonly key: Uint8Array
  readonly use: string
  readonly orders?: number
}): MinHash {
  const { orders = 256 } = options
  if (!Number.isSafeInteger(orders) || orders < 16 || orders > MOST_ORDERS) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'orders',
      `orders must be a whole number from 16 to ${MOST_ORDERS}.`,
    )
  }
  const hash = keyedHash(options)
  const words = new Uint32Array(orders).fill(0xffffffff)
  for (const item of options.items) {
    const [a, b] = hash(item)
    // One keyed hash per item; the orders follow from it by mixing, which needs no key of its own.
    for (let order = 0; order < orders; order++) {
      const value = mixed(a ^ Math.imul(order + 1, 0x9e3779b1), b)
      if (value < (words[order] ?? 0)) words[order] = value
    }
  }
  return { kind: 'min-hash', words }
}

/** Finaliser of MurmurHash3 (public domain) over two words. */
function mixed(first: number, second: number): number {
  let word = first
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b) ^ second
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  return (word ^ (word >>> 15)) >>> 0
}

/**
 * Estimated |A and B| / |A or B|.
 *
 * @param left - Sketch of A.
 * @param right - Sketch of B under the same key, use and number of orders.
 * @returns Share of equal words, from 0 to 1; two empty sets are equal.
 * @throws PrivacyError `PARAMETER_INVALID` for different numbers of orders.
 */
export function jaccardSimilarity(left: MinHash, right: MinHash): number {
  if (left.words.length !== right.words.length) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'words',
      'Only sketches of the same number of orders compare.',
    )
  }
  let equal = 0
  left.words.forEach((word, order) => {
    if (word === right.words[order]) equal++
  })
  return equal / left.words.length
}

/**
 * Estimated |A and B| / |A|, from the similarity and both sizes. Where sizes differ much it says more than the similarity.
 *
 * @param options - `jaccard` similarity; `size` of A, `otherSize` of B (counted, or from a `hyperLogLog`).
 * @returns From 0 to 1.
 */
export function containment(options: {
  readonly jaccard: number
  readonly size: number
  readonly otherSize: number
}): number {
  const { jaccard, size, otherSize } = options
  if (!(size > 0)) return 0
  const shared = (jaccard * (size + otherSize)) / (1 + jaccard)
  return Math.min(1, Math.max(0, shared / size))
}

/** The words, big endian. */
export function minHashBytes({ words }: MinHash): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  const view = new DataView(bytes.buffer)
  words.forEach((word, order) => {
    view.setUint32(order * 4, word)
  })
  return bytes
}

/** The sketch of bytes, or nothing when they cannot be one. */
export function minHashFromBytes(bytes: Uint8Array): MinHash | undefined {
  if (bytes.length % 4 !== 0 || bytes.length < 64 || bytes.length > 4 * MOST_ORDERS) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    kind: 'min-hash',
    words: Uint32Array.from({ length: bytes.length / 4 }, (_, order) => view.getUint32(order * 4)),
  }
}
