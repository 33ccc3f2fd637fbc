import { PocError } from '../errors.js'
import { contentItems, type ItemSource } from './content-items.js'
import { contentSketch } from './content-sketch.js'
import { courseNovelty } from './course-novelty.js'
import type { NearDuplicateIndex } from './near-duplicate-index.js'
import type { RowIndex } from './row-index.js'
import { wordNovelty } from './word-novelty.js'

/**
 * How new a contribution is: the smaller of what the index of near duplicates says (1 less the greatest share of it that one earlier
 * contribution holds) and of what the row index says (the share of its rows that no earlier one held). The first sees copies that were
 * nudged, the second pieces of many contributions put together and rows whose numbers all went a step
 * aside; either alone is easy to get around. With `courses` a third one sees rows whose numbers were all moved by more: their levels are
 * others, but they go up and down as one earlier contribution's do, on the same days. It sees a text, too, of which every fourth or fifth word
 * was changed: its rare words are another text's.
 *
 * @param options `key`: the pool's; `content`: the file, or better the items that the proof read; `near`, `rows`, `courses`: the pool's
 *   indexes, one of the first two at least, without this contribution
 * @returns 0 to 1; 0 for what has no items (a picture, an empty file): nothing was compared, so nothing is new
 * @throws PocError `OPTION_INVALID` without an index, `KEY_INVALID`
 * @example
 * ```ts
 * import { createNearDuplicateIndex, createRowIndex, itemsOf, novelty } from '@sealpool/poc'
 * const key = new Uint8Array(32).fill(1)
 * const rows = createRowIndex({ key })
 * rows.add(itemsOf([{ day: '2026-01-01', steps: 5000 }]))
 * const content = itemsOf([{ day: '2026-01-01', steps: 5000 }, { day: '2026-01-02', steps: 7000 }])
 * console.log(novelty({ key, content, near: createNearDuplicateIndex(), rows })) // 0.5
 * ```
 */
export function novelty(options: {
  readonly key: Uint8Array
  readonly content: ItemSource
  readonly near?: NearDuplicateIndex
  readonly rows?: RowIndex
  /** Of `courseSketch`, where that gives one. */
  readonly courses?: NearDuplicateIndex
}): number {
  const { key, near, rows, courses } = options
  if (near === undefined && rows === undefined) {
    throw new PocError(
      'OPTION_INVALID',
      'near',
      'novelty needs an index to compare with; give near, rows or both',
    )
  }
  const content = contentItems(options.content)
  const sketch = contentSketch({ key, ...content })
  if (sketch.items === 0) return 0
  const alike = near?.nearest(sketch)?.contained ?? 0
  const compared = Math.min(1 - alike, rows?.novelty(content) ?? 1)
  if (courses === undefined) return compared
  return Math.min(
    compared,
    courseNovelty({ key, content, courses }),
    rows === undefined ? 1 : wordNovelty({ key, content, courses, rows }),
  )
}
