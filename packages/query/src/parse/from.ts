import { QueryError, type Span } from '../errors.js'
import { type Reader, readExpression } from './expression.js'
import type { DerivedSyntax, FromSyntax, Syntax, TableSyntax } from './syntax.js'
import { type Fields, isFields, listOf, nodeOf, onlyFields, stringOf } from './tree.js'

/** Items of FROM; each meets all rows of those before it, so few are enough. */
const mostItems = 8

/** Numbers of one series: they are written into the plan. */
const mostSeries = 1000

const joins: Readonly<Record<string, 'inner' | 'left' | 'full'>> = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_FULL: 'full',
}

type Node = { readonly type: string; readonly fields: Fields }

/**
 * Reads FROM: tables, nested queries, and their joins, from left to right.
 *
 * @throws QueryError `JOIN_NOT_ALLOWED`, `CLAUSE_NOT_ALLOWED`, `FUNCTION_NOT_ALLOWED`, `TABLE_UNKNOWN`
 */
export function readFrom(entries: readonly unknown[], reader: Reader, whole: Span): readonly FromSyntax[] {
  const items = entries.flatMap((entry, position) => {
    const node = nodeOf(entry)
    if (node === null) throw new QueryError('TABLE_UNKNOWN', whole)
    const read = readJoined(node, reader, whole)
    const [first, ...rest] = read
    // `FROM a, b` is a product, which only public tables may be part of.
    if (position === 0 || first === undefined) return read
    return [{ ...first, join: 'cross' as const }, ...rest]
  })
  const last = items[mostItems]
  if (last !== undefined) throw new QueryError('JOIN_NOT_ALLOWED', last.span)
  return items
}

function readJoined(node: Node, reader: Reader, whole: Span): readonly FromSyntax[] {
  if (node.type !== 'JoinExpr') {
    const item = readItem(node, reader, whole)
    return [{ item, join: 'first', using: null, on: null, span: item.span }]
  }
  const left = nodeOf(node.fields['larg'])
  const right = nodeOf(node.fields['rarg'])
  if (left === null || right === null) throw new QueryError('JOIN_NOT_ALLOWED', whole)
  const before = readJoined(left, reader, whole)
  // A join in parentheses on the right would change what LEFT keeps.
  if (right.type === 'JoinExpr') throw new QueryError('JOIN_NOT_ALLOWED', whole)
  const item = readItem(right, reader, whole)
  const span = { start: before[0]?.span.start ?? whole.start, end: item.span.end }
  onlyFields(node.fields, ['jointype', 'larg', 'rarg', 'usingClause', 'quals', 'rtindex'], span, {
    isNatural: 'JOIN_NOT_ALLOWED',
    alias: 'CLAUSE_NOT_ALLOWED',
    join_using_alias: 'CLAUSE_NOT_ALLOWED',
  })
  const given = node.fields['jointype']
  // RIGHT JOIN is LEFT JOIN in the other order, where one relation stands on either side.
  const [only, another] = before
  const mirrored = given === 'JOIN_RIGHT' && only !== undefined && another === undefined
  const type = mirrored ? 'JOIN_LEFT' : given
  const join = typeof type === 'string' && Object.hasOwn(joins, type) ? joins[type] : undefined
  if (join === undefined) throw new QueryError('JOIN_NOT_ALLOWED', span)
  const [earlier, joined] = mirrored ? [[{ ...only, item, span: item.span }], only.item] : [before, item]
  const columns = listOf(node.fields['usingClause'])
  if (columns.length > 0) {
    const using = columns.map((entry) => {
      const name = stringOf(entry)
      if (name === null) throw new QueryError('JOIN_NOT_ALLOWED', span)
      return name
    })
    return [...earlier, { item: joined, join, using, on: null, span }]
  }
  if (node.fields['quals'] === undefined) {
    if (join !== 'inner') throw new QueryError('JOIN_NOT_ALLOWED', span)
    return [...before, { item, join: 'cross', using: null, on: null, span }]
  }
  const on = readExpression(node.fields['quals'], reader)
  return [...earlier, { item: joined, join, using: null, on, span }]
}

function readItem(node: Node, reader: Reader, whole: Span): TableSyntax | DerivedSyntax {
  if (node.type === 'RangeSubselect') {
    onlyFields(node.fields, ['subquery', 'alias'], whole, { lateral: 'SUBQUERY_NOT_ALLOWED' })
    const query = nodeOf(node.fields['subquery'])
    const alias = readAlias(node.fields['alias'], whole)
    if (query?.type !== 'SelectStmt' || alias === null) throw new QueryError('SUBQUERY_NOT_ALLOWED', whole)
    return { kind: 'derived', query: reader.readQuery(query.fields), alias, span: whole }
  }
  const span = reader.locate(node.fields)
  if (node.type === 'RangeFunction') return readSeries(node.fields, reader, whole)
  if (node.type === 'RangeTableFunc') throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  if (node.type !== 'RangeVar') throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  onlyFields(node.fields, ['schemaname', 'relname', 'inh', 'relpersistence', 'alias'], span, {
    catalogname: 'TABLE_UNKNOWN',
  })
  const pool = node.fields['schemaname']
  const table = node.fields['relname']
  // ONLY is told by the absence of `inh`.
  if (node.fields['inh'] !== true) throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  if (typeof table !== 'string') throw new QueryError('TABLE_UNKNOWN', span)
  const alias = readAlias(node.fields['alias'], span)
  return { kind: 'table', pool: typeof pool === 'string' ? pool : null, table, alias, span }
}

/** `generate_series(1, 12) AS t(month)` or `range(12) AS t(month)`: numbers that the statement itself gives, nobody's data. */
function readSeries(fields: Fields, reader: Reader, whole: Span): TableSyntax {
  const refuse = (at: Span): never => {
    throw new QueryError('FUNCTION_NOT_ALLOWED', at)
  }
  const listed = listOf(fields['functions'])
  const list = nodeOf(listed[0])
  const [call, definition] = list?.type === 'List' ? listOf(list.fields['items']) : []
  const function_ = nodeOf(call)
  if (function_?.type !== 'FuncCall') return refuse(whole)
  const span = reader.locate(function_.fields)
  onlyFields(function_.fields, ['funcname', 'args', 'funcformat'], span)
  // The second item is a list of column definitions, empty here.
  const plain = listed.length === 1 && isFields(definition) && Object.keys(definition).length === 0
  onlyFields(fields, ['functions', 'alias'], span)
  const names = listOf(function_.fields['funcname'])
  const name = names.length === 1 ? stringOf(names[0]) : null
  const ends = listOf(function_.fields['args']).map((value) => wholeOf(readExpression(value, reader)))
  const [one, other] = ends
  if (!plain || one === undefined || ends.length > 2) return refuse(span)
  const [from, to] =
    name === 'generate_series' && other !== undefined
      ? [one, other]
      : name === 'range'
        ? other === undefined
          ? [0, one - 1]
          : [one, other - 1]
        : refuse(span)
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) throw new QueryError('NUMBER_RANGE', span)
  if (to < from || to - from >= mostSeries) throw new QueryError('NUMBER_RANGE', span)
  const alias = fields['alias']
  if (!isFields(alias)) return refuse(span)
  onlyFields(alias, ['aliasname', 'colnames'], span)
  const columns = listOf(alias['colnames'])
  const aliasName = alias['aliasname']
  const column = columns.length === 0 ? aliasName : columns.length === 1 ? stringOf(columns[0]) : null
  if (typeof aliasName !== 'string' || typeof column !== 'string')
    throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  return { kind: 'table', pool: '', table: name ?? '', alias: aliasName, series: { column, from, to }, span }
}

/** The number that a literal is; NaN for anything else. */
function wholeOf(value: Syntax): number {
  if (value.kind === 'negate') return -wholeOf(value.operand)
  return value.kind === 'literal' && value.value.type === 'number' ? Number(value.value.text) : Number.NaN
}

function readAlias(alias: unknown, span: Span): string | null {
  if (alias === undefined) return null
  if (!isFields(alias)) throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  // Column aliases (`AS t (a, b)`) rename columns: a name would then no longer tell what is reached.
  onlyFields(alias, ['aliasname'], span)
  const name = alias['aliasname']
  if (typeof name !== 'string') throw new QueryError('CLAUSE_NOT_ALLOWED', span)
  return name
}
