import type { Condition, NumberExpression, TextExpression } from '../type/expression.js'
import type { Block, ValueExpression } from '../type/relation.js'

/**
 * What an engine computes: exact integer statistics per group. It holds no text of the user but literals, and an
 * engine's printer turns it into a statement of its dialect.
 */
export interface Program extends Block {
  /** The tables that are read anywhere in the program, sorted: the leaves whose budgets are charged. */
  readonly sources: readonly Source[]
  readonly keys: readonly KeyProgram[]
  readonly statistics: readonly StatisticProgram[]
  readonly bounding: Bounding
}

/** A table of a pool, bounded to a number of rows for each contributor. */
export interface Source {
  readonly pool: string
  readonly table: string
  readonly rows: number
}

/**
 * How a contributor's weight is bounded. `rank`: by the rows that tables keep of each, cheap. `groups`: exactly, by at
 * most `groups` groups of each contributor and at most the weight of `rows` rows in each of them.
 */
export type Bounding =
  | { readonly kind: 'rank' }
  | { readonly kind: 'groups'; readonly groups: number; readonly rows: number }

/** How a row finds its group. */
export type KeyProgram = CodedKey | ListedKey | OpenKey

/**
 * Maps each row to the code (position) of a public value: the first condition that is true decides, then `otherwise`.
 * A row without a code (null) is in no group and is left out.
 */
export interface CodedKey {
  readonly branches: readonly { readonly when: Condition; readonly code: number }[]
  readonly otherwise: number | null
}

/**
 * A value that is grouped by as it is and gets its code afterwards, once for each group: cheaper than deciding for every
 * row. Rows with other values than the listed ones are left out.
 */
export interface ListedKey {
  readonly listed: ValueExpression
  /** Numbers as integers in fixed point, texts, booleans; the code is the position. */
  readonly values: readonly (string | boolean)[]
  /** Code of null; null when rows without a value are left out. */
  readonly missing: number | null
}

/** A key whose values are not public: they come from the data, and pass partition selection or are never seen. */
export type OpenKey =
  | { readonly open: 'text'; readonly text: TextExpression }
  | {
      readonly open: 'number'
      readonly number: NumberExpression
      readonly decimals: number
      /** How a number of days or microseconds is told; absent for numbers that are numbers. */
      readonly moment?: 'date' | 'timestamp'
    }

/** One integer per group; `bins` is one for each bin. */
export type StatisticProgram =
  | { readonly kind: 'rows' }
  | { readonly kind: 'contributors'; readonly when?: Condition }
  /** Rows that their contributor's rank puts first: at most one for each, so it counts some contributors of a group. */
  | { readonly kind: 'first-rows' }
  | { readonly kind: 'matching'; readonly when: Condition }
  | {
      readonly kind: 'sum'
      readonly of: NumberExpression
      /** Subtracted from every value. */
      readonly centre: string
      /** Most that one row's term is in size. */
      readonly reach: string
    }
  /** As `sum`, of each value of a group once. */
  | {
      readonly kind: 'distinct-sum'
      readonly of: NumberExpression
      readonly centre: string
      readonly reach: string
    }
  | { readonly kind: 'distinct'; readonly of: ValueExpression; readonly when: Condition | null }
  | {
      /** Rows whose value lies in [low + i * width, low + (i + 1) * width). */
      readonly kind: 'bins'
      readonly of: NumberExpression
      readonly low: string
      readonly width: string
      readonly bins: number
    }
