import { QueryError } from '../errors.js'
import type { ComparisonOperator, Syntax } from '../parse/syntax.js'
import { toNumber } from '../type/decimal.js'
import type { PublicValue } from './key.js'
import type { Scope } from './scope.js'
import { exactDecimal } from './value.js'

/** A released value of a group: a key, an aggregate after noise, or a literal. Never a value of the data. */
export type Released =
  | { readonly kind: 'key'; readonly key: number }
  | { readonly kind: 'aggregate'; readonly aggregate: number }
  | { readonly kind: 'literal'; readonly value: PublicValue }

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

/** Finds keys and aggregates of the statement; aggregates that are not selected are added. */
export interface ReleasedNames {
  readonly scope: Scope
  /** Position of the key that this expression is, or null. */
  key(syntax: Syntax): number | null
  aggregate(bound: Syntax & { readonly kind: 'aggregate' }): number
}

/** Types an operand of HAVING or ORDER BY. */
export function bindReleased(syntax: Syntax, names: ReleasedNames): Released {
  if (syntax.kind === 'aggregate') return { kind: 'aggregate', aggregate: names.aggregate(syntax) }
  const literal = names.scope.literal(syntax)
  if (literal !== null) {
    if (literal.type === 'null') return { kind: 'literal', value: null }
    if (literal.type === 'boolean') return { kind: 'literal', value: literal.value }
    if (literal.type === 'text') return { kind: 'literal', value: literal.text }
    const { units, decimals } = exactDecimal(literal.text, syntax.span)
    return { kind: 'literal', value: toNumber(units, decimals) }
  }
  if (names.scope.isContributor(syntax)) throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', syntax.span)
  const key = names.key(syntax)
  if (key === null) throw new QueryError('NOT_AGGREGATED', syntax.span)
  return { kind: 'key', key }
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
