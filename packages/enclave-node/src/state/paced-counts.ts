import type { Address } from '@sealpool/crypto'
import type { countContributions } from './contribution-table.js'

type Counts = Awaited<ReturnType<typeof countContributions>>

/** A count that is given again. */
export interface KnownCount {
  readonly counts: Promise<Counts>
  /** Until when. */
  until: number
}

/** Tables of fewer contributions are counted for each call. */
const few = 2_000
/** A count is given again for so many times as long as it took: counting takes no more than about a fiftieth of the time. */
const pause = 50

/**
 * Counts contributions for whoever asks, however many there are and however often they ask: callers at the same time share one
 * count, and one of a large table is given again for as long as it was worth.
 *
 * @param options.count counts them, of one pool or of all
 * @param options.now milliseconds that only grow
 * @param options.known where counts are kept: of large tables, and of those that are being counted, so that asking for pools that
 *   nobody serves keeps nothing
 */
export function pacedCounts(options: {
  readonly count: (pool?: Address) => Promise<Counts>
  readonly now: () => number
  readonly known?: Map<string, KnownCount>
}): (pool?: Address) => Promise<Counts> {
  const known = options.known ?? new Map<string, KnownCount>()
  return (pool) => {
    const key = pool?.toLowerCase() ?? ''
    const last = known.get(key)
    const began = options.now()
    if (last !== undefined && began < last.until) return last.counts
    // Until it is known what it took, whoever else asks waits for the same count.
    const entry = { counts: options.count(pool), until: Number.POSITIVE_INFINITY }
    known.set(key, entry)
    entry.counts.then(
      ({ states }) => {
        const total = Object.values(states).reduce((sum, count) => sum + count, 0)
        const now = options.now()
        if (total < few) known.delete(key)
        else entry.until = now + pause * (now - began)
      },
      () => void known.delete(key),
    )
    return entry.counts
  }
}
