/**
 * What the validators of a contribution have come to, as the pool's home records it.
 * @module
 */
import type { SignedStatement } from '@sealpool/crypto'
import {
  type Agreement,
  agreeOnVerdict,
  checkDispute,
  type ExpectedVerdict,
  type PocVerdict,
  parsePocVerdict,
  type VerdictContext,
} from '@sealpool/poc'
import { endedByClock } from '../ingest/ended-by-clock.js'
import type { AgreementRecord, RecordedDispute } from '../state/verdict-agreement-table.js'

/** What the statements must be about; the inputs are named. */
export type ExpectedAgreement = Omit<ExpectedVerdict, 'context'> & {
  readonly context: VerdictContext & Required<Pick<VerdictContext, 'inputs'>>
  readonly threshold: number
}

/** Why a contribution waits for its validators. */
export type WaitingReason = 'VALIDATORS_AWAY' | 'VALIDATORS_DISAGREE'

/** What becomes of a contribution. */
export type AgreementDecision = {
  /** Of each who says something else than most, or two things: recorded whether the others agree or not. */
  readonly disputes: readonly RecordedDispute[]
  /** Why statements do not count, by code. */
  readonly rejected: Agreement['rejected']
} & (
  | { readonly kind: 'agreed'; readonly verdict: PocVerdict; readonly record: AgreementRecord }
  | { readonly kind: 'waits'; readonly reason: WaitingReason }
)

/**
 * Counts the statements on one contribution, the home's own among them.
 * @param statements as they came, of any form
 * @throws PocError `OPTION_INVALID` for a threshold with which two agreements would be possible
 */
export function decideAgreement(
  statements: readonly unknown[],
  expected: ExpectedAgreement,
): AgreementDecision {
  const { pool, contribution, poc, context, validators, threshold } = expected
  const agreement = agreeOnVerdict({ ...expected, statements })
  const { commitment, inputs, earlierPolicy } = context
  const about = { poc, commitment, inputs, ...(earlierPolicy === undefined ? {} : { earlierPolicy }) }
  const disputes = agreement.disputes.flatMap((evidence) => {
    if (evidence.statements.some(saysClock)) return []
    const shown = checkDispute(evidence, { pool, contribution, poc, context, validators })
    return [{ ...shown, statements: evidence.statements, expected: { ...about, validators } }]
  })
  const common = { disputes, rejected: agreement.rejected }
  if (agreement.status === 'agreed' && agreement.verdict !== undefined) {
    return {
      ...common,
      kind: 'agreed',
      verdict: agreement.verdict,
      record: { ...about, threshold, validators, statements: agreement.statements },
    }
  }
  return {
    ...common,
    kind: 'waits',
    reason: agreement.status === 'disputed' ? 'VALIDATORS_DISAGREE' : 'VALIDATORS_AWAY',
  }
}

/** What a clock ended on one machine may have come to an end on another: nobody is wrong then. */
function saysClock({ statement }: SignedStatement): boolean {
  return endedByClock(parsePocVerdict(statement.body['predicate']))
}
