/**
 * Scopes of data-portability grants: `{source}.{category}[.{subcategory}]`.
 * @module
 */

/** The source is in lower case, what follows may have capitals; as the protocol's own reader has it. */
const scopePattern = /^[a-z0-9][a-z0-9_]*(?:\.[a-zA-Z0-9][a-zA-Z0-9_]*){1,2}$/
const longestScope = 128

/**
 * Whether a text names one scope: no wildcard and no operation.
 *
 * @param text anything
 * @returns true for `{source}.{category}` and `{source}.{category}.{subcategory}`
 */
export function isScope(text: string): boolean {
  return text.length <= longestScope && scopePattern.test(text)
}

/**
 * Whether a grant's entries allow a scope to be read. An entry is the scope itself, `*`, or a beginning and `.*`; one with an operation before
 * a colon (`write:notes.entries`) is no permission to read, and what has no known form permits nothing.
 *
 * @param entries the grant's scopes, as they were signed
 * @param scope what is to be read; a wildcard is never covered
 * @returns true when one entry covers it
 * @example
 * ```ts
 * import { coversScope } from '@sealpool/client/import'
 * console.log(coversScope(['spotify.*'], 'spotify.savedTracks'), coversScope(['spotify.*'], 'spotifyplus.tracks')) // true false
 * ```
 */
export function coversScope(entries: readonly string[], scope: string): boolean {
  if (!isScope(scope)) return false
  return entries.some((entry) => {
    if (entry === '*' || entry === scope) return true
    return entry.endsWith('.*') && entry.length > 2 && scope.startsWith(entry.slice(0, -1))
  })
}
