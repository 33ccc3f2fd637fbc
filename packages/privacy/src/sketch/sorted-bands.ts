import { BAND_WORDS } from './band-prefix.js'

/** Sketches of sets whose sizes are near to each other, in the order of the words of each band. */
export interface SortedBands {
  /** Least and largest size in it. */
  readonly from: number
  readonly to: number
  readonly entries: Uint32Array
  /** For each band the same entries, sorted by its words: one prefix stands in one run, however long it is taken. */
  readonly sorted: readonly Uint32Array[]
}

/** The words of all sketches behind each other. */
export interface AllWords {
  readonly orders: number
  readonly words: Uint32Array
}

/** How a band of one sketch compares to a band of another by its first words: negative, zero or positive. */
export function compareBand(
  left: AllWords,
  leftEntry: number,
  right: AllWords,
  rightEntry: number,
  band: number,
  prefix: number,
): number {
  let one = leftEntry * left.orders + band * BAND_WORDS
  let two = rightEntry * right.orders + band * BAND_WORDS
  for (const end = one + prefix; one < end; one++, two++) {
    const difference = (left.words[one] ?? 0) - (right.words[two] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Sorts sketches by each of their bands.
 *
 * @param all every sketch's words
 * @param entries which of them, with sizes that do not fall
 * @param sizes of all
 * @param bands how many
 */
export function sortBands(
  all: AllWords,
  entries: Uint32Array,
  sizes: Float64Array,
  bands: number,
): SortedBands {
  return {
    from: sizes[entries[0] ?? 0] ?? 0,
    to: sizes[entries.at(-1) ?? 0] ?? 0,
    entries,
    sorted: Array.from({ length: bands }, (_, band) =>
      entries
        .slice()
        .sort((left, right) => compareBand(all, left, all, right, band, BAND_WORDS) || left - right),
    ),
  }
}

/**
 * The run of entries that begin a band as the asked sketch does.
 *
 * @returns its first place and the place behind its last, in `sorted[band]`
 */
export function runOf(
  part: SortedBands,
  all: AllWords,
  asked: { readonly all: AllWords; readonly entry: number },
  band: number,
  prefix: number,
): readonly [number, number] {
  const order = part.sorted[band] ?? part.entries
  const border = (past: boolean): number => {
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const held = compareBand(all, order[middle] ?? 0, asked.all, asked.entry, band, prefix)
      if (held < 0 || (past && held === 0)) low = middle + 1
      else high = middle
    }
    return low
  }
  const first = border(false)
  return [first, border(true)]
}
