import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCsv } from './read-csv.js'

const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`

interface Case {
  readonly name: string
  readonly text: string
  readonly header?: readonly string[]
  readonly rows?: readonly (readonly string[])[]
}
const cases = JSON.parse(
  readFileSync(new URL('../../../../conformance/csv/cases.json', import.meta.url), 'utf8'),
) as { readonly accepted: readonly Case[]; readonly refused: readonly Case[] }

describe('the cases that refine reads as well', () => {
  test.each(cases.accepted)('$name is a table', ({ text, header, rows }) => {
    expect(readCsv(text)).toEqual({ header, rows })
  })
  test.each(cases.refused)('$name is none', ({ text }) => {
    expect(readCsv(text)).toBeUndefined()
  })
})

test('any fields survive quoting, with either line ending', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 4, maxLength: 4 }), {
        maxLength: 5,
      }),
      fc.constantFrom('\n', '\r\n'),
      (header, wide, ending) => {
        const rows = wide.map((row) => row.slice(0, header.length))
        const text = [header, ...rows].map((row) => row.map(quote).join(',')).join(ending)
        expect(readCsv(text)).toEqual({ header, rows })
      },
    ),
  )
})
test('empty fields, also the last of a file, are kept', () => {
  expect(readCsv('a,b\n,\n1,')).toEqual({
    header: ['a', 'b'],
    rows: [
      ['', ''],
      ['1', ''],
    ],
  })
})
test.each([
  ['nothing', ''],
  ['blank lines alone', '\n\r\n'],
  ['an open quote', 'a\n"b'],
  ['text behind a quote', 'a\n"b"c'],
  ['a quote inside a field', 'a\nb"c'],
  ['a short row', 'a,b\n1'],
  ['a long row', 'a\n1,2'],
  ['a column twice', 'a,a\n1,2'],
])('%s is no table', (_name, text) => {
  expect(readCsv(text)).toBeUndefined()
})
test('any text gives a table or undefined', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', '\r', ' ', '\t') }),
      (text) => {
        const table = readCsv(text)
        expect(table === undefined || table.rows.every((row) => row.length === table.header.length)).toBe(
          true,
        )
      },
    ),
    { numRuns: 2000 },
  )
})
