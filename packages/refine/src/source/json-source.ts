/**
 * Strict JSON (RFC 8259 within I-JSON, RFC 7493): what `JSON.parse` would accept silently and lossily is refused here:
 * repeated keys, numbers that change when read, lone surrogates.
 */
import type { JsonValue } from '@sealpool/sandbox'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { decodeText } from './decode-text.js'
import { countMemory, documentMemory } from './document-memory.js'
import { defaultSourceLimits, type SourceLimits } from './source-limits.js'

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const blank = /[ \t\n\r]*/y
// What can end or bend a string: its quote, an escape, a control character that must be escaped (RFC 8259 section 7).
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const stringStop = /["\\\u0000-\u001f]/g
const loneSurrogate = /\p{Surrogate}/u

function isExact(literal: string, value: number): boolean {
  if (!Number.isFinite(value)) return false
  const mantissa = literal.replace(/[eE].*$/, '').replace(/[-.]/g, '')
  const digits = mantissa.replace(/^0+/, '').replace(/0+$/, '')
  if (value === 0) return digits === ''
  // 17 significant digits name a double; more were cut, and integers past 2^53 may have been as well.
  return digits.length <= 17 && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

/** What fits into one map of V8; a longer one would end the process. */
const valuesOfDocument = 2 ** 24

/**
 * Reads the text of one JSON document, strictly and within limits: recursive descent, whose depth is limited, so that the stack is.
 *
 * @param text - the document
 * @param limits - see {@link SourceLimits}
 * @param most - most values, and most bytes that text and values take, besides; default what the engine can hold
 * @returns the document
 * @throws RefineError as {@link parseJsonSource}
 */
export function parseJsonText(
  text: string,
  limits: SourceLimits,
  most: { readonly values?: number; readonly memory?: number } = {},
): JsonValue {
  const mostValues = Math.min(limits.records, most.values ?? valuesOfDocument)
  const mostMemory = most.memory ?? documentMemory
  const memory = countMemory(text)
  let position = 0
  let count = 0

  const fault = (code: RefineErrorCode, message: string): RefineError => {
    // Counted, not split: a list of lines may be longer than any list.
    let line = 1
    let start = 0
    for (let feed = text.indexOf('\n'); feed >= 0 && feed < position; feed = text.indexOf('\n', start)) {
      line += 1
      start = feed + 1
    }
    return new RefineError(code, `line ${line}, column ${position - start + 1}`, message)
  }
  const skipBlank = () => {
    blank.lastIndex = position
    blank.test(text)
    position = blank.lastIndex
  }
  const take = (character: string): boolean => {
    skipBlank()
    if (text[position] !== character) return false
    position += 1
    return true
  }
  const expect = (character: string) => {
    if (!take(character)) throw fault('JSON_INVALID', `Expected ${character}`)
  }

  function word<Value extends JsonValue>(letters: string, value: Value): Value {
    if (!text.startsWith(letters, position)) throw fault('JSON_INVALID', 'Not a JSON value')
    position += letters.length
    memory.scalar()
    return value
  }

  function number(): number {
    numberForm.lastIndex = position
    const literal = numberForm.exec(text)?.[0]
    if (literal === undefined) throw fault('JSON_INVALID', 'Not a JSON value')
    const value = Number(literal)
    if (!isExact(literal, value)) {
      throw fault('JSON_NUMBER_INEXACT', 'A number would lose digits when read; export it as text')
    }
    position += literal.length
    memory.scalar()
    return value
  }

  function string(): string {
    const start = position
    let end = start + 1
    for (;;) {
      stringStop.lastIndex = end
      const stop = stringStop.exec(text)
      if (stop === null) throw fault('JSON_INVALID', 'A string does not end')
      end = stop.index
      if (stop[0] === '"') break
      if (stop[0] !== '\\') {
        position = end
        throw fault('JSON_INVALID', 'A control character stands in a string')
      }
      end += 2
    }
    let value: string
    try {
      // The literal's extent is known; its escapes are checked and read by the engine.
      value = JSON.parse(text.slice(start, end + 1)) as string
    } catch {
      throw fault('JSON_INVALID', 'A string has an escape that JSON does not know')
    }
    if (value.length > limits.fieldLength) throw fault('LIMIT_EXCEEDED', 'A string is too long')
    if (loneSurrogate.test(value)) throw fault('JSON_INVALID', 'A string has half a surrogate pair')
    position = end + 1
    return value
  }

  function array(depth: number): JsonValue[] {
    position += 1
    memory.list()
    const items: JsonValue[] = []
    if (take(']')) return items
    do items.push(value(depth + 1))
    while (take(','))
    expect(']')
    return items
  }

  function object(depth: number): { [key: string]: JsonValue } {
    position += 1
    const entries = new Map<string, JsonValue>()
    let form = memory.object()
    if (take('}')) return {}
    do {
      skipBlank()
      if (text[position] !== '"') throw fault('JSON_INVALID', 'Expected a key in quotes')
      const at = position
      const key = string()
      if (entries.has(key)) {
        position = at
        throw fault('JSON_DUPLICATE_KEY', 'An object names one key twice')
      }
      form = memory.name(form, key)
      expect(':')
      entries.set(key, value(depth + 1))
    } while (take(','))
    expect('}')
    // fromEntries defines own properties, so that a key named __proto__ is data and nothing else.
    return Object.fromEntries(entries)
  }

  function value(depth: number): JsonValue {
    count += 1
    if (count > mostValues) throw fault('LIMIT_EXCEEDED', `More than ${mostValues} values; split the export`)
    if (memory.bytes > mostMemory) {
      throw fault('LIMIT_EXCEEDED', 'The document takes too much memory; give it as JSON Lines or CSV')
    }
    if (depth > limits.depth) throw fault('LIMIT_EXCEEDED', `Nested deeper than ${limits.depth} levels`)
    skipBlank()
    switch (text[position]) {
      case '{':
        return object(depth)
      case '[':
        return array(depth)
      case '"': {
        const text = string()
        memory.text(text.length)
        return text
      }
      case 't':
        return word('true', true)
      case 'f':
        return word('false', false)
      case 'n':
        return word('null', null)
      default:
        return number()
    }
  }

  const document = value(0)
  skipBlank()
  if (position < text.length) throw fault('JSON_INVALID', 'Something follows the document')
  return document
}

/**
 * Reads one JSON document, strictly and within limits.
 *
 * @param bytes - UTF-8 text
 * @param limits - see {@link SourceLimits}
 * @returns the document
 * @throws RefineError with `LIMIT_EXCEEDED`, `ENCODING_INVALID`, `JSON_INVALID`, `JSON_DUPLICATE_KEY` or
 *   `JSON_NUMBER_INEXACT`; `place` is line and column, counted from 1 (columns in UTF-16 code units)
 *
 * @example
 * ```ts
 * import { parseJsonSource } from '@sealpool/refine'
 * console.log(parseJsonSource(new TextEncoder().encode('{"wage": 5.1}')))
 * ```
 */
export function parseJsonSource(bytes: Uint8Array, limits: SourceLimits = defaultSourceLimits): JsonValue {
  return parseJsonText(decodeText(bytes, limits), limits)
}
