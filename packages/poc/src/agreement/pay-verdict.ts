import type { Digest } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { payDifference } from '../farming/pay-difference.js'
import { FULL_SCORE, scoreUnits } from '../verdict/score-units.js'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'

/** One line of what was paid for a contribution; the store is the caller's. */
export interface PaidVerdict {
  readonly contribution: string
  /** Of the verdict, see `verdictDigest`. */
  readonly digest: Digest
  /** Ten-thousandths of a full score that were paid for this verdict; 0 when it was no better than those before. */
  readonly paid: number
}

/** What a verdict earns. */
export interface VerdictPayment {
  /** Ten-thousandths of a full score. */
  readonly pay: number
  readonly reason: 'FIRST' | 'HIGHER' | 'NOT_HIGHER' | 'ALREADY_PAID'
  /** The line to be stored in the transaction that pays; null where there is one already. */
  readonly entry: PaidVerdict | null
}

/**
 * What is paid for a verdict beside those that were paid before: a verdict once, however often it comes, and a better one the difference.
 * A worse one takes nothing back. So all verdicts on a contribution together earn what the best of them is worth, in whatever order they come.
 *
 * @param options `verdict`; `before`: the lines of its contribution, in any order
 * @returns the payment
 * @throws PocError `OPTION_INVALID` for lines of another contribution, twice of one verdict, or that are none
 * @example
 * ```ts no-run
 * const { pay, entry } = payVerdict({ verdict, before: await linesOf(verdict.contribution) })
 * if (entry !== null) await payAndStore(pay, entry)
 * ```
 */
export function payVerdict(options: {
  readonly verdict: PocVerdict
  readonly before: readonly PaidVerdict[]
}): VerdictPayment {
  const { verdict, before } = options
  if (before.some(({ contribution }) => contribution !== verdict.contribution)) {
    throw new PocError(
      'OPTION_INVALID',
      'before',
      'a line is of another contribution; give those of the verdict',
    )
  }
  if (!before.every(({ paid }) => Number.isSafeInteger(paid) && paid >= 0 && paid <= FULL_SCORE)) {
    throw new PocError('OPTION_INVALID', 'before', 'what was paid is a whole number from 0 to 10,000')
  }
  if (new Set(before.map((line) => line.digest)).size < before.length) {
    throw new PocError('OPTION_INVALID', 'before', 'a verdict stands there twice; it is paid once')
  }
  const digest = verdictDigest(verdict)
  if (before.some((line) => line.digest === digest)) return { pay: 0, reason: 'ALREADY_PAID', entry: null }
  const worth = scoreUnits(verdict)
  const pay = payDifference({ worth, rewarded: before.reduce((sum, { paid }) => sum + paid, 0) })
  return {
    pay,
    reason: before.length === 0 ? 'FIRST' : pay > 0 ? 'HIGHER' : 'NOT_HIGHER',
    entry: { contribution: verdict.contribution, digest, paid: pay },
  }
}
