import { columnDecimals } from '../catalogue/catalogue.js'
import { checkUse, type Purpose } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { LiteralValue, Syntax } from '../parse/syntax.js'
import { chooseNumber, combine, constantNumber } from '../type/arithmetic.js'
import { type Decimal, parseDecimal, rescale } from '../type/decimal.js'
import type { Condition, Typed, TypedNumber } from '../type/expression.js'
import { bindComparison, bindMembership } from './comparison.js'
import type { Scope } from './scope.js'

/** Fixed-point values are kept below this, by the policy's schema and by the loader: numbers stay exact in JSON. */
const largestUnits = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Types an expression over the rows of the sources.
 *
 * @param purpose `measure` reads columns within the policy's bounds (values outside count as the bound); `condition`
 *   reads them as they are
 * @throws QueryError with the place of what cannot be typed
 */
export function bindValue(syntax: Syntax, scope: Scope, purpose: Purpose): Typed {
  switch (syntax.kind) {
    case 'literal':
    case 'parameter': {
      const literal = scope.literal(syntax)
      if (literal === null) throw new QueryError('EXPRESSION_NOT_ALLOWED', syntax.span)
      return bindLiteral(literal, syntax.span)
    }
    case 'column':
      return bindColumn(syntax.path, syntax.span, scope, purpose)
    case 'arithmetic': {
      const left = asNumber(bindValue(syntax.left, scope, purpose), syntax.left.span)
      const right = asNumber(bindValue(syntax.right, scope, purpose), syntax.right.span)
      const kind = syntax.operator === '+' ? 'add' : syntax.operator === '-' ? 'subtract' : 'multiply'
      return combine(kind, left, right, syntax.span)
    }
    case 'negate': {
      const operand = asNumber(bindValue(syntax.operand, scope, purpose), syntax.operand.span)
      return combine('subtract', constantNumber(0n, 0), operand, syntax.span)
    }
    case 'case':
      return bindCase(syntax, scope, purpose)
    case 'aggregate':
      throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
    default:
      return { type: 'boolean', condition: bindCondition(syntax, scope), nullable: true }
  }
}

/**
 * Types a condition over the rows of the sources.
 *
 * @throws QueryError with the place of what cannot be typed
 */
export function bindCondition(syntax: Syntax, scope: Scope): Condition {
  const operand = (value: Syntax) => bindValue(value, scope, 'condition')
  switch (syntax.kind) {
    case 'and':
    case 'or':
      return { kind: syntax.kind, operands: syntax.operands.map((operand) => bindCondition(operand, scope)) }
    case 'not':
      return { kind: 'not', operand: bindCondition(syntax.operand, scope) }
    case 'compare':
      return bindComparison(syntax, scope, operand)
    case 'in':
      return bindMembership(syntax, scope, operand)
    case 'is-true': {
      const test: Condition = {
        kind: 'is-true',
        value: syntax.value,
        operand: bindCondition(syntax.operand, scope),
      }
      return syntax.negated ? { kind: 'not', operand: test } : test
    }
    case 'is-null': {
      const test = isNull(operand(syntax.operand))
      return syntax.negated ? { kind: 'not', operand: test } : test
    }
    default: {
      const value = operand(syntax)
      if (value.type === 'null') return { kind: 'truth', value: null }
      if (value.type !== 'boolean') throw new QueryError('TYPE_MISMATCH', syntax.span)
      return value.condition
    }
  }
}

/** The condition that a value is null. */
export function isNull(value: Typed): Condition {
  if (value.type === 'null') return { kind: 'truth', value: true }
  if (value.type === 'number') return { kind: 'null-number', operand: value.expression }
  if (value.type === 'text') return { kind: 'null-text', operand: value.expression }
  return { kind: 'null-flag', operand: value.condition }
}

export function asNumber(value: Typed, at: Span): TypedNumber {
  if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', at)
  return value
}

/** The exact value of a number literal. */
export function exactDecimal(text: string, at: Span): Decimal {
  const decimal = parseDecimal(text)
  if (decimal === null) throw new QueryError('NUMBER_RANGE', at)
  return decimal
}

export function bindLiteral(literal: LiteralValue, at: Span): Typed {
  if (literal.type === 'null') return { type: 'null' }
  if (literal.type === 'text') {
    return { type: 'text', expression: { kind: 'text', value: literal.text }, nullable: false }
  }
  if (literal.type === 'boolean') {
    return { type: 'boolean', condition: { kind: 'truth', value: literal.value }, nullable: false }
  }
  const { units, decimals } = exactDecimal(literal.text, at)
  return constantNumber(units, decimals)
}

function bindColumn(path: readonly string[], at: Span, scope: Scope, purpose: Purpose): Typed {
  const { source, column } = scope.column(path, at)
  checkUse(column, purpose, at)
  const { name, nullable } = column
  if (column.type === 'text') {
    return { type: 'text', expression: { kind: 'text-column', source, column: name }, nullable }
  }
  if (column.type === 'boolean') {
    return { type: 'boolean', condition: { kind: 'flag', source, column: name }, nullable }
  }
  const decimals = columnDecimals(column)
  const bounds = purpose === 'measure' ? policyBounds(column, decimals, at) : null
  return {
    type: 'number',
    expression: {
      kind: 'column',
      source,
      column: name,
      decimals,
      clamp: bounds === null ? null : { low: String(bounds.low), high: String(bounds.high) },
    },
    decimals,
    low: bounds?.low ?? -largestUnits,
    high: bounds?.high ?? largestUnits,
    bounded: bounds !== null,
    nullable,
  }
}

function policyBounds(
  column: { readonly min?: number | undefined; readonly max?: number | undefined },
  decimals: number,
  at: Span,
): { readonly low: bigint; readonly high: bigint } {
  if (column.min === undefined || column.max === undefined) throw new QueryError('MEASURE_UNBOUNDED', at)
  const low = rescale(exactDecimal(String(column.min), at), decimals, 'down')
  const high = rescale(exactDecimal(String(column.max), at), decimals, 'up')
  if (low > high) throw new QueryError('MEASURE_UNBOUNDED', at)
  return { low, high }
}

function bindCase(syntax: Syntax & { readonly kind: 'case' }, scope: Scope, purpose: Purpose): Typed {
  const branches = syntax.branches.map(({ when, result }) => ({
    when: bindCondition(when, scope),
    result: bindValue(result, scope, purpose),
    span: result.span,
  }))
  const otherwise: Typed =
    syntax.otherwise === null ? { type: 'null' } : bindValue(syntax.otherwise, scope, purpose)
  const numberOrNull = (value: Typed, at: Span) => (value.type === 'null' ? null : asNumber(value, at))
  return chooseNumber(
    branches.map(({ when, result, span }) => ({ when, result: numberOrNull(result, span) })),
    numberOrNull(otherwise, syntax.otherwise?.span ?? syntax.span),
    syntax.span,
  )
}
