import type { Span } from '../errors.js'

/** A literal as written: numbers keep their exact decimal text. */
export type LiteralValue =
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' }

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

/** Scalar functions of the allow-list. Each is total: it gives a value or null for every row. */
export const scalarFunctions = [
  'abs',
  'ceil',
  'coalesce',
  'cos',
  'date_diff',
  'date_trunc',
  'exp',
  'extract',
  'floor',
  'greatest',
  'least',
  'length',
  'ln',
  'lower',
  'mod',
  'nullif',
  'power',
  'round',
  'sign',
  'sin',
  'sqrt',
  'substring',
  'to_interval',
  'trim',
  'trunc',
  'upper',
  'width_bucket',
] as const
export type ScalarFunction = (typeof scalarFunctions)[number]

/** Aggregates of the allow-list, by their canonical names. */
export const aggregateFunctions = [
  'avg',
  'corr',
  'count',
  'covar_pop',
  'covar_samp',
  'max',
  'min',
  'percentile',
  'regr_intercept',
  'regr_slope',
  'stddev_pop',
  'stddev_samp',
  'sum',
  'var_pop',
  'var_samp',
] as const
export type AggregateFunction = (typeof aggregateFunctions)[number]

/** Functions over the rows of one contributor. */
export const windowFunctions = [
  'avg',
  'count',
  'dense_rank',
  'first_value',
  'lag',
  'last_value',
  'lead',
  'max',
  'min',
  'rank',
  'row_number',
  'sum',
] as const
export type WindowFunction = (typeof windowFunctions)[number]

/** One entry of ORDER BY. */
export interface OrderSyntax {
  readonly value: Syntax
  readonly descending: boolean
  readonly nullsFirst: boolean | null
  readonly span: Span
}

/** The expressions that survive the allow-list; every node knows its place in the text. */
export type Syntax =
  | { readonly kind: 'column'; readonly path: readonly string[]; readonly span: Span }
  | { readonly kind: 'literal'; readonly value: LiteralValue; readonly span: Span }
  | { readonly kind: 'parameter'; readonly number: number; readonly span: Span }
  | {
      readonly kind: 'compare'
      readonly operator: ComparisonOperator
      readonly left: Syntax
      readonly right: Syntax
      readonly span: Span
    }
  | {
      readonly kind: 'arithmetic'
      readonly operator: ArithmeticOperator
      readonly left: Syntax
      readonly right: Syntax
      readonly span: Span
    }
  | { readonly kind: 'negate'; readonly operand: Syntax; readonly span: Span }
  /** `one || other`. */
  | { readonly kind: 'concatenate'; readonly left: Syntax; readonly right: Syntax; readonly span: Span }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Syntax[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Syntax; readonly span: Span }
  | {
      readonly kind: 'in'
      readonly negated: boolean
      readonly operand: Syntax
      readonly items: readonly Syntax[]
      readonly span: Span
    }
  | {
      readonly kind: 'like'
      readonly negated: boolean
      readonly operand: Syntax
      readonly pattern: Syntax
      /** ILIKE: letters A to Z match in either case. */
      readonly anyCase?: true
      /** `starts_with` and its like: the pattern is a plain text, and this is where it must be. */
      readonly plain?: 'start' | 'end' | 'anywhere'
      readonly span: Span
    }
  | { readonly kind: 'is-null'; readonly negated: boolean; readonly operand: Syntax; readonly span: Span }
  | {
      readonly kind: 'is-true'
      /** IS TRUE, IS FALSE and their negations. */
      readonly value: boolean
      readonly negated: boolean
      readonly operand: Syntax
      readonly span: Span
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: Syntax; readonly result: Syntax }[]
      readonly otherwise: Syntax | null
      readonly span: Span
    }
  | {
      readonly kind: 'call'
      readonly name: ScalarFunction
      readonly parameters: readonly Syntax[]
      readonly span: Span
    }
  | {
      readonly kind: 'cast'
      readonly operand: Syntax
      /** Digits after the point that remain; null keeps the number as it is (floating types). */
      readonly decimals: number | null
      readonly span: Span
    }
  | {
      /** A text literal or a moment as a date or a timestamp. */
      readonly kind: 'moment-cast'
      readonly to: 'date' | 'timestamp'
      readonly operand: Syntax
      readonly span: Span
    }
  | {
      /** `INTERVAL '3' MONTH`; the unit is null where the text has its own. */
      readonly kind: 'interval'
      readonly unit: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | null
      readonly operand: Syntax
      readonly span: Span
    }
  | { readonly kind: 'exists'; readonly query: QuerySyntax; readonly span: Span }
  | {
      readonly kind: 'in-query'
      readonly operand: Syntax
      readonly query: QuerySyntax
      readonly span: Span
    }
  | { readonly kind: 'scalar-query'; readonly query: QuerySyntax; readonly span: Span }
  | { readonly kind: 'grouping'; readonly parameters: readonly Syntax[]; readonly span: Span }
  | {
      readonly kind: 'window'
      readonly name: WindowFunction
      readonly parameters: readonly Syntax[]
      readonly partitionBy: readonly Syntax[]
      readonly orderBy: readonly OrderSyntax[]
      /** Absent where none is written: from the start to the last row that is equal in order. */
      readonly frame?: FrameSyntax
      readonly span: Span
    }
  | AggregateSyntax

/** One end of a frame; `unbounded` is the partition's first row for `from` and its last one for `to`. */
export type FrameEndSyntax =
  | 'unbounded'
  | 'current'
  | { readonly direction: 'preceding' | 'following'; readonly offset: Syntax }

/** The rows that a window function sees around the current one. */
export interface FrameSyntax {
  readonly mode: 'rows' | 'range'
  readonly from: FrameEndSyntax
  readonly to: FrameEndSyntax
}

/** A call of an allowed aggregate: no parameters for `count(*)`. */
export interface AggregateSyntax {
  readonly kind: 'aggregate'
  readonly name: AggregateFunction
  readonly distinct: boolean
  readonly parameters: readonly Syntax[]
  /** FILTER (WHERE ...). */
  readonly filter: Syntax | null
  /** For `percentile`: the fraction, between 0 and 1. */
  readonly fraction: Syntax | null
  readonly span: Span
}

/** `pool.table [AS alias]`, or the name of a WITH query (then `pool` is null). */
export interface TableSyntax {
  readonly kind: 'table'
  readonly pool: string | null
  readonly table: string
  readonly alias: string | null
  /** Whole numbers from `from` to `to`: `generate_series(from, to) AS alias(column)`; public rows that the text itself gives. */
  readonly series?: { readonly column: string; readonly from: number; readonly to: number }
  readonly span: Span
}

/** `(SELECT ...) AS alias`. */
export interface DerivedSyntax {
  readonly kind: 'derived'
  readonly query: QuerySyntax
  readonly alias: string
  readonly span: Span
}

/** One item of FROM and how it is joined to those before it. */
export interface FromSyntax {
  readonly item: TableSyntax | DerivedSyntax
  readonly join: 'first' | 'inner' | 'left' | 'full' | 'cross'
  readonly using: readonly string[] | null
  readonly on: Syntax | null
  readonly span: Span
}

/** A query of WITH. */
export interface CommonSyntax {
  readonly name: string
  readonly query: QuerySyntax
  readonly span: Span
}

interface Tail {
  readonly common: readonly CommonSyntax[]
  readonly orderBy: readonly OrderSyntax[]
  readonly limit: number | null
  readonly offset: number
  readonly span: Span
}

/** One SELECT, frozen: the only thing that the rest of the package sees of the text. */
export interface SelectSyntax extends Tail {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly outputs: readonly { readonly name: string | null; readonly value: Syntax; readonly span: Span }[]
  readonly from: readonly FromSyntax[]
  readonly where: Syntax | null
  /** Expressions of GROUP BY, each once. */
  readonly groupBy: readonly Syntax[]
  /** Grouping sets as positions in `groupBy`; one set with all of them without GROUPING SETS. */
  readonly sets: readonly (readonly number[])[]
  readonly having: Syntax | null
}

/** UNION ALL of two or more queries. */
export interface UnionSyntax extends Tail {
  readonly kind: 'union'
  readonly inputs: readonly QuerySyntax[]
}

export type QuerySyntax = SelectSyntax | UnionSyntax
