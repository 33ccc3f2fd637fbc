import { requireUse } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import type { CodedKey, KeyProgram, ListedKey } from '../plan/program.js'
import { parseDecimal, rescale, toNumber } from '../type/decimal.js'
import type { Typed, TypedInterval, TypedNull, TypedNumber } from '../type/expression.js'
import { isMoment } from '../type/moment.js'
import { unitsOf } from '../type/moment-text.js'
import { expressionOf, type ValueExpression } from '../type/relation.js'
import { exactDecimal } from './column.js'
import { everyUse } from './relation-column.js'
import type { Scope } from './scope.js'
import { bindCondition, bindValue } from './value.js'

/** A public value of a key, as it is released. */
export type PublicValue = string | number | boolean | null

/** A key of GROUP BY: the list of its public values (null when they are not public), and how a row finds its place. */
export interface BoundKey {
  readonly values: readonly PublicValue[] | null
  readonly program: KeyProgram
}

/**
 * Types a key of GROUP BY. Public keys are the policy's list of a column, the literals of a CASE, the truth of a condition, the bins of
 * `width_bucket`, or whole numbers whose range follows from the policy's bounds: all of their values are released, so no group tells by being there. Columns that the policy marks
 * `open` come from the data and appear by partition selection.
 *
 * @throws QueryError `GROUP_NOT_PUBLIC`, `IDENTIFIES_ONE_CONTRIBUTOR`, and what the conditions of a CASE throw
 */
export function bindKey(syntax: Syntax, scope: Scope): BoundKey {
  if (syntax.kind === 'case') return caseKey(syntax, scope)
  if (syntax.kind === 'aggregate') throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
  if (syntax.kind === 'column') return typedKey(bindValue(syntax, scope, 'group'), syntax.span)
  if (syntax.kind === 'concatenate' || syntax.kind === 'moment-cast')
    return typedKey(bindValue(syntax, scope, 'condition'), syntax.span)
  if (syntax.kind === 'call') {
    const typed = bindValue(syntax, scope, 'condition')
    if (typed.type !== 'number' || typed.domain !== undefined) return typedKey(typed, syntax.span)
  }
  if (['call', 'arithmetic', 'negate', 'cast'].includes(syntax.kind)) return wholeKey(syntax, scope)
  if (isTest(syntax)) return testKey(syntax, scope)
  throw new QueryError('GROUP_NOT_PUBLIC', syntax.span)
}

/** What is true, false or unknown by its form. */
function isTest(syntax: Syntax): boolean {
  return ['compare', 'and', 'or', 'not', 'in', 'like', 'is-null', 'is-true', 'exists', 'in-query'].includes(
    syntax.kind,
  )
}

/** A condition: false, true and unknown, which most conditions are given even where none of their columns may be missing. */
function testKey(syntax: Syntax, scope: Scope): BoundKey {
  const { span } = syntax
  const when = bindCondition(syntax, scope)
  // What these tests say is never unknown.
  if (['is-null', 'is-true', 'exists', 'in-query'].includes(syntax.kind)) {
    return { values: [false, true], program: { branches: [{ when, code: 1 }], otherwise: 0 } }
  }
  const otherwise = bindCondition({ kind: 'not', operand: syntax, span }, scope)
  const branches = [
    { when: otherwise, code: 0 },
    { when, code: 1 },
  ]
  return { values: [false, true, null], program: { branches, otherwise: 2 } }
}

/** Most whole numbers of a key that no policy lists. */
const mostWhole = 1000

/**
 * A whole number whose range is public: all numbers that it can be are its groups, those that no row has included. Columns count
 * within the policy's bounds.
 */
function wholeKey(syntax: Syntax, scope: Scope): BoundKey {
  const collector = { uses: new Set(everyUse) }
  const typed = bindValue(syntax, { ...scope, collector }, 'carry')
  requireUse(collector.uses, 'condition', syntax.span)
  const domain = typed.type === 'number' ? wholeDomain(syntax, typed, scope) : null
  if (domain === null) throw new QueryError('GROUP_NOT_PUBLIC', syntax.span)
  return typedKey({ ...typed, domain } as Typed, syntax.span)
}

/** The numbers that a value can be, ascending; tens of whole numbers are tens, and not every number between them. */
function wholeDomain(syntax: Syntax, typed: TypedNumber, scope: Scope): readonly number[] | null {
  const one = ofOne(syntax)
  if (one !== null) {
    const inner = bindValue(one.operand, scope, 'carry')
    const domain = inner.type === 'number' ? wholeDomain(one.operand, inner, scope) : null
    if (domain !== null) return [...new Set(domain.map(one.apply))].sort((first, second) => first - second)
  }
  if (syntax.kind === 'arithmetic' && ['+', '-', '*'].includes(syntax.operator)) {
    const [left, right] = [wholeLiteral(syntax.left, scope), wholeLiteral(syntax.right, scope)]
    const [literal, other] = left === null ? [right, syntax.left] : [left, syntax.right]
    const inner = literal === null ? null : bindValue(other, scope, 'carry')
    const domain = inner?.type === 'number' ? wholeDomain(other, inner, scope) : null
    if (literal !== null && domain !== null) {
      const values = domain.map((value) =>
        syntax.operator === '*'
          ? value * literal
          : syntax.operator === '+'
            ? value + literal
            : left === null
              ? value - literal
              : literal - value,
      )
      // The engine counts exactly: a number that is rounded here would be a group that no row is in.
      if (!values.every(Number.isSafeInteger)) return null
      return [...new Set(values)].sort((one, two) => one - two)
    }
  }
  const { low, high, decimals, domain: listed } = typed
  if (Array.isArray(listed) && listed.every((value) => Number.isSafeInteger(value))) return listed
  if (decimals !== 0 || high - low >= BigInt(mostWhole)) return null
  if (!Number.isSafeInteger(Number(low)) || !Number.isSafeInteger(Number(high))) return null
  return Array.from({ length: Number(high - low) + 1 }, (_, index) => Number(low) + index)
}

/** What is made of one whole number, and how; null for everything else. */
function ofOne(
  syntax: Syntax,
): { readonly operand: Syntax; readonly apply: (value: number) => number } | null {
  // 0 - value and not -value, which would be a zero of its own.
  if (syntax.kind === 'negate') return { operand: syntax.operand, apply: (value) => 0 - value }
  if (syntax.kind === 'cast') return { operand: syntax.operand, apply: (value) => value }
  const [operand, another] = syntax.kind === 'call' && syntax.name === 'abs' ? syntax.parameters : []
  return operand === undefined || another !== undefined ? null : { operand, apply: Math.abs }
}

function wholeLiteral(syntax: Syntax, scope: Scope): number | null {
  const literal = scope.literal(syntax)
  if (literal?.type !== 'number' || !/^-?[0-9]{1,9}$/.test(literal.text)) return null
  return Number(literal.text)
}

function typedKey(typed: Typed, at: Span): BoundKey {
  if (typed.type === 'null' || typed.type === 'interval') throw new QueryError('GROUP_NOT_PUBLIC', at)
  const domain = typed.type === 'boolean' ? [false, true] : typed.domain
  if (domain === undefined) throw new QueryError('GROUP_NOT_PUBLIC', at)
  if (domain === 'open') {
    if (typed.type === 'text') {
      return { values: null, program: { open: 'text', text: typed.expression } }
    }
    if (typed.type === 'number') {
      return { values: null, program: { open: 'number', number: typed.expression, decimals: typed.decimals } }
    }
    if (isMoment(typed)) {
      const { expression, decimals, type } = typed
      return { values: null, program: { open: 'number', number: expression, decimals, moment: type } }
    }
    throw new QueryError('GROUP_NOT_PUBLIC', at)
  }
  const values = domain.map((value) => storedValue(typed, value, at))
  const program: ListedKey = {
    listed: listedOf(typed),
    values,
    missing: typed.nullable ? domain.length : null,
  }
  return { values: typed.nullable ? [...domain, null] : domain, program }
}

function listedOf(typed: Exclude<Typed, TypedNull | TypedInterval>): ValueExpression {
  if (typed.type !== 'number' && !isMoment(typed)) return expressionOf(typed)
  // A clamp would put what lies outside of the range into its first and last group.
  const number = typed.expression
  return { type: 'number', number: number.kind === 'column' ? { ...number, clamp: null } : number }
}

/** A public value as the engine has it. */
function storedValue(typed: Typed, value: NonNullable<PublicValue>, at: Span): string | boolean {
  if (typed.type === 'boolean') return value === true
  if (typed.type === 'text') return String(value)
  if (isMoment(typed)) {
    const units = unitsOf(typed.type, String(value))
    if (units === null) throw new QueryError('GROUP_NOT_PUBLIC', at)
    return String(units)
  }
  const decimal = typed.type === 'number' ? parseDecimal(String(value)) : null
  if (typed.type !== 'number' || decimal === null) throw new QueryError('GROUP_NOT_PUBLIC', at)
  return String(rescale(decimal, typed.decimals, 'down'))
}

function caseKey(syntax: Syntax & { readonly kind: 'case' }, scope: Scope): BoundKey {
  const values: PublicValue[] = []
  const codeOf = (result: Syntax | null): number => {
    const value = result === null ? null : publicLiteral(result, scope)
    const known = values.indexOf(value)
    if (known >= 0) return known
    values.push(value)
    return values.length - 1
  }
  const branches = syntax.branches.map(({ when, result }) => ({
    when: bindCondition(when, scope),
    code: codeOf(result),
  }))
  const otherwise = codeOf(syntax.otherwise)
  if (new Set(values.filter((value) => value !== null).map((value) => typeof value)).size > 1) {
    throw new QueryError('TYPE_MISMATCH', syntax.span)
  }
  const program: CodedKey = { branches, otherwise }
  return { values, program }
}

function publicLiteral(result: Syntax, scope: Scope): PublicValue {
  const literal = scope.literal(result)
  if (literal === null) throw new QueryError('GROUP_NOT_PUBLIC', result.span)
  if (literal.type === 'null') return null
  if (literal.type === 'text') return literal.text
  if (literal.type === 'boolean') return literal.value
  const { units, decimals } = exactDecimal(literal.text, result.span)
  return toNumber(units, decimals)
}
