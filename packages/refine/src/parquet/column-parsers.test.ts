import { expect, test } from 'vitest'
import type { JsonValue } from '../define/record-types.js'
import {
  binary,
  bool,
  encodeThrift,
  i32,
  i64,
  list,
  struct,
  type ThriftFields,
} from '../output/parquet/thrift-compact.js'
import { defaultSourceLimits } from '../source/source-limits.js'
import { openExport } from '../with-platform.js'
import { hyparquetReader } from './index.js'

/** Numbers of types in parquet.thrift. */
const physical = { int32: 1, int64: 2, byteArray: 6 } as const

/** A file of one column that is always there, stored, one plain page; `fields` of its SchemaElement say what it is. */
function parquetFile(
  type: keyof typeof physical,
  body: Uint8Array,
  count: number,
  fields: ThriftFields = [],
): Uint8Array {
  const header = encodeThrift(
    struct(
      [1, i32(0)],
      [2, i32(body.length)],
      [3, i32(body.length)],
      [5, struct([1, i32(count)], [2, i32(0)], [3, i32(3)], [4, i32(3)])],
    ),
  )
  const length = header.length + body.length
  const chunk = struct(
    [1, i32(physical[type])],
    [2, list('i32', [i32(0)])],
    [3, list('binary', [binary('value')])],
    [4, i32(0)],
    [5, i64(count)],
    [6, i64(length)],
    [7, i64(length)],
    [9, i64(4)],
  )
  const footer = encodeThrift(
    struct(
      [1, i32(2)],
      [
        2,
        list('struct', [
          struct([4, binary('schema')], [5, i32(1)]),
          struct([1, i32(physical[type])], [3, i32(0)], [4, binary('value')], ...fields),
        ]),
      ],
      [3, i64(count)],
      [
        4,
        list('struct', [
          struct([1, list('struct', [struct([2, i64(4)], [3, chunk])])], [2, i64(length)], [3, i64(count)]),
        ]),
      ],
    ),
  )
  const tail = new Uint8Array(4)
  new DataView(tail.buffer).setUint32(0, footer.length, true)
  const mark = new TextEncoder().encode('PAR1')
  return new Uint8Array(Buffer.concat([mark, header, body, footer, tail, mark]))
}

const bytesOf = (...values: readonly (string | readonly number[])[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      values.flatMap((value) => {
        const bytes = Buffer.from(typeof value === 'string' ? Buffer.from(value) : value)
        const length = Buffer.alloc(4)
        length.writeUInt32LE(bytes.length)
        return [length, bytes]
      }),
    ),
  )
const int32s = (...values: readonly number[]) => new Uint8Array(Int32Array.from(values).buffer)
const int64s = (...values: readonly bigint[]) => new Uint8Array(BigInt64Array.from(values).buffer)
const empty = struct()
const text: ThriftFields = [
  [6, i32(0)],
  [10, struct([1, empty])],
]

async function valuesOf(bytes: Uint8Array): Promise<readonly JsonValue[]> {
  const values: JsonValue[] = []
  const options = { source: 'rows', bytes, name: 'a.parquet', readers: { parquet: hyparquetReader } } as const
  for await (const row of openExport({ ...options, limits: defaultSourceLimits })) {
    values.push((row as { readonly value: JsonValue }).value)
  }
  return values
}

test('a text that is not UTF-8 is refused by its column, not mended', async () => {
  for (const fields of [text, []]) {
    const refused = valuesOf(parquetFile('byteArray', bytesOf('CANARY', [0x41, 0xff]), 2, fields))
    await expect(refused).rejects.toMatchObject({ code: 'ENCODING_INVALID', place: 'row group 1, column 1' })
    await expect(refused).rejects.not.toThrow(/CANARY/)
  }
  const halves = parquetFile('byteArray', bytesOf([0xed, 0xa0, 0x80]), 1, text)
  await expect(valuesOf(halves)).rejects.toMatchObject({ code: 'ENCODING_INVALID' })
})

test('a text keeps a mark of byte order that it begins with', async () => {
  expect(await valuesOf(parquetFile('byteArray', bytesOf('\ufeffa', 'b\u0000'), 2, text))).toEqual([
    '\ufeffa',
    'b\u0000',
  ])
})

test('decimals and days are what they are called by either name of their type', async () => {
  const logical = struct([5, struct([1, i32(2)], [2, i32(9)])])
  const older: ThriftFields = [
    [6, i32(5)],
    [7, i32(2)],
    [8, i32(9)],
  ]
  for (const fields of [older, [...older, [10, logical]], [[10, logical]]] satisfies ThriftFields[])
    expect(await valuesOf(parquetFile('int32', int32s(150, -5), 2, fields))).toEqual(['1.50', '-0.05'])
  for (const fields of [[[6, i32(6)]], [[10, struct([6, empty])]]] satisfies ThriftFields[])
    expect(await valuesOf(parquetFile('int32', int32s(0, 20_000), 2, fields))).toEqual([
      '1970-01-01',
      '2024-10-04',
    ])
})

test('a decimal with two numbers of places is refused', async () => {
  const file = parquetFile('int32', int32s(150), 1, [
    [6, i32(5)],
    [7, i32(3)],
    [8, i32(9)],
    [10, struct([5, struct([1, i32(2)], [2, i32(9)])])],
  ])
  await expect(valuesOf(file)).rejects.toMatchObject({ code: 'PARQUET_INVALID', place: 'column 1' })
})

test('a time has a zone where it is said to be of UTC, and else none', async () => {
  const micro = 1_709_208_000_500_000n
  const told = (utc: boolean): ThriftFields => [
    [6, i32(10)],
    [10, struct([8, struct([1, bool(utc)], [2, struct([2, empty])])])],
  ]
  expect(await valuesOf(parquetFile('int64', int64s(micro), 1, told(true)))).toEqual([
    '2024-02-29T12:00:00.5Z',
  ])
  expect(await valuesOf(parquetFile('int64', int64s(micro), 1, told(false)))).toEqual([
    '2024-02-29T12:00:00.5',
  ])
  // By the older name alone: of UTC.
  expect(await valuesOf(parquetFile('int64', int64s(micro), 1, [[6, i32(10)]]))).toEqual([
    '2024-02-29T12:00:00.5Z',
  ])
})

test('times and days out of range, and what is finer than a microsecond, are refused by their column', async () => {
  const nanos = struct([8, struct([1, bool(true)], [2, struct([3, empty])])])
  await expect(valuesOf(parquetFile('int64', int64s(1n), 1, [[10, nanos]]))).rejects.toMatchObject({
    code: 'PARQUET_INVALID',
    place: 'row group 1, column 1, timestamp',
  })
  await expect(valuesOf(parquetFile('int64', int64s(2n ** 62n), 1, [[6, i32(10)]]))).rejects.toMatchObject({
    place: 'row group 1, column 1, timestamp',
  })
  await expect(valuesOf(parquetFile('int32', int32s(2 ** 30), 1, [[6, i32(6)]]))).rejects.toMatchObject({
    place: 'row group 1, column 1, date',
  })
})

test('a column of JSON is read as strictly as a document, by either name of its type', async () => {
  for (const fields of [[[6, i32(19)]], [[10, struct([12, empty])]]] satisfies ThriftFields[]) {
    const file = (json: string) => parquetFile('byteArray', bytesOf(json), 1, fields)
    expect(await valuesOf(file('"a"'))).toEqual(['a'])
    await expect(valuesOf(file('12345678901234567890'))).rejects.toMatchObject({
      code: 'JSON_NUMBER_INEXACT',
    })
    await expect(valuesOf(file('{"a":1,"a":2}'))).rejects.toMatchObject({ code: 'JSON_DUPLICATE_KEY' })
    await expect(valuesOf(file('{"a":1}'))).rejects.toMatchObject({ code: 'PARQUET_INVALID', place: 'row 1' })
  }
})
