import { canonicalBytes, type JsonValue } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { directCell } from '../define/direct-cell.js'
import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import { parquetColumns } from '../output/parquet/encrypted-parquet.js'
import { encodeColumnPage } from '../output/parquet/plain-column.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema, Row } from '../schema/table-schema.js'
import { parseCsvSource } from '../source/csv-source.js'
import { parseJsonLine } from '../source/jsonl-source.js'
import { defaultSourceLimits, fullLimits } from '../source/source-limits.js'
import { property } from '../testing/property.js'
import { batchPages } from './batch-pages.js'
import { isColumnar, type PieceOptions, readCsvColumns, readJsonColumns } from './batch-reader.js'
import { canonicalRows } from './canonical-rows.js'
import type { ColumnBatch } from './column-batch.js'
import { csvHeader } from './scan-csv.js'

const limits = fullLimits(defaultSourceLimits)
const columns = {
  amount: { type: 'decimal', decimals: 2, nullable: true, min: -1000, max: 1e12, description: 'd' },
  count: { type: 'integer', nullable: true, min: -5, description: 'd' },
  label: { type: 'text', maxLength: 20, description: 'd' },
  kind: { type: 'text', values: ['a', 'bb', 'ß'], nullable: true, description: 'd' },
  flag: { type: 'boolean', nullable: true, description: 'd' },
  coded: { type: 'boolean', description: 'd', nullable: true },
  day: { type: 'date', nullable: true, min: '1900-01-01', description: 'd' },
  at: { type: 'timestamp', nullable: true, description: 'd' },
  spare: { type: 'integer', nullable: true, description: 'd' },
} as const
const schema: RefinerSchema = {
  id: 'columnar',
  version: '1.0.0',
  source: 'rows',
  notes: [],
  tables: { t: { description: 'd', columns } },
  direct: {
    table: 't',
    columns: {
      amount: { from: 'Amount' },
      count: { from: 'count' },
      label: { from: 'label' },
      kind: { from: 'kind' },
      flag: { from: 'flag' },
      coded: { from: 'code', values: { '1': true, '0': false, none: null } },
      day: { from: 'day' },
      at: { from: 'at' },
    },
  },
}
const table = tableOf(schema, 't')

/** What `refineBatch` makes of records: the meaning that the columns must have. */
function byRules(records: readonly Readonly<Record<string, unknown>>[]): Row[] {
  return records.map((record, index) =>
    checkRow(
      table,
      Object.fromEntries(
        Object.entries(schema.direct?.columns ?? {}).map(([name, spec]) => [
          name,
          directCell(
            columns[name as keyof typeof columns],
            spec,
            Object.hasOwn(record, spec.from) ? record[spec.from] : undefined,
          ),
        ]),
      ),
      3,
      index,
    ),
  )
}

function outcome<Value>(run: () => Value): { readonly value: Value } | { readonly code: string } {
  try {
    return { value: run() }
  } catch (error) {
    if (error instanceof RefineError) return { code: error.code }
    throw error
  }
}

/** Pages and canonical texts of a batch. */
function told(batch: ColumnBatch) {
  const texts: string[] = []
  canonicalRows(batch, 3, new Uint8Array(), (bytes) => texts.push(new TextDecoder().decode(bytes)))
  return {
    rows: batch.rows,
    pages: batchPages(batch, 3).map((page) => Buffer.from(page).toString('hex')),
    texts,
  }
}

function expected(rows: readonly Row[]) {
  return {
    rows: rows.length,
    pages: parquetColumns(table).map((column) =>
      Buffer.from(
        encodeColumnPage(
          column,
          rows.map((row) => row[column.name] ?? null),
        ),
      ).toString('hex'),
    ),
    texts: rows.map((row) => new TextDecoder().decode(canonicalBytes(row as JsonValue))),
  }
}

// Kept from test to test as from piece to piece, so that what one leaves behind would show in the next.
const aheadOfAll = { kept: {}, ahead: true }

/** What both readers of bytes, in TypeScript and in WebAssembly, make of a piece: it must be the same. */
function inBothWays<Value>(read: (options: PieceOptions) => Value) {
  const result = outcome(() => read({}))
  expect(outcome(() => read(aheadOfAll))).toEqual(result)
  return result
}

function fromCsv(text: string) {
  const bytes = new TextEncoder().encode(text)
  return inBothWays((options) => {
    const { header, rest } = csvHeader(bytes, limits)
    return told(readCsvColumns(schema, header, rest, limits, options))
  })
}

function fromJson(text: string) {
  const bytes = new TextEncoder().encode(text)
  return inBothWays((options) => told(readJsonColumns(schema, bytes, limits, options)))
}

const cellText = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-0',
    '5',
    '5.1',
    '5.10',
    '05',
    '-1.25',
    '1e3',
    '5.',
    '.5',
    '--5',
    '999999999999.99',
    '123456789012345678',
  ),
  fc.constantFrom(
    'true',
    'false',
    'a',
    'bb',
    'ß',
    'none',
    '1',
    'x"y',
    'p,q',
    'line\nfeed',
    'ü',
    '\u0000',
    '2024-02-29',
    '2023-02-29',
  ),
  fc.constantFrom(
    '2024-01-31',
    '1899-12-31',
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.5+02:00',
    'a'.repeat(21),
    '\\',
    '😀',
  ),
  fc.integer().map(String),
  fc.string({ maxLength: 8 }),
)
const names = ['Amount', 'count', 'label', 'kind', 'flag', 'code', 'day', 'at', 'other']
/** Mostly values that fit, so that whole rows come through. */
const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Amount: fc.constantFrom('', '0', '-0', '5.1', '5.10', '-1.25', '1e3', '999999999999.99', '05.50', '-0.01'),
  count: fc.constantFrom('', '0', '-0', '5', '007', '-5', '9007199254740991', '123456'),
  label: fc.constantFrom(
    '',
    'x',
    'p,q',
    'x"y',
    'line\nfeed',
    'ü',
    'back\\slash',
    '😀',
    '\ufeff"',
    'tab\t',
    'a'.repeat(20),
  ),
  kind: fc.constantFrom('', 'a', 'bb', 'ß'),
  flag: fc.constantFrom('', 'true', 'false'),
  code: fc.constantFrom('', '1', '0', 'none'),
  day: fc.constantFrom('', '2024-02-29', '2024-01-31', '1900-01-01'),
  at: fc.constantFrom(
    '',
    '2024-01-01T00:00:00Z',
    '1969-12-31T23:59:59.999999Z',
    '2024-01-01T00:00:00.5+02:00',
  ),
  other: fc.constantFrom('', 'x', '1'),
}
const anyRecord = fc.record(
  Object.fromEntries(
    names.map((name) => [
      name,
      fc.oneof({ weight: 60, arbitrary: fitting[name] ?? cellText }, { weight: 1, arbitrary: cellText }),
    ]),
  ),
)
const csvField = (text: string, always: boolean) =>
  always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
const csvOf = (records: readonly Readonly<Record<string, string>>[], always: boolean, end: string) =>
  [
    names.join(','),
    ...records.map((record) => names.map((name) => csvField(record[name] ?? '', always)).join(',')),
  ]
    .map((line) => line + end)
    .join('')

describe('reading into columns', () => {
  test('a text keeps the mark that it begins with, in its canonical form too', () => {
    const rows = ['\ufeff"x', '\ufeffx', '\ufeff\\', 'x\ufeff"'].map((label) => ({ label }))
    const want = { value: expected(byRules(rows)) }
    expect(fromCsv(`label\n${rows.map(({ label }) => csvField(label, true)).join('\n')}\n`)).toEqual(want)
    expect(fromJson(rows.map((row) => JSON.stringify(row)).join('\n'))).toEqual(want)
  })

  property(
    'of CSV means what reading into rows means',
    [fc.array(anyRecord, { maxLength: 6 }), fc.boolean(), fc.constantFrom('\n', '\r\n')],
    (records, always, end) => {
      const text = csvOf(records as Record<string, string>[], always, end)
      const rules = outcome(() => expected(byRules(parseCsvSource(new TextEncoder().encode(text)))))
      expect(fromCsv(text)).toEqual(rules)
    },
  )

  const typed = (name: string, text: string): unknown => {
    if (text === '') return null
    if (/^(0|-?[1-9]\d{0,14})(\.\d{1,4})?$/.test(text) && name !== 'label') return Number(text)
    return text === 'true' && name === 'flag' ? true : text
  }
  property(
    'of JSON Lines means what reading into rows means, in any order of keys',
    [
      fc.array(fc.tuple(anyRecord, fc.shuffledSubarray(names), fc.integer({ min: 0, max: 9 })), {
        maxLength: 8,
      }),
      fc.boolean(),
    ],
    (rows, spaced) => {
      const text = rows
        .map(([record, order, dice]) => {
          const keys = dice < 7 ? names : order
          const fields = Object.fromEntries(
            keys.map((key) => [key, typed(key, (record as Record<string, string>)[key] ?? '')]),
          )
          const line = JSON.stringify(fields)
          return spaced ? line.replaceAll(/([:,])(?=["\d\-tfn])/g, '$1 ') : line
        })
        .map((line) => `${line}\n`)
        .join('')
      const rules = outcome(() =>
        expected(
          byRules(
            text
              .split('\n')
              .filter((line) => line !== '')
              .map(
                (line, index) =>
                  parseJsonLine(new TextEncoder().encode(line), index + 1, limits) as Record<string, unknown>,
              ),
          ),
        ),
      )
      expect(fromJson(text)).toEqual(rules)
    },
  )

  test.each([
    ['a quote in a field', 'Amount,label\n1,a"b\n', 'CSV_INVALID'],
    ['text behind a quote', 'Amount,label\n1,"a"b\n', 'CSV_INVALID'],
    ['an open quote', 'Amount,label\n1,"a\n', 'CSV_INVALID'],
    ['too few fields', 'Amount,label\n1\n', 'CSV_FIELD_COUNT'],
    ['too many fields', 'Amount,label\n1,a,b\n', 'CSV_FIELD_COUNT'],
    ['a lone carriage return', 'Amount,label\n1,a\rb,c\n', 'CSV_INVALID'],
    ['a repeated name', 'label,label\n1,a\n', 'CSV_HEADER_INVALID'],
    ['no column for a value that must be', 'Amount\n1\n', 'VALUE_MISSING'],
    ['a value out of range', 'Amount,label\n-1000.01,a\n', 'VALUE_RANGE'],
    ['a value with too many places', 'Amount,label\n1.001,a\n', 'DECIMAL_PLACES'],
    ['an unknown code', 'label,code\na,2\n', 'VALUE_TYPE'],
    ['an unknown word', 'label,kind\na,c\n', 'VALUE_NOT_ALLOWED'],
    ['text that is too long', `label\n${'a'.repeat(21)}\n`, 'VALUE_RANGE'],
    ['bytes that are no UTF-8', Buffer.from('label\n\xff\n', 'latin1'), 'ENCODING_INVALID'],
  ])('CSV with %s is refused', (_, text, code) => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : new Uint8Array(text)
    expect(
      inBothWays((options) => {
        const { header, rest } = csvHeader(bytes, limits)
        return told(readCsvColumns(schema, header, rest, limits, options))
      }),
    ).toEqual({ code })
  })

  test.each([
    ['a repeated key', '{"label":"a","label":"b"}', 'JSON_DUPLICATE_KEY'],
    [
      'a repeated key behind lines of its form',
      '{"label":"a"}\n{"label":"a","label":"b"}',
      'JSON_DUPLICATE_KEY',
    ],
    ['a number of needless zeros', '{"label":"a","count":1}\n{"label":"a","count":01}', 'JSON_INVALID'],
    ['a number that ends in a point', '{"label":"a","Amount":1}\n{"label":"a","Amount":1.}', 'JSON_INVALID'],
    [
      'an inexact number',
      '{"label":"a","Amount":1}\n{"label":"a","Amount":1.000000000000000000001}',
      'JSON_NUMBER_INEXACT',
    ],
    ['text behind the object', '{"label":"a"}\n{"label":"a"}x', 'JSON_INVALID'],
    ['a control character', '{"label":"a"}\n{"label":"a\u0001"}', 'JSON_INVALID'],
    ['a list as line', '[1]', 'MAP_OUTPUT_INVALID'],
    ['a number as text', '{"label":"a"}\n{"label":5.5}', 'VALUE_TYPE'],
    ['an object in a field', '{"label":"a"}\n{"label":{}}', 'VALUE_TYPE'],
    ['a null that may not be', '{"label":"a"}\n{"label":null}', 'VALUE_MISSING'],
  ])('JSON Lines with %s are refused', (_, text, code) => {
    expect(fromJson(text)).toEqual({ code })
  })

  test('is for mappings that are data alone', () => {
    expect(isColumnar(schema)).toBe(true)
    expect(
      isColumnar({
        ...schema,
        tables: {
          t: { description: 'd', columns: { label: { type: 'text', description: 'd', pii: 'mask' } } },
        },
      }),
    ).toBe(false)
    const { direct: _direct, ...coded } = schema
    expect(isColumnar(coded)).toBe(false)
    expect(() => readJsonColumns(coded, new Uint8Array(), limits)).toThrow(RefineError)
  })
})

test('a header whose quotes never close is refused in time that grows with its length alone', () => {
  const bytes = new TextEncoder().encode(`"a${'\n'.repeat(1 << 20)}`)
  expect(() => csvHeader(bytes, limits)).toThrow(
    expect.objectContaining({ code: 'CSV_INVALID', place: 'line 1' }),
  )
  const { header, rest } = csvHeader(new TextEncoder().encode('"a\n""b""\n",c\r\n1,2\n'), limits)
  expect(header).toEqual(['a\n"b"\n', 'c'])
  expect(new TextDecoder().decode(rest)).toBe('1,2\n')
  expect(csvHeader(new TextEncoder().encode('a,b'), limits).rest).toHaveLength(0)
})

test('a function gets no integer that lost digits, also behind lines of the same form', () => {
  const own: RefinerSchema = {
    ...schema,
    tables: { t: { description: 'd', columns: { n: { type: 'integer', description: 'd' } } } },
    direct: { table: 't', columns: { n: { from: 'n', by: 'same' } } },
  }
  const read = (line: string) =>
    readJsonColumns(own, new TextEncoder().encode(`{"n":1}\n{"n":2}\n${line}\n`), limits).pending[0]?.values
  expect(read('{"n":123456789012345}')).toEqual([1, 2, 123_456_789_012_345])
  expect(read('{"n":9007199254740991}')).toEqual([1, 2, 9_007_199_254_740_991])
  expect(read('{"n":true}')).toEqual([1, 2, true])
  expect(() => read('{"n":9007199254740993}')).toThrow(
    expect.objectContaining({ code: 'JSON_NUMBER_INEXACT', place: 'line 3, column 6' }),
  )
})
