import { minHash } from '@sealpool/privacy/sketch'
import type { ContentItems } from './content-items.js'
import { type ContentSketch, ORDERS } from './content-sketch.js'
import type { NearDuplicateIndex } from './near-duplicate-index.js'

/** Of the words outside of passages that are held: the share in common up to which chance and a common topic may go, and what lies between that and a copy. */
const START = 0.45
const WIDTH = 0.12

/**
 * Sketches the rare words of a text (`rareWords`).
 *
 * @param options `key`: the pool's; `content`: as `contentItems` gives it
 * @returns the sketch for the index that holds courses too; undefined for what is no text, short, or a form
 */
export function wordSketch(options: {
  readonly key: Uint8Array
  readonly content: ContentItems
}): ContentSketch | undefined {
  const { words: items } = options.content
  if (items === undefined) return undefined
  const { words } = minHash({ items, key: options.key, use: 'sealpool/content/words/1', orders: ORDERS })
  return { words, items: items.length }
}

/**
 * How new the words of a text are. A passage that is held (a footer, a quoted letter) has all of its words in common: that much of the words in
 * common says nothing beside what comparing passages has said. Of a copy in other words no passage may be held, and most of its words are.
 *
 * @param options `key`; `content`; `courses`: the pool's index, without this contribution; `held`: the share of its runs of words that the
 *   pool holds, 0 to 1
 * @returns 0 to 1; 1 where it says nothing
 */
export function wordNovelty(options: {
  readonly key: Uint8Array
  readonly content: ContentItems
  readonly courses: NearDuplicateIndex
  readonly held: number
}): number {
  const { courses, held } = options
  const own = wordSketch(options)
  if (own === undefined) return 1
  const inCommon = courses.nearest(own)?.contained ?? 0
  const start = held + (1 - held) * START
  return Math.min(1, Math.max(0, 1 - (inCommon - start) / WIDTH))
}
