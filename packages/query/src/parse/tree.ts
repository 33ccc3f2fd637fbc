import { QueryError, type QueryErrorCode, type Span } from '../errors.js'

/** A node of PostgreSQL's tree: an object with one key, its type. The tree is data from outside until it is read. */
export type Fields = Readonly<Record<string, unknown>>

/** Finds the place of a node in the text. */
export type Locate = (fields: Fields) => Span

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The one type of a node and its fields, or null when the value is no node. */
export function nodeOf(value: unknown): { readonly type: string; readonly fields: Fields } | null {
  if (!isFields(value)) return null
  const keys = Object.keys(value)
  const type = keys[0]
  if (type === undefined || keys.length !== 1) return null
  const fields = value[type]
  return isFields(fields) ? { type, fields } : null
}

/** A list field: absent means empty, as protobuf drops empty lists. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The text of a `String` node. */
export function stringOf(value: unknown): string | null {
  const node = nodeOf(value)
  const text = node?.type === 'String' ? node.fields['sval'] : undefined
  return typeof text === 'string' ? text : null
}

/**
 * The allow-list of fields: a field that is not expected here is a clause that nobody has thought about, so it is
 * refused, with the code of that clause where it has one.
 */
export function onlyFields(
  fields: Fields,
  allowed: readonly string[],
  at: Span,
  codes: Readonly<Record<string, QueryErrorCode>> = {},
): void {
  for (const key of Object.keys(fields)) {
    if (key === 'location' || allowed.includes(key)) continue
    throw new QueryError(codes[key] ?? 'CLAUSE_NOT_ALLOWED', at)
  }
}

/** Whether a text is one of a set, as a type. */
export const has = <T extends string>(set: ReadonlySet<T>, value: string): value is T =>
  (set as ReadonlySet<string>).has(value)
