import { digestToHex, type Hex } from '@sealpool/crypto'
import { PocError } from '../errors.js'
import { scoreUnits } from '../verdict/score-units.js'
import { verdictDigest } from '../verdict/verdict.js'
import type { Agreement } from './agree-on-verdict.js'

/** What the contract is told of an agreed verdict, as `DataRegistry.recordVerdicts` takes it. */
export interface AgreedEntry {
  readonly contributionId: bigint
  /** 0 to 10,000. */
  readonly score: number
  readonly refused: boolean
  readonly verdictDigest: Hex
}

/**
 * The entry of a verdict that was agreed on. The contracts hear one node for each batch and do not count validators: the node that signs
 * the batch answers for the agreement, and the digest on chain leads whoever has `agreement.statements` to what was agreed.
 *
 * @param agreement of `agreeOnVerdict`
 * @returns the entry
 * @throws PocError `OPTION_INVALID` when nothing was agreed, or the contribution's id is no number of the registry
 */
export function agreedEntry(agreement: Agreement): AgreedEntry {
  const { status, verdict } = agreement
  if (status !== 'agreed' || verdict === undefined) {
    throw new PocError('OPTION_INVALID', 'agreement', `nothing was agreed yet (${status})`)
  }
  if (!/^(0|[1-9]\d{0,77})$/.test(verdict.contribution)) {
    throw new PocError(
      'OPTION_INVALID',
      'agreement.verdict',
      "the contribution's id is no number of the registry",
    )
  }
  return {
    contributionId: BigInt(verdict.contribution),
    score: scoreUnits(verdict),
    refused: !verdict.valid,
    verdictDigest: digestToHex(verdictDigest(verdict)),
  }
}
