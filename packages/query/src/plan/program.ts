import type { Condition, NumberExpression } from '../type/expression.js'

/**
 * What an engine computes: exact integer statistics per public group. It holds no text of the user but literals, and
 * an engine's printer turns it into a statement of its dialect.
 */
export interface Program {
  readonly sources: readonly Source[]
  /** Rows that count; null keeps all. */
  readonly where: Condition | null
  readonly keys: readonly KeyProgram[]
  readonly statistics: readonly StatisticProgram[]
}

/** A table of a pool, bounded to a number of rows for each contributor; sources are joined on the contributor. */
export interface Source {
  readonly pool: string
  readonly table: string
  readonly rows: number
}

/**
 * Maps each row to the code (position) of a public value: the first condition that is true decides, then `otherwise`.
 * A row without a code (null) is in no group and is left out.
 */
export interface KeyProgram {
  readonly branches: readonly { readonly when: Condition; readonly code: number }[]
  readonly otherwise: number | null
}

/** One integer per group. */
export type StatisticProgram =
  | { readonly kind: 'rows' }
  | { readonly kind: 'contributors' }
  | { readonly kind: 'matching'; readonly when: Condition }
  | { readonly kind: 'sum'; readonly of: NumberExpression; readonly centre: string }
