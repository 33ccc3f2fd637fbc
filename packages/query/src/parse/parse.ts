import { QueryError, type Span } from '../errors.js'
import { characterOffsets, checkText, checkTokens } from './lexical.js'
import { readSelect } from './select.js'
import { type SqlGrammar, SqlSyntaxError } from './sql-grammar.js'
import type { QuerySyntax } from './syntax.js'
import { isFields, type Locate, listOf, nodeOf } from './tree.js'

/**
 * Parses a statement with PostgreSQL's own grammar and reads it through an allow-list into frozen syntax. What is
 * not on the list is refused; nothing of the text goes further than the names, literals and places in the result.
 *
 * @param sql the statement, at most 64 kB and 8192 tokens
 * @param grammar the installed one when absent
 * @returns the query
 * @throws QueryError with the code and the characters of what is not allowed
 */
export async function parseSelect(sql: string, grammar?: SqlGrammar): Promise<QuerySyntax> {
  checkText(sql)
  const { scan, parse } = grammar ?? (await import('./installed-grammar.js')).installedGrammar
  const whole: Span = { start: 0, end: sql.length }
  const character = characterOffsets(sql)
  const spans = checkTokens(sql, await guarded(() => scan(sql), character, whole))
  const ends = new Map(spans.map((span) => [span.start, span.end]))
  // A node starts at a token; protobuf drops the location 0.
  const locate: Locate = (fields) => {
    const location = fields['location']
    if (location !== undefined && (typeof location !== 'number' || location < 0)) return whole
    const start = character(location ?? 0)
    return { start, end: ends.get(start) ?? start + 1 }
  }
  const tree = await guarded(() => parse(sql), character, whole)
  const statements = listOf(isFields(tree) ? tree['stmts'] : undefined)
  const only = statements[0]
  if (!isFields(only) || statements.length !== 1) throw new QueryError('NOT_A_SELECT', whole)
  const node = nodeOf(only['stmt'])
  if (node?.type !== 'SelectStmt') throw new QueryError('NOT_A_SELECT', whole)
  return deepFreeze(readSelect(node.fields, locate, whole))
}

/** What PostgreSQL says of it quotes the text and differs between versions; ours does not. */
async function guarded<T>(
  work: () => Promise<T>,
  character: (byte: number) => number,
  whole: Span,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof QueryError) throw error
    if (!(error instanceof SqlSyntaxError)) throw new QueryError('SYNTAX', whole)
    const start = Math.min(character(error.byte), whole.end)
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
