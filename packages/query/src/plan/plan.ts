import type { Digest } from '@sealpool/crypto'
import type { OutputRule } from '@sealpool/privacy'
import type { BoundOrder, BoundStage } from '../bind/bind.js'
import type { PublicValue } from '../bind/key.js'
import type { Released, ReleasedCondition } from '../bind/released.js'
import type { Program } from './program.js'
import type { AggregatePlan } from './statistics.js'

/** A fraction of integers as decimal text, so that it is exact JSON. */
export interface RationalText {
  readonly numerator: string
  readonly denominator: string
}

/** What a release takes from a pool's budget. */
export interface PlanCharge {
  readonly epsilon: number
  readonly delta: number
  /** What a ledger with zCDP accounting books instead, for plans with Gaussian noise. */
  readonly zcdp?: { readonly rho: number; readonly delta: number }
}

/** How a statistic is hidden. */
export type Mechanism = 'discrete-laplace' | 'discrete-gaussian' | 'report-noisy-max' | 'partition-selection'

/** A statistic of the program (at the same position) and how it is hidden in every group. */
export interface StatisticPlan {
  /**
   * `discrete-laplace` and `discrete-gaussian` add noise; `report-noisy-max` adds noise to the score of every bin and tells the best
   * bin only; `partition-selection` tells nothing but whether a group is shown.
   */
  readonly mechanism: Mechanism
  /** Most that leaving out one contributor changes the statistic (or twice the score) by, summed over all groups (L1). */
  readonly sensitivity: string
  /** For Gaussian noise: the most that the squares of the changes in all groups add up to (L2, squared). */
  readonly squaredSensitivity?: string
  /** Part of epsilon, in billionths; 0 for Gaussian noise, which has none. */
  readonly epsilonNano: number
  /** Part of rho in 1e-12, in plans with Gaussian noise. */
  readonly rhoPico?: number
  /** sensitivity / epsilon; for Gaussian noise its variance parameter, squaredSensitivity / (2 rho). */
  readonly scale: RationalText
  /** For partition selection: delta of one decision. */
  readonly delta?: number
}

/** What error to expect in a column, before anything runs. */
export interface ExpectedError {
  readonly column: string
  /** Half-width of a 95 % interval, or null when it depends on the size of the group. */
  readonly plusMinus: number | null
  /** For averages: half-width for groups of that many rows, when the mean is in the middle half of the range. */
  readonly bySize: readonly { readonly size: number; readonly plusMinus: number }[]
}

/** One noisy release: statistics by group. */
export interface ReleasePlan {
  readonly program: Program
  /** Public values of each key, null for a key whose values come from the data. */
  readonly keys: readonly { readonly values: readonly PublicValue[] | null }[]
  /** Grouping sets as positions in `keys`. */
  readonly sets: readonly (readonly number[])[]
  /** Number of public groups over all sets; the most that are shown where keys are open. */
  readonly groups: number
  readonly statistics: readonly StatisticPlan[]
  readonly aggregates: readonly AggregatePlan[]
  /** Groups whose noisy count of contributors is below `minimum` are left out. */
  readonly minimumContributors: { readonly statistic: number; readonly minimum: number }
  /** Most rows of one contributor in all groups of one set. */
  readonly rowsPerContributor: number
}

/**
 * A planned query: plain JSON that can be canonicalised, approved, hashed and checked by others. It is made of the
 * statement, the policies, public tables and the budget alone; nothing in it depends on the data.
 */
export interface QueryPlan extends ReleasePlan {
  readonly format: 'sealpool/query-plan'
  readonly version: 1
  /** Every pool of the statement, the digest of the policy that the plan was made under, and what the pool is charged. */
  readonly pools: readonly {
    readonly name: string
    readonly address: string
    readonly policy: Digest
    readonly charge: PlanCharge
  }[]
  /** Tables that are read anywhere, as `pool.table`, sorted: the leaves that are charged. */
  readonly leaves: readonly string[]
  /** Columns reached in any clause, as `pool.table.column`, sorted. */
  readonly reached: readonly string[]
  /** Releases beyond the first, which the plan itself is: subqueries with numbers of their own, parts of UNION ALL. */
  readonly further: readonly ReleasePlan[]
  /** What the columns are read from: the first release, or what was made of several. */
  readonly input: BoundStage['input']
  readonly columns: readonly {
    readonly name: string
    readonly kind: ColumnKind
    readonly value: Released
  }[]
  readonly having: ReleasedCondition | null
  readonly orderBy: readonly BoundOrder[]
  readonly limit: number | null
  readonly offset: number
  /** The strictest output rules of the pools; absent when none has any. */
  readonly output?: OutputRule
  /** What the answer is for; absent when nobody said it. */
  readonly purpose?: string
  readonly privacy: {
    /** Data sets with and without all rows of one contributor. */
    readonly neighbours: 'one-contributor'
    /** Most rows of one contributor in a release. */
    readonly rowsPerContributor: number
    readonly epsilonNano: number
    /**
     * Zero-concentrated privacy of all releases in 1e-12, in plans with Gaussian noise: together with delta it implies epsilon.
     */
    readonly rhoPico?: number
    /** Chance that a group of unknown name is shown that should not be; 0 where all groups are public. */
    readonly delta: number
  }
  readonly expectedErrors: readonly ExpectedError[]
}

/** What a column of the answer holds. */
export type ColumnKind = 'key' | 'count' | 'sum' | 'average' | 'variance' | 'pair' | 'quantile' | 'computed'

/**
 * All releases of a plan, the first included.
 *
 * @param plan - a plan
 * @returns the plan itself as the first release, then `further` in order
 */
export function releasesOf(plan: QueryPlan): readonly ReleasePlan[] {
  return [plan, ...plan.further]
}

/** Rho of the statistics of releases, in 1e-12; 0 where noise is not Gaussian. */
export function spentRho(releases: readonly ReleasePlan[]): number {
  return releases.reduce(
    (sum, { statistics }) => sum + statistics.reduce((part, { rhoPico = 0 }) => part + rhoPico, 0),
    0,
  )
}

/** Whether groups of a release have names that come from the data. */
export function hasOpenGroups(plan: QueryPlan): boolean {
  return releasesOf(plan).some(({ keys }) => keys.some(({ values }) => values === null))
}
