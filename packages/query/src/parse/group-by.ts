import { QueryError, type Span } from '../errors.js'
import { type Reader, readExpression } from './expression.js'
import type { Syntax } from './syntax.js'
import { isFields, listOf, nodeOf, onlyFields } from './tree.js'

/** Most grouping sets of one statement: each is a release of its own. */
const mostSets = 64

/** Expressions of GROUP BY and the sets made of them. */
export interface GroupBySyntax {
  readonly groupBy: readonly Syntax[]
  readonly sets: readonly (readonly number[])[]
}

/**
 * Reads GROUP BY; CUBE, ROLLUP and GROUPING SETS are expanded to sets of expressions.
 *
 * @throws QueryError `CLAUSE_NOT_ALLOWED` for more than 64 sets
 */
export function readGroupBy(entries: readonly unknown[], reader: Reader, whole: Span): GroupBySyntax {
  const groupBy: Syntax[] = []
  const position = (value: unknown): number => {
    const read = readExpression(value, reader)
    const identity = withoutSpans(read)
    const known = groupBy.findIndex((entry) => withoutSpans(entry) === identity)
    return known >= 0 ? known : groupBy.push(read) - 1
  }
  const list = (value: unknown): readonly number[] => {
    const node = nodeOf(value)
    if (node?.type !== 'RowExpr') return [position(value)]
    onlyFields(node.fields, ['args', 'row_format'], whole)
    return listOf(node.fields['args']).map(position)
  }
  const expand = (value: unknown): readonly (readonly number[])[] => {
    const node = nodeOf(value)
    if (node?.type !== 'GroupingSet') return [list(value)]
    onlyFields(node.fields, ['kind', 'content'], whole)
    const content = listOf(node.fields['content'])
    switch (node.fields['kind']) {
      case 'GROUPING_SET_EMPTY':
        return [[]]
      case 'GROUPING_SET_SIMPLE':
        return [content.flatMap(list)]
      case 'GROUPING_SET_SETS':
        return content.flatMap(expand)
      case 'GROUPING_SET_ROLLUP': {
        const parts = content.map(list)
        return Array.from({ length: parts.length + 1 }, (_, left) => parts.slice(0, parts.length - left).flat())
      }
      case 'GROUPING_SET_CUBE': {
        const parts = content.map(list)
        if (parts.length > 6) throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
        const masks = Array.from({ length: 2 ** parts.length }, (_, mask) => 2 ** parts.length - 1 - mask)
        return masks.map((mask) =>
          parts.flatMap((part, bit) => ((mask >> (parts.length - 1 - bit)) & 1 ? part : [])),
        )
      }
      default:
        throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
    }
  }
  let sets: readonly (readonly number[])[] = [[]]
  for (const entry of entries) {
    // Several entries are multiplied, as PostgreSQL does.
    sets = sets.flatMap((set) => expand(entry).map((more) => [...set, ...more]))
    if (sets.length > mostSets) throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  }
  return { groupBy, sets: sets.map((set) => [...new Set(set)].sort((left, right) => left - right)) }
}

function withoutSpans(value: Syntax): string {
  return JSON.stringify(value, (key, entry: unknown) => (key === 'span' && isFields(entry) ? undefined : entry))
}
