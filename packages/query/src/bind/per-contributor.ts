import { QueryError, type Span } from '../errors.js'
import type { AggregateSyntax } from '../parse/syntax.js'
import { divide } from '../type/arithmetic.js'
import type { Condition, NumberExpression, TypedMoment, TypedNumber } from '../type/expression.js'
import { isMoment, quantityOf } from '../type/moment.js'
import type { Scope } from './scope.js'
import { asNumber, bindCondition, bindValue, isNull, type ValuePurpose } from './value.js'

/** Counts up to this many rows have a list of values, so that they can be grouped by. */
const shortList = 200

/**
 * Types an aggregate over the rows of one contributor: its range follows from the range of a row and from how many rows
 * a contributor can have.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, and what binding its parts throws
 */
export function bindPerContributor(
  syntax: AggregateSyntax,
  outer: Scope,
  purpose: ValuePurpose,
): TypedNumber | TypedMoment {
  const { name, distinct, parameters, span } = syntax
  const scope = { ...outer, allowed: { windows: false, perContributor: null } }
  const when = syntax.filter === null ? null : bindCondition(syntax.filter, scope)
  const [parameter] = parameters
  if (distinct) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const build = (
    function_: 'count' | 'sum' | 'min' | 'max',
    operand: TypedNumber | null,
    filter: Condition | null,
  ): TypedNumber =>
    ranged(
      { kind: 'per-contributor', name: function_, operand: operand?.expression ?? null, when: filter },
      { name: function_, operand, rows: scope.rows, nullable: when !== null || operand?.nullable === true },
    )
  if (name === 'count') {
    if (parameter === undefined || scope.isUnit(parameter)) return build('count', null, when)
    const [missed] = scope.contributorSources(parameter)
    if (missed !== undefined) {
      const matched: Condition = { kind: 'matched', source: missed }
      return build('count', null, when === null ? matched : { kind: 'and', operands: [when, matched] })
    }
    const present: Condition = { kind: 'not', operand: isNull(bindValue(parameter, scope, 'presence')) }
    return build('count', null, when === null ? present : { kind: 'and', operands: [when, present] })
  }
  if (parameter === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const bound = bindValue(parameter, scope, purpose)
  if (isMoment(bound) && (name === 'min' || name === 'max')) {
    return { ...build(name, quantityOf(bound), when), type: bound.type }
  }
  const operand = asNumber(bound, parameter.span)
  switch (name) {
    case 'sum':
    case 'min':
    case 'max':
      return build(name, operand, when)
    case 'avg': {
      const present: Condition = { kind: 'not', operand: isNull(operand) }
      const filter: Condition | null = operand.nullable
        ? when === null
          ? present
          : { kind: 'and', operands: [when, present] }
        : when
      return average(build('sum', operand, when), build('count', null, filter), operand, span)
    }
    default:
      throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  }
}

/** The quotient of a sum and a count of the same rows, within the range of one of them. */
export function average(sum: TypedNumber, count: TypedNumber, operand: TypedNumber, at: Span): TypedNumber {
  const quotient = divide(sum, count, at)
  const factor = 10n ** BigInt(quotient.decimals - operand.decimals)
  // An average lies within the range of its values; division towards zero keeps it there.
  return { ...quotient, low: operand.low * factor, high: operand.high * factor, nullable: true }
}

/** What is known of a count or a value over at most `rows` rows of one contributor. */
export function ranged(
  expression: NumberExpression,
  {
    name,
    operand,
    rows,
    nullable,
  }: { name: string; operand: TypedNumber | null; rows: number; nullable: boolean },
): TypedNumber {
  if (operand === null) {
    const list = rows <= shortList ? { domain: Array.from({ length: rows + 1 }, (_, index) => index) } : {}
    return {
      type: 'number',
      expression,
      decimals: 0,
      low: 0n,
      high: BigInt(rows),
      bounded: true,
      nullable: false,
      ...list,
    }
  }
  const { low, high, decimals, bounded } = operand
  if (name !== 'sum') return { type: 'number', expression, decimals, low, high, bounded, nullable }
  const most = BigInt(rows)
  return {
    type: 'number',
    expression,
    decimals,
    low: low < 0n ? low * most : low,
    high: high > 0n ? high * most : high,
    bounded,
    nullable,
  }
}
