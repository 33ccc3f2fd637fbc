import { AttestError } from '../errors.js'

/** Unix seconds behind the last moment that ISO texts write with a year of four digits, as verdicts and policies do. */
export const endOfTime = 253402300800

/**
 * The moment of a question.
 *
 * @param at as the caller gave it
 * @returns unix seconds, rounded down
 * @throws AttestError `BAD_ARGUMENT` when it is no valid date, or one before 1970 or behind the year 9999
 */
export function momentSeconds(at: Date): number {
  // Callers without types may give anything, a date's text for example.
  const seconds =
    Object.prototype.toString.call(at) === '[object Date]' ? Math.floor(at.getTime() / 1000) : -1
  if (!(seconds >= 0 && seconds < endOfTime))
    throw new AttestError('BAD_ARGUMENT', 'options.at', 'The time is not a date')
  return seconds
}
