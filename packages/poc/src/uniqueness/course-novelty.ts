import { minHash } from '@sealpool/privacy/sketch'
import { contentItems, type ItemSource } from './content-items.js'
import { assertSketchKey, type ContentSketch, ORDERS } from './content-sketch.js'
import type { NearDuplicateIndex } from './near-duplicate-index.js'
import { numberCourse } from './number-course.js'
import { wordSketch } from './word-novelty.js'

/** Agreement from which on a course is worth less, and what is left to where it is worth nothing. */
const MOST_START = 0.93
const WIDTH = 0.07
/** Standard deviations between what chance gives two people in common and what counts as a copy, where there are not many people. */
const DEVIATIONS = 3.5
const FEW = 200
/** Variance of the agreement that 64 orders estimate. */
const ESTIMATION = 0.0045

/**
 * Sketches how the numbers of a contribution go up and down from row to row, or the rare words of a text (`novelty` says what for).
 *
 * @param options `key`: at least 32 secret bytes, one per pool; `mediaType` and `bytes` of a file, or `items` of one (`itemsOf`)
 * @returns the sketch for the index of courses; undefined for what has too few rows that a text names, numbers that do not change, or weeks
 *   or months that are alike, and for texts with few rare words or many numbers: it could be told from another person's by chance alone
 * @throws PocError `KEY_INVALID` when the key is shorter than 32 bytes
 */
export function courseSketch(options: { readonly key: Uint8Array } & ItemSource): ContentSketch | undefined {
  const content = contentItems(options)
  return content.words === undefined
    ? sketchCourse({ key: options.key, ...content })?.sketch
    : wordSketch({ key: options.key, content })
}

/** The sketch with the agreement from which on it counts as a copy. */
function sketchCourse(
  { key, ...content }: { readonly key: Uint8Array } & ItemSource,
  people = FEW,
): { readonly sketch: ContentSketch; readonly start: number } | undefined {
  assertSketchKey(key)
  const { items, independent, recurring } = numberCourse(contentItems(content))
  // Whoever works on the same days of every week has that in common with all who do.
  const byChance = Math.max(0.5, recurring)
  // The nearest of many is near by chance: the tail of the normal distribution falls by exp(-x²/2).
  const deviations = Math.sqrt(DEVIATIONS ** 2 + 2 * Math.log(Math.max(1, people / FEW)))
  const start = byChance + deviations * Math.sqrt(0.25 / Math.max(1, independent) + ESTIMATION)
  if (start > MOST_START) return undefined
  const { words } = minHash({ items, key, use: 'sealpool/content/course/1', orders: ORDERS })
  return { sketch: { words, items: items.length }, start }
}

/**
 * How new the course of a contribution's numbers is.
 *
 * @param options `key`; `content`; `courses`: the pool's index, without this contribution
 * @returns 0 to 1; 1 where it says nothing
 */
export function courseNovelty(options: {
  readonly key: Uint8Array
  readonly content: ItemSource
  readonly courses: NearDuplicateIndex
}): number {
  const own = sketchCourse({ key: options.key, ...options.content }, options.courses.size)
  if (own === undefined) return 1
  const agreement = options.courses.nearest(own.sketch)?.contained ?? 0
  return Math.min(1, Math.max(0, 1 - (agreement - own.start) / WIDTH))
}
