import { QueryError, type QueryErrorCode, type Span } from '../errors.js'
import { type Reader, readExpression, readSort } from './expression.js'
import { readFrom } from './from.js'
import { readGroupBy } from './group-by.js'
import type { CommonSyntax, QuerySyntax, SelectSyntax, Syntax, UnionSyntax } from './syntax.js'
import { type Fields, isFields, type Locate, listOf, nodeOf, onlyFields } from './tree.js'

const clauseCodes: Readonly<Record<string, QueryErrorCode>> = {
  windowClause: 'WINDOW_NOT_ALLOWED',
  valuesLists: 'NOT_A_SELECT',
  intoClause: 'NOT_A_SELECT',
}

/** Queries may be nested this deep in FROM, WITH, IN and EXISTS. */
const deepest = 8

const selectFields = [
  'targetList',
  'distinctClause',
  'fromClause',
  'whereClause',
  'groupClause',
  'havingClause',
  'sortClause',
  'limitCount',
  'limitOffset',
  'limitOption',
  'withClause',
  'op',
]

/**
 * Reads PostgreSQL's `SelectStmt` through the allow-list.
 *
 * @throws QueryError with the code of the first clause that is not allowed
 */
export function readSelect(fields: Fields, locate: Locate, whole: Span, depth = 0): QuerySyntax {
  if (depth > deepest) throw new QueryError('TOO_DEEP', whole)
  const reader: Reader = { locate, readQuery: (inner) => readSelect(inner, locate, whole, depth + 1) }
  const read = (value: unknown) => readExpression(value, reader)
  if (fields['limitOption'] === 'LIMIT_OPTION_WITH_TIES') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  const tail = {
    common: readCommon(fields['withClause'], reader, whole),
    orderBy: listOf(fields['sortClause']).map((entry) => readSort(entry, read, whole)),
    limit: readCount(fields['limitCount'], read, whole),
    offset: readCount(fields['limitOffset'], read, whole) ?? 0,
    span: whole,
  }
  if (fields['op'] === 'SETOP_UNION') return { ...readUnion(fields, reader, whole), ...tail }
  onlyFields(fields, selectFields, whole, clauseCodes)
  if (fields['op'] !== 'SETOP_NONE') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  const outputs = listOf(fields['targetList']).map((entry) => {
    const target = nodeOf(entry)
    if (target?.type !== 'ResTarget') throw new QueryError('EXPRESSION_NOT_ALLOWED', whole)
    const span = locate(target.fields)
    onlyFields(target.fields, ['name', 'val'], span)
    const name = target.fields['name']
    return { name: typeof name === 'string' ? name : null, value: read(target.fields['val']), span }
  })
  if (outputs.length === 0) throw new QueryError('NO_AGGREGATE', whole)
  const optional = (value: unknown) => (value === undefined ? null : read(value))
  const select: SelectSyntax = {
    kind: 'select',
    distinct: readDistinct(fields['distinctClause'], whole),
    outputs,
    from: readFrom(listOf(fields['fromClause']), reader, whole),
    where: optional(fields['whereClause']),
    ...readGroupBy(listOf(fields['groupClause']), reader, whole),
    having: optional(fields['havingClause']),
    ...tail,
  }
  return select
}

/** DISTINCT is a list with one empty node; DISTINCT ON has expressions in it. */
function readDistinct(value: unknown, whole: Span): boolean {
  if (value === undefined) return false
  const entries = listOf(value)
  const [only] = entries
  if (entries.length === 1 && isFields(only) && Object.keys(only).length === 0) return true
  throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
}

function readUnion(fields: Fields, reader: Reader, whole: Span): Pick<UnionSyntax, 'kind' | 'inputs'> {
  onlyFields(
    fields,
    ['op', 'all', 'larg', 'rarg', 'sortClause', 'limitCount', 'limitOffset', 'limitOption', 'withClause'],
    whole,
    clauseCodes,
  )
  // UNION without ALL drops duplicates across contributors.
  if (fields['all'] !== true) throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  const inputs = ['larg', 'rarg'].flatMap((side): readonly QuerySyntax[] => {
    const inner = fields[side]
    if (!isFields(inner)) throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
    const query = reader.readQuery(inner)
    const plain = query.common.length + query.orderBy.length === 0 && query.limit === null && query.offset === 0
    return query.kind === 'union' && plain ? query.inputs : [query]
  })
  return { kind: 'union', inputs }
}

function readCommon(value: unknown, reader: Reader, whole: Span): readonly CommonSyntax[] {
  if (value === undefined) return []
  if (!isFields(value)) throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  onlyFields(value, ['ctes'], whole, { recursive: 'CLAUSE_NOT_ALLOWED' })
  return listOf(value['ctes']).map((entry) => {
    const node = nodeOf(entry)
    if (node?.type !== 'CommonTableExpr') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
    const span = reader.locate(node.fields)
    onlyFields(node.fields, ['ctename', 'ctematerialized', 'ctequery'], span)
    const name = node.fields['ctename']
    const query = nodeOf(node.fields['ctequery'])
    if (typeof name !== 'string' || query?.type !== 'SelectStmt') throw new QueryError('CLAUSE_NOT_ALLOWED', span)
    return { name, query: reader.readQuery(query.fields), span }
  })
}

function readCount(value: unknown, read: (value: unknown) => Syntax, whole: Span): number | null {
  if (value === undefined) return null
  const expression = read(value)
  if (expression.kind === 'literal') {
    if (expression.value.type === 'null') return null
    const count = expression.value.type === 'number' ? Number(expression.value.text) : Number.NaN
    if (Number.isSafeInteger(count) && count >= 0) return count
  }
  throw new QueryError('CLAUSE_NOT_ALLOWED', expression.span ?? whole)
}
