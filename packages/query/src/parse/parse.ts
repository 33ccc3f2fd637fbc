import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query'
import { QueryError, type Span } from '../errors.js'
import { characterOffsets, checkText, checkTokens } from './lexical.js'
import { readSelect } from './select.js'
import type { QuerySyntax } from './syntax.js'
import { type Fields, isFields, type Locate, listOf, nodeOf } from './tree.js'

/**
 * Parses a statement with PostgreSQL's own grammar and reads it through an allow-list into frozen syntax. What is
 * not on the list is refused; nothing of the text goes further than the names, literals and places in the result.
 *
 * @param sql the statement, at most 64 kB and 8192 tokens
 * @returns the query
 * @throws QueryError with the code and the characters of what is not allowed
 */
export async function parseSelect(sql: string): Promise<QuerySyntax> {
  checkText(sql)
  await loadModule()
  const whole: Span = { start: 0, end: sql.length }
  const character = characterOffsets(sql)
  const spans = checkTokens(sql, guarded(() => scanSync(sql), character, whole).tokens)
  const ends = new Map(spans.map((span) => [span.start, span.end]))
  // A node starts at a token; protobuf drops the location 0.
  const locate: Locate = (fields) => {
    const location = fields['location']
    if (location !== undefined && (typeof location !== 'number' || location < 0)) return whole
    const start = character(location ?? 0)
    return { start, end: ends.get(start) ?? start + 1 }
  }
  const tree = guarded(() => parseSync(sql), character, whole) as unknown as Fields
  const statements = listOf(tree['stmts'])
  const only = statements[0]
  if (!isFields(only) || statements.length !== 1) throw new QueryError('NOT_A_SELECT', whole)
  const node = nodeOf(only['stmt'])
  if (node?.type !== 'SelectStmt') throw new QueryError('NOT_A_SELECT', whole)
  return deepFreeze(readSelect(node.fields, locate, whole))
}

/** The parser's messages quote the text and differ between versions; ours do not. */
function guarded<T>(work: () => T, character: (byte: number) => number, whole: Span): T {
  try {
    return work()
  } catch (error) {
    const details = hasSqlDetails(error) ? error.sqlDetails : undefined
    if (details === undefined) throw new QueryError('SYNTAX', whole)
    const start = Math.min(character(details.cursorPosition), whole.end)
    throw new QueryError('SYNTAX', { start, end: Math.min(start + 1, whole.end) })
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) deepFreeze(child)
  }
  return value
}
