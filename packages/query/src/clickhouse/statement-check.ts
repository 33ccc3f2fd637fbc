/** Functions that printed statements call, as ClickHouse's parser names them. */
const functions = new Set([
  'addDays',
  'addMonths',
  'dateDiff',
  'first_value_respect_nulls',
  'last_value_respect_nulls',
  'toDate32',
  'toDayOfMonth',
  'toDayOfYear',
  'toISOWeek',
  'toISOYear',
  'toInt32',
  'toMonth',
  'toYear',
  'translate',
  'replaceRegexpAll',
  'substringUTF8',
  'lengthUTF8',
  'concat',
  'round',
  'sqrt',
  'ln',
  'exp',
  'sin',
  'cos',
  'CAST',
  'and',
  'caseWithoutExpression',
  'cityHash64',
  'coalesce',
  'count',
  'countDistinct',
  'dense_rank',
  'divide',
  'equals',
  'greater',
  'greaterOrEquals',
  'greatest',
  'in',
  'intDiv',
  'isNotNull',
  'isNull',
  'lag',
  'lead',
  'least',
  'length',
  'less',
  'lessOrEquals',
  'like',
  'max',
  'min',
  'minus',
  'modulo',
  'multiIf',
  'multiply',
  'negate',
  'not',
  'notEquals',
  'or',
  'plus',
  'rank',
  'row_number',
  'sipHash64',
  'sum',
  'sumDistinct',
  'toInt128',
  'toString',
  'tuple',
  'values',
])

/** Kinds of lines that printed statements are made of. */
const kinds = new Set([
  'Asterisk',
  'Function',
  'ExpressionList',
  'Identifier',
  'Literal',
  'OrderByElement',
  'SelectQuery',
  'SelectWithUnionQuery',
  'Subquery',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'WindowDefinition',
])

/**
 * Second look at a printed statement: ClickHouse's own parser (the lines of `EXPLAIN AST`) must have read one SELECT, made of
 * known nodes and functions only, over exactly the planned tables.
 *
 * @param lines one node each, indented by its depth
 * @param tables expected tables as `pool.table`
 * @returns null when it fits, otherwise what does not, without any literal of the statement
 */
export function statementFault(lines: readonly string[], tables: Iterable<string>): string | null {
  if (!/^SelectWithUnionQuery\b/.test(lines[0] ?? '')) return 'not one SELECT'
  const reached = new Set<string>()
  for (const [index, line] of lines.entries()) {
    const match = /^( *)([A-Za-z]+)(?: (.*))?$/s.exec(line)
    const [, indent = '', kind = '', rest = ''] = match ?? []
    if (match === null || !kinds.has(kind)) return `node ${kind}`
    if (index > 0 && indent.length === 0) return 'not one SELECT'
    const name = rest.split(' ', 1)[0] ?? ''
    if (kind === 'Function' && !functions.has(name)) return 'function'
    if (kind === 'TableIdentifier') reached.add(name)
  }
  const expected = new Set(tables)
  const same = reached.size === expected.size && [...reached].every((name) => expected.has(name))
  return same ? null : 'other tables'
}
