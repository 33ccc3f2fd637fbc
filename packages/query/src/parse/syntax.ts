import type { Span } from '../errors.js'

/** A literal as written: numbers keep their exact decimal text. */
export type LiteralValue =
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' }

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*'

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
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Syntax[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Syntax; readonly span: Span }
  | {
      readonly kind: 'in'
      readonly negated: boolean
      readonly operand: Syntax
      readonly items: readonly Syntax[]
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
  | AggregateSyntax

/** A call of an allowed aggregate: the argument is null for `count(*)`. */
export interface AggregateSyntax {
  readonly kind: 'aggregate'
  readonly name: 'count' | 'sum' | 'avg'
  readonly distinct: boolean
  readonly argument: Syntax | null
  readonly span: Span
}

/** `pool.table [AS alias]`. */
export interface TableSyntax {
  readonly pool: string
  readonly table: string
  readonly alias: string | null
  readonly span: Span
}

/** How two tables are joined: USING (names), or ON with an expression. */
export type JoinSyntax =
  | { readonly kind: 'using'; readonly columns: readonly string[]; readonly span: Span }
  | { readonly kind: 'on'; readonly condition: Syntax; readonly span: Span }

/** One flat SELECT, frozen: the only thing that the rest of the package sees of the text. */
export interface SelectSyntax {
  readonly outputs: readonly { readonly name: string | null; readonly value: Syntax; readonly span: Span }[]
  readonly from: readonly TableSyntax[]
  readonly join: JoinSyntax | null
  readonly where: Syntax | null
  readonly groupBy: readonly Syntax[]
  readonly having: Syntax | null
  readonly orderBy: readonly {
    readonly value: Syntax
    readonly descending: boolean
    readonly nullsFirst: boolean | null
    readonly span: Span
  }[]
  readonly limit: number | null
  readonly offset: number
}
