import {
  DEFAULT_FARMING_RULE,
  type FarmingHistory,
  type FarmingRule,
  marginalValue,
} from '../farming/marginal-value.js'
import type { ItemSource } from '../uniqueness/content-items.js'
import { contentSketch } from '../uniqueness/content-sketch.js'
import { type ContributionSize, contributionSize } from '../uniqueness/contribution-size.js'
import { courseSketch } from '../uniqueness/course-novelty.js'
import { createNearDuplicateIndex } from '../uniqueness/near-duplicate-index.js'
import { novelty } from '../uniqueness/novelty.js'
import { createRowIndex } from '../uniqueness/row-index.js'
import { FARM_FILES, type FarmFile, farmsByName } from './farm-strategies.js'
import { drawsOf } from './screen-fixtures.js'

/** What a farm earned, where one honest contribution earns 1. */
export interface FarmFigures {
  /** All files from one wallet in one period. */
  readonly oneWallet: number
  /** Each file from a wallet of its own. */
  readonly manyWallets: number
}

/** From which share of common items on contributions are of one cluster, as a node has it by default. */
const CLUSTER_FROM = 0.3
const key = new Uint8Array(32).fill(9)

/** Names of all farms. */
export const farmStrategies: readonly string[] = Object.keys(farmsByName)

/** What a pool says of a content before it takes it in. */
interface Taken {
  readonly novelty: number
  readonly cluster: number
  readonly size: ContributionSize | undefined
}

/** A pool as a node keeps it: three indexes, and clusters of what is alike. */
function simulatedPool() {
  const rows = createRowIndex({ key })
  const [near, courses] = [createNearDuplicateIndex(), createNearDuplicateIndex()]
  const clusters: number[] = []
  return {
    /** How new a content is and which cluster it is of, before it is taken in. */
    take(content: ItemSource): Taken {
      const size = contributionSize({ content, near })
      const sketch = contentSketch({ key, ...content })
      const like = near.nearest(sketch)
      const found = novelty({ key, content, near, rows, courses })
      const entry = near.add(sketch)
      const cluster =
        like !== undefined && like.contained >= CLUSTER_FROM ? (clusters[like.entry] ?? entry) : entry
      clusters.push(cluster)
      rows.add(content)
      const course = courseSketch({ key, ...content })
      if (course !== undefined) courses.add(course)
      return { novelty: found, cluster, size }
    },
  }
}

/** Pays for what comes, one after the other. */
function purse(rule: FarmingRule, walletOf: (at: number) => number) {
  const given = new Map<number, number>()
  const clusters = new Map<number, FarmingHistory['ofCluster']>()
  let earned = 0
  return {
    pay(at: number, taken: Taken, score: number): void {
      const before = {
        ofIdentity: given.get(walletOf(at)) ?? 0,
        ofCluster: clusters.get(taken.cluster) ?? { count: 0, earned: 0 },
      }
      const { value, after } = marginalValue({
        rule,
        before,
        score,
        novelty: taken.novelty,
        size: taken.size,
      })
      given.set(walletOf(at), after.ofIdentity)
      clusters.set(taken.cluster, after.ofCluster)
      earned += value
    },
    earned: () => Math.round(earned * 100) / 100,
  }
}

/**
 * Plays a farm through the indexes that a node keeps and the default farming rule.
 *
 * @param options `people`: what the pool has before; `files`: of the farm
 * @returns what it earned of one honest contribution
 */
export function playFarm({
  people,
  files,
}: {
  readonly people: readonly ItemSource[]
  readonly files: Iterable<FarmFile>
}): FarmFigures {
  const pool = simulatedPool()
  for (const person of people) pool.take(person)
  const purses = [purse(DEFAULT_FARMING_RULE, () => 0), purse(DEFAULT_FARMING_RULE, (at) => at)] as const
  let at = 0
  for (const { content, score } of files) {
    const taken = pool.take(content)
    for (const each of purses) each.pay(at, taken, score)
    at++
  }
  return { oneWallet: purses[0].earned(), manyWallets: purses[1].earned() }
}

/**
 * Plays a farm of 100 files in a pool of 10 honest people.
 *
 * @param strategy one of {@link farmStrategies}
 * @param seed of what the farm draws
 * @returns what it earned of one honest contribution
 */
export function measureFarm(strategy: string, seed = 1): FarmFigures {
  const farm = Object.hasOwn(farmsByName, strategy) ? farmsByName[strategy] : undefined
  if (farm === undefined) throw new RangeError(`there is no farm of ${strategy}`)
  const draw = drawsOf(seed)
  const files = Array.from({ length: FARM_FILES }, (_, at) => farm.file(at, draw))
  return playFarm({ people: farm.people, files })
}

/**
 * All farms.
 *
 * @returns what each earned, in the order of {@link farmStrategies}
 */
export function farmTable(): readonly (FarmFigures & { readonly farm: string })[] {
  return farmStrategies.map((farm) => ({ farm, ...measureFarm(farm) }))
}
