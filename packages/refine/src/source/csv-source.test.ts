import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { property } from '../testing/property.js'
import { parseCsvSource } from './csv-source.js'
import { defaultSourceLimits } from './source-limits.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const fault = (source: Uint8Array, limits = defaultSourceLimits) => {
  try {
    parseCsvSource(source, limits)
  } catch (error) {
    if (error instanceof RefineError) return error
    throw error
  }
  return undefined
}
const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`

describe('parseCsvSource', () => {
  property(
    'reads back every table that is quoted after RFC 4180',
    [
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 }).chain((header) =>
        fc.record({
          header: fc.constant(header),
          rows: fc.array(fc.array(fc.string(), { minLength: header.length, maxLength: header.length })),
        }),
      ),
      fc.constantFrom('\n', '\r\n'),
    ],
    ({ header, rows }, end) => {
      const text = [header, ...rows].map((line) => line.map(quoted).join(',')).join(end)
      expect(parseCsvSource(bytes(text))).toEqual(
        rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]]))),
      )
    },
  )

  property('any bytes give records or a typed error', [fc.uint8Array({ maxLength: 300 })], (source) => {
    fault(source)
  })

  property(
    'any sequence of CSV characters gives rows as wide as the header, or a typed error',
    [fc.array(fc.constantFrom('a', ',', '"', '\n', '\r', ' ', '""', '\ufeff'), { maxLength: 60 })],
    (parts) => {
      const source = bytes(parts.join(''))
      if (fault(source) !== undefined) return
      const widths = new Set(parseCsvSource(source).map((row) => Object.keys(row).length))
      expect(widths.size).toBeLessThanOrEqual(1)
    },
  )

  property(
    'gives what csv-parse gives, wherever both take the text',
    [
      fc.array(fc.constantFrom('a', 'b', ',', '"', '""', '\r\n', '\n', ' ', 'é'), { maxLength: 40 }),
      fc.boolean(),
    ],
    (parts, windows) => {
      const end = windows ? '\r\n' : '\n'
      const text = parts.map((part) => (part === '\r\n' ? end : part)).join('')
      let theirs: string[][] | undefined
      try {
        theirs = parse(text, { record_delimiter: end })
      } catch {
        theirs = undefined
      }
      const [header = [], ...rows] = theirs ?? []
      const usable = header.length > 0 && new Set(header).size === header.length && !header.includes('')
      // With CR LF as its end of line csv-parse leaves a bare line feed in a field, which is an end of line here.
      const bare = windows && /[^\r]\n|^\n/.test(text)
      if (theirs === undefined || !usable || bare) return
      expect(parseCsvSource(bytes(text))).toEqual(
        rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]]))),
      )
    },
  )

  test('lines are counted through quoted fields', () => {
    expect(fault(bytes('a,b\n"x\ny\n",1\n2\n'))).toMatchObject({ code: 'CSV_FIELD_COUNT', place: 'line 5' })
  })

  test.each([
    ['nothing', '', 'CSV_HEADER_INVALID', 'line 1'],
    ['a repeated column', 'a,b,a\n1,2,3', 'CSV_HEADER_INVALID', 'line 1, field 3'],
    ['a column without a name', 'a,,c\n1,2,3', 'CSV_HEADER_INVALID', 'line 1, field 2'],
    ['a short row', 'a,b\n1,2\n3\n', 'CSV_FIELD_COUNT', 'line 3'],
    ['a long row', 'a,b\n1,2,3\n', 'CSV_FIELD_COUNT', 'line 2'],
    ['a line of one blank', 'a,b\n \n1,2\n', 'CSV_FIELD_COUNT', 'line 2'],
    ['a quote inside a bare field', 'a,b\n1,x"y\n', 'CSV_INVALID', 'line 2'],
    ['text behind a closing quote', 'a,b\n1,"x"y\n', 'CSV_INVALID', 'line 2'],
    ['a quote that does not close', 'a,b\n1,"x\n', 'CSV_INVALID', 'line 2'],
  ])('refuses %s', (_, text, code, place) => {
    expect(fault(bytes(text))).toMatchObject({ code, place })
  })

  test('a header alone is an empty table; a byte order mark is not part of its first name', () => {
    expect(parseCsvSource(bytes('\ufeffage,south\r\n'))).toEqual([])
    expect(parseCsvSource(bytes('\ufeffage\r\n3\r\n'))).toEqual([{ age: '3' }])
  })

  test('a column named __proto__ is data', () => {
    const [row] = parseCsvSource(bytes('__proto__\nx\n'))
    expect(Object.keys(row ?? {})).toEqual(['__proto__'])
  })

  test('limits hold: size, rows, columns, length of a row', () => {
    const limits = { ...defaultSourceLimits, bytes: 60, records: 2, columns: 3, fieldLength: 20 }
    const tall = { ...limits, records: 1000 }
    expect(fault(bytes(`a\n${'1\n'.repeat(30)}`), tall)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes(`a\n${'1\n'.repeat(29)}`), tall)).toBeUndefined()
    expect(fault(bytes('a\n1\n2\n'), limits)).toBeUndefined()
    expect(fault(bytes('a\n1\n2\n3\n'), limits)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes('a,b,c,d\n'), limits)?.code).toBe('LIMIT_EXCEEDED')
    expect(fault(bytes(`a\n${'x'.repeat(40)}\n`), limits)?.code).toBe('LIMIT_EXCEEDED')
  })

  test('no message or place holds anything of the export', () => {
    for (const text of [
      'CANARY,CANARY\n',
      'a\nCANARY,1\n',
      'a\nCANARY"x\n',
      'a\n"CANARY\n',
      'a\n"CANARY"x\n',
    ]) {
      const error = fault(bytes(text))
      expect(error).toBeInstanceOf(RefineError)
      expect(`${error?.message}${error?.place}${error?.stack}`).not.toContain('CANARY')
      expect(error?.cause).toBeUndefined()
    }
  })
})
