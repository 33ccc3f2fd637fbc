import type { PocVerdict } from './verdict.js'

/** A full score as the contracts count it: in ten-thousandths. */
export const FULL_SCORE = 10_000

/**
 * The score of a verdict as the contracts count it.
 *
 * @param verdict a verdict
 * @returns 0 to 10,000, whole; 0 when it is refused
 */
export function scoreUnits({ valid, score }: Pick<PocVerdict, 'valid' | 'score'>): number {
  return valid ? Math.round(score * FULL_SCORE) : 0
}
