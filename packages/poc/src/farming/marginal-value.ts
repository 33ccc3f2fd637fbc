import { PocError } from '../errors.js'

/** How a pool pays for what is not quite new. All shares are from 0 to 1. */
export interface FarmingRule {
  /** Novelty up to which a contribution is worth nothing: a copy with a few changes is a copy. */
  readonly noveltyFloor: number
  /** What the next contribution of one cluster of near copies is worth of the one before it. */
  readonly clusterDecay: number
  /** What the next contribution of one identity in a period is worth of the one before it. */
  readonly identityDecay: number
  /** Most contributions of one identity in a period that are worth anything. */
  readonly identityCap: number
  /** Most that one cluster may earn over all time, in units of one contribution of score 1. */
  readonly clusterCap: number
}

/** A rule that holds the simulated farms of the tests below 1.2 times one contribution. */
export const DEFAULT_FARMING_RULE: FarmingRule = /* @__PURE__ */ Object.freeze({
  noveltyFloor: 0.3,
  clusterDecay: 0.5,
  identityDecay: 0.8,
  identityCap: 20,
  clusterCap: 2,
})

/** What was paid for so far, as far as one contribution needs it. The store is the caller's. */
export interface FarmingHistory {
  /** Contributions of the identity in this period. */
  readonly ofIdentity: number
  /** Contributions of the cluster of near copies, and what they earned together. */
  readonly ofCluster: { readonly count: number; readonly earned: number }
}

/** The value of one contribution, why it is that, and the history after it. */
export interface FarmingValue {
  /** 0 to 1. */
  readonly value: number
  readonly reason: 'FULL' | 'NOT_NEW' | 'DECAYED' | 'IDENTITY_CAP' | 'CLUSTER_CAP'
  readonly after: FarmingHistory
}

/**
 * Values one contribution by what it adds. A near copy adds little and each further one adds less, whatever wallet it comes from,
 * because decay follows the cluster of copies as well as the identity. The value never grows when novelty or score shrink.
 *
 * @param options `rule`; `before`: what its identity (in this period) and its cluster have had; `novelty`: 0 to 1, see
 *   `Facts.uniqueness.novelty`; `score`: 0 to 1, of the verdict
 * @returns the value and the history after
 * @throws PocError `OPTION_INVALID` for a share outside 0 to 1 or a history that is none
 */
export function marginalValue(options: {
  readonly rule: FarmingRule
  readonly before: FarmingHistory
  readonly novelty: number
  readonly score: number
}): FarmingValue {
  const { rule, before, novelty, score } = options
  assertRule(rule)
  assertShare('novelty', novelty)
  assertShare('score', score)
  const { ofIdentity, ofCluster } = before
  const counts = [ofIdentity, ofCluster.count]
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0) || !(ofCluster.earned >= 0)) {
    throw new PocError(
      'OPTION_INVALID',
      'before',
      'counts are whole numbers from 0, what was earned is not negative',
    )
  }
  const fresh = Math.max(0, (novelty - rule.noveltyFloor) / (1 - rule.noveltyFloor))
  const capped = ofIdentity >= rule.identityCap
  const decayed = score * fresh * rule.clusterDecay ** ofCluster.count * rule.identityDecay ** ofIdentity
  const left = Math.max(0, rule.clusterCap - ofCluster.earned)
  const value = capped ? 0 : Math.min(decayed, left)
  const reason = capped
    ? 'IDENTITY_CAP'
    : fresh === 0
      ? 'NOT_NEW'
      : decayed > left
        ? 'CLUSTER_CAP'
        : decayed < score
          ? 'DECAYED'
          : 'FULL'
  return {
    value,
    reason,
    after: {
      ofIdentity: ofIdentity + 1,
      ofCluster: { count: ofCluster.count + 1, earned: ofCluster.earned + value },
    },
  }
}

function assertShare(place: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new PocError('OPTION_INVALID', place, 'expected a share from 0 to 1')
}

function assertRule(rule: FarmingRule): void {
  assertShare('rule.noveltyFloor', rule.noveltyFloor)
  assertShare('rule.clusterDecay', rule.clusterDecay)
  assertShare('rule.identityDecay', rule.identityDecay)
  if (rule.noveltyFloor === 1)
    throw new PocError('OPTION_INVALID', 'rule.noveltyFloor', 'a floor of 1 pays nothing')
  if (!Number.isSafeInteger(rule.identityCap) || rule.identityCap < 1) {
    throw new PocError('OPTION_INVALID', 'rule.identityCap', 'expected a whole number from 1')
  }
  if (!(rule.clusterCap > 0 && rule.clusterCap < Infinity)) {
    throw new PocError('OPTION_INVALID', 'rule.clusterCap', 'expected a number above 0')
  }
}
