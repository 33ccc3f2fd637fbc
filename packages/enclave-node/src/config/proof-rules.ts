/**
 * What a pool decides besides the code of its proof of contribution: whose an account is, what copies are worth, what is told about
 * its tables, how long things are kept, and who judges besides its home. All of it is measured.
 * @module
 */
import type { JsonObject } from '@sealpool/crypto'
import type { VerificationBudget } from '@sealpool/poc/authenticity'
import * as z from 'zod'
import { consentsSchema, measuredConsents, type PoolConsents } from './consent-settings.js'
import { factsSettings, type PoolFacts } from './facts-settings.js'
import { judgingRules, measuredJudging, type PoolFarming } from './judging-rules.js'
import { type Keep, keepSchema } from './own-copies-settings.js'
import { measuredRescoring, type PoolRescoring, rescoringSchema } from './rescoring-settings.js'
import { type PoolRetention, poolRetentionSchema } from './retention-settings.js'
import { measuredValidators, type PoolValidators, validatorsSchema } from './validator-settings.js'

/** Settings of one pool. */
export const proofRules = {
  ...judgingRules,
  /**
   * When a second wallet comes with an account that a first one holds (for proofs that read an account): the first keeps it, or both
   * contribute and count as one contributor. Moving an account needs a binding that is newer, which the node does not take in yet.
   */
  accountRule: z.enum(['first-wallet', 'merge']).default('first-wallet'),
  facts: factsSettings,
  /** Share of contributions whose verdicts are judged again. */
  auditShare: z.number().min(0).max(1).default(0),
  retention: poolRetentionSchema,
  validators: validatorsSchema,
  keep: keepSchema,
  consents: consentsSchema,
  rescoring: rescoringSchema,
}

/** @returns the measured part; absent rather than null, so that pools without a rule have the digests that they always had */
export function measuredProofRules(pool: {
  readonly accountRule: 'first-wallet' | 'merge'
  readonly farming: PoolFarming | null
  readonly facts: PoolFacts | null
  readonly auditShare: number
  readonly verification: VerificationBudget | null
  readonly retention: PoolRetention | null
  readonly validators: PoolValidators | null
  readonly keep: Keep
  readonly consents: PoolConsents | null
  readonly rescoring: PoolRescoring | null
}): JsonObject {
  const { accountRule, farming, facts, auditShare, verification, retention, validators, keep } = pool
  const { consents, rescoring } = pool
  return {
    accountRule,
    ...measuredJudging({ farming, verification }),
    ...(facts === null ? {} : { facts: facts as unknown as JsonObject }),
    ...(auditShare === 0 ? {} : { auditShare }),
    ...(retention === null ? {} : { retention: { ...retention } }),
    ...(validators === null ? {} : { validators: measuredValidators(validators) }),
    ...(keep === 'escrow' ? {} : { keep }),
    ...(consents === null ? {} : { consents: measuredConsents(consents) }),
    ...(rescoring === null ? {} : { rescoring: measuredRescoring(rescoring) }),
  }
}
