import { PocError } from '../errors.js'
import { FULL_SCORE } from '../verdict/score-units.js'

/**
 * What a score earns beside what was rewarded for the same before: the difference upwards. A worse one earns nothing and takes nothing back,
 * so that all scores of one thing together earn what the best of them is worth, in whatever order they come.
 *
 * @param options ten-thousandths of a full score: `worth` of the score; `rewarded`: the highest that was rewarded before
 * @returns ten-thousandths
 * @throws PocError `OPTION_INVALID` for what are no ten-thousandths
 * @example
 * ```ts
 * import { payDifference } from '@sealpool/poc'
 * console.log(payDifference({ worth: 9_000, rewarded: 8_000 })) // 1000
 * ```
 */
export function payDifference({
  worth,
  rewarded,
}: {
  readonly worth: number
  readonly rewarded: number
}): number {
  if (!Number.isSafeInteger(worth) || worth < 0 || worth > FULL_SCORE)
    throw new PocError('OPTION_INVALID', 'worth', 'a score is worth a whole number from 0 to 10,000')
  if (!Number.isSafeInteger(rewarded) || rewarded < 0)
    throw new PocError('OPTION_INVALID', 'rewarded', 'what was rewarded is a whole number from 0')
  return Math.max(0, worth - rewarded)
}
