import { QueryError, type QueryErrorCode, type Span } from '../errors.js'
import { readExpression } from './expression.js'
import type { JoinSyntax, SelectSyntax, TableSyntax } from './syntax.js'
import { type Fields, isFields, type Locate, listOf, nodeOf, onlyFields, stringOf } from './tree.js'

const clauseCodes: Readonly<Record<string, QueryErrorCode>> = {
  withClause: 'SUBQUERY_NOT_ALLOWED',
  windowClause: 'WINDOW_NOT_ALLOWED',
  valuesLists: 'NOT_A_SELECT',
  intoClause: 'NOT_A_SELECT',
}

/**
 * Reads PostgreSQL's `SelectStmt` through the allow-list.
 *
 * @throws QueryError with the code of the first clause that is not allowed
 */
export function readSelect(fields: Fields, locate: Locate, whole: Span): SelectSyntax {
  onlyFields(
    fields,
    [
      'targetList',
      'fromClause',
      'whereClause',
      'groupClause',
      'havingClause',
      'sortClause',
      'limitCount',
      'limitOffset',
      'limitOption',
      'op',
    ],
    whole,
    clauseCodes,
  )
  if (fields['op'] !== 'SETOP_NONE') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  if (fields['limitOption'] === 'LIMIT_OPTION_WITH_TIES') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  const outputs = listOf(fields['targetList']).map((entry) => {
    const target = nodeOf(entry)
    if (target?.type !== 'ResTarget') throw new QueryError('EXPRESSION_NOT_ALLOWED', whole)
    const span = locate(target.fields)
    onlyFields(target.fields, ['name', 'val'], span)
    const name = target.fields['name']
    return {
      name: typeof name === 'string' ? name : null,
      value: readExpression(target.fields['val'], locate),
      span,
    }
  })
  if (outputs.length === 0) throw new QueryError('NO_AGGREGATE', whole)
  const { tables, join } = readFrom(listOf(fields['fromClause']), locate, whole)
  const optional = (value: unknown) => (value === undefined ? null : readExpression(value, locate))
  return {
    outputs,
    from: tables,
    join,
    where: optional(fields['whereClause']),
    groupBy: listOf(fields['groupClause']).map((entry) => {
      const node = nodeOf(entry)
      if (node?.type === 'GroupingSet') throw new QueryError('CLAUSE_NOT_ALLOWED', locate(node.fields))
      return readExpression(entry, locate)
    }),
    having: optional(fields['havingClause']),
    orderBy: listOf(fields['sortClause']).map((entry) => readSort(entry, locate, whole)),
    limit: readCount(fields['limitCount'], locate, whole),
    offset: readCount(fields['limitOffset'], locate, whole) ?? 0,
  }
}

function readFrom(
  entries: readonly unknown[],
  locate: Locate,
  whole: Span,
): { readonly tables: readonly TableSyntax[]; readonly join: JoinSyntax | null } {
  const node = nodeOf(entries[0])
  if (node === null) throw new QueryError('TABLE_UNKNOWN', whole)
  // `FROM a, b` is a product of two relations: each contributor would meet every other one.
  if (entries.length > 1) {
    const second = nodeOf(entries[1])
    throw new QueryError(
      fromCode(second?.type, 'JOIN_NOT_ALLOWED'),
      second === null ? whole : locate(second.fields),
    )
  }
  if (node.type !== 'JoinExpr') return { tables: [readTable(node, locate)], join: null }
  const left = nodeOf(node.fields['larg'])
  const right = nodeOf(node.fields['rarg'])
  if (left === null || right === null) throw new QueryError('JOIN_NOT_ALLOWED', whole)
  const tables = [readTable(left, locate), readTable(right, locate)]
  const span = { start: tables[0]?.span.start ?? whole.start, end: tables[1]?.span.end ?? whole.end }
  onlyFields(node.fields, ['jointype', 'larg', 'rarg', 'usingClause', 'quals'], span, {
    isNatural: 'JOIN_NOT_ALLOWED',
    alias: 'CLAUSE_NOT_ALLOWED',
    join_using_alias: 'CLAUSE_NOT_ALLOWED',
  })
  if (node.fields['jointype'] !== 'JOIN_INNER') throw new QueryError('JOIN_NOT_ALLOWED', span)
  const columns = listOf(node.fields['usingClause'])
  if (columns.length > 0) {
    const names = columns.map((entry) => {
      const name = stringOf(entry)
      if (name === null) throw new QueryError('JOIN_NOT_ALLOWED', span)
      return name
    })
    return { tables, join: { kind: 'using', columns: names, span } }
  }
  if (node.fields['quals'] === undefined) throw new QueryError('JOIN_NOT_ALLOWED', span)
  return { tables, join: { kind: 'on', condition: readExpression(node.fields['quals'], locate), span } }
}

function fromCode(type: string | undefined, otherwise: QueryErrorCode): QueryErrorCode {
  if (type === 'RangeSubselect') return 'SUBQUERY_NOT_ALLOWED'
  if (type === 'RangeFunction' || type === 'RangeTableFunc') return 'FUNCTION_NOT_ALLOWED'
  if (type === 'JoinExpr') return 'JOIN_NOT_ALLOWED'
  if (type === 'RangeTableSample') return 'CLAUSE_NOT_ALLOWED'
  return otherwise
}

function readTable(node: { readonly type: string; readonly fields: Fields }, locate: Locate): TableSyntax {
  const span = locate(node.fields)
  if (node.type !== 'RangeVar') throw new QueryError(fromCode(node.type, 'CLAUSE_NOT_ALLOWED'), span)
  onlyFields(node.fields, ['schemaname', 'relname', 'inh', 'relpersistence', 'alias'], span, {
    catalogname: 'TABLE_UNKNOWN',
  })
  const pool = node.fields['schemaname']
  const table = node.fields['relname']
  // ONLY is told by the absence of `inh`.
  if (node.fields['inh'] !== true) throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  if (typeof pool !== 'string' || typeof table !== 'string') throw new QueryError('TABLE_UNKNOWN', span)
  const alias = node.fields['alias']
  if (alias === undefined) return { pool, table, alias: null, span }
  if (!isFields(alias)) throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  // Column aliases (`AS t (a, b)`) rename columns: a name would then no longer tell what is reached.
  onlyFields(alias, ['aliasname'], span)
  const name = alias['aliasname']
  if (typeof name !== 'string') throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  return { pool, table, alias: name, span }
}

function readSort(entry: unknown, locate: Locate, whole: Span): SelectSyntax['orderBy'][number] {
  const node = nodeOf(entry)
  if (node?.type !== 'SortBy') throw new QueryError('CLAUSE_NOT_ALLOWED', whole)
  const value = readExpression(node.fields['node'], locate)
  onlyFields(node.fields, ['node', 'sortby_dir', 'sortby_nulls'], value.span)
  const direction = node.fields['sortby_dir']
  const nulls = node.fields['sortby_nulls']
  return {
    value,
    descending: direction === 'SORTBY_DESC',
    nullsFirst: nulls === 'SORTBY_NULLS_FIRST' ? true : nulls === 'SORTBY_NULLS_LAST' ? false : null,
    span: value.span,
  }
}

function readCount(value: unknown, locate: Locate, whole: Span): number | null {
  if (value === undefined) return null
  const expression = readExpression(value, locate)
  if (expression.kind === 'literal') {
    if (expression.value.type === 'null') return null
    const count = expression.value.type === 'number' ? Number(expression.value.text) : Number.NaN
    if (Number.isSafeInteger(count) && count >= 0) return count
  }
  throw new QueryError('CLAUSE_NOT_ALLOWED', expression.span ?? whole)
}
