import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { property } from '../testing/property.js'
import { parseJsonSource } from './json-source.js'
import { defaultSourceLimits } from './source-limits.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const fault = (source: Uint8Array, limits = defaultSourceLimits) => {
  try {
    parseJsonSource(source, limits)
  } catch (error) {
    if (error instanceof RefineError) return error
    throw error
  }
  return undefined
}

describe('parseJsonSource', () => {
  property('reads what JSON.parse reads', [fc.json({ maxDepth: 8 })], (text) => {
    const expected = JSON.parse(text)
    const found = fault(bytes(text))
    // The only JSON that is refused here: numbers that would change.
    if (found === undefined) expect(parseJsonSource(bytes(text))).toEqual(expected)
    else expect(found.code).toBe('JSON_NUMBER_INEXACT')
  })

  property(
    'reads every value whose numbers are exact',
    [fc.jsonValue({ stringUnit: 'grapheme' })],
    (value) => {
      const text = JSON.stringify(value, (_, each) => (typeof each === 'number' ? 1.25 : each))
      expect(parseJsonSource(bytes(text))).toEqual(JSON.parse(text))
    },
  )

  property('any bytes give a value or a typed error', [fc.uint8Array({ maxLength: 200 })], (source) => {
    fault(source)
  })

  property(
    'any sequence of tokens is accepted only when JSON.parse accepts it',
    [
      fc.array(
        fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', '.', 'e', '\\u', 'd800', 'true', ' '),
        {
          maxLength: 60,
        },
      ),
    ],
    (tokens) => {
      const text = tokens.join('')
      if (fault(bytes(text)) === undefined) expect(parseJsonSource(bytes(text))).toEqual(JSON.parse(text))
    },
  )

  test.each([
    ['a repeated key', '{"a":1,"b":{"c":2,"c":3}}', 'JSON_DUPLICATE_KEY', 'line 1, column 19'],
    ['a key repeated through an escape', '{"a":1,"\\u0061":2}', 'JSON_DUPLICATE_KEY', 'line 1, column 8'],
    ['an integer past 2^53', '[\n 9007199254740993]', 'JSON_NUMBER_INEXACT', 'line 2, column 2'],
    ['more digits than a double has', '0.1000000000000000055', 'JSON_NUMBER_INEXACT', 'line 1, column 1'],
    ['an infinite number', '1e999', 'JSON_NUMBER_INEXACT', 'line 1, column 1'],
    ['a number that underflows', '1e-999', 'JSON_NUMBER_INEXACT', 'line 1, column 1'],
    ['half a surrogate pair', '"\\ud800"', 'JSON_INVALID', 'line 1, column 1'],
    ['a control character', '"a\nb"', 'JSON_INVALID', 'line 1, column 3'],
    ['something behind the document', '{} x', 'JSON_INVALID', 'line 1, column 4'],
    ['a trailing comma', '[1,]', 'JSON_INVALID', 'line 1, column 4'],
    ['a leading zero', '01', 'JSON_INVALID', 'line 1, column 2'],
    ['NaN', 'NaN', 'JSON_INVALID', 'line 1, column 1'],
    ['nothing', '', 'JSON_INVALID', 'line 1, column 1'],
    ['an open string', '"a', 'JSON_INVALID', 'line 1, column 1'],
    ['a string that ends in a backslash', '"\\', 'JSON_INVALID', 'line 1, column 1'],
  ])('refuses %s', (_, text, code, place) => {
    expect(fault(bytes(text))).toMatchObject({ code, place })
  })

  test.each([
    ['zero', '-0.0e5', -0],
    ['a large exact integer', '9007199254740991', 9007199254740991],
    ['trailing zeros', '5.10000000000000000000000', 5.1],
    ['an integer with exponent', '1e15', 1e15],
  ])('reads %s', (_, text, value) => {
    expect(parseJsonSource(bytes(text))).toBe(value)
  })

  test('a key named __proto__ is data', () => {
    const value = parseJsonSource(bytes('{"__proto__":{"polluted":true}}')) as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect((value as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('limits hold: size, depth, number of values, length of a string', () => {
    const limits = { ...defaultSourceLimits, bytes: 100, depth: 2, records: 5, fieldLength: 10 }
    // Blanks exceed no other limit than the size.
    expect(fault(bytes(`1${' '.repeat(100)}`), limits)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes(`1${' '.repeat(99)}`), limits)).toBeUndefined()
    expect(fault(bytes('[[[1]]]'), limits)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes('[[1]]'), limits)).toBeUndefined()
    expect(fault(bytes('[1,2,3,4,5]'), limits)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes('[1,2,3,4]'), limits)).toBeUndefined()
    // Counted as in CSV: what the string is, not how it is written.
    for (const letter of ['a', '\\n', '\\u0061', 'é']) {
      expect(fault(bytes(`"${letter.repeat(10)}"`), limits), letter).toBeUndefined()
      expect(fault(bytes(`"${letter.repeat(11)}"`), limits)?.code, letter).toBe('LIMIT_EXCEEDED')
    }
  })

  test('a million brackets are refused, not a stack overflow', () => {
    expect(fault(bytes('['.repeat(1_000_000)))?.code).toBe('LIMIT_EXCEEDED')
  })

  test('bytes that are not UTF-8 are refused; one byte order mark is dropped', () => {
    expect(fault(Uint8Array.of(0x22, 0xff, 0x22))?.code).toBe('ENCODING_INVALID')
    expect(parseJsonSource(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toBe(1)
  })

  test('no message or place holds anything of the document', () => {
    for (const text of ['{"CANARY":1,"CANARY":2}', '["CANARY" CANARY]', '"CANARY\n"', '{"a": CANARY}']) {
      const error = fault(bytes(text))
      expect(`${error?.message}${error?.place}${error?.stack}`).not.toContain('CANARY')
      expect(error?.cause).toBeUndefined()
    }
  })
})
