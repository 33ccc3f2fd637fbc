import type { Expectation } from '../engine/engine.js'
import { QueryError } from '../errors.js'

/** Functions that printed statements call. */
const functions = new Set([
  'date_part',
  'first_value',
  'last_value',
  'translate',
  'btrim',
  'substr',
  'length',
  'round',
  'sqrt',
  'ln',
  'exp',
  'sin',
  'cos',
  'count',
  'sum',
  'min',
  'max',
  'div',
  'mod',
  'hashtextextended',
  'row_number',
  'rank',
  'dense_rank',
  'lag',
  'lead',
])

/** Nodes that would be more than a SELECT over tables. */
const refused = new Set([
  'RangeFunction',
  'RangeTableFunc',
  'RangeTableSample',
  'IntoClause',
  'WithClause',
  'LockingClause',
  'ParamRef',
  'SQLValueFunction',
])

/**
 * Second look at a printed statement by PostgreSQL's own parser (libpg-query is PostgreSQL's grammar): one SELECT, known
 * functions only, exactly the planned tables.
 *
 * @throws QueryError `STATEMENT_REFUSED`
 */
export async function checkStatement(sql: string, expectation: Expectation): Promise<void> {
  const { installedGrammar } = await import('../parse/installed-grammar.js')
  const refuse = (what: string): never => {
    throw new QueryError('STATEMENT_REFUSED', what)
  }
  let tree: unknown
  try {
    tree = await installedGrammar.parse(sql)
  } catch {
    refuse('not parsed')
  }
  const statements = isRecord(tree) ? tree['stmts'] : undefined
  const [only, second] = Array.isArray(statements) ? (statements as unknown[]) : []
  const statement = isRecord(only) ? only['stmt'] : undefined
  if (second !== undefined || !isRecord(statement) || !('SelectStmt' in statement)) refuse('not one SELECT')
  const reached = new Set<string>()
  const pending: unknown[] = [statement]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...next)
    if (!isRecord(next)) continue
    for (const [type, fields] of Object.entries(next)) {
      if (refused.has(type)) refuse(type)
      if (type === 'RangeVar' && isRecord(fields)) {
        reached.add(`${String(fields['schemaname'])}.${String(fields['relname'])}`)
      }
      if (type === 'FuncCall' && isRecord(fields)) {
        const names = Array.isArray(fields['funcname']) ? fields['funcname'].map(textOf) : []
        if (names.length !== 1 || !functions.has(names[0] ?? '')) refuse('function')
      }
      if (type === 'SubLink' && isRecord(fields) && fields['subLinkType'] !== 'ANY_SUBLINK')
        refuse('subquery')
      pending.push(fields)
    }
  }
  const expected = new Set(expectation.tables)
  if (reached.size !== expected.size || [...reached].some((name) => !expected.has(name)))
    refuse('other tables')
}

function textOf(node: unknown): string {
  const inner = isRecord(node) ? node['String'] : undefined
  return isRecord(inner) ? String(inner['sval']) : ''
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
