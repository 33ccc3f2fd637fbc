import {
  DEFAULT_FARMING_RULE,
  type FarmingHistory,
  type FarmingRule,
  marginalValue,
} from '../farming/marginal-value.js'
import { contentItems, type ItemSource, itemsOf } from '../uniqueness/content-items.js'
import { contentSketch } from '../uniqueness/content-sketch.js'
import { courseSketch } from '../uniqueness/course-novelty.js'
import { createNearDuplicateIndex } from '../uniqueness/near-duplicate-index.js'
import { novelty } from '../uniqueness/novelty.js'
import { createRowIndex } from '../uniqueness/row-index.js'
import {
  FARM_DAYS,
  inOtherWords,
  madeUpInPart,
  shuffled,
  simulatedLetter,
  simulatedPerson,
} from './farm-fixtures.js'
import { type Draw, drawsOf } from './screen-fixtures.js'

/** One file of a farm, and what the proof gives it before it is asked whether it is new. */
interface FarmFile {
  readonly content: ItemSource
  readonly score: number
}

/** What a farm earned, where one honest contribution earns 1. */
export interface FarmFigures {
  /** All files from one wallet in one period. */
  readonly oneWallet: number
  /** Each file from a wallet of its own. */
  readonly manyWallets: number
}

/** Files of a farm. */
const FILES = 100
/** Honest people whose contributions the pool has before the farm comes. */
const PEOPLE = 10
/** From which share of common items on contributions are of one cluster, as a node has it by default. */
const CLUSTER_FROM = 0.3
const key = new Uint8Array(32).fill(9)

const own = simulatedPerson(1)
const people = Array.from({ length: PEOPLE }, (_, at) => simulatedPerson(100 + at))
const letter = simulatedLetter(1)
const file = (rows: readonly object[], score = 1): FarmFile => ({ content: itemsOf(rows), score })
const text = (words: readonly string[]): FarmFile => ({
  content: contentItems({ mediaType: 'text/plain', bytes: new TextEncoder().encode(words.join(' ')) }),
  score: 1,
})
/** Names of the columns that a copy gives: what a proof without `items` compares. */
const renamed = (at: number) =>
  own.map(({ day, steps, pulse, weight }) => ({
    [`day${at}`]: day,
    [`steps${at}`]: steps,
    [`pulse${at}`]: pulse,
    [`weight${at}`]: weight,
  }))
/** An export of a hundred days, which a farm brings day by day. */
const long = simulatedPerson(2, FILES)
const dayOf = (at: number) => long.slice(at, at + 1)

/** Farms by what they do; the first file of a farm of copies is the one that they are copies of. */
const strategies: Readonly<Record<string, (at: number, draw: Draw) => FarmFile>> = {
  'exact copies': () => file(own),
  'rows in another order': (_, draw) => file(shuffled(draw, own)),
  'copies of 90 %, the rest made up': (at, draw) => file(at === 0 ? own : madeUpInPart(draw, own, 0.1)),
  'copies of 70 %, the rest made up': (at, draw) => file(at === 0 ? own : madeUpInPart(draw, own, 0.3)),
  'copies of 50 %, the rest made up': (at, draw) => file(at === 0 ? own : madeUpInPart(draw, own, 0.5)),
  'columns renamed, the proof names its `items`': () => file(own),
  'columns renamed, no `items`': (at) => file(renamed(at)),
  'pieces of one export, a score that follows the rows': (at) => file(dayOf(at), 1 / FILES),
  'pieces of one export, a score that does not look at the rows': (at) => file(dayOf(at)),
  'rows of others, put together anew': (_, draw) => file(shuffled(draw, people.flat()).slice(0, FARM_DAYS)),
  'a letter with 2 % other words': (at, draw) => text(at === 0 ? letter : inOtherWords(draw, letter, 0.02)),
  'a letter with 5 % other words': (at, draw) => text(at === 0 ? letter : inOtherWords(draw, letter, 0.05)),
  'a letter with 20 % other words': (at, draw) => text(at === 0 ? letter : inOtherWords(draw, letter, 0.2)),
  'a hundred honest people': (at) => file(simulatedPerson(1000 + at)),
}

/** Names of all farms. */
export const farmStrategies: readonly string[] = Object.keys(strategies)

/** A pool as a node keeps it: three indexes, and clusters of what is alike. */
function simulatedPool() {
  const rows = createRowIndex({ key })
  const [near, courses] = [createNearDuplicateIndex(), createNearDuplicateIndex()]
  const clusters: number[] = []
  return {
    /** How new a content is and which cluster it is of, before it is taken in. */
    take(content: ItemSource): { readonly novelty: number; readonly cluster: number } {
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
      return { novelty: found, cluster }
    },
  }
}

/** Pays for what comes, one after the other. */
function purse(rule: FarmingRule, walletOf: (at: number) => number) {
  const given = new Map<number, number>()
  const clusters = new Map<number, FarmingHistory['ofCluster']>()
  let earned = 0
  return {
    pay(at: number, taken: { readonly novelty: number; readonly cluster: number }, score: number): void {
      const before = {
        ofIdentity: given.get(walletOf(at)) ?? 0,
        ofCluster: clusters.get(taken.cluster) ?? { count: 0, earned: 0 },
      }
      const { value, after } = marginalValue({ rule, before, novelty: taken.novelty, score })
      given.set(walletOf(at), after.ofIdentity)
      clusters.set(taken.cluster, after.ofCluster)
      earned += value
    },
    earned: () => Math.round(earned * 100) / 100,
  }
}

/**
 * Plays a farm of 100 files through the indexes that a node keeps and the default farming rule, in a pool of 10 honest people.
 *
 * @param strategy one of {@link farmStrategies}
 * @param seed of what the farm draws
 * @returns what it earned of one honest contribution
 */
export function measureFarm(strategy: string, seed = 1): FarmFigures {
  const make = Object.hasOwn(strategies, strategy) ? strategies[strategy] : undefined
  if (make === undefined) throw new RangeError(`there is no farm of ${strategy}`)
  const draw = drawsOf(seed)
  const pool = simulatedPool()
  for (const person of people) pool.take(itemsOf(person))
  const purses = [purse(DEFAULT_FARMING_RULE, () => 0), purse(DEFAULT_FARMING_RULE, (at) => at)] as const
  for (let at = 0; at < FILES; at++) {
    const { content, score } = make(at, draw)
    const taken = pool.take(content)
    for (const each of purses) each.pay(at, taken, score)
  }
  return { oneWallet: purses[0].earned(), manyWallets: purses[1].earned() }
}

/**
 * All farms.
 *
 * @returns what each earned, in the order of {@link farmStrategies}
 */
export function farmTable(): readonly (FarmFigures & { readonly farm: string })[] {
  return farmStrategies.map((farm) => ({ farm, ...measureFarm(farm) }))
}
