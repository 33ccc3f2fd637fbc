import { QueryError, type Span } from '../errors.js'
import type { Syntax } from './syntax.js'
import { type Fields, has, listOf, nodeOf, onlyFields, stringOf } from './tree.js'

const comparisons = new Set(['=', '<>', '<', '<=', '>', '>='] as const)
const arithmetics = new Set(['+', '-', '*', '/', '%'] as const)

function operatorName(fields: Fields, span: Span): string {
  const names = listOf(fields['name'])
  const name = names.length === 1 ? stringOf(names[0]) : null
  // OPERATOR(schema.+) has two parts: an operator of somebody's own making.
  if (name === null) throw new QueryError('OPERATOR_NOT_ALLOWED', span)
  return name
}

/**
 * Reads an operator: arithmetic, comparisons, LIKE, IN, BETWEEN, IS DISTINCT FROM.
 *
 * @throws QueryError `OPERATOR_NOT_ALLOWED`, `EXPRESSION_NOT_ALLOWED`
 */
export function readOperator(fields: Fields, span: Span, read: (child: unknown) => Syntax): Syntax {
  onlyFields(fields, ['kind', 'name', 'lexpr', 'rexpr', 'rexpr_list_start', 'rexpr_list_end'], span)
  const name = operatorName(fields, span)
  switch (fields['kind']) {
    case 'AEXPR_OP': {
      if (fields['lexpr'] === undefined) {
        if (name === '-') return { kind: 'negate', operand: read(fields['rexpr']), span }
        throw new QueryError('OPERATOR_NOT_ALLOWED', span)
      }
      if (has(comparisons, name)) {
        return {
          kind: 'compare',
          operator: name,
          left: read(fields['lexpr']),
          right: read(fields['rexpr']),
          span,
        }
      }
      if (has(arithmetics, name)) {
        return {
          kind: 'arithmetic',
          operator: name,
          left: read(fields['lexpr']),
          right: read(fields['rexpr']),
          span,
        }
      }
      if (name === '^') {
        const parameters = [read(fields['lexpr']), read(fields['rexpr'])]
        return { kind: 'call', name: 'power', parameters, span }
      }
      if (name === '||') {
        return { kind: 'concatenate', left: read(fields['lexpr']), right: read(fields['rexpr']), span }
      }
      throw new QueryError('OPERATOR_NOT_ALLOWED', span)
    }
    case 'AEXPR_LIKE':
      return {
        kind: 'like',
        negated: name === '!~~',
        operand: read(fields['lexpr']),
        pattern: read(fields['rexpr']),
        span,
      }
    case 'AEXPR_ILIKE':
      return {
        kind: 'like',
        negated: name === '!~~*',
        operand: read(fields['lexpr']),
        pattern: read(fields['rexpr']),
        anyCase: true,
        span,
      }
    case 'AEXPR_NULLIF':
      return {
        kind: 'call',
        name: 'nullif',
        parameters: [read(fields['lexpr']), read(fields['rexpr'])],
        span,
      }
    case 'AEXPR_IN': {
      const list = nodeOf(fields['rexpr'])
      if (list?.type !== 'List') throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
      const items = listOf(list.fields['items']).map(read)
      return { kind: 'in', negated: name === '<>', operand: read(fields['lexpr']), items, span }
    }
    // x = ANY (ARRAY[1, 2]) is x IN (1, 2).
    case 'AEXPR_OP_ANY': {
      const array = nodeOf(fields['rexpr'])
      if (name !== '=' || array?.type !== 'A_ArrayExpr') throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
      onlyFields(array.fields, ['elements', 'list_start', 'list_end'], span)
      const items = listOf(array.fields['elements']).map(read)
      if (items.length === 0) throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
      return { kind: 'in', negated: false, operand: read(fields['lexpr']), items, span }
    }
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const same = notDistinct(read(fields['lexpr']), read(fields['rexpr']), span)
      return fields['kind'] === 'AEXPR_DISTINCT' ? { kind: 'not', operand: same, span } : same
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM': {
      const list = nodeOf(fields['rexpr'])
      const [low, high, more] = list?.type === 'List' ? listOf(list.fields['items']).map(read) : []
      if (low === undefined || high === undefined || more !== undefined) {
        throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
      }
      const operand = read(fields['lexpr'])
      const within = (from: Syntax, to: Syntax): Syntax => ({
        kind: 'and',
        operands: [
          { kind: 'compare', operator: '>=', left: operand, right: from, span },
          { kind: 'compare', operator: '<=', left: operand, right: to, span },
        ],
        span,
      })
      const between: Syntax = fields['kind'].endsWith('_SYM')
        ? { kind: 'or', operands: [within(low, high), within(high, low)], span }
        : within(low, high)
      return fields['kind'].includes('_NOT_') ? { kind: 'not', operand: between, span } : between
    }
    default:
      throw new QueryError('EXPRESSION_NOT_ALLOWED', span)
  }
}

/** Whether two values are equal or both null; never unknown. */
function notDistinct(left: Syntax, right: Syntax, span: Span): Syntax {
  const missing = (operand: Syntax, negated: boolean): Syntax => ({ kind: 'is-null', negated, operand, span })
  const equal: Syntax = { kind: 'compare', operator: '=', left, right, span }
  return {
    kind: 'or',
    operands: [
      { kind: 'and', operands: [missing(left, false), missing(right, false)], span },
      { kind: 'and', operands: [missing(left, true), missing(right, true), equal], span },
    ],
    span,
  }
}
