import { QueryError, type Span } from '../errors.js'
import type {
  AggregateSyntax,
  ArithmeticOperator,
  ComparisonOperator,
  LiteralValue,
  QuerySyntax,
  ScalarFunction,
  Syntax,
} from '../parse/syntax.js'
import { toNumber } from '../type/decimal.js'
import { momentText, unitsOf } from '../type/moment-text.js'
import type { BoundStage } from './bind.js'
import { exactDecimal } from './column.js'
import type { PublicValue } from './key.js'

/** A released value of a group: made of keys, aggregates after noise, and literals. Never a value of the data. */
export type Released =
  | { readonly kind: 'key'; readonly key: number }
  | { readonly kind: 'aggregate'; readonly aggregate: number }
  | { readonly kind: 'literal'; readonly value: PublicValue }
  /** GROUPING(...): bits of keys that the group's set has not. */
  | { readonly kind: 'grouping'; readonly keys: readonly number[] }
  /** A column of the released rows that are read. */
  | { readonly kind: 'field'; readonly field: number }
  /** The one number of a released query. */
  | { readonly kind: 'scalar'; readonly stage: BoundStage }
  | {
      readonly kind: 'arithmetic'
      readonly operator: ArithmeticOperator
      readonly left: Released
      readonly right: Released
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: ReleasedCondition; readonly result: Released }[]
      readonly otherwise: Released
    }
  | { readonly kind: 'call'; readonly name: ReleasedFunction; readonly parameters: readonly Released[] }

/** Functions over released numbers: all total, null for what has no value. */
export type ReleasedFunction = Exclude<
  ScalarFunction,
  | 'width_bucket'
  | 'length'
  | 'lower'
  | 'substring'
  | 'trim'
  | 'upper'
  | 'extract'
  | 'date_trunc'
  | 'date_diff'
  | 'to_interval'
>

const ofRows: ReadonlySet<ScalarFunction> = new Set([
  'width_bucket',
  'length',
  'lower',
  'substring',
  'trim',
  'upper',
  'extract',
  'date_trunc',
  'date_diff',
  'to_interval',
])

function isReleasedFunction(name: ScalarFunction): name is ReleasedFunction {
  return !ofRows.has(name)
}

/** A condition over released values (HAVING). */
export type ReleasedCondition =
  | {
      readonly kind: 'compare'
      readonly operator: ComparisonOperator
      readonly left: Released
      readonly right: Released
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly ReleasedCondition[] }
  | { readonly kind: 'not'; readonly operand: ReleasedCondition }
  | { readonly kind: 'in'; readonly operand: Released; readonly items: readonly PublicValue[] }
  | { readonly kind: 'is-null'; readonly operand: Released }

/** Finds keys, aggregates and released queries of the statement; aggregates that are not selected are added. */
export interface ReleasedNames {
  literal(syntax: Syntax): LiteralValue | null
  isContributor(syntax: Syntax): boolean
  /** A key or a released column; null when it is none. */
  name(syntax: Syntax): Released | null
  aggregate(bound: AggregateSyntax): Released
  grouping(parameters: readonly Syntax[], at: Span): Released
  stage(query: QuerySyntax): BoundStage
}

/**
 * Types an expression over released values: an output, or an operand of HAVING or ORDER BY.
 *
 * @throws QueryError `NOT_AGGREGATED`, `IDENTIFIES_ONE_CONTRIBUTOR`, `EXPRESSION_NOT_ALLOWED`
 */
export function bindReleased(syntax: Syntax, names: ReleasedNames): Released {
  const bind = (value: Syntax) => bindReleased(value, names)
  if (syntax.kind === 'aggregate') return names.aggregate(syntax)
  const literal = names.literal(syntax)
  if (literal !== null) {
    if (literal.type === 'null') return { kind: 'literal', value: null }
    if (literal.type === 'boolean') return { kind: 'literal', value: literal.value }
    if (literal.type === 'text') return { kind: 'literal', value: literal.text }
    const { units, decimals } = exactDecimal(literal.text, syntax.span)
    return { kind: 'literal', value: toNumber(units, decimals) }
  }
  if (names.isContributor(syntax)) throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', syntax.span)
  const named = names.name(syntax)
  if (named !== null) return named
  // A literal date is its text; keys that are moments are in ISO form as well.
  if (syntax.kind === 'moment-cast') {
    const text = names.literal(syntax.operand)
    const units = text?.type === 'text' ? unitsOf(syntax.to, text.text) : null
    if (units === null) throw new QueryError('MOMENT_INVALID', syntax.span)
    return { kind: 'literal', value: momentText(syntax.to, units) }
  }
  switch (syntax.kind) {
    case 'arithmetic':
      return {
        kind: 'arithmetic',
        operator: syntax.operator,
        left: bind(syntax.left),
        right: bind(syntax.right),
      }
    case 'negate':
      return {
        kind: 'arithmetic',
        operator: '-',
        left: { kind: 'literal', value: 0 },
        right: bind(syntax.operand),
      }
    case 'case':
      return {
        kind: 'case',
        branches: syntax.branches.map(({ when, result }) => ({
          when: bindReleasedCondition(when, names),
          result: bind(result),
        })),
        otherwise: syntax.otherwise === null ? { kind: 'literal', value: null } : bind(syntax.otherwise),
      }
    case 'call': {
      if (!isReleasedFunction(syntax.name)) throw new QueryError('FUNCTION_NOT_ALLOWED', syntax.span)
      return { kind: 'call', name: syntax.name, parameters: syntax.parameters.map(bind) }
    }
    case 'cast': {
      const operand = bind(syntax.operand)
      if (syntax.decimals === null) return operand
      return {
        kind: 'call',
        name: 'round',
        parameters: [operand, { kind: 'literal', value: syntax.decimals }],
      }
    }
    case 'grouping':
      return names.grouping(syntax.parameters, syntax.span)
    case 'scalar-query':
      return { kind: 'scalar', stage: names.stage(syntax.query) }
    case 'window':
      throw new QueryError('WINDOW_NOT_ALLOWED', syntax.span)
    case 'exists':
    case 'in-query':
      throw new QueryError('SUBQUERY_NOT_ALLOWED', syntax.span)
    default:
      throw new QueryError('NOT_AGGREGATED', syntax.span)
  }
}

/**
 * Types HAVING. It is evaluated on released values, so it costs no budget.
 *
 * @throws QueryError `NOT_AGGREGATED`, `EXPRESSION_NOT_ALLOWED`
 */
export function bindReleasedCondition(syntax: Syntax, names: ReleasedNames): ReleasedCondition {
  const operand = (value: Syntax) => bindReleased(value, names)
  switch (syntax.kind) {
    case 'and':
    case 'or':
      return {
        kind: syntax.kind,
        operands: syntax.operands.map((value) => bindReleasedCondition(value, names)),
      }
    case 'not':
      return { kind: 'not', operand: bindReleasedCondition(syntax.operand, names) }
    case 'compare':
      return {
        kind: 'compare',
        operator: syntax.operator,
        left: operand(syntax.left),
        right: operand(syntax.right),
      }
    case 'in': {
      const items = syntax.items.map((item) => {
        const value = operand(item)
        if (value.kind !== 'literal') throw new QueryError('EXPRESSION_NOT_ALLOWED', item.span)
        return value.value
      })
      const member = { kind: 'in', operand: operand(syntax.operand), items } as const
      return syntax.negated ? { kind: 'not', operand: member } : member
    }
    case 'is-null': {
      const test = { kind: 'is-null', operand: operand(syntax.operand) } as const
      return syntax.negated ? { kind: 'not', operand: test } : test
    }
    default: {
      // A boolean key by itself: HAVING union_member.
      const value = operand(syntax)
      if (value.kind === 'aggregate') throw new QueryError('TYPE_MISMATCH', syntax.span)
      return { kind: 'compare', operator: '=', left: value, right: { kind: 'literal', value: true } }
    }
  }
}
