/**
 * What a pool decides besides the code of its proof of contribution: whose an account is, what copies are worth, what is told about
 * its tables, and how long things are kept. All of it is measured.
 * @module
 */
import type { JsonObject } from '@sealpool/crypto'
import { DEFAULT_FARMING_RULE, type FarmingRule } from '@sealpool/poc'
import { DEFAULT_VERIFICATION_BUDGET, type VerificationBudget } from '@sealpool/poc/authenticity'
import * as z from 'zod'
import { factsSettings, type PoolFacts } from './facts-settings.js'
import { type Keep, keepSchema } from './own-copies-settings.js'
import { type PoolRetention, poolRetentionSchema } from './retention-settings.js'

const { noveltyFloor, clusterDecay, identityDecay, identityCap, clusterCap } = DEFAULT_FARMING_RULE
const share = z.number().min(0).max(1)

/** The farming rule of a pool. */
export interface PoolFarming extends FarmingRule {
  /** Share of its items that another contribution must hold for both to be of one cluster. */
  readonly clusterFrom: number
  /** Length of a period, by the time of blocks. */
  readonly periodSeconds: number
}

/** Settings of one pool. */
export const proofRules = {
  /**
   * When a second wallet comes with an account that a first one holds (for proofs that read an account): the first keeps it, or both
   * contribute and count as one contributor. Moving an account needs a binding that is newer, which the node does not take in yet.
   */
  accountRule: z.enum(['first-wallet', 'merge']).default('first-wallet'),
  /** What is not quite new, or comes often, is worth less; null: the chain is told the proof's own score. */
  farming: z
    .strictObject({
      noveltyFloor: share.lt(1).default(noveltyFloor),
      clusterDecay: share.default(clusterDecay),
      identityDecay: share.default(identityDecay),
      identityCap: z.int().min(1).max(1_000_000).default(identityCap),
      clusterCap: z.number().min(0.0001).max(1_000_000).default(clusterCap),
      clusterFrom: share.gt(0).default(0.3),
      periodSeconds: z
        .int()
        .min(3_600)
        .max(315_360_000)
        .default(30 * 86_400),
    })
    .nullable()
    .default(null),
  facts: factsSettings,
  /** Share of contributions whose verdicts are judged again. */
  auditShare: share.default(0),
  /** Most work that verifying the signatures of one contribution may cost; what takes more is not authentic. null: as `poc` has it. */
  verification: z
    .strictObject({
      signatures: z.int().min(1).max(1_000_000).default(DEFAULT_VERIFICATION_BUDGET.signatures),
      bytes: z.int().min(1_000).max(100_000_000_000).default(DEFAULT_VERIFICATION_BUDGET.bytes),
    })
    .nullable()
    .default(null),
  retention: poolRetentionSchema,
  keep: keepSchema,
}

/** @returns the measured part; absent rather than null, so that pools without a rule have the digests that they always had */
export function measuredProofRules(pool: {
  readonly accountRule: 'first-wallet' | 'merge'
  readonly farming: PoolFarming | null
  readonly facts: PoolFacts | null
  readonly auditShare: number
  readonly verification: VerificationBudget | null
  readonly retention: PoolRetention | null
  readonly keep: Keep
}): JsonObject {
  const { accountRule, farming, facts, auditShare, verification, retention, keep } = pool
  return {
    accountRule,
    ...(farming === null ? {} : { farming: { ...farming } }),
    ...(facts === null ? {} : { facts: facts as unknown as JsonObject }),
    ...(auditShare === 0 ? {} : { auditShare }),
    ...(verification === null ? {} : { verification: { ...verification } }),
    ...(retention === null ? {} : { retention: { ...retention } }),
    ...(keep === 'escrow' ? {} : { keep }),
  }
}
