import { QueryError } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import { aligned, withDecimals } from '../type/arithmetic.js'
import type { Condition, Typed, TypedInterval, TypedNumber } from '../type/expression.js'
import { asMoment, commonMoment, isMoment, quantityOf } from '../type/moment.js'
import type { Scope } from './scope.js'

/** Types one operand; the caller passes its own, so that the two files need not import each other. */
export type BindOperand = (syntax: Syntax) => Typed

/** A wallet address: comparing anything with one singles out a person, whatever the column is called. */
const address = /0x[0-9a-f]{8}/i

function refuseAddresses(scope: Scope, ...values: readonly Syntax[]): void {
  for (const value of values) {
    const literal = scope.literal(value)
    if (literal?.type === 'text' && address.test(literal.text)) {
      throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', value.span)
    }
  }
}

/** `wallet = ''`: rows without a contributor are never loaded, so this is known before any data is seen. */
function comparesWithNobody(syntax: Syntax & { readonly kind: 'compare' }, scope: Scope): boolean {
  if (syntax.operator !== '=' && syntax.operator !== '<>') return false
  const [one, other] = [syntax.left, syntax.right]
  const isNobody = (value: Syntax): boolean => {
    const literal = scope.literal(value)
    return literal?.type === 'text' && literal.text === ''
  }
  return (scope.isContributor(one) && isNobody(other)) || (scope.isContributor(other) && isNobody(one))
}

/**
 * Types `left operator right`.
 *
 * @throws QueryError `TYPE_MISMATCH`, `OPERATOR_NOT_ALLOWED`, `NUMBER_RANGE`, `IDENTIFIES_ONE_CONTRIBUTOR`
 */
export function bindComparison(
  syntax: Syntax & { readonly kind: 'compare' },
  scope: Scope,
  bind: BindOperand,
): Condition {
  refuseAddresses(scope, syntax.left, syntax.right)
  if (comparesWithNobody(syntax, scope)) return { kind: 'truth', value: syntax.operator === '<>' }
  const left = bind(syntax.left)
  const right = bind(syntax.right)
  const { operator, span } = syntax
  // Anything compared with NULL is unknown.
  if (left.type === 'null' || right.type === 'null') return { kind: 'truth', value: null }
  if (left.type === 'number' && right.type === 'number') {
    const [first, second] = aligned(left, right, span)
    return { kind: 'compare', operator, left: first.expression, right: second.expression }
  }
  const moment = commonMoment([left, right])
  if (moment !== null) {
    const quantity = (value: Typed, at: Syntax): TypedNumber => quantityOf(asMoment(value, moment, at.span))
    const [first, second] = [quantity(left, syntax.left), quantity(right, syntax.right)]
    return { kind: 'compare', operator, left: first.expression, right: second.expression }
  }
  if (left.type === 'interval' && right.type === 'interval') {
    // A month is longer than 30 days or it is not.
    if (!isExact(left) || !isExact(right)) throw new QueryError('TYPE_MISMATCH', span)
    return { kind: 'compare', operator, left: left.seconds.expression, right: right.seconds.expression }
  }
  if (left.type !== right.type) throw new QueryError('TYPE_MISMATCH', span)
  // The order of texts depends on an engine's collation.
  if (operator !== '=' && operator !== '<>') throw new QueryError('OPERATOR_NOT_ALLOWED', span)
  if (left.type === 'text' && right.type === 'text') {
    // Literals that were put together are literals.
    for (const { expression } of [left, right]) {
      if (expression.kind === 'text' && address.test(expression.value)) {
        throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', span)
      }
    }
    return { kind: 'compare-text', operator, left: left.expression, right: right.expression }
  }
  if (left.type === 'boolean' && right.type === 'boolean') {
    return { kind: 'compare-flag', operator, left: left.condition, right: right.condition }
  }
  throw new QueryError('TYPE_MISMATCH', span)
}

/** Whether an interval has the same length whenever it begins. */
function isExact({ months }: TypedInterval): boolean {
  return months.expression.kind === 'constant' && months.low === 0n
}

/**
 * Types `operand [NOT] IN (literals)`.
 *
 * @throws QueryError `TYPE_MISMATCH`, `EXPRESSION_NOT_ALLOWED`, `IDENTIFIES_ONE_CONTRIBUTOR`
 */
export function bindMembership(
  syntax: Syntax & { readonly kind: 'in' },
  scope: Scope,
  bind: BindOperand,
): Condition {
  refuseAddresses(scope, ...syntax.items)
  const operand = bind(syntax.operand)
  const items = syntax.items.map((item) => {
    const literal = item.kind === 'moment-cast' ? item.operand : item
    if (scope.literal(literal) === null) throw new QueryError('EXPRESSION_NOT_ALLOWED', item.span)
    return { value: bind(item), span: item.span }
  })
  const known = items.filter(({ value }) => value.type !== 'null')
  const member = ((): Condition => {
    if (operand.type === 'text') {
      const texts = known.map(({ value, span }) => {
        if (value.type !== 'text' || value.expression.kind !== 'text')
          throw new QueryError('TYPE_MISMATCH', span)
        return value.expression.value
      })
      return { kind: 'in-texts', operand: operand.expression, items: texts }
    }
    if (operand.type === 'number') {
      const numbers = known.map(({ value, span }) => {
        if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', span)
        return value
      })
      const decimals = Math.max(operand.decimals, ...numbers.map((value) => value.decimals))
      return {
        kind: 'in-numbers',
        operand: withDecimals(operand, decimals, syntax.span).expression,
        items: numbers.map((value) => String(withDecimals(value, decimals, syntax.span).low)),
      }
    }
    if (isMoment(operand)) {
      const { type } = operand
      const items = known.map(({ value, span }) => {
        // A timestamp is not the day that it is in.
        if (type === 'date' && value.type === 'timestamp') throw new QueryError('TYPE_MISMATCH', span)
        return String(quantityOf(asMoment(value, type, span)).low)
      })
      return { kind: 'in-numbers', operand: operand.expression, items }
    }
    throw new QueryError('TYPE_MISMATCH', syntax.span)
  })()
  // x IN (1, NULL) is true for 1 and unknown otherwise.
  const whole: Condition =
    known.length < items.length ? { kind: 'or', operands: [member, { kind: 'truth', value: null }] } : member
  return syntax.negated ? { kind: 'not', operand: whole } : whole
}

/** A pattern that every engine reads alike: no escapes, plain ASCII. */
const plainPattern = /^[\x20-\x5b\x5d-\x7e]{0,200}$/
/** A text that means itself in a pattern. */
const plainText = /^[^%_]*$/

/**
 * Types `text [NOT] LIKE 'pattern'`, ILIKE (for ASCII letters), `starts_with(text, 'start')` and its like.
 *
 * @throws QueryError `TYPE_MISMATCH`, `EXPRESSION_NOT_ALLOWED`, `IDENTIFIES_ONE_CONTRIBUTOR`
 */
export function bindLike(
  syntax: Syntax & { readonly kind: 'like' },
  scope: Scope,
  bind: BindOperand,
): Condition {
  refuseAddresses(scope, syntax.operand, syntax.pattern)
  const operand = bind(syntax.operand)
  const pattern = scope.literal(syntax.pattern)
  if (operand.type !== 'text') throw new QueryError('TYPE_MISMATCH', syntax.span)
  if (pattern?.type !== 'text' || !plainPattern.test(pattern.text)) {
    throw new QueryError('EXPRESSION_NOT_ALLOWED', syntax.pattern.span)
  }
  const { plain, anyCase } = syntax
  if (plain !== undefined && !plainText.test(pattern.text)) {
    throw new QueryError('EXPRESSION_NOT_ALLOWED', syntax.pattern.span)
  }
  const before = plain === 'end' || plain === 'anywhere' ? '%' : ''
  const after = plain === 'start' || plain === 'anywhere' ? '%' : ''
  const test: Condition = anyCase
    ? {
        kind: 'like',
        operand: { kind: 'text-cased', to: 'lower', operand: operand.expression },
        pattern: pattern.text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      }
    : { kind: 'like', operand: operand.expression, pattern: `${before}${pattern.text}${after}` }
  return syntax.negated ? { kind: 'not', operand: test } : test
}
