import { QueryError, type Span } from '../errors.js'

/** Caps that hold before anything is parsed: the tree of a hostile text can be a hundred times its size. */
export const statementLimits = { bytes: 65_536, tokens: 8192, depth: 64, signs: 128 } as const

/** One token with its place in bytes of UTF-8, as PostgreSQL's scanner gives it. */
export interface ScannedToken {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly tokenName: string
}

/**
 * Turns byte offsets into character ranges. PostgreSQL counts bytes; people and editors count characters.
 *
 * @param sql the statement
 * @returns a function from byte offsets to UTF-16 offsets
 */
export function characterOffsets(sql: string): (byte: number) => number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(sql)) return (byte) => Math.min(byte, sql.length)
  const offsets: number[] = []
  let index = 0
  for (const character of sql) {
    const point = character.codePointAt(0) ?? 0
    const bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    for (let count = 0; count < bytes; count += 1) offsets.push(index)
    index += character.length
  }
  return (byte) => offsets[byte] ?? sql.length
}

/**
 * Signs of operators without anything between them. PostgreSQL's scanner looks at such a run anew for each opening of a comment and
 * each sign in it: seconds for 64 kB of them, also inside of comments.
 */
const signs = new RegExp(`[-~!@#^&|\`?+*/%<>=]{${statementLimits.signs + 1}}`)

/**
 * Refuses texts that are too long before PostgreSQL's scanner sees them.
 *
 * @throws QueryError `TEXT_TOO_LONG`, `TOO_MANY_TOKENS`, `TEXT_NOT_ALLOWED`
 */
export function checkText(sql: string): void {
  const whole = { start: 0, end: sql.length }
  // A UTF-16 code unit is at least one byte of UTF-8, so this bounds the work of the exact count below.
  if (sql.length > statementLimits.bytes) throw new QueryError('TEXT_TOO_LONG', whole)
  if (new TextEncoder().encode(sql).length > statementLimits.bytes)
    throw new QueryError('TEXT_TOO_LONG', whole)
  const run = signs.exec(sql)
  if (run !== null)
    throw new QueryError('TOO_MANY_TOKENS', { start: run.index, end: run.index + run[0].length })
  for (let index = 0; index < sql.length; index += 1) {
    const unit = sql.charCodeAt(index)
    const control = unit < 32 && unit !== 9 && unit !== 10 && unit !== 13
    if (control || unit === 127) throw new QueryError('TEXT_NOT_ALLOWED', { start: index, end: index + 1 })
    const high = unit >= 0xd800 && unit <= 0xdbff
    const low = unit >= 0xdc00 && unit <= 0xdfff
    const next = sql.charCodeAt(index + 1)
    if (low || (high && !(next >= 0xdc00 && next <= 0xdfff))) {
      throw new QueryError('TEXT_NOT_ALLOWED', { start: index, end: index + 1 })
    }
    if (high) index += 1
  }
}

const comments = new Set(['SQL_COMMENT', 'C_COMMENT'])
// Type keywords of the scanner that carry text in a form on which engines differ.
const plainString = /^'/
const otherString = /^(?:[eEbBxXnN]'|[uU]&|\$)/

/**
 * Refuses what one engine may read differently from another: string forms with escapes, names outside ASCII.
 *
 * @returns the places of the tokens, in characters, for spans
 * @throws QueryError `TOO_MANY_TOKENS`, `STRING_STYLE_NOT_ALLOWED`, `TEXT_NOT_ALLOWED`
 */
export function checkTokens(sql: string, tokens: readonly ScannedToken[]): readonly Span[] {
  const character = characterOffsets(sql)
  const spans: Span[] = []
  for (const token of tokens) {
    const span = { start: character(token.start), end: character(token.end) }
    if (spans.length >= statementLimits.tokens) throw new QueryError('TOO_MANY_TOKENS', span)
    if (comments.has(token.tokenName)) continue
    const text = sql.slice(span.start, span.end)
    const parameter = /^\$[0-9]+$/.test(text)
    if (!parameter && otherString.test(text)) throw new QueryError('STRING_STYLE_NOT_ALLOWED', span)
    if (!plainString.test(text) && !/^[\x20-\x7e\t\n\r]*$/.test(text)) {
      throw new QueryError('TEXT_NOT_ALLOWED', span)
    }
    spans.push(span)
  }
  return spans
}
