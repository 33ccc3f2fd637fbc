import type { Digest } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import type { PocVerdict } from '../verdict/verdict.js'

/** Which contributions a pool has judged again when it approves another proof. Plain data: it belongs into what the pool votes on. */
export type RescoringScope =
  /** None: what was judged stays, the new code judges what comes. */
  | { readonly kind: 'keep' }
  /** All, refused ones too. */
  | { readonly kind: 'rescore-all' }
  /** Those with a score under this one, 0 to 1; refused ones have 0. */
  | { readonly kind: 'rescore-below'; readonly score: number }

/** Who keeps a verdict and who gets another, in the order of the contributions. */
export interface RescoringPlan {
  readonly keep: readonly string[]
  readonly rescore: readonly string[]
}

/**
 * Says what an upgrade means for each contribution. Made again after a stop it gives the rest: what the new code has judged is kept.
 *
 * @param options `scope`; `approved`: digest of the code that counts now; `verdicts`: the last one of each contribution
 * @returns ids
 * @throws PocError `OPTION_INVALID` for a score outside 0 to 1, or a contribution that stands there twice
 * @example
 * ```ts
 * import { planRescoring } from '@sealpool/poc'
 * const [before, approved] = [`sha256:${'0'.repeat(64)}`, `sha256:${'1'.repeat(64)}`] as const
 * const verdicts = [{ contribution: '1', poc: before, score: 0.4 }, { contribution: '2', poc: before, score: 0.9 }]
 * console.log(planRescoring({ scope: { kind: 'rescore-below', score: 0.5 }, approved, verdicts }).rescore) // [ '1' ]
 * ```
 */
export function planRescoring(options: {
  readonly scope: RescoringScope
  readonly approved: Digest
  readonly verdicts: readonly Pick<PocVerdict, 'contribution' | 'poc' | 'score'>[]
}): RescoringPlan {
  const { scope, approved, verdicts } = options
  if (scope.kind === 'rescore-below' && !(scope.score >= 0 && scope.score <= 1)) {
    throw new PocError('OPTION_INVALID', 'scope.score', 'expected a score from 0 to 1')
  }
  const seen = new Set<string>()
  const plan = { keep: [] as string[], rescore: [] as string[] }
  for (const { contribution, poc, score } of verdicts) {
    if (seen.has(contribution)) {
      throw new PocError(
        'OPTION_INVALID',
        'verdicts',
        'a contribution stands there twice; give its last verdict',
      )
    }
    seen.add(contribution)
    const isMeant = scope.kind === 'rescore-all' || (scope.kind === 'rescore-below' && score < scope.score)
    plan[isMeant && poc !== approved ? 'rescore' : 'keep'].push(contribution)
  }
  return plan
}
