import { CryptoError, canonicalize, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { isWithinDepth } from '../json-depth.js'

/**
 * Reads a JSON object from UTF-8 bytes.
 *
 * @param bytes hostile bytes
 * @returns the object, or undefined when they are not one, or as {@link parseJson}
 */
export function parseObject(bytes: Uint8Array | undefined): JsonObject | undefined {
  const value = parseJson(bytes)
  return isObject(value) ? value : undefined
}

/**
 * Reads a JSON value from UTF-8 bytes.
 *
 * @param bytes hostile bytes
 * @returns the value, or undefined when they are none, or nest deeper than any signed form does (128 levels),
 *   or have a member twice: readers disagree which of the two counts (RFC 8725 section 2.4, RFC 7493 section 2.3)
 */
export function parseJson(bytes: Uint8Array | undefined): JsonValue | undefined {
  if (bytes === undefined) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value = JSON.parse(text) as JsonValue
    return isWithinDepth(value) && !repeatsMember(text) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether an object of a JSON text has a name twice, however it is escaped.
 *
 * @param json a text that `JSON.parse` reads; on others it may not end
 */
export function repeatsMember(json: string): boolean {
  // A set of names for each object that is open, undefined for a list.
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    if (character !== '"') continue
    const start = at++
    for (; json[at] !== '"'; at++) if (json[at] === '\\') at++
    const names = open.at(-1)
    // A name is a text with a colon behind it; in a list there is none.
    let next = at + 1
    while (' \t\r\n'.includes(json[next] ?? '-')) next++
    if (names === undefined || json[next] !== ':') continue
    const name = JSON.parse(json.slice(start, at + 1)) as string
    if (names.has(name)) return true
    names.add(name)
  }
  return false
}

/** Whether a value is a JSON object and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The canonical text (RFC 8785) of hostile JSON.
 *
 * @param value parsed JSON
 * @returns the text, or undefined where it has none: half a character, a number beyond what JSON's readers hold, or too much depth
 */
export function canonicalText(value: JsonValue): string | undefined {
  try {
    return canonicalize(value)
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}
