import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ColumnSchema, DirectColumn } from '../schema/table-schema.js'
import { setCell } from './column-batch.js'
import { createRecordScan } from './record-scan.js'
import { createColumnScan } from './rows-ahead.js'
import { createScanCore } from './scan-core.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)

function scanOf(column: Omit<ColumnSchema, 'description'>, spec: Partial<DirectColumn> = {}, bytes = 10_000) {
  const made = createColumnScan({
    columns: { a: { description: 'd', ...column } },
    direct: { a: { from: 'a', ...spec } },
    rows: 4,
    bytes,
    fieldLength: 1000,
  })
  if (made === undefined) throw new Error('no memory')
  return made
}

/** Is a cell read, out of CSV, out of CSV in quotes, and out of a string of JSON? All or none. */
function isRead(column: Omit<ColumnSchema, 'description'>, cell: string): boolean {
  const scan = scanOf(column)
  const found = [`${cell}\n`, `"${cell}"\n`].map((text) => scan.csv(bytesOf(text), ['a']).read(0, 0) > 0)
  const json = scan.json(bytesOf(`{"a":"${cell}"}\n`))
  json.expect(['a'])
  found.push(json.read(0, 0) > 0)
  expect(new Set(found).size).toBe(1)
  return found[0] === true
}

const integer = { type: 'integer', min: -5, max: 999_999_999_999_999 } as const
const cents = { type: 'decimal', decimals: 2, min: -5, max: '9999999999999.99' } as const
const whole = { type: 'decimal', decimals: 0 } as const
const day = { type: 'date', min: '1900-01-02', max: '2100-01-01' } as const

describe('cells at the borders of what is read ahead', () => {
  test.each([
    [integer, ['0', '-0', '7', '-5', '007', '999999999999999']],
    [cents, ['0', '-0.00', '1.5', '1.50', '-5.00', '9999999999999.99', '00.1']],
    [whole, ['1000000000000000', '-1000000000000000']],
    [{ type: 'decimal', decimals: 17 }, ['0.05', '-0.09']],
    [{ type: 'integer', max: 9 }, ['9', '-999999999999999']],
    [{ type: 'decimal', decimals: 2, max: '9.99' }, ['9.99', '-9999999999999.9']],
    [day, ['1900-01-02', '2100-01-01', '2024-12-31', '2024-04-30', '2024-02-28']],
    [{ type: 'text', maxLength: 9 }, ['a', 'abcdefghi', '\u007f', '~']],
  ] as const)('%o is read: %j', (column, cells) => {
    for (const cell of cells) expect(isRead(column, cell), cell).toBe(true)
  })

  test.each([
    [
      integer,
      ['', '-', '--1', '1-', '1-1', '+1', '1.0', '1e3', ' 1', '1 ', ':', '/', '-6', '1000000000000000'],
    ],
    [
      cents,
      ['', '-', '.', '-.', '.5', '-.5', '1.', '-1.', '1..5', '1.5.0', '1.5.', '1.234', '1,5', '1e1', '-5.01'],
    ],
    [cents, ['10000000000000.00', '00000000000000001', '1.5-']],
    [whole, ['1000000000000001', '9007199254740993', '1.0']],
    [{ type: 'integer', max: 9 }, ['10', '999999999999999']],
    [{ type: 'decimal', decimals: 2, max: '9.99' }, ['10.00', '10', '99999999999999.9']],
    [{ type: 'decimal', decimals: 17 }, ['0.1', '1', '-0.0900719925474100']],
    [day, ['1900-01-01', '2100-01-02', '2024-00-01', '2024-13-01', '2024-01-00', '2024-01-32', '2024-04-31']],
    [
      { type: 'date' },
      ['0000-01-01', '2024-02-29', '2024-1-011', '2024-01-011', '2024-01-1', '20240-1-01', ''],
    ],
    [{ type: 'text', maxLength: 9 }, ['', 'abcdefghij']],
    [{ type: 'boolean' }, ['', 'True', 'true ', 't', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(999)]],
  ] as const)('%o is left to its reader: %j', (column, cells) => {
    for (const cell of cells) expect(isRead(column, cell), cell).toBe(false)
  })

  test('a day with any other character at any of its places is left to its reader', () => {
    for (let at = 0; at < 10; at += 1)
      for (const character of ['/', ':', '.', 'x', ' '])
        expect(
          isRead(
            { type: 'date' },
            `2024-01-31`.replace(/./g, (own, place) => (place === at ? character : own)),
          ),
        ).toBe(false)
  })

  test('U+0000 and what is no ASCII is found at any place of a text', () => {
    const scan = scanOf({ type: 'text' })
    for (let length = 1; length <= 18; length += 1)
      for (let at = 0; at < length; at += 1)
        for (const byte of [0, 0x80, 0xff]) {
          const text = bytesOf(`${'x'.repeat(length)}\n`)
          text[at] = byte
          expect(scan.csv(text, ['a']).read(0, 0)).toBe(0)
        }
  })

  test.each(['1.', '01', '-01', '-', '-.5', '1..5', '1.5.0', '1.5e1', '1234567890123456', '0x1', '1 '])(
    'a number of JSON that is none, or not for certain exact, is left to its reader: %s',
    (number) => {
      for (const column of [{ type: 'decimal', decimals: 2 }, integer] as const) {
        const json = scanOf(column).json(bytesOf(`{"a":${number}}\n`))
        json.expect(['a'])
        expect(json.read(0, 0)).toBe(0)
      }
    },
  )

  test.each([
    '{"a":falsy}\n',
    '{"a":fals',
    '{"a":true',
    '{"a":true]\n',
    '{"a":true}}\n',
    '["a":true}\n',
    '{"a" :true}\n',
  ])('a line of JSON that is none is left to its reader: %j', (text) => {
    const json = scanOf({ type: 'boolean' }).json(bytesOf(text))
    json.expect(['a'])
    expect(json.read(0, 0)).toBe(0)
  })

  test('nor is a number of JSON too long to be exact a text of a dictionary, nor one behind which no comma stands', () => {
    const scan = createRecordScan({ fields: ['a', 'b'], records: 3, bytes: 100, fieldLength: 50 })
    const read = (text: string) => {
      const json = scan?.json(bytesOf(text))
      json?.expect(['a', 'b'])
      return json?.read(0, 0, 3)
    }
    expect(read('{"a":123456789012345,"b":1}\n')).toBe(28)
    expect(read('{"a":1234567890123456,"b":1}\n')).toBe(0)
    expect(read('{"a":1.234567890123456,"b":1}\n')).toBe(0)
    expect(read('{"a":1;"b":1}\n')).toBe(0)
    expect(read('{"a":1 "b":1}\n')).toBe(0)
  })

  test('a last carriage return ends no row, and an open quote none', () => {
    for (const text of ['x\r', '"x"\r', '"x', '"', '"x"y\n', '"x""\n'])
      expect(scanOf({ type: 'text' }).csv(bytesOf(text), ['a']).read(0, 0)).toBe(0)
  })
})

describe('what has no room is not written', () => {
  test('text behind text that another reader put there', () => {
    const scan = scanOf({ type: 'text' }, {}, 40)
    const [column] = scan.columns
    if (column === undefined) throw new Error('no column')
    // Where JSON writes 1e15, sixteen digits stand: more than the piece has.
    setCell(column, 0, 'x'.repeat(column.bytes.length - 10))
    const before = column.bytes
    expect(scan.csv(bytesOf('abc\n'), ['a']).read(0, 1)).toBe(0)
    expect(scan.csv(bytesOf('ab\n'), ['a']).read(0, 1)).toBe(3)
    expect(column.bytes).toBe(before)
  })

  test('more fields or longer keys than are reserved', () => {
    const names = (count: number, length: number) =>
      Array.from({ length: count }, (_, at) => (at === 0 ? 'a' : String(at).padStart(length, 'k')))
    const values = (count: number) => Array.from({ length: count }, () => '1')
    for (const [count, length, isRead] of [
      [4096, 5, true],
      [4097, 5, false],
      [60, 1000, true],
      [70, 1000, false],
    ] as const) {
      const own = names(count, length)
      const scan = scanOf({ type: 'integer' }, {}, 100_000)
      const row = `${values(count).join(',')}\n`
      expect(scan.csv(bytesOf(row), own).read(0, 0)).toBe(count === 4097 ? 0 : row.length)
      const line = `{${own.map((name) => `"${name}":1`).join(',')}}\n`
      const json = scan.json(bytesOf(line))
      json.expect(own)
      expect(json.read(0, 0)).toBe(isRead ? line.length : 0)
    }
  })

  test('more codes than a table has numbers for', () => {
    const codes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${String(at).padStart(5, '0')}`, at]))
    const read = (count: number) =>
      scanOf({ type: 'integer' }, { values: codes(count) })
        .csv(bytesOf('c00007\n'), ['a'])
        .read(0, 0)
    expect(read(65_535)).toBe(7)
    expect(read(65_536)).toBe(0)
  })

  test('more texts than a dictionary has room for, where rows were begun and left', () => {
    for (const [bytes, begun, isRoom] of [
      [100, 2, true],
      [100, 3, false],
      [5, 1, true],
      [5, 2, false],
    ] as const) {
      const scan = createRecordScan({ fields: ['a', 'b'], records: 3, bytes, fieldLength: 50 })
      for (let row = 0; row < begun; row += 1)
        expect(scan?.csv(bytesOf(`n${row},\\\n`.slice(0, bytes)), ['a', 'b']).read(0, 0, 3)).toBe(0)
      expect(scan?.csv(bytesOf('new,\n'), ['a', 'b']).read(0, 0, 3)).toBe(isRoom ? 5 : 0)
      expect(scan?.csv(bytesOf('n0,\n'), ['a', 'b']).read(0, 0, 3)).toBe(4)
      const json = scan?.json(bytesOf('{"a":true}\n'))
      json?.expect(['a'])
      expect(json?.read(0, 0, 3)).toBe(0)
    }
  })

  test('more parts of a canonical text than there are columns', () => {
    const { writer } = scanOf({ type: 'integer' })
    const heads = (count: number) =>
      Array.from({ length: count }, () => ({ head: bytesOf(','), column: 'a' }))
    expect(writer.of(heads(2))).toBeDefined()
    expect(writer.of(heads(3))).toBeUndefined()
  })
})

describe('where there is no memory', () => {
  afterEach(() => vi.restoreAllMocks())
  const refuse = (error: Error) =>
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function refused() {
      throw error
    })

  test('nothing is read ahead, and nothing else is hidden', () => {
    refuse(new RangeError('could not allocate memory'))
    expect(createScanCore(10_000)).toBeUndefined()
    vi.restoreAllMocks()
    refuse(new TypeError('something else'))
    expect(() => createScanCore(10_000)).toThrow('something else')
  })
})
