import type { ActivitySample } from '../../define/record-types.js'
import { RefineError } from '../../errors.js'

/** What a session of a FIT file says of itself: seconds of the file's own clock. */
export interface FitSession {
  readonly sport: string | null
  /** When it began; undefined when nothing tells it, then no sample lies in it. */
  readonly start: number | undefined
}

/** A sample as it was read, with its time by the file's own clock, which may be none of the calendar. */
export interface FitSample {
  readonly sample: ActivitySample
  readonly time: number | undefined
}

/** FIT counts the sessions of a file in 16 bits. */
const mostSessions = 65_535

/**
 * When a session began: `start_time`, else its end less its `total_elapsed_time`, else its first sample.
 *
 * @param values - fields of the message `session`
 * @param since - time of the first sample behind the session before
 * @returns seconds of the file's own clock, or undefined
 */
export function sessionStart(
  values: ReadonlyMap<number, number>,
  since: number | undefined,
): number | undefined {
  const start = values.get(2)
  if (start !== undefined) return start
  const end = values.get(253)
  const elapsed = values.get(7)
  return end === undefined || elapsed === undefined ? since : end - elapsed / 1000
}

/**
 * Refuses one session too many.
 *
 * @param count - sessions of the file so far
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export function checkSessions(count: number): void {
  if (count > mostSessions)
    throw new RefineError('LIMIT_EXCEEDED', 'source', `A FIT file has more than ${mostSessions} sessions`)
}

/**
 * Gives each sample of a file the session in whose time it lies: the one that began last by then. FIT writes a session behind its
 * samples or all sessions at the end of the file, so their places say nothing. A sample without a time, or before all sessions,
 * is of the session of the sample before it, the first one at the beginning.
 *
 * @param samples - the file's samples in order
 * @param sessions - at least two, in any order
 * @param activity - number of the first session
 * @returns the samples, sessions numbered by their begin
 */
export function bySession(
  samples: readonly FitSample[],
  sessions: readonly FitSession[],
  activity: number,
): ActivitySample[] {
  const ordered = sessions
    .map(({ sport, start }) => ({ sport, start: start ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.start === b.start ? 0 : a.start - b.start))
  let current = 0
  return samples.map(({ sample, time }) => {
    if (time !== undefined) current = lastBegun(ordered, time) ?? current
    const session = ordered[current]
    // Where no session says when it was, nothing says which of their sports this is.
    const sport = session === undefined || session.start === Number.POSITIVE_INFINITY ? null : session.sport
    return { ...sample, sport, activity: activity + current }
  })
}

/** Index of the last session that began at `time` or before. */
function lastBegun(ordered: readonly { readonly start: number }[], time: number): number | undefined {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ordered[middle]?.start ?? 0) <= time) low = middle + 1
    else high = middle
  }
  return low === 0 ? undefined : low - 1
}
