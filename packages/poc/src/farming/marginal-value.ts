import { PocError } from '../errors.js'
import type { ContributionSize } from '../uniqueness/contribution-size.js'

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
  /**
   * Share of a typical contribution's items from which on a contribution may earn its whole score; with fewer it earns at most what they are of
   * that many, so that pieces of one export earn together what the whole does. 0: its size does not count. Absent: 0.85, for rules are older
   * than this.
   */
  readonly fullFrom?: number
}

/** `fullFrom` of a rule that does not say: pieces of one export earn a little less than 1.2 times the whole. */
const FULL_FROM = 0.85

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
  readonly reason: 'FULL' | 'NOT_NEW' | 'SMALL' | 'DECAYED' | 'IDENTITY_CAP' | 'CLUSTER_CAP'
  readonly after: FarmingHistory
}

/**
 * Values one contribution by what it adds. A near copy adds little and each further one adds less, whatever wallet it comes from,
 * because decay follows the cluster of copies as well as the identity. A contribution with far fewer items than others earns at most its share of theirs (`SMALL`), whatever
 * its score says. The value never grows when novelty, score or items shrink.
 *
 * @param options `rule`; `before`: what its identity (in this period) and its cluster have had; `novelty`: 0 to 1, see
 *   `Facts.uniqueness.novelty`; `score`: 0 to 1, of the verdict; `size`: see `contributionSize`; without it size does not count
 * @returns the value and the history after
 * @throws PocError `OPTION_INVALID` for a share outside 0 to 1, a history or a size that is none
 */
export function marginalValue(options: {
  readonly rule: FarmingRule
  readonly before: FarmingHistory
  readonly novelty: number
  readonly score: number
  readonly size?: ContributionSize | undefined
}): FarmingValue {
  const { rule, before, novelty, score, size } = options
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
  const most = size === undefined ? 1 : shareOfTypical(rule, size)
  const whole = Math.min(score, most)
  const fresh = Math.max(0, (novelty - rule.noveltyFloor) / (1 - rule.noveltyFloor))
  const capped = ofIdentity >= rule.identityCap
  const decayed = whole * fresh * rule.clusterDecay ** ofCluster.count * rule.identityDecay ** ofIdentity
  const left = Math.max(0, rule.clusterCap - ofCluster.earned)
  const value = capped ? 0 : Math.min(decayed, left)
  const reason = capped
    ? 'IDENTITY_CAP'
    : fresh === 0
      ? 'NOT_NEW'
      : decayed > left
        ? 'CLUSTER_CAP'
        : whole < score
          ? 'SMALL'
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

/** The most that a contribution of its size may earn. */
function shareOfTypical({ fullFrom = FULL_FROM }: FarmingRule, { items, typical }: ContributionSize): number {
  if (!Number.isSafeInteger(items) || items < 0)
    throw new PocError('OPTION_INVALID', 'size.items', 'items are counted in whole numbers from 0')
  if (!(typical > 0 && typical < Infinity))
    throw new PocError('OPTION_INVALID', 'size.typical', 'a typical contribution has at least one item')
  return fullFrom === 0 ? 1 : Math.min(1, items / (fullFrom * typical))
}

function assertShare(place: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new PocError('OPTION_INVALID', place, 'expected a share from 0 to 1')
}

function assertRule(rule: FarmingRule): void {
  assertShare('rule.noveltyFloor', rule.noveltyFloor)
  assertShare('rule.clusterDecay', rule.clusterDecay)
  assertShare('rule.identityDecay', rule.identityDecay)
  if (rule.fullFrom !== undefined) assertShare('rule.fullFrom', rule.fullFrom)
  if (rule.noveltyFloor === 1)
    throw new PocError('OPTION_INVALID', 'rule.noveltyFloor', 'a floor of 1 pays nothing')
  if (!Number.isSafeInteger(rule.identityCap) || rule.identityCap < 1) {
    throw new PocError('OPTION_INVALID', 'rule.identityCap', 'expected a whole number from 1')
  }
  if (!(rule.clusterCap > 0 && rule.clusterCap < Infinity)) {
    throw new PocError('OPTION_INVALID', 'rule.clusterCap', 'expected a number above 0')
  }
}
