import type { ComparisonOperator } from '../parse/syntax.js'

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

export type TextExpression =
  | { readonly kind: 'text-column'; readonly source: number; readonly column: string }
  | { readonly kind: 'text'; readonly value: string }

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
  | { readonly kind: 'null-number'; readonly operand: NumberExpression }
  | { readonly kind: 'null-text'; readonly operand: TextExpression }
  | { readonly kind: 'null-flag'; readonly operand: Condition }
  | { readonly kind: 'is-true'; readonly value: boolean; readonly operand: Condition }

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
}

export interface TypedText {
  readonly type: 'text'
  readonly expression: TextExpression
  readonly nullable: boolean
}

export interface TypedCondition {
  readonly type: 'boolean'
  readonly condition: Condition
  readonly nullable: boolean
}

/** The literal NULL, which fits every type. */
export interface TypedNull {
  readonly type: 'null'
}

export type Typed = TypedNumber | TypedText | TypedCondition | TypedNull
