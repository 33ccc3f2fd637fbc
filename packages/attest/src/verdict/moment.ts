import { AttestError } from '../errors.js'

/**
 * The moment of a question.
 *
 * @param at as the caller gave it
 * @returns unix seconds, rounded down
 * @throws AttestError `BAD_ARGUMENT` when it is no valid date
 */
export function momentSeconds(at: Date): number {
  // Callers without types may give anything, a date's text for example.
  const seconds =
    Object.prototype.toString.call(at) === '[object Date]' ? Math.floor(at.getTime() / 1000) : Number.NaN
  if (!Number.isFinite(seconds))
    throw new AttestError('BAD_ARGUMENT', 'options.at', 'The time is not a valid date')
  return seconds
}
