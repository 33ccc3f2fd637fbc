/**
 * Scales the score of an accepted contribution by its pool's farming rule, and says so in the verdict.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { type ContributionSize, type FarmingHistory, marginalValue, type PocVerdict } from '@sealpool/poc'
import type { PoolFarming } from '../config/judging-rules.js'
import {
  clusterTakenBack,
  type FarmingEntry,
  farmingBefore,
  findFarmingEntry,
  nextFarmingPlace,
} from '../state/farming-table.js'
import type { Sql } from '../state/state-store.js'

/** What valuing needs. */
export interface ValueContext {
  readonly sql: Sql
  readonly pool: Address
  readonly rule: PoolFarming
  /** What was judged before in the same batch, and is not stored. */
  readonly before: readonly FarmingEntry[]
}

/** An accepted contribution. */
export interface ValuedContribution {
  readonly verdict: PocVerdict
  /** Number of who counts as its contributor. */
  readonly identity: number
  /** Keyed fingerprint of its content. */
  readonly fingerprint: string | undefined
  /** Time of its block in unix seconds. */
  readonly at: number
  /** As the pool's indexes have it, 0 to 1; 1 where the proof names no items. */
  readonly novelty: number
  /** How much it is beside the pool's others; undefined where there are few, or the proof names no items. */
  readonly size: ContributionSize | undefined
  /** The contribution of the pool that is most like it. */
  readonly nearest: { readonly contribution: string; readonly contained: number } | undefined
}

/** What a score was scaled by: with it the same scaling can be done again. */
export interface Scaling {
  readonly history: FarmingHistory
  readonly novelty: number
  /** Absent in what was noted before size was looked at, and where it says nothing. */
  readonly size?: ContributionSize
}

/** A score in ten-thousandths, as the chain takes it. */
const units = 10_000
/** Lines that a verdict may have beside the two of this rule. */
const otherEvidence = 198

/**
 * Values an accepted contribution by what of the pool was judged before it, and by no clock. One that is judged again keeps its place, so
 * that what came after it does not count.
 * @returns the scaled verdict, what it was scaled by, and what is to be stored
 */
export async function valueVerdict(
  { sql, pool, rule, before }: ValueContext,
  { verdict, identity, fingerprint, at, nearest, size, ...content }: ValuedContribution,
): Promise<{ readonly verdict: PocVerdict; readonly scaling: Scaling; readonly entry: FarmingEntry }> {
  const { contribution } = verdict
  const own = await findFarmingEntry(sql, contribution)
  const place =
    own?.place ?? Math.max(await nextFarmingPlace(sql, pool), ...before.map((one) => one.place + 1))
  const period = Math.floor(at / rule.periodSeconds)
  const entryOf = async (id: string) =>
    before.find((one) => one.contribution === id) ?? (await findFarmingEntry(sql, id))
  const takenBack =
    fingerprint === undefined ? undefined : await clusterTakenBack(sql, pool, { fingerprint, place })
  // It was paid for already.
  const novelty = takenBack === undefined ? content.novelty : 0
  const cluster =
    takenBack ??
    (nearest === undefined || nearest.contained < rule.clusterFrom
      ? contribution
      : ((await entryOf(nearest.contribution))?.cluster ?? nearest.contribution))
  const asked = { place, identity, period, cluster }
  const without = [contribution, ...before.map((one) => one.contribution)]
  const most = { ofIdentity: rule.identityCap, ofCluster: copiesThatCount(rule) }
  const stored = await farmingBefore(sql, pool, { ...asked, without, most })
  const earlier = before.filter((one) => one.place < place)
  const copies = earlier.filter((one) => one.cluster === cluster)
  const scaling = {
    history: {
      ofIdentity:
        stored.ofIdentity +
        earlier.filter((one) => one.identity === identity && one.period === period).length,
      ofCluster: {
        count: stored.ofCluster + copies.length,
        earned: (stored.earned + copies.reduce((sum, one) => sum + one.earned, 0)) / units,
      },
    },
    novelty,
    ...(size === undefined ? {} : { size }),
  }
  const scaled = scaleVerdict(rule, verdict, scaling)
  const earned = Math.round(scaled.score * units)
  return { verdict: scaled, scaling, entry: { contribution, ...asked, earned } }
}

/** So many copies before it leave a contribution less than half a unit, which is nothing: more need not be counted. */
function copiesThatCount({ clusterDecay }: PoolFarming): number {
  if (clusterDecay === 1) return 0
  return Math.min(2 ** 31 - 1, Math.ceil(Math.log(0.5 / units) / Math.log(clusterDecay)) + 1)
}

/**
 * Scales a verdict.
 * @returns the verdict with the score that counts; its evidence ends with the proof's own score (`pool.score`) and the share of it that
 * counts (`pool.farming`), whose place is the reason: `FULL`, `NOT_NEW`, `SMALL`, `DECAYED`, `IDENTITY_CAP` or `CLUSTER_CAP`
 */
export function scaleVerdict(
  rule: PoolFarming,
  verdict: PocVerdict,
  { history, novelty, size }: Scaling,
): PocVerdict {
  const { value, reason } = marginalValue({ rule, before: history, novelty, score: verdict.score, size })
  const share = verdict.score === 0 ? 1 : toUnits(value / verdict.score)
  return {
    ...verdict,
    score: toUnits(value),
    evidence: [
      ...verdict.evidence.slice(0, otherEvidence),
      { check: 'pool.score', result: 'pass', place: 'score', degree: verdict.score },
      {
        check: 'pool.farming',
        result: share === 1 ? 'pass' : share === 0 ? 'fail' : 'partial',
        place: reason,
        degree: share,
      },
    ],
  }
}

function toUnits(value: number): number {
  return Math.min(1, Math.round(value * units) / units)
}
