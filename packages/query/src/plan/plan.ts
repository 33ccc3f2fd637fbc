import type { BoundOrder } from '../bind/bind.js'
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
}

/** A statistic of the program (at the same position) and the noise that is added to it in every group. */
export interface StatisticPlan {
  readonly mechanism: 'discrete-laplace'
  /** Most that leaving out one contributor changes the statistic by, summed over all groups. */
  readonly sensitivity: string
  /** Part of epsilon, in billionths. */
  readonly epsilonNano: number
  /** sensitivity / epsilon. */
  readonly scale: RationalText
}

/** What error to expect in a column, before anything runs. */
export interface ExpectedError {
  readonly column: string
  /** Half-width of a 95 % interval, or null when it depends on the size of the group. */
  readonly plusMinus: number | null
  /** For averages: half-width for groups of that many rows, when the mean is in the middle half of the range. */
  readonly bySize: readonly { readonly size: number; readonly plusMinus: number }[]
}

/**
 * A planned query: plain JSON that can be canonicalised, approved, hashed and checked by others. It is made of the
 * statement, the policies and the budget alone; nothing in it depends on the data.
 */
export interface QueryPlan {
  readonly format: 'sealpool/query-plan'
  readonly version: 1
  /** Every pool of the statement; each is charged in full. */
  readonly pools: readonly { readonly name: string; readonly address: string; readonly charge: PlanCharge }[]
  /** Columns reached in any clause, as `pool.table.column`, sorted. */
  readonly reached: readonly string[]
  readonly program: Program
  /** Public values of each key; all combinations are released. */
  readonly keys: readonly { readonly values: readonly PublicValue[] }[]
  /** Number of combinations. */
  readonly groups: number
  readonly statistics: readonly StatisticPlan[]
  readonly aggregates: readonly AggregatePlan[]
  readonly columns: readonly {
    readonly name: string
    readonly kind: 'key' | 'count' | 'sum' | 'average'
    readonly value: Exclude<Released, { readonly kind: 'literal' }>
  }[]
  readonly having: ReleasedCondition | null
  readonly orderBy: readonly BoundOrder[]
  readonly limit: number | null
  readonly offset: number
  /** Groups whose noisy count of contributors is below `minimum` are left out. */
  readonly minimumContributors: { readonly statistic: number; readonly minimum: number }
  readonly privacy: {
    /** Two data sets are neighbours when one has all rows of one contributor more. */
    readonly neighbours: 'one-contributor'
    readonly rowsPerContributor: number
    readonly epsilonNano: number
    readonly delta: 0
  }
  readonly expectedErrors: readonly ExpectedError[]
}
