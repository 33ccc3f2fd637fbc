import { QueryError, type Span } from '../errors.js'
import type { AggregateSyntax } from '../parse/syntax.js'
import type { Condition, NumberExpression } from '../type/expression.js'
import type { Scope } from './scope.js'
import { bindValue, isNull } from './value.js'

/** A number over the rows of a group, with the bounds that one row cannot leave. */
export interface BoundMeasure {
  readonly expression: NumberExpression
  readonly decimals: number
  readonly low: bigint
  readonly high: bigint
  /** Rows that have a value; null when all have one. */
  readonly present: Condition | null
}

/** What a statement asks of each group. */
export type BoundAggregate =
  | { readonly kind: 'contributors' }
  | { readonly kind: 'count'; readonly when: Condition | null }
  | { readonly kind: 'sum' | 'average'; readonly measure: BoundMeasure }

/** The largest value of one row that stays exact as a JavaScript number, in fixed point. */
const largest = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Types an aggregate.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `AGGREGATE_MISPLACED`, `MEASURE_UNBOUNDED`, `NUMBER_RANGE`, ...
 */
export function bindAggregate(syntax: AggregateSyntax, scope: Scope): BoundAggregate {
  const { name, distinct, argument, span } = syntax
  if (argument === null) return { kind: 'count', when: null }
  if (name === 'count') {
    if (scope.isContributor(argument))
      return distinct ? { kind: 'contributors' } : { kind: 'count', when: null }
    // The number of different values is not a sum over contributors: it needs another mechanism.
    if (distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
    if (argument.kind !== 'column') throw new QueryError('EXPRESSION_NOT_ALLOWED', argument.span)
    const value = bindValue(argument, scope, 'presence')
    return { kind: 'count', when: { kind: 'not', operand: isNull(value) } }
  }
  if (distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const measure = bindMeasure(argument, scope, span)
  return { kind: name === 'sum' ? 'sum' : 'average', measure }
}

function bindMeasure(
  argument: NonNullable<AggregateSyntax['argument']>,
  scope: Scope,
  span: Span,
): BoundMeasure {
  const value = bindValue(argument, scope, 'measure')
  if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', argument.span)
  if (!value.bounded) throw new QueryError('MEASURE_UNBOUNDED', argument.span)
  if (value.low < -largest || value.high > largest) throw new QueryError('NUMBER_RANGE', span)
  return {
    expression: value.expression,
    decimals: value.decimals,
    low: value.low,
    high: value.high,
    present: value.nullable ? { kind: 'not', operand: isNull(value) } : null,
  }
}
