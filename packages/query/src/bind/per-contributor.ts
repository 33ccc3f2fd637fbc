import { QueryError, type Span } from '../errors.js'
import type { AggregateSyntax, Syntax } from '../parse/syntax.js'
import { divide } from '../type/arithmetic.js'
import type { Condition, NumberExpression, TypedNumber, WindowExpression } from '../type/expression.js'
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
): TypedNumber {
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
    if (parameter === undefined || scope.isContributor(parameter)) return build('count', null, when)
    const present: Condition = { kind: 'not', operand: isNull(bindValue(parameter, scope, 'presence')) }
    return build('count', null, when === null ? present : { kind: 'and', operands: [when, present] })
  }
  if (parameter === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const operand = asNumber(bindValue(parameter, scope, purpose), parameter.span)
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

function average(sum: TypedNumber, count: TypedNumber, operand: TypedNumber, at: Span): TypedNumber {
  const quotient = divide(sum, count, at)
  const factor = 10n ** BigInt(quotient.decimals - operand.decimals)
  // An average lies within the range of its values; division towards zero keeps it there.
  return { ...quotient, low: operand.low * factor, high: operand.high * factor, nullable: true }
}

function ranged(
  expression: NumberExpression,
  {
    name,
    operand,
    rows,
    nullable,
  }: { name: string; operand: TypedNumber | null; rows: number; nullable: boolean },
): TypedNumber {
  if (operand === null) {
    const list =
      rows <= shortList ? { domain: Array.from({ length: rows + 1 }, (_, index) => index) } : {}
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

/**
 * Types a window function. The partition must hold the contributor: then a contributor changes its own rows only.
 *
 * @throws QueryError `WINDOW_NOT_ALLOWED`, `TYPE_MISMATCH`
 */
export function bindWindow(
  syntax: Syntax & { readonly kind: 'window' },
  outer: Scope,
  purpose: ValuePurpose,
): TypedNumber {
  const { name, parameters, span } = syntax
  const scope = { ...outer, allowed: { windows: false, perContributor: null } }
  if (!syntax.partitionBy.some((entry) => scope.isContributor(entry))) {
    throw new QueryError('WINDOW_NOT_ALLOWED', span)
  }
  const number = (value: Syntax, as: ValuePurpose) => asNumber(bindValue(value, scope, as), value.span)
  const partitionBy = syntax.partitionBy
    .filter((entry) => !scope.isContributor(entry))
    .map((entry) => number(entry, 'condition').expression)
  const orderBy = syntax.orderBy.map(({ value, descending, nullsFirst }) => ({
    value: number(value, 'condition').expression,
    descending,
    nullsFirst: nullsFirst ?? descending,
  }))
  const ranked = scope.relations.flatMap(({ relation }, source) => (relation.kind === 'table' ? [source] : []))
  const [first, second, third] = parameters
  const window = (
    function_: WindowExpression['name'],
    operand: TypedNumber | null,
    offset = 0,
  ): WindowExpression => ({
    kind: 'window',
    name: function_,
    operand: operand?.expression ?? null,
    offset,
    unit: scope.unit,
    ranked,
    partitionBy,
    orderBy,
  })
  switch (name) {
    case 'row_number':
    case 'rank':
    case 'dense_rank': {
      if (first !== undefined || orderBy.length === 0) throw new QueryError('WINDOW_NOT_ALLOWED', span)
      const ranks = ranged(window(name, null), { name, operand: null, rows: scope.rows, nullable: false })
      return ranks
    }
    case 'lag':
    case 'lead': {
      if (first === undefined || third !== undefined || orderBy.length === 0) {
        throw new QueryError('WINDOW_NOT_ALLOWED', span)
      }
      const literal = second === undefined ? null : scope.literal(second)
      const offset = second === undefined ? 1 : literal?.type === 'number' ? Number(literal.text) : Number.NaN
      if (!Number.isInteger(offset) || offset < 0 || offset > 1000) {
        throw new QueryError('WINDOW_NOT_ALLOWED', span)
      }
      const { domain: _, ...operand } = number(first, purpose)
      return { ...operand, expression: window(name, operand, offset), nullable: true }
    }
    default: {
      if (second !== undefined) throw new QueryError('WINDOW_NOT_ALLOWED', span)
      if (first === undefined) {
        if (name !== 'count') throw new QueryError('WINDOW_NOT_ALLOWED', span)
        return ranged(window('count', null), { name, operand: null, rows: scope.rows, nullable: false })
      }
      if (name === 'count' && scope.isContributor(first)) {
        return ranged(window('count', null), { name, operand: null, rows: scope.rows, nullable: false })
      }
      const operand = number(first, purpose)
      if (name === 'count') {
        const present = ranged(window('count', operand), {
          name,
          operand: null,
          rows: scope.rows,
          nullable: false,
        })
        return present
      }
      if (name === 'avg') {
        const sum = ranged(window('sum', operand), { name: 'sum', operand, rows: scope.rows, nullable: true })
        const count = ranged(window('count', operand), {
          name: 'count',
          operand: null,
          rows: scope.rows,
          nullable: false,
        })
        return average(sum, count, operand, span)
      }
      return ranged(window(name, operand), { name, operand, rows: scope.rows, nullable: true })
    }
  }
}
