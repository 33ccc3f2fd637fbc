import type { Purpose } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { LiteralValue, Syntax } from '../parse/syntax.js'
import { chooseNumber, combine, constantNumber, divide, remainder, roundTo } from '../type/arithmetic.js'
import type { Condition, Domain, TextExpression, Typed, TypedNumber, TypedText } from '../type/expression.js'
import { parseInterval } from '../type/interval.js'
import { asMoment, commonMoment, isMoment, quantityOf } from '../type/moment.js'
import { requireSmall } from '../type/printed-size.js'
import { bindColumn, exactDecimal } from './column.js'
import { bindComparison, bindLike, bindMembership } from './comparison.js'
import { bindFunction } from './function.js'
import { concernsMoments, momentArithmetic, negatedInterval } from './moment-arithmetic.js'
import { bindPerContributor } from './per-contributor.js'
import type { Scope } from './scope.js'
import { concatenated } from './text-function.js'
import { bindWindow } from './window.js'

/** How a value will be used; `carry` hands it on from a nested query, with what it may be used for. */
export type ValuePurpose = Purpose | 'carry'

/**
 * Types an expression over the rows of the sources. An interval is no value.
 *
 * @param purpose `measure` reads columns within the policy's bounds (values outside count as the bound); `condition`
 *   reads them as they are
 * @throws QueryError with the place of what cannot be typed
 */
export function bindValue(syntax: Syntax, scope: Scope, purpose: ValuePurpose): Typed {
  const typed = bindOperand(syntax, scope, purpose)
  if (typed.type === 'interval') throw new QueryError('TYPE_MISMATCH', syntax.span)
  return typed
}

/** The same for what an operation is made of, intervals included. */
function bindOperand(syntax: Syntax, scope: Scope, purpose: ValuePurpose): Typed {
  const typed = bindAny(syntax, scope, purpose)
  requireSmall(typed, 'expression', syntax.span)
  return typed
}

function bindAny(syntax: Syntax, scope: Scope, purpose: ValuePurpose): Typed {
  const grouped = scope.allowed.perContributor
  if (grouped !== null && standsAlone(syntax)) {
    const plain = { ...scope, allowed: { windows: false, perContributor: null } }
    const typed = attempt(() => bindValue(syntax, plain, 'carry'))
    if (typed !== null && grouped.keys.has(formOf(typed))) {
      // Bound again for its check; the form of the key is what the engine groups by.
      bindValue(syntax, plain, purpose)
      return typed
    }
    if (syntax.kind === 'column') throw new QueryError('NOT_AGGREGATED', syntax.span)
  }
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
      const operands = [syntax.left, syntax.right].map((operand) => bindOperand(operand, scope, purpose))
      const [one = nothing, other = nothing] = operands
      if (concernsMoments(one, other)) return momentArithmetic(syntax.operator, one, other, syntax.span)
      const left = asNumber(one, syntax.left.span)
      const right = asNumber(other, syntax.right.span)
      switch (syntax.operator) {
        case '/':
          return divide(left, right, syntax.span)
        case '%':
          return remainder(left, right, syntax.span)
        default: {
          const kind = { '+': 'add', '-': 'subtract', '*': 'multiply' } as const
          return combine(kind[syntax.operator], left, right, syntax.span)
        }
      }
    }
    case 'negate': {
      const bound = bindOperand(syntax.operand, scope, purpose)
      if (bound.type === 'interval') return negatedInterval(bound, syntax.span)
      const operand = asNumber(bound, syntax.operand.span)
      return combine('subtract', constantNumber(0n, 0), operand, syntax.span)
    }
    case 'concatenate':
      return concatenated(
        bindValue(syntax.left, scope, purpose),
        bindValue(syntax.right, scope, purpose),
        syntax.left.span,
        syntax.right.span,
      )
    case 'cast': {
      const operand = asNumber(bindValue(syntax.operand, scope, purpose), syntax.operand.span)
      return syntax.decimals === null ? operand : roundTo(operand, syntax.decimals, 'half')
    }
    case 'moment-cast': {
      const operand = bindValue(syntax.operand, scope, purpose)
      return operand.type === 'null' ? operand : asMoment(operand, syntax.to, syntax.span)
    }
    case 'interval': {
      const literal = scope.literal(syntax.operand)
      if (literal?.type !== 'text') throw new QueryError('MOMENT_INVALID', syntax.span)
      return parseInterval(literal.text, syntax.unit, syntax.span)
    }
    case 'call':
      return bindFunction(syntax, scope, (value) => bindOperand(value, scope, purpose))
    case 'case':
      return bindCase(syntax, scope, purpose)
    case 'aggregate':
      if (grouped === null) throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
      return bindPerContributor(syntax, scope, purpose)
    case 'window':
      if (!scope.allowed.windows) throw new QueryError('WINDOW_NOT_ALLOWED', syntax.span)
      return bindWindow(syntax, scope, purpose)
    case 'scalar-query':
      throw new QueryError('SUBQUERY_NOT_ALLOWED', syntax.span)
    case 'grouping':
      throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
    default:
      return { type: 'boolean', condition: bindCondition(syntax, scope), nullable: true }
  }
}

const nothing: Typed = { type: 'null' }

/** What may be a key of GROUP BY as a whole. */
function standsAlone(syntax: Syntax): boolean {
  return ['column', 'case', 'call', 'cast', 'moment-cast', 'arithmetic', 'negate', 'concatenate'].includes(
    syntax.kind,
  )
}

/** A form by which equal expressions are known. */
export function formOf(typed: Typed): string {
  if (typed.type === 'null') return 'null'
  if (typed.type === 'interval') return JSON.stringify([typed.months.expression, typed.seconds.expression])
  return JSON.stringify(typed.type === 'boolean' ? typed.condition : typed.expression)
}

function attempt(bind: () => Typed): Typed | null {
  try {
    return bind()
  } catch (error) {
    if (error instanceof QueryError) return null
    throw error
  }
}

/**
 * Types a condition over the rows of the sources.
 *
 * @throws QueryError with the place of what cannot be typed
 */
export function bindCondition(syntax: Syntax, scope: Scope): Condition {
  const condition = bindTest(syntax, scope)
  requireSmall(condition, 'expression', syntax.span)
  return condition
}

function bindTest(syntax: Syntax, scope: Scope): Condition {
  const operand = (value: Syntax) => bindValue(value, scope, 'condition')
  const part = (value: Syntax) => bindOperand(value, scope, 'condition')
  switch (syntax.kind) {
    case 'and':
    case 'or':
      return { kind: syntax.kind, operands: syntax.operands.map((operand) => bindCondition(operand, scope)) }
    case 'not':
      return { kind: 'not', operand: bindCondition(syntax.operand, scope) }
    case 'compare':
      return bindComparison(syntax, scope, part)
    case 'in':
      return bindMembership(syntax, scope, operand)
    case 'like':
      return bindLike(syntax, scope, operand)
    case 'exists':
    case 'in-query':
      return scope.semiJoin(syntax, scope)
    case 'is-true': {
      const test: Condition = {
        kind: 'is-true',
        value: syntax.value,
        operand: bindCondition(syntax.operand, scope),
      }
      return syntax.negated ? { kind: 'not', operand: test } : test
    }
    case 'is-null': {
      const test = contributorMissing(syntax.operand, scope) ?? isNull(operand(syntax.operand))
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

/** `contributor IS NULL`: rows without a contributor are never loaded; after LEFT JOIN it tells who is missing. */
function contributorMissing(syntax: Syntax, scope: Scope): Condition | null {
  const sources = scope.contributorSources(syntax)
  if (sources.length === 0) return null
  const [first] = sources
  if (sources.length === 1 && first !== undefined && scope.optional.has(first)) {
    return { kind: 'not', operand: { kind: 'matched', source: first } }
  }
  return { kind: 'truth', value: false }
}

/** The condition that a value is null. */
export function isNull(value: Typed): Condition {
  if (value.type === 'null') return { kind: 'truth', value: true }
  if (value.type === 'number' || isMoment(value)) return { kind: 'null-number', operand: value.expression }
  if (value.type === 'interval') return { kind: 'null-number', operand: value.seconds.expression }
  if (value.type === 'text') return { kind: 'null-text', operand: value.expression }
  return { kind: 'null-flag', operand: value.condition }
}

export function asNumber(value: Typed, at: Span): TypedNumber {
  if (value.type !== 'number') throw new QueryError('TYPE_MISMATCH', at)
  return value
}

export function bindLiteral(literal: LiteralValue, at: Span): Typed {
  if (literal.type === 'null') return { type: 'null' }
  if (literal.type === 'text') {
    return {
      type: 'text',
      expression: { kind: 'text', value: literal.text },
      nullable: false,
      domain: [literal.text],
    }
  }
  if (literal.type === 'boolean') {
    return { type: 'boolean', condition: { kind: 'truth', value: literal.value }, nullable: false }
  }
  const { units, decimals } = exactDecimal(literal.text, at)
  return constantNumber(units, decimals)
}

function bindCase(syntax: Syntax & { readonly kind: 'case' }, scope: Scope, purpose: ValuePurpose): Typed {
  const branches = syntax.branches.map(({ when, result }) => ({
    when: bindCondition(when, scope),
    result: bindValue(result, scope, purpose),
    span: result.span,
  }))
  const otherwise: Typed =
    syntax.otherwise === null ? { type: 'null' } : bindValue(syntax.otherwise, scope, purpose)
  return choose(branches, otherwise, syntax.otherwise?.span ?? syntax.span, syntax.span)
}

/** A CASE over typed values: all texts, all booleans or all numbers. */
export function choose(
  branches: readonly { readonly when: Condition; readonly result: Typed; readonly span: Span }[],
  otherwise: Typed,
  otherwiseAt: Span,
  at: Span,
): Typed {
  const results = [...branches.map(({ result }) => result), otherwise]
  const moment = commonMoment(results)
  if (moment !== null) {
    const quantity = (value: Typed, span: Span) =>
      value.type === 'null' ? null : quantityOf(asMoment(value, moment, span))
    const chosen = chooseNumber(
      branches.map(({ when, result, span }) => ({ when, result: quantity(result, span) })),
      quantity(otherwise, otherwiseAt),
      at,
    )
    return { ...chosen, type: moment }
  }
  const kind = results.find(({ type }) => type !== 'null')?.type
  if (kind === 'text') {
    const textOrNull = (value: Typed, span: Span): TypedText | null => {
      if (value.type === 'null') return null
      if (value.type !== 'text') throw new QueryError('TYPE_MISMATCH', span)
      return value
    }
    const typed = branches.map(({ when, result, span }) => ({ when, result: textOrNull(result, span) }))
    const last = textOrNull(otherwise, otherwiseAt)
    const expression: TextExpression = {
      kind: 'text-case',
      branches: typed.map(({ when, result }) => ({ when, result: result?.expression ?? null })),
      otherwise: last?.expression ?? null,
    }
    const parts = [...typed.map(({ result }) => result), last]
    const domain = domainOfAll(parts.filter((part) => part !== null))
    return {
      type: 'text',
      expression,
      nullable: parts.some((part) => part === null || part.nullable),
      ...(domain === null ? {} : { domain }),
    }
  }
  if (kind === 'boolean') {
    const condition = branches.reduceRight<Condition>(
      (rest, { when, result, span }) => {
        const truth: Condition = { kind: 'is-true', value: true, operand: when }
        return {
          kind: 'or',
          operands: [
            { kind: 'and', operands: [truth, conditionOf(result, span)] },
            { kind: 'and', operands: [{ kind: 'not', operand: truth }, rest] },
          ],
        }
      },
      conditionOf(otherwise, otherwiseAt),
    )
    return { type: 'boolean', condition, nullable: true }
  }
  const numberOrNull = (value: Typed, span: Span) => (value.type === 'null' ? null : asNumber(value, span))
  return chooseNumber(
    branches.map(({ when, result, span }) => ({ when, result: numberOrNull(result, span) })),
    numberOrNull(otherwise, otherwiseAt),
    at,
  )
}

function conditionOf(value: Typed, at: Span): Condition {
  if (value.type === 'null') return { kind: 'truth', value: null }
  if (value.type !== 'boolean') throw new QueryError('TYPE_MISMATCH', at)
  return value.condition
}

function domainOfAll(parts: readonly TypedText[]): Domain | null {
  const values: (string | number | boolean)[] = []
  for (const { domain } of parts) {
    if (domain === undefined || domain === 'open') return null
    values.push(...domain)
  }
  return [...new Set(values)]
}
