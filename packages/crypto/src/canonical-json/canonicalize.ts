import { CryptoError } from '../errors.js'

/** Any value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: JsonValue
}

/** Deepest nesting of arrays and objects that is read or written. */
export const maximumJsonDepth = 128

/**
 * Writes a JSON value in the one form of RFC 8785 (JSON Canonicalization Scheme): no white space, object members
 * in the order of their names' UTF-16 code units, numbers as ECMAScript prints them.
 *
 * @param value - a JSON value of plain objects, arrays, strings, finite numbers, booleans and null
 * @returns the canonical text
 * @throws CryptoError `JSON_INVALID` for undefined, functions, symbols, bigint, NaN, infinities, lone surrogates,
 *   sparse arrays, cycles, members that are symbols or do not enumerate, and objects other than plain ones; `JSON_TOO_DEEP` past 128 levels. The place in the error counts
 *   members in their canonical order and from 0 (`$[3]{1}`), for their names may be private
 * @example
 * ```ts
 * import { canonicalize } from '@sealpool/crypto'
 * console.log(canonicalize({ b: [1e21, 0.1], a: null })) // {"a":null,"b":[1e+21,0.1]}
 * ```
 */
export function canonicalize(value: JsonValue): string {
  try {
    return write(value, '$', 0, new Set())
  } catch (error) {
    if (error instanceof CryptoError) throw error
    throw refuse('$', 'cannot be read')
  }
}

function write(value: unknown, place: string, depth: number, open: Set<object>): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (!Number.isFinite(value)) throw refuse(place, 'a number must be finite')
      return JSON.stringify(value)
    case 'string':
      return writeString(value, place)
    case 'object':
      return value === null ? 'null' : writeContainer(value, place, depth, open)
    default:
      throw refuse(place, `a ${typeof value} is not JSON; write it as a string`)
  }
}

function writeContainer(value: object, place: string, depth: number, open: Set<object>): string {
  if (depth >= maximumJsonDepth) {
    throw new CryptoError(
      'JSON_TOO_DEEP',
      abbreviated(place),
      `JSON is nested over ${maximumJsonDepth} levels`,
    )
  }
  if (open.has(value)) throw refuse(place, 'JSON has no cycles')
  open.add(value)
  const text = Array.isArray(value)
    ? writeArray(value, place, depth, open)
    : writeObject(value, place, depth, open)
  open.delete(value)
  return text
}

function writeArray(value: readonly unknown[], place: string, depth: number, open: Set<object>): string {
  const parts: string[] = []
  for (let index = 0; index < value.length; index++) {
    // A hole reads as undefined, which `write` refuses.
    parts.push(write(value[index], `${place}[${index}]`, depth + 1, open))
  }
  return `[${parts.join(',')}]`
}

function writeObject(value: object, place: string, depth: number, open: Set<object>): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Objects of another realm (an iframe, node:vm) have another Object.prototype, which itself has no prototype.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refuse(place, 'expected a plain object or array')
  }
  const names = Object.keys(value).sort()
  if (Reflect.ownKeys(value).length !== names.length) {
    throw refuse(place, 'expected plain members')
  }
  const parts: string[] = []
  // The default order of sort() is by UTF-16 code units, as RFC 8785 section 3.2.3 asks.
  for (const name of names) {
    const member: unknown = (value as Record<string, unknown>)[name]
    // By number: names of members may be as private as their values.
    parts.push(`${writeString(name, place)}:${write(member, `${place}{${parts.length}}`, depth + 1, open)}`)
  }
  return `{${parts.join(',')}}`
}

const surrogate = /[\ud800-\udfff]/
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

function writeString(value: string, place: string): string {
  if (surrogate.test(value) && loneSurrogate.test(value)) throw refuse(place, 'a string has a lone surrogate')
  // JSON.stringify escapes exactly what RFC 8785 section 3.2.2.2 escapes, once lone surrogates are ruled out.
  return JSON.stringify(value)
}

function refuse(place: string, why: string): CryptoError {
  return new CryptoError('JSON_INVALID', abbreviated(place), why)
}

function abbreviated(place: string): string {
  return place.length > 200 ? `${place.slice(0, 200)}...` : place
}
