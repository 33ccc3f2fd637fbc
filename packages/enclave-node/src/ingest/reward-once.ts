/**
 * Lessens the score of an accepted contribution by what its lineage or the same content was rewarded with before, and says so in the verdict.
 * @module
 */
import { FULL_SCORE, type PocVerdict, payDifference, scoreUnits } from '@sealpool/poc'

/** Lines of a verdict's evidence. */
const mostEvidence = 200
/** Lines that end a verdict's evidence where a farming rule has scaled it. */
const linesOfFarming = 2

/**
 * Has a verdict earn what it is better than what was rewarded before, and nothing where it is not.
 * @param rewarded ten-thousandths, see `rewardedBefore`
 * @param scaled whether a farming rule has scaled the verdict
 * @returns the verdict as it is where nothing was rewarded; else with the score that is left, and with evidence that ends with the score
 * before (`pool.score`, unless farming says it already) and what was rewarded (`pool.rewarded`), whose place is the reason: `HIGHER` or `NOT_HIGHER`
 */
export function rewardOnce(verdict: PocVerdict, rewarded: number, scaled: boolean): PocVerdict {
  if (rewarded === 0 || !verdict.valid) return verdict
  const pay = payDifference({ worth: scoreUnits(verdict), rewarded })
  const own = verdict.evidence.length - (scaled ? linesOfFarming : 0)
  const before: PocVerdict['evidence'] = scaled
    ? verdict.evidence.slice(own)
    : [{ check: 'pool.score', result: 'pass', place: 'score', degree: verdict.score }]
  return {
    ...verdict,
    score: pay / FULL_SCORE,
    evidence: [
      ...verdict.evidence.slice(0, Math.min(own, mostEvidence - 1 - before.length)),
      ...before,
      {
        check: 'pool.rewarded',
        result: pay > 0 ? 'partial' : 'fail',
        place: pay > 0 ? 'HIGHER' : 'NOT_HIGHER',
        degree: rewarded / FULL_SCORE,
      },
    ],
  }
}
