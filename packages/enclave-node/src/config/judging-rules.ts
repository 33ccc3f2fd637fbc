/**
 * What whoever judges contributions goes by besides the proof: the home of a pool and its validators have the same. All of it is measured.
 * @module
 */
import type { JsonObject } from '@sealpool/crypto'
import { DEFAULT_FARMING_RULE, type FarmingRule } from '@sealpool/poc'
import { DEFAULT_VERIFICATION_BUDGET, type VerificationBudget } from '@sealpool/poc/authenticity'
import * as z from 'zod'

const { noveltyFloor, clusterDecay, identityDecay, identityCap, clusterCap } = DEFAULT_FARMING_RULE
const share = z.number().min(0).max(1)

/** The farming rule of a pool. */
export interface PoolFarming extends FarmingRule {
  /** Share of its items that another contribution must hold for both to be of one cluster. */
  readonly clusterFrom: number
  /** Length of a period, by the time of blocks. */
  readonly periodSeconds: number
}

/** What is not quite new, or comes often, is worth less; null: the chain is told the proof's own score. */
const farmingSchema = z
  .strictObject({
    noveltyFloor: share.lt(1).default(noveltyFloor),
    clusterDecay: share.default(clusterDecay),
    identityDecay: share.default(identityDecay),
    identityCap: z.int().min(1).max(1_000_000).default(identityCap),
    clusterCap: z.number().min(0.0001).max(1_000_000).default(clusterCap),
    // Absent rather than filled in: what was measured before there was such a setting keeps its digest.
    fullFrom: z.exactOptional(share),
    clusterFrom: share.gt(0).default(0.3),
    periodSeconds: z
      .int()
      .min(3_600)
      .max(315_360_000)
      .default(30 * 86_400),
  })
  .nullable()
  .default(null)

/** Most work that verifying the signatures of one contribution may cost; what takes more is not authentic. null: as `poc` has it. */
const verificationSchema = z
  .strictObject({
    signatures: z.int().min(1).max(1_000_000).default(DEFAULT_VERIFICATION_BUDGET.signatures),
    bytes: z.int().min(1_000).max(100_000_000_000).default(DEFAULT_VERIFICATION_BUDGET.bytes),
  })
  .nullable()
  .default(null)

/** What whoever judges goes by besides the proof: the home of a pool and its validators have the same. */
export const judgingRules = { farming: farmingSchema, verification: verificationSchema }

/** @returns the measured part of what a judge goes by; absent rather than null */
export function measuredJudging({
  farming,
  verification,
}: {
  readonly farming: PoolFarming | null
  readonly verification: VerificationBudget | null
}): JsonObject {
  return {
    ...(farming === null ? {} : { farming: { ...farming } }),
    ...(verification === null ? {} : { verification: { ...verification } }),
  }
}
