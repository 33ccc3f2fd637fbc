import { QueryError, type Span } from '../errors.js'
import type { AggregateSyntax, Syntax } from '../parse/syntax.js'
import { parseDecimal } from '../type/decimal.js'
import type { Condition, NumberExpression, TypedNumber } from '../type/expression.js'
import { expressionOf, type ValueExpression } from '../type/relation.js'
import type { Scope } from './scope.js'
import { asNumber, bindCondition, bindValue, isNull } from './value.js'

/** A number over the rows of a group, with the bounds that one row cannot leave. */
export interface BoundMeasure {
  readonly expression: NumberExpression
  readonly decimals: number
  readonly low: bigint
  readonly high: bigint
  /** Rows that have a value; null when all have one. */
  readonly present: Condition | null
}

/** How the spread of a measure is told. */
export interface Spread {
  readonly population: boolean
  readonly root: boolean
}

export type PairName = 'corr' | 'covar_pop' | 'covar_samp' | 'regr_slope' | 'regr_intercept'

/** What a statement asks of each group. */
export type BoundAggregate =
  | { readonly kind: 'contributors'; readonly when: Condition | null }
  | { readonly kind: 'count'; readonly when: Condition | null }
  | { readonly kind: 'distinct'; readonly of: ValueExpression; readonly when: Condition | null }
  | {
      readonly kind: 'sum' | 'average'
      readonly measure: BoundMeasure
      /** Each value of a group once. */
      readonly distinct: boolean
    }
  | { readonly kind: 'variance'; readonly measure: BoundMeasure; readonly spread: Spread }
  | {
      readonly kind: 'pair'
      readonly name: PairName
      /** SQL's first argument. */
      readonly y: BoundMeasure
      readonly x: BoundMeasure
      /** Rows where both have a value. */
      readonly present: Condition | null
    }
  | {
      readonly kind: 'quantile'
      readonly measure: BoundMeasure
      readonly numerator: number
      readonly denominator: number
    }

/** The largest value of one row: 2^37 rows of it add up in the 128 bits of engines. */
const largest = 2n ** 89n

/**
 * Types an aggregate.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `AGGREGATE_MISPLACED`, `MEASURE_UNBOUNDED`, `NUMBER_RANGE`, ...
 */
export function bindAggregate(syntax: AggregateSyntax, scope: Scope): BoundAggregate {
  const { name, distinct, parameters, span } = syntax
  const [first, second] = parameters
  const filter = syntax.filter === null ? null : bindCondition(syntax.filter, scope)
  if (name === 'count') return bindCount(first, distinct, filter, scope)
  if (first === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const measure = (value: Syntax) => bindMeasure(value, scope, filter, span)
  switch (name) {
    case 'sum':
      return { kind: 'sum', measure: measure(first), distinct }
    case 'avg':
      return { kind: 'average', measure: measure(first), distinct }
    case 'var_pop':
    case 'var_samp':
    case 'stddev_pop':
    case 'stddev_samp': {
      const spread = { population: name.endsWith('_pop'), root: name.startsWith('stddev') }
      return { kind: 'variance', measure: measure(first), spread }
    }
    case 'percentile': {
      const { numerator, denominator } = fractionOf(syntax, scope)
      return { kind: 'quantile', measure: measure(first), numerator, denominator }
    }
    case 'corr':
    case 'covar_pop':
    case 'covar_samp':
    case 'regr_slope':
    case 'regr_intercept': {
      if (second === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
      const [y, x] = [measure(first), measure(second)]
      return { kind: 'pair', name, y, x, present: both(y.present, x.present) }
    }
    // The largest value is one person's value.
    case 'min':
    case 'max':
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
}

function bindCount(
  argument: Syntax | undefined,
  distinct: boolean,
  filter: Condition | null,
  scope: Scope,
): BoundAggregate {
  if (argument === undefined) return { kind: 'count', when: filter }
  const sources = scope.contributorSources(argument)
  const [source] = sources
  if (source !== undefined) {
    const matched: Condition | null =
      sources.length === 1 && scope.optional.has(source) ? { kind: 'matched', source } : null
    return { kind: distinct ? 'contributors' : 'count', when: both(matched, filter) }
  }
  if (!distinct && argument.kind !== 'column' && argument.kind !== 'case') {
    // Anything else is there or not by the columns it is made of.
    const value = bindValue(argument, scope, 'condition')
    return { kind: 'count', when: both({ kind: 'not', operand: isNull(value) }, filter) }
  }
  if (!distinct) {
    const value = bindValue(argument, scope, argument.kind === 'column' ? 'presence' : 'condition')
    return { kind: 'count', when: both({ kind: 'not', operand: isNull(value) }, filter) }
  }
  const value = bindValue(argument, scope, 'condition')
  if (value.type === 'null') throw new QueryError('TYPE_MISMATCH', argument.span)
  return { kind: 'distinct', of: expressionOf(value), when: filter }
}

function both(first: Condition | null, second: Condition | null): Condition | null {
  if (first === null || second === null) return first ?? second
  return JSON.stringify(first) === JSON.stringify(second) ? first : { kind: 'and', operands: [first, second] }
}

function fractionOf(syntax: AggregateSyntax, scope: Scope) {
  const span = syntax.fraction?.span ?? syntax.span
  const literal = syntax.fraction === null ? null : scope.literal(syntax.fraction)
  const decimal = literal?.type === 'number' ? parseDecimal(literal.text) : null
  if (decimal === null || decimal.decimals > 4) throw new QueryError('NUMBER_RANGE', span)
  const denominator = 10 ** decimal.decimals
  const numerator = Number(decimal.units)
  if (numerator < 0 || numerator > denominator) throw new QueryError('NUMBER_RANGE', span)
  return { numerator, denominator }
}

function bindMeasure(argument: Syntax, scope: Scope, filter: Condition | null, span: Span): BoundMeasure {
  const value = bindValue(argument, scope, 'measure')
  if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', argument.span)
  const measured = asNumber(value, argument.span)
  if (!measured.bounded) throw new QueryError('MEASURE_UNBOUNDED', argument.span)
  if (measured.low < -largest || measured.high > largest) throw new QueryError('NUMBER_RANGE', span)
  const missing: Condition | null = measured.nullable ? { kind: 'not', operand: isNull(measured) } : null
  return {
    expression: filter === null ? measured.expression : only(measured, filter),
    decimals: measured.decimals,
    low: measured.low,
    high: measured.high,
    present: both(missing, filter),
  }
}

/** The value where the filter holds, null elsewhere. */
function only(value: TypedNumber, filter: Condition): NumberExpression {
  return { kind: 'case', branches: [{ when: filter, result: value.expression }], otherwise: null }
}
