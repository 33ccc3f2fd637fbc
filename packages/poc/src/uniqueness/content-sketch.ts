import { minHash } from '@sealpool/privacy/sketch'
import { PocError } from '../errors.js'
import { contentItems, type ItemSource } from './content-items.js'

/** Orders of a sketch: bands of an index times rows of a band. */
export const ORDERS = 64

/**
 * What the index keeps of a contribution: a byte for each of 64 orders of its items under the pool's key (b-bit MinHash, Li and König
 * 2010). With it and another of the same key the share of common items can be estimated; without the key nothing can be tested.
 */
export interface ContentSketch {
  /** 32-bit words by order; the index keeps the last byte of each. */
  readonly words: Uint32Array
  /** Distinct items in the file. */
  readonly items: number
}

/**
 * Sketches a contribution for near-duplicate search.
 *
 * @param options `key`: at least 32 secret bytes, one per pool; `mediaType` and `bytes` of a file, or `items` of one (`itemsOf`)
 * @returns the sketch; it stays inside the enclave
 * @throws PocError `KEY_INVALID` when the key is shorter than 32 bytes
 */
export function contentSketch(options: { readonly key: Uint8Array } & ItemSource): ContentSketch {
  const { key } = options
  assertSketchKey(key)
  const { items: named, unnamed } = contentItems(options)
  const items = unnamed?.items ?? named
  // One domain for all items: the same rows in another wrapping are the same rows.
  const { words } = minHash({ items, key, use: 'sealpool/content/item/3', orders: ORDERS })
  return { words, items: items.length }
}

/** Refuses a key that is too short. */
export function assertSketchKey(key: Uint8Array): void {
  if (key.length < 32) {
    throw new PocError('KEY_INVALID', 'key', 'a sketch key has at least 32 bytes; derive one per pool')
  }
}
