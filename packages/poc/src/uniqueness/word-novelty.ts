import { minHash } from '@sealpool/privacy/sketch'
import type { ContentItems } from './content-items.js'
import { type ContentSketch, ORDERS } from './content-sketch.js'
import type { NearDuplicateIndex } from './near-duplicate-index.js'
import type { RowIndex } from './row-index.js'

/** Of the words outside of passages that are held: the share in common up to which chance and a common topic may go, and what lies between that and a copy. */
const START = 0.45
const WIDTH = 0.12
/** Runs of words one after the other from which on they are a passage: of a text of which every fifth word was changed hardly any is so long. */
const PASSAGE = 12

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
 * common says nothing beside what comparing runs of words has said. Of a copy in other words no passage may be held, and most of its words are.
 *
 * @param options `key`; `content`; `courses` and `rows`: the pool's indexes, without this contribution
 * @returns 0 to 1; 1 where it says nothing
 */
export function wordNovelty(options: {
  readonly key: Uint8Array
  readonly content: ContentItems
  readonly courses: NearDuplicateIndex
  readonly rows: RowIndex
}): number {
  const { courses, content, rows } = options
  const own = wordSketch(options)
  if (own === undefined) return 1
  const found = courses.nearest(own)
  if (found === undefined || found.similarity === 0) return 1
  const { contained, similarity } = found
  // Of the two shares the greater one: words that were put in make the copy's share less, and not the original's.
  const shared = contained * own.items
  const others = shared + shared / similarity - own.items
  const inCommon = Math.min(1, Math.max(contained, shared / Math.max(1, others)))
  const held = shareOfPassages(content.items, rows)
  const start = held + (1 - held) * START
  return Math.min(1, Math.max(0, 1 - (inCommon - start) / WIDTH))
}

/** Share of a text's runs of words that stand in passages which the pool holds. */
function shareOfPassages(runs: readonly string[], rows: RowIndex): number {
  let [inPassages, length] = [0, 0]
  for (const run of runs) {
    length = rows.holds(run) ? length + 1 : 0
    if (length === PASSAGE) inPassages += PASSAGE
    else if (length > PASSAGE) inPassages++
  }
  return runs.length === 0 ? 0 : inPassages / runs.length
}
