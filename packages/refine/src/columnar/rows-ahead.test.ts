import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import type { ColumnSchema, DirectColumn, RefinerSchema } from '../schema/table-schema.js'
import { defaultSourceLimits, fullLimits } from '../source/source-limits.js'
import { property } from '../testing/property.js'
import { batchPages } from './batch-pages.js'
import { type KeptColumns, type PieceOptions, readCsvColumns, readJsonColumns } from './batch-reader.js'
import { canonicalRows } from './canonical-rows.js'
import { type ColumnBatch, setCell } from './column-batch.js'
import { type ColumnScan, createColumnScan } from './rows-ahead.js'

const limits = fullLimits(defaultSourceLimits)
const bytesOf = (text: string) => new TextEncoder().encode(text)
const definitions: Readonly<Record<string, ColumnSchema>> = {
  amount: { type: 'decimal', decimals: 2, nullable: true, min: -1000, max: 1e12, description: 'd' },
  fine: { type: 'decimal', decimals: 6, nullable: true, description: 'd' },
  count: { type: 'integer', nullable: true, min: -5, description: 'd' },
  label: { type: 'text', maxLength: 20, nullable: true, description: 'd' },
  kind: { type: 'text', values: ['a', 'bb', 'abcdefghi'], description: 'd' },
  flag: { type: 'boolean', nullable: true, description: 'd' },
  coded: { type: 'integer', nullable: true, description: 'd' },
  since: { type: 'date', nullable: true, description: 'd' },
  day: { type: 'date', nullable: true, min: '1900-01-01', max: '2100-01-01', description: 'd' },
  spare: { type: 'text', nullable: true, description: 'd' },
}
const direct: Readonly<Record<string, DirectColumn>> = {
  amount: { from: 'amount' },
  fine: { from: 'amount' },
  count: { from: 'count' },
  label: { from: 'label' },
  kind: { from: 'kind' },
  flag: { from: 'flag' },
  coded: { from: 'code', values: { '1': 9_007_199_254_740_991, two: -2, none: null } },
  since: { from: 'code2', values: { '0': '1969-12-31', y: '2024-02-29' }, optional: true },
  day: { from: 'day' },
}
const fields = ['amount', 'count', 'label', 'kind', 'flag', 'code', 'code2', 'day', 'other']
const schema: RefinerSchema = {
  id: 'ahead',
  version: '1.0.0',
  source: 'rows',
  notes: [],
  tables: { t: { description: 'd', columns: definitions } },
  direct: { table: 't', columns: direct },
}

function memoryOf(own: { readonly rows?: number; readonly bytes?: number } = {}): ColumnScan {
  const made = createColumnScan({
    columns: definitions,
    direct,
    rows: own.rows ?? 100,
    bytes: own.bytes ?? 10_000,
    fieldLength: 1000,
  })
  if (made === undefined) throw new Error('no memory')
  return made
}

const common = '1.50,7,text,bb,true,1,y,2024-01-31,x\n'
const commonLine =
  '{"amount":1.50,"count":7,"label":"text","kind":"bb","flag":true,"code":1,"code2":"y","day":"2024-01-31","other":null}\n'

describe('rows are read ahead', () => {
  test('as far as they have the common form, and the rest is left to its reader', () => {
    const uncommon = '1.50,7,ü,bb,true,1,y,2024-01-31,x\n'
    const text = common + common + uncommon + common
    const ahead = memoryOf().csv(bytesOf(text), fields)
    expect(ahead.read(0, 0)).toBe(2 * common.length)
    expect(ahead.row).toBe(2)
    expect(ahead.read(2 * common.length, 2)).toBe(2 * common.length)
    expect(ahead.row).toBe(2)
    const behind = bytesOf(common + common + uncommon).length
    expect(ahead.read(behind, 3)).toBe(bytesOf(text).length)
    expect(ahead.row).toBe(4)
  })

  test('of JSON Lines once it is known what they look like', () => {
    const text = commonLine + commonLine + commonLine
    const ahead = memoryOf().json(bytesOf(text))
    expect(ahead.read(0, 0)).toBe(0)
    ahead.expect(fields)
    expect(ahead.read(commonLine.length, 1)).toBe(text.length)
    expect(ahead.row).toBe(3)
    // A column that may not be null is no longer filled: the rules have to tell.
    ahead.expect(fields.filter((name) => name !== 'kind'))
    expect(ahead.read(0, 0)).toBe(0)
  })

  test.each([
    ['an open quote', '1.50,7,"text'],
    ['a quote that stands for one', `${common.replace('text', '"te""xt"')}`],
    ['text behind a quote', common.replace('text', '"te"xt')],
    ['a quote in a field', common.replace('text', 'te"xt')],
    ['a field too few', common.replace(',x\n', '\n')],
    ['a field too many', common.replace(',x\n', ',x,y\n')],
    ['a last carriage return', common.replace('\n', '\r')],
    ['an empty line', `\n${common}`],
    ['a number out of its range', common.replace('1.50', '-1000.01')],
    ['a number with too many places', common.replace('1.50', '1.501')],
    ['a number that ends in a point', common.replace('1.50', '1.')],
    ['no number', common.replace('7', '-')],
    ['a number of 16 digits', common.replace('7', '1234567890123456')],
    ['an unknown word', common.replace('bb', 'bc')],
    ['no value where one must be', common.replace('bb', '')],
    ['an unknown code', common.replace(',1,', ',3,')],
    ['no day', common.replace('2024-01-31', '2023-02-29')],
    ['a month that is none', common.replace('2024-01-31', '2023-00-01')],
    ['a day out of its range', common.replace('2024-01-31', '2100-01-02')],
    ['text that is too long', common.replace('text', 'a'.repeat(21))],
    ['U+0000', common.replace('text', 'te\0xt')],
    ['a byte that is no ASCII where nobody reads it', common.replace('x\n', 'ü\n')],
    ['a field that is longer than the limit', common.replace('x\n', `${'x'.repeat(1001)}\n`)],
  ])('not with %s', (_, text) => {
    expect(memoryOf().csv(bytesOf(text), fields).read(0, 0)).toBe(0)
  })

  test.each([
    ['another key', commonLine.replace('"count"', '"counts"')],
    ['another order', commonLine.replace('"amount":1.50,"count":7', '"count":7,"amount":1.50')],
    ['an escape', commonLine.replace('text', 'te\\u0041')],
    ['a control character', commonLine.replace('text', 'te\u0001')],
    ['a number with needless zeros', commonLine.replace('1.50', '01.50')],
    ['an exponent', commonLine.replace('1.50', '1e1')],
    ['two points', commonLine.replace('1.50', '1.5.0')],
    ['a minus alone', commonLine.replace('1.50', '-')],
    ['a minus zero for a code', commonLine.replace('"code":1', '"code":-0')],
    ['a fraction for a code', commonLine.replace('"code":1', '"code":1.0')],
    ['a truth value for a code', commonLine.replace('"code":1', '"code":true')],
    ['a null for a code', commonLine.replace('"code":1', '"code":null')],
    ['a number for text', commonLine.replace('"text"', '5')],
    ['a list', commonLine.replace('"text"', '[]')],
    ['a word that is none', commonLine.replace('true', 'trua')],
    ['a null where none may be', commonLine.replace('"bb"', 'null')],
    ['two blanks', commonLine.replace(':1.50', ':  1.50')],
    ['text behind it', commonLine.replace('}\n', '}x\n')],
    ['a field more', commonLine.replace('}\n', ',"z":1}\n')],
    ['no end', commonLine.replace('}\n', '\n')],
  ])('nor of JSON with %s', (_, text) => {
    const ahead = memoryOf().json(bytesOf(text))
    ahead.expect(fields)
    expect(ahead.read(0, 0)).toBe(0)
    expect(ahead.row).toBe(0)
  })

  test('where their text no longer fits, not at all', () => {
    const wide = createColumnScan({
      columns: { label: { type: 'text', description: 'd' } },
      direct: { label: { from: 'code', values: { a: 'x'.repeat(1000) } } },
      rows: 100,
      bytes: 1500,
      fieldLength: 1000,
    })
    const ahead = wide?.csv(bytesOf('a\na\na\n'), ['code'])
    expect(ahead?.read(0, 0)).toBe(2)
    const column = wide?.columns[0]
    if (column !== undefined) column.bytes = new Uint8Array(10_000)
    expect(ahead?.read(2, 1)).toBe(2)
  })

  test('and not with more memory than is worth it', () => {
    const plan = { columns: definitions, direct, rows: 100, fieldLength: 1000 }
    expect(createColumnScan({ ...plan, bytes: 2 ** 28 })).toBeUndefined()
  })
})

const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.nat(99)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom(
    '0',
    '-0',
    '-0.00',
    '0.10',
    '1.00',
    '',
    '999999999999.99',
    '90071992547409.91',
    '00',
    '1e2',
  ),
)
const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const row = fc.tuple(
  number,
  fc.oneof(number, fc.integer({ min: -5 }).map(String)),
  fc.string({ maxLength: 20, unit: fc.constantFrom('a', 'b', '7', ' ', '~', '\x7f', '-', 'é', '\\') }),
  fc.constantFrom('a', 'bb', 'abcdefghi'),
  fc.constantFrom('true', 'false', ''),
  fc.constantFrom('1', 'two', 'none', ''),
  fc.constantFrom('0', 'y', ''),
  fc.oneof(day, fc.constantFrom('', '1900-01-01', '2100-01-01', '2000-02-29', '2024-12-31')),
  fc.constantFrom('x', '', '0'),
)
/** Rows that the readers in TypeScript take are written by both as well. */
const rows = fc.array(row, { maxLength: 40 })

/** The piece in both readers, the one in WebAssembly with memory that the pieces before have used. */
function both(kept: KeptColumns, read: (options: PieceOptions) => ColumnBatch) {
  const told = (options: PieceOptions) => {
    try {
      const batch = read(options)
      const texts: string[] = []
      canonicalRows(batch, 12, bytesOf('in front'), (bytes) => texts.push(new TextDecoder().decode(bytes)))
      return [...texts, ...batchPages(batch, 1).map((page) => Buffer.from(page).toString('hex'))]
    } catch (error) {
      if (!(error instanceof RefineError)) throw error
      return [error.code, error.place]
    }
  }
  expect(told({ kept, ahead: true })).toEqual(told({}))
}

describe('both readers give the same columns, the same canonical texts and the same refusals', () => {
  const kept: KeptColumns = {}
  property('of CSV', [rows, fc.boolean(), fc.constantFrom('\n', '\r\n')], (given, quoted, end) => {
    const text = given
      .map((cells) => cells.map((cell) => (quoted ? `"${cell}"` : cell)).join(',') + end)
      .join('')
    both(kept, (options) => readCsvColumns(schema, fields, bytesOf(text), limits, options))
  })

  property('of CSV rows one by one', [row], (cells) => {
    both(kept, (options) => readCsvColumns(schema, fields, bytesOf(cells.join(',')), limits, options))
  })

  const lines: KeptColumns = {}
  const json = (cell: string, asText: boolean) =>
    cell === ''
      ? 'null'
      : !asText && (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(cell) || cell === 'true' || cell === 'false')
        ? cell
        : JSON.stringify(cell)
  property('of JSON Lines', [rows, fc.boolean(), fc.boolean()], (given, asText, fewer) => {
    const text = given
      .map((cells, index) => {
        const own = cells.map((cell, at) => `"${fields[at]}":${json(cell, asText || fields[at] === 'label')}`)
        // Lines without the fields that may be absent, between those that have them.
        return `{${(fewer && index % 5 > 2 ? own.slice(0, 6) : own).join(',')}}\n`
      })
      .join('')
    both(lines, (options) => readJsonColumns(schema, bytesOf(text), limits, options))
  })
})

test('a piece of any size after any other uses no value of the one before', () => {
  const kept: KeptColumns = {}
  for (const count of [300, 3, 1, 299, 2000, 0, 5]) {
    const text = Array.from({ length: count }, (_, index) =>
      index % 3 === 0 ? `,${index},,a,,,,,\n` : common.replace('7', String(index)),
    ).join('')
    both(kept, (options) => readCsvColumns(schema, fields, bytesOf(text), limits, options))
  }
})

test('the smallest places of a decimal are exact in both', () => {
  const own: RefinerSchema = {
    ...schema,
    tables: { t: { description: 'd', columns: { a: { type: 'decimal', decimals: 17, description: 'd' } } } },
    direct: { table: 't', columns: { a: { from: 'a' } } },
  }
  const kept: KeptColumns = {}
  for (const text of [
    '0.05',
    '0.00000000000001',
    '-0.09007199254740991',
    '0.0900719925474099',
    '0.1',
    '1',
    '0',
  ])
    both(kept, (options) => readCsvColumns(own, ['a'], bytesOf(`${text}\n`), limits, options))
})

test('keys and texts of each length are told from those that differ in one byte', () => {
  for (let length = 1; length <= 36; length += 1) {
    const key = 'k'.repeat(length)
    const made = createColumnScan({
      columns: {
        label: { type: 'text', description: 'd' },
        kind: { type: 'text', values: [key], description: 'd' },
      },
      direct: { label: { from: key }, kind: { from: 'kind' } },
      rows: 4,
      bytes: 1000,
      fieldLength: 1000,
    })
    const read = (text: string) => {
      const ahead = made?.json(bytesOf(text))
      ahead?.expect([key, 'kind'])
      return ahead?.read(0, 0)
    }
    const line = (own: string, label: string, kind: string) => `{"${own}":"${label}","kind":"${kind}"}\n`
    expect(read(line(key, key, key))).toBe(line(key, key, key).length)
    for (let at = 0; at < length; at += 1) {
      const other = `${key.slice(0, at)}l${key.slice(at + 1)}`
      expect(read(line(other, key, key))).toBe(0)
      expect(read(line(key, key, other))).toBe(0)
      // A byte that ends a string or is none that is copied, at each place of a word.
      for (const byte of ['\\', '"', '\u0001', 'ü'])
        expect(read(line(key, `${key.slice(0, at)}${byte}${key.slice(at + 1)}`, key))).toBe(0)
    }
  }
})

describe('canonical texts', () => {
  const own: RefinerSchema = {
    ...schema,
    tables: {
      t: {
        description: 'd',
        columns: {
          a: { type: 'decimal', decimals: 0, nullable: true, description: 'd' },
          b: { type: 'decimal', decimals: 9, nullable: true, description: 'd' },
          c: { type: 'integer', nullable: true, description: 'd' },
          d: { type: 'date', nullable: true, description: 'd' },
        },
      },
    },
    direct: {
      table: 't',
      columns: { a: { from: 'a' }, b: { from: 'b' }, c: { from: 'c' }, d: { from: 'd' } },
    },
  }
  const kept: KeptColumns = {}
  const whole = fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.constantFrom('', '0', '-1', '9', '10', '4294967295', '4294967296', '-4294967297', '999999999999999'),
  )
  const fine = fc
    .tuple(fc.constantFrom('', '-'), fc.nat(9_999_999), fc.nat(999_999_999))
    .map(([sign, before, behind]) => `${sign}${before}.${String(behind).padStart(9, '0')}`)
  property(
    'of numbers and days are the same',
    [fc.array(fc.tuple(whole, fine, whole, day), { maxLength: 30 })],
    (given) => {
      const text = given.map((cells) => `${cells.join(',')}\n`).join('')
      both(kept, (options) => readCsvColumns(own, ['a', 'b', 'c', 'd'], bytesOf(text), limits, options))
    },
  )

  test('of every day of 1,200 years are the same', () => {
    for (let from = Date.UTC(1399, 11, 28); from < Date.UTC(2600, 0, 1); from += 200 * 86_400_000) {
      const text = Array.from({ length: 200 }, (_, at) => {
        const iso = new Date(from + at * 86_400_000).toISOString().slice(0, 10)
        return `1,0.000000001,1,${iso}\n`
      }).join('')
      both(kept, (options) => readCsvColumns(own, ['a', 'b', 'c', 'd'], bytesOf(text), limits, options))
    }
  })
})

describe('the writer of canonical texts', () => {
  const scanOf = (columns: Readonly<Record<string, ColumnSchema>>) =>
    createColumnScan({
      columns,
      direct: Object.fromEntries(Object.keys(columns).map((name) => [name, { from: name }])),
      rows: 4,
      bytes: 1000,
      fieldLength: 1000,
    })
  const heads = [
    { head: bytesOf('..{"contributor":7'), column: undefined },
    { head: bytesOf(',"label":'), column: 'label' },
  ]

  test('writes plain rows, and leaves those to others whose text JSON escapes', () => {
    const scan = scanOf({ label: { type: 'text', nullable: true, description: 'd' } })
    const [column] = scan?.columns ?? []
    if (scan === undefined || column === undefined) throw new Error('no memory')
    const write = scan.writer.of(heads)
    for (const [text, wanted] of [
      ['plain é', '..{"contributor":7,"label":"plain é"}'],
      ['back\\slash', undefined],
      ['quo"te', undefined],
      ['line\nfeed', undefined],
      [null, '..{"contributor":7,"label":null}'],
    ] as const) {
      setCell(column, 0, text)
      const written = write?.(0)
      expect(written === undefined ? undefined : new TextDecoder().decode(written)).toBe(wanted)
    }
    // A text that needed another memory is nowhere in this one.
    column.bytes = new Uint8Array(10)
    expect(scan.writer.of(heads)).toBeUndefined()
  })

  test.each([
    ['a column whose cells it does not write', { label: { type: 'timestamp', description: 'd' } }, heads],
    [
      'rows that may be longer than it has room for',
      { label: { type: 'text', maxLength: 2 ** 23, description: 'd' } },
      heads,
    ],
    [
      'a head that is longer than any name',
      { label: { type: 'text', description: 'd' } },
      [...heads, { head: new Uint8Array(2_000), column: undefined }],
    ],
  ] as const)('leaves all rows of %s to others', (_, columns, given) => {
    expect(scanOf(columns)?.writer.of(given)).toBeUndefined()
  })
})
