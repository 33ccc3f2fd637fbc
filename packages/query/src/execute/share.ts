import type { SqlEngine } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import { checkPlan } from '../plan/check-plan.js'
import { type QueryPlan, type ReleasePlan, releasesOf } from '../plan/plan.js'
import { tablesOf } from '../type/relation.js'
import { type QueryResult, releaseAnswer } from './execute-plan.js'
import { type ExactGroup, exactGroups, keysOf, publicGroups } from './statistics.js'

/**
 * What one part of the rows adds to a plan: those of one of several homes, or of some of the contributors. Exact integers, for every public group of every grouping
 * set, groups without rows included. It has one form for all data, and is a secret as the rows are: only
 * {@link executeShares} makes something of it that may leave.
 */
export interface PlanShare {
  /** In the order of `releasesOf`. */
  readonly releases: readonly {
    readonly groups: readonly {
      /** One whole number as text for each statistic; 0 where it is of bins. */
      readonly statistics: readonly string[]
      /** Counts of bins for each statistic of bins, in order; empty where a group has no rows. */
      readonly bins: readonly (readonly string[])[]
    }[]
  }[]
}

/** What a release may count so that homes' numbers make the pooled one. */
const additive: readonly string[] = ['rows', 'matching', 'sum', 'bins', 'contributors']

/**
 * Sees to it that a plan can be computed in shares, no row leaving its home: every release reads the pools of one home, or adds up
 * rows (`UNION ALL`) of which each input reads the pools of one home. Its groups have public names, and it counts rows, sums,
 * averages and what is made of these.
 *
 * Two homes may have rows of one contributor, and cannot know it. Sums stay right: the plan's bound on a contributor's rows is over
 * all inputs of the union. The number of contributors of a group is taken to be that of the home that has most of them: never more
 * than there are, and no more sensitive than the true number. So it decides whether a group is large enough, and is not an answer.
 *
 * @param plan - a plan of `planQuery`
 * @param homeOf - the home of a pool, by its name; pools with the same text are together
 * @throws QueryError `NOT_DIVISIBLE` with a place that says what stands in the way
 */
export function requireDivisible(plan: QueryPlan, homeOf: (pool: string) => string): void {
  const homes = (value: unknown): number => new Set(tablesOf(value).map(({ pool }) => homeOf(pool))).size
  for (const { program, keys, aggregates } of releasesOf(plan)) {
    const refuse = (place: string): never => {
      throw new QueryError('NOT_DIVISIBLE', place)
    }
    if (keys.some(({ values }) => values === null)) refuse('GROUP BY names that are not public')
    if (program.bounding.kind !== 'rank') refuse('bounds')
    if (program.statistics.some(({ kind }) => !additive.includes(kind))) refuse('DISTINCT')
    if (homes(program) <= 1) continue
    const [first, ...others] = program.from
    const { relation } = first ?? {}
    const apart = relation?.kind === 'union' && relation.inputs.every((input) => homes(input) <= 1)
    const alone = tablesOf([others, program.where, program.keys, program.statistics]).length === 0
    if (!apart || !alone) refuse('FROM')
    const counted = (position: number): boolean => program.statistics[position]?.kind === 'contributors'
    if (aggregates.some((one) => one.kind === 'count' && counted(one.statistic)))
      refuse('count of contributors')
  }
}

/**
 * Computes what one home's rows add to a plan.
 *
 * @param options - `plan`: that passed {@link requireDivisible}; `engine`: holds every table of the plan, those of other homes
 *   without rows
 * @returns the share: a secret
 * @throws QueryError what `executePlan` throws
 */
export async function shareOfPlan(options: {
  readonly plan: QueryPlan
  readonly engine: SqlEngine
}): Promise<PlanShare> {
  const releases: PlanShare['releases'][number][] = []
  for (const release of releasesOf(checkPlan(options.plan))) {
    const groups = await exactGroups(release, options.engine)
    releases.push({
      groups: groups.map(({ statistics, bins }) => ({
        statistics: statistics.map(String),
        bins: binStatistics(release).map((position) => (bins.get(position) ?? []).map(String)),
      })),
    })
  }
  return { releases }
}

/**
 * Makes the answer of a plan from the shares of all its parts: adds them up, then adds noise, once, and leaves out small groups as
 * `executePlan` does. With the same random bytes it is the answer of one engine that holds all rows, up to which groups are
 * large enough, see {@link requireDivisible}.
 *
 * @param options - `plan`; `shares`: one of each part, of {@link shareOfPlan}, from whomever; `contributors`: whether two parts may have
 *   rows of one contributor, as homes do (`overlapping`, the default), or whoever divided the rows gave all of a contributor's to one part
 *   (`disjoint`): then their numbers add up, and the answer is that of one engine, to the bit; `random`: a source of cryptographically
 *   secure random bytes
 * @returns the answer
 * @throws QueryError `SHARE_INVALID` for a share that has not the plan's form, `PLAN_INVALID`
 */
export async function executeShares(options: {
  readonly plan: QueryPlan
  readonly shares: readonly PlanShare[]
  readonly contributors?: 'overlapping' | 'disjoint'
  readonly random: (length: number) => Uint8Array
}): Promise<QueryResult> {
  const { contributors = 'overlapping' } = options
  const plan = checkPlan(options.plan)
  const releases = releasesOf(plan)
  const shares = options.shares.map((share) => {
    const groups = readShare(releases, share)
    if (contributors === 'overlapping') return groups
    return groups.map((of) => of.map((group) => ({ ...group, largest: [] })))
  })
  return releaseAnswer(plan, options.random, async (_, index) =>
    shares.map((share) => share[index] ?? []).reduce(added),
  )
}

/**
 * Sees to it that a share has the form that the plan gives it: whoever takes it in knows at once who gave a bad one.
 *
 * @param plan - the plan that the share is of
 * @param share - from whomever
 * @throws QueryError `SHARE_INVALID` for a share that has not the plan's form, `PLAN_INVALID`
 */
export function requireShare(plan: QueryPlan, share: unknown): void {
  readShare(releasesOf(checkPlan(plan)), share)
}

function binStatistics({ program }: ReleasePlan): readonly number[] {
  return program.statistics.flatMap(({ kind }, position) => (kind === 'bins' ? [position] : []))
}

/** What contributors are counted by: their largest number, so that nobody is counted twice. */
interface SharedGroup extends ExactGroup {
  readonly largest: readonly boolean[]
}

function added(one: readonly SharedGroup[], other: readonly SharedGroup[]): readonly SharedGroup[] {
  return one.map((group, index) => {
    const more = other[index]
    if (more === undefined) return group
    const both = (left: readonly bigint[], right: readonly bigint[], largest?: readonly boolean[]) =>
      Array.from({ length: Math.max(left.length, right.length) }, (_, at) => {
        const [a, b] = [left[at] ?? 0n, right[at] ?? 0n]
        if (largest?.[at] === true) return a > b ? a : b
        return a + b
      })
    const bins = new Map(
      [...new Set([...group.bins.keys(), ...more.bins.keys()])].map((position) => [
        position,
        both(group.bins.get(position) ?? [], more.bins.get(position) ?? []),
      ]),
    )
    return { ...group, statistics: both(group.statistics, more.statistics, group.largest), bins }
  })
}

function readShare(releases: readonly ReleasePlan[], share: unknown): readonly (readonly SharedGroup[])[] {
  const list = listOf(fieldOf(share, 'releases'), releases.length)
  return releases.map((release, index) => readRelease(release, list[index]))
}

function readRelease(release: ReleasePlan, given: unknown): readonly SharedGroup[] {
  const { statistics } = release.program
  const places = release.sets.flatMap((set, position) =>
    Array.from({ length: publicGroups(release, set) }, (_, index) => ({
      set: position,
      keys: keysOf(release, set, index),
    })),
  )
  const kinds = binStatistics(release)
  const largest = statistics.map(({ kind }) => kind === 'contributors')
  const groups = listOf(fieldOf(given, 'groups'), places.length)
  return places.map((place, index): SharedGroup => {
    const group = groups[index]
    const counts = listOf(fieldOf(group, 'bins'), kinds.length).map((one, at) => {
      const program = statistics[kinds[at] ?? 0]
      if (Array.isArray(one) && one.length === 0) return []
      return listOf(one, program?.kind === 'bins' ? program.bins : 0).map(wholeNumber)
    })
    const bins = new Map<number, readonly bigint[]>()
    for (const [at, position] of kinds.entries()) {
      const found = counts[at] ?? []
      if (found.length > 0) bins.set(position, found)
    }
    const numbers = listOf(fieldOf(group, 'statistics'), statistics.length).map(wholeNumber)
    return { ...place, statistics: numbers, bins, largest }
  })
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function listOf(value: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new QueryError('SHARE_INVALID', 'form')
  return value
}

function wholeNumber(value: unknown): bigint {
  if (typeof value !== 'string' || !/^(?:0|-?[1-9][0-9]{0,59})$/.test(value)) {
    throw new QueryError('SHARE_INVALID', 'numbers')
  }
  return BigInt(value)
}
