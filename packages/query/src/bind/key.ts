import { columnDecimals, type PolicyColumn } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import type { KeyProgram } from '../plan/program.js'
import { rescale, toNumber } from '../type/decimal.js'
import type { Condition } from '../type/expression.js'
import type { Scope } from './scope.js'
import { bindCondition, exactDecimal } from './value.js'

/** A public value of a key, as it is released. */
export type PublicValue = string | number | boolean | null

/** A key of GROUP BY: the list of its public values, and how a row finds its place in the list. */
export interface BoundKey {
  readonly values: readonly PublicValue[]
  readonly program: KeyProgram
}

/**
 * Types a key of GROUP BY. Only values that are public before any data is seen can be keys: the policy's list of a
 * column, or the literals of a CASE. All of them are released, so no group tells by being there.
 *
 * @throws QueryError `GROUP_NOT_PUBLIC`, `IDENTIFIES_ONE_CONTRIBUTOR`, and what the conditions of a CASE throw
 */
export function bindKey(syntax: Syntax, scope: Scope): BoundKey {
  if (syntax.kind === 'column') return columnKey(syntax, scope)
  if (syntax.kind === 'case') return caseKey(syntax, scope)
  if (syntax.kind === 'aggregate') throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
  throw new QueryError('GROUP_NOT_PUBLIC', syntax.span)
}

function columnKey(syntax: Syntax & { readonly kind: 'column' }, scope: Scope): BoundKey {
  const { source, column } = scope.column(syntax.path, syntax.span)
  const listed = column.values ?? (column.type === 'boolean' ? [false, true] : null)
  if (!column.use.includes('group') || listed === null) throw new QueryError('GROUP_NOT_PUBLIC', syntax.span)
  const branches = listed.map((value, code) => ({ when: columnIs(column, source, value, syntax), code }))
  if (!column.nullable) return { values: listed, program: { branches, otherwise: null } }
  const missing = { when: columnIs(column, source, null, syntax), code: listed.length }
  return { values: [...listed, null], program: { branches: [...branches, missing], otherwise: null } }
}

function columnIs(column: PolicyColumn, source: number, value: PublicValue, syntax: Syntax): Condition {
  const { name } = column
  if (column.type === 'boolean') {
    const flag: Condition = { kind: 'flag', source, column: name }
    if (value === null) return { kind: 'null-flag', operand: flag }
    return value === true ? flag : { kind: 'not', operand: flag }
  }
  if (column.type === 'text') {
    const text = { kind: 'text-column', source, column: name } as const
    if (value === null) return { kind: 'null-text', operand: text }
    return { kind: 'compare-text', operator: '=', left: text, right: { kind: 'text', value: String(value) } }
  }
  const decimals = columnDecimals(column)
  const number = { kind: 'column', source, column: name, decimals, clamp: null } as const
  if (value === null) return { kind: 'null-number', operand: number }
  const units = rescale(exactDecimal(String(value), syntax.span), decimals, 'down')
  return { kind: 'compare', operator: '=', left: number, right: { kind: 'constant', units: String(units) } }
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
  return { values, program: { branches, otherwise } }
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
