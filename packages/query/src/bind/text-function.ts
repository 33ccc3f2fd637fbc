import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import type { Domain, TextExpression, Typed, TypedNumber, TypedText } from '../type/expression.js'
import type { Scope } from './scope.js'

/** Longest part of a text, and most that a length can be. */
const longest = 1_000_000

/** Most values of a list that is made of two lists. */
const mostValues = 1000

function asText(value: Typed, at: Span): TypedText {
  if (value.type !== 'text') throw new QueryError('TYPE_MISMATCH', at)
  return value
}

/** The same function of every public value; values that become equal are one. */
function mapped(operand: TypedText, expression: TextExpression, each: (value: string) => string): TypedText {
  const { domain } = operand
  if (operand.expression.kind === 'text') {
    const value = each(operand.expression.value)
    return { type: 'text', expression: { kind: 'text', value }, nullable: false, domain: [value] }
  }
  if (domain === undefined) return { type: 'text', expression, nullable: operand.nullable }
  const list: Domain = domain === 'open' ? 'open' : [...new Set(domain.map((value) => each(String(value))))]
  return { type: 'text', expression, nullable: operand.nullable, domain: list }
}

const lowerAscii = (value: string) => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const upperAscii = (value: string) => value.replace(/[a-z]/g, (letter) => letter.toUpperCase())

/**
 * Types a function of texts. Engines disagree beyond ASCII on letters and on what blank is, so these are defined for ASCII alone
 * and count code points.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `TYPE_MISMATCH`, `NUMBER_RANGE`
 */
export function bindTextFunction(
  syntax: Syntax & { readonly kind: 'call' },
  scope: Scope,
  bind: (value: Syntax) => Typed,
): Typed {
  const { name, parameters, span } = syntax
  const [first, second, third] = parameters
  if (first === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const bound = bind(first)
  if (bound.type === 'null') return bound
  const text = asText(bound, first.span)
  const operand = text.expression
  const whole = (value: Syntax, least: number): number => {
    const literal = scope.literal(value)
    const number = literal?.type === 'number' ? Number(literal.text) : Number.NaN
    if (!Number.isInteger(number) || number < least || number > longest) {
      throw new QueryError('NUMBER_RANGE', value.span)
    }
    return number
  }
  switch (name) {
    case 'lower':
      return mapped(text, { kind: 'text-cased', to: 'lower', operand }, lowerAscii)
    case 'upper':
      return mapped(text, { kind: 'text-cased', to: 'upper', operand }, upperAscii)
    case 'trim':
      return mapped(text, { kind: 'text-trimmed', operand }, (value) => value.replace(/^ +| +$/g, ''))
    case 'substring': {
      if (second === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
      const from = whole(second, 1)
      const length = third === undefined ? longest : whole(third, 0)
      const part = (value: string) => [...value].slice(from - 1, from - 1 + length).join('')
      return mapped(text, { kind: 'text-part', operand, from, length }, part)
    }
    default:
      return lengthOf(text)
  }
}

function lengthOf({ expression, domain, nullable }: TypedText): TypedNumber {
  const sizes =
    domain === undefined || domain === 'open' ? null : domain.map((value) => [...String(value)].length)
  const list = sizes === null ? null : [...new Set(sizes)].sort((left, right) => left - right)
  return {
    type: 'number',
    expression: { kind: 'text-length', operand: expression, most: String(longest) },
    decimals: 0,
    low: 0n,
    high: BigInt(longest),
    bounded: true,
    nullable,
    ...(list === null ? (domain === 'open' ? { domain } : {}) : { domain: list }),
  }
}

/**
 * Types `one || other`.
 *
 * @throws QueryError `TYPE_MISMATCH`
 */
export function concatenated(left: Typed, right: Typed, leftAt: Span, rightAt: Span): Typed {
  if (left.type === 'null') return left
  if (right.type === 'null') return right
  const [one, other] = [asText(left, leftAt), asText(right, rightAt)]
  const nullable = one.nullable || other.nullable
  if (one.expression.kind === 'text' && other.expression.kind === 'text') {
    const value = one.expression.value + other.expression.value
    return { type: 'text', expression: { kind: 'text', value }, nullable: false, domain: [value] }
  }
  const expression: TextExpression = { kind: 'text-joined', left: one.expression, right: other.expression }
  const plain: TypedText = { type: 'text', expression, nullable }
  if (one.domain === undefined || other.domain === undefined) return plain
  if (one.domain === 'open' || other.domain === 'open') return { ...plain, domain: 'open' }
  if (one.domain.length * other.domain.length > mostValues) return plain
  const [starts, ends] = [one.domain.map(String), other.domain.map(String)]
  const both = starts.flatMap((start) => ends.map((end) => start + end))
  return { ...plain, domain: [...new Set(both)] }
}
