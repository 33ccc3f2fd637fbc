import type { ComparisonOperator } from '../parse/syntax.js'
import type { RowRelation } from './relation.js'

/**
 * The expressions that an engine computes: plain JSON without names or text of the user other than literals.
 * Numbers are integers in fixed point (a column with 2 decimals counts hundredths), so that sums are exact in any
 * order, and every expression is total: it gives a value or null for every row, never an error.
 */
export type NumberExpression =
  | {
      readonly kind: 'column'
      /** Position in the program's sources. */
      readonly source: number
      readonly column: string
      /** Digits after the point: the column is read as an integer count of 10^-decimals. */
      readonly decimals: number
      /** Bounds in fixed point that values are clamped to; null reads the value as it is. */
      readonly clamp: { readonly low: string; readonly high: string } | null
    }
  | {
      /** An integer column of a nested or public relation. */
      readonly kind: 'derived'
      readonly source: number
      readonly column: string
    }
  | { readonly kind: 'constant'; readonly units: string }
  | { readonly kind: 'scale'; readonly factor: string; readonly operand: NumberExpression }
  | {
      readonly kind: 'add' | 'subtract' | 'multiply'
      readonly left: NumberExpression
      readonly right: NumberExpression
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: Condition; readonly result: NumberExpression | null }[]
      readonly otherwise: NumberExpression | null
    }
  | {
      /** Division towards zero, and what it leaves; null where the divisor is zero. */
      readonly kind: 'quotient' | 'remainder'
      readonly left: NumberExpression
      readonly right: NumberExpression
    }
  | {
      /** Division by a positive constant with a rule for what is left. */
      readonly kind: 'rounded'
      readonly mode: 'floor' | 'ceil' | 'trunc' | 'half'
      readonly factor: string
      readonly operand: NumberExpression
    }
  | {
      /**
       * A function of real numbers, computed in the engine's floating point and put on a grid of 10^-decimals within `low` and
       * `high`, so that a row's value is an integer in its range whatever the engine computes; null outside of the domain.
       */
      readonly kind: 'real'
      readonly name: 'sqrt' | 'ln' | 'exp' | 'sin' | 'cos'
      readonly operand: NumberExpression
      /** Digits after the point of the operand. */
      readonly operandDecimals: number
      readonly decimals: number
      readonly low: string
      readonly high: string
    }
  | {
      /** A part of the day that is so many days after 1970-01-01, in the proleptic Gregorian calendar. */
      readonly kind: 'date-part'
      readonly part: DatePart
      readonly operand: NumberExpression
    }
  | {
      /** Days after so many months; a day that the month has not becomes its last one. */
      readonly kind: 'months-added'
      readonly days: NumberExpression
      readonly months: NumberExpression
    }
  | { readonly kind: 'text-length'; readonly operand: TextExpression; readonly most: string }
  | WindowExpression
  | {
      /** An aggregate over the rows of one contributor (and key). */
      readonly kind: 'per-contributor'
      readonly name: 'count' | 'sum' | 'min' | 'max'
      /** Null counts rows. */
      readonly operand: NumberExpression | null
      readonly when: Condition | null
    }

/** What engines read from a calendar day; everything else about moments is computed from days and microseconds. */
export type DatePart = 'year' | 'month' | 'day' | 'day-of-year' | 'week' | 'iso-year'

/** A function over the rows of one contributor; ties of ORDER BY are broken by the stored rank. */
export interface WindowExpression {
  readonly kind: 'window'
  readonly name:
    | 'row_number'
    | 'rank'
    | 'dense_rank'
    | 'lag'
    | 'lead'
    | 'first_value'
    | 'last_value'
    | 'count'
    | 'sum'
    | 'min'
    | 'max'
  readonly operand: NumberExpression | null
  readonly offset: number
  /** Positions of the sources whose contributor partitions: two for a full join. */
  readonly units: readonly number[]
  /** Sources with a stored rank. */
  readonly ranked: readonly number[]
  readonly partitionBy: readonly NumberExpression[]
  readonly orderBy: readonly {
    readonly value: NumberExpression
    readonly descending: boolean
    readonly nullsFirst: boolean
  }[]
  /** Absent: from the start to the last row that is equal in order. */
  readonly frame?: Frame
}

/**
 * The rows around the current one that a function sees. Offsets are counted from the current row, negative before it; null is the
 * partition's end. RANGE goes by equality in order: its offsets are 0 only.
 */
export interface Frame {
  readonly mode: 'rows' | 'range'
  readonly from: number | null
  readonly to: number | null
}

/** An expression that gives a text or null for every row. */
export type TextExpression =
  | { readonly kind: 'text-column'; readonly source: number; readonly column: string }
  | { readonly kind: 'text'; readonly value: string }
  /** Letters A to Z in the other case, nothing else: what lies outside of ASCII is cased differently by engines. */
  | { readonly kind: 'text-cased'; readonly to: 'lower' | 'upper'; readonly operand: TextExpression }
  /** Without blanks (U+0020) on both sides. */
  | { readonly kind: 'text-trimmed'; readonly operand: TextExpression }
  /** Characters (code points) from the first one, counted from 1. */
  | {
      readonly kind: 'text-part'
      readonly operand: TextExpression
      readonly from: number
      readonly length: number
    }
  /** One after the other; null when one is. */
  | { readonly kind: 'text-joined'; readonly left: TextExpression; readonly right: TextExpression }
  | {
      readonly kind: 'text-case'
      readonly branches: readonly { readonly when: Condition; readonly result: TextExpression | null }[]
      readonly otherwise: TextExpression | null
    }

/** A condition with SQL's three values. */
export type Condition =
  | {
      readonly kind: 'compare'
      readonly operator: ComparisonOperator
      readonly left: NumberExpression
      readonly right: NumberExpression
    }
  | {
      readonly kind: 'compare-text'
      readonly operator: '=' | '<>'
      readonly left: TextExpression
      readonly right: TextExpression
    }
  | {
      readonly kind: 'compare-flag'
      readonly operator: '=' | '<>'
      readonly left: Condition
      readonly right: Condition
    }
  | { readonly kind: 'flag'; readonly source: number; readonly column: string }
  | { readonly kind: 'truth'; readonly value: boolean | null }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Condition[] }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'in-numbers'; readonly operand: NumberExpression; readonly items: readonly string[] }
  | { readonly kind: 'in-texts'; readonly operand: TextExpression; readonly items: readonly string[] }
  | { readonly kind: 'like'; readonly operand: TextExpression; readonly pattern: string }
  | {
      /** The contributor of the sources (of the one that is there) is one of those of the relation. */
      readonly kind: 'member'
      readonly sources: readonly number[]
      readonly of: RowRelation
    }
  | {
      /** A relation that was joined by LEFT JOIN has a row here. */
      readonly kind: 'matched'
      readonly source: number
    }
  | { readonly kind: 'null-number'; readonly operand: NumberExpression }
  | { readonly kind: 'null-text'; readonly operand: TextExpression }
  | { readonly kind: 'null-flag'; readonly operand: Condition }
  | { readonly kind: 'is-true'; readonly value: boolean; readonly operand: Condition }

/**
 * The values that an expression can have, where they are public: a list, or `open` when the policy says that they appear
 * by partition selection only.
 */
export type Domain = readonly (string | number | boolean)[] | 'open'

/** A number with what is known of it before any data is seen. */
export interface TypedNumber {
  readonly type: 'number'
  readonly expression: NumberExpression
  readonly decimals: number
  /** Range in fixed point that every value lies in. */
  readonly low: bigint
  readonly high: bigint
  /** Whether the range follows from the policy's bounds and literals alone. */
  readonly bounded: boolean
  readonly nullable: boolean
  readonly domain?: Domain
}

export interface TypedText {
  readonly type: 'text'
  readonly expression: TextExpression
  readonly nullable: boolean
  readonly domain?: Domain
}

export interface TypedCondition {
  readonly type: 'boolean'
  readonly condition: Condition
  readonly nullable: boolean
}

/**
 * A calendar day (days since 1970-01-01) or an instant in UTC (microseconds since then, six decimals); its domain is in ISO form.
 * Engines see the number only.
 */
export interface TypedMoment extends Omit<TypedNumber, 'type'> {
  readonly type: 'date' | 'timestamp'
}

/** A span of time: months have no fixed length, so they are counted apart from seconds. It is never a value of its own. */
export interface TypedInterval {
  readonly type: 'interval'
  readonly months: TypedNumber
  readonly seconds: TypedNumber
}

/** The literal NULL, which fits every type. */
export interface TypedNull {
  readonly type: 'null'
}

export type Typed = TypedNumber | TypedText | TypedCondition | TypedMoment | TypedInterval | TypedNull
