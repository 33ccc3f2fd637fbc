import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import type { CodedKey, KeyProgram, ListedKey } from '../plan/program.js'
import { parseDecimal, rescale, toNumber } from '../type/decimal.js'
import type { Typed, TypedInterval, TypedNull } from '../type/expression.js'
import { isMoment } from '../type/moment.js'
import { unitsOf } from '../type/moment-text.js'
import { expressionOf, type ValueExpression } from '../type/relation.js'
import { exactDecimal } from './column.js'
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
 * Types a key of GROUP BY. Public keys are the policy's list of a column, the literals of a CASE, or the bins of
 * `width_bucket`: all of their values are released, so no group tells by being there. Columns that the policy marks
 * `open` come from the data and appear by partition selection.
 *
 * @throws QueryError `GROUP_NOT_PUBLIC`, `IDENTIFIES_ONE_CONTRIBUTOR`, and what the conditions of a CASE throw
 */
export function bindKey(syntax: Syntax, scope: Scope): BoundKey {
  if (syntax.kind === 'case') return caseKey(syntax, scope)
  if (syntax.kind === 'aggregate') throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
  if (syntax.kind === 'column') return typedKey(bindValue(syntax, scope, 'group'), syntax.span)
  if (syntax.kind === 'call' || syntax.kind === 'concatenate' || syntax.kind === 'moment-cast')
    return typedKey(bindValue(syntax, scope, 'condition'), syntax.span)
  throw new QueryError('GROUP_NOT_PUBLIC', syntax.span)
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
