import { PocError } from '../errors.js'
import type { PocVerdict } from '../verdict/verdict.js'

/** Which score counts for rewards when a pool's code was upgraded. */
export type RescoringRule =
  /** What was earned stays; the new score counts for what comes. */
  | 'keep-first'
  /** The better of the two. */
  | 'keep-higher'
  /** The new one, also when it is lower. */
  | 'latest'

/** A contribution before and after an upgrade: both verdicts stay on record. */
export interface RescoringRecord {
  readonly contribution: string
  readonly before: PocVerdict
  readonly after: PocVerdict
  /** Score by which rewards go from now on. */
  readonly counting: number
  readonly changed: boolean
}

/**
 * Applies a rule to a verdict by old code and one by new code on the same contribution.
 *
 * @param options `rule`, `before`, `after`
 * @returns the record; both verdicts as they were
 * @throws PocError `OPTION_INVALID` when they are of different contributions or of the same code
 */
export function rescore(options: {
  readonly rule: RescoringRule
  readonly before: PocVerdict
  readonly after: PocVerdict
}): RescoringRecord {
  const { rule, before, after } = options
  if (before.contribution !== after.contribution || before.pool.toLowerCase() !== after.pool.toLowerCase()) {
    throw new PocError('OPTION_INVALID', 'after.contribution', 'the verdicts are on different contributions')
  }
  if (before.poc === after.poc) {
    throw new PocError(
      'OPTION_INVALID',
      'after.poc',
      'the verdicts are by the same code; there was no upgrade',
    )
  }
  const counting = {
    'keep-first': before.score,
    'keep-higher': Math.max(before.score, after.score),
    latest: after.score,
  }[rule]
  return {
    contribution: before.contribution,
    before,
    after,
    counting,
    changed: before.score !== after.score || before.valid !== after.valid,
  }
}
