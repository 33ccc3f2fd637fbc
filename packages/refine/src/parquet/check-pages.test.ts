import fc from 'fast-check'
import { readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js'
import { describe, expect, test } from 'vitest'
import { bool, encodeThrift, i32, struct } from '../output/parquet/thrift-compact.js'
import { type ColumnChunk, pagesHold } from './check-pages.js'

type Encoding =
  | 'PLAIN'
  | 'RLE'
  | 'DELTA_BINARY_PACKED'
  | 'DELTA_BYTE_ARRAY'
  | 'RLE_DICTIONARY'
  | 'BYTE_STREAM_SPLIT'
const encodings: Readonly<Record<Encoding, number>> = {
  PLAIN: 0,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  DELTA_BYTE_ARRAY: 7,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
}
/** A page of the first kind, as parquet.thrift has it. */
const page = (body: readonly number[], count: number, encoding: Encoding) => [
  ...encodeThrift(
    struct(
      [1, i32(0)],
      [2, i32(body.length)],
      [3, i32(body.length)],
      [5, struct([1, i32(count)], [2, i32(encodings[encoding])], [3, i32(3)], [4, i32(3)])],
    ),
  ),
  ...body,
]
const page2 = (
  body: readonly number[],
  {
    count,
    nulls,
    rows = count,
    encoding,
    defined = 0,
    repeated = 0,
  }: {
    readonly count: number
    readonly nulls: number
    readonly rows?: number
    readonly encoding: Encoding
    readonly defined?: number
    readonly repeated?: number
  },
) => [
  ...encodeThrift(
    struct(
      [1, i32(3)],
      [2, i32(body.length)],
      [3, i32(body.length)],
      [
        8,
        struct(
          [1, i32(count)],
          [2, i32(nulls)],
          [3, i32(rows)],
          [4, i32(encodings[encoding])],
          [5, i32(defined)],
          [6, i32(repeated)],
          [7, bool(false)],
        ),
      ],
    ),
  ),
  ...body,
]
const varint = (value: number): readonly number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
const length = (bytes: readonly number[]) => [bytes.length, 0, 0, 0, ...bytes]
/** A run of one value, and a run of packed bits. */
const same = (times: number, ...value: readonly number[]) => [...varint(times * 2), ...value]
const packed = (groups: number, ...bits: readonly number[]) => [...varint(groups * 2 + 1), ...bits]

const chunk = (bytes: readonly number[], changes: Partial<ColumnChunk> = {}): ColumnChunk => ({
  bytes: Uint8Array.from(bytes),
  type: 'BYTE_ARRAY',
  typeLength: 0,
  optional: false,
  rows: 10,
  open: (input, size) => {
    expect(input.length).toBe(size)
    return input
  },
  most: 10_000,
  ...changes,
})

describe('pages that say what can be', () => {
  test.each<[string, readonly number[], Partial<ColumnChunk>]>([
    ['plain values', page([1, 2], 10, 'PLAIN'), {}],
    ['a run of one value', page([1, ...same(10, 1)], 10, 'RLE_DICTIONARY'), {}],
    ['runs of both kinds', page([1, ...same(3, 1), ...packed(1, 0xff)], 10, 'RLE_DICTIONARY'), {}],
    ['groups that are filled up', page([1, ...packed(63, ...Array(63).fill(0))], 10, 'RLE_DICTIONARY'), {}],
    ['one value, so no width', page([0], 10, 'RLE_DICTIONARY'), {}],
    [
      'missing values',
      page([...length(packed(2, 0b1111, 0)), 1, ...same(4, 1)], 10, 'RLE_DICTIONARY'),
      { optional: true },
    ],
    ['truths', page(length(same(10, 1)), 10, 'RLE'), { type: 'BOOLEAN' }],
    ['deltas', page([...varint(128), 4, 10, 2], 10, 'DELTA_BINARY_PACKED'), { type: 'INT64' }],
    [
      'texts that begin alike',
      page(
        [...varint(128), 4, 2, 0, 2, 0, 0, 0, 0, ...varint(128), 4, 2, 2, 0, 0, 0, 0, 0, 65, 66],
        2,
        'DELTA_BYTE_ARRAY',
      ),
      { rows: 2 },
    ],
    ['split bytes', page(Array(40).fill(0), 10, 'BYTE_STREAM_SPLIT'), { type: 'FLOAT' }],
    [
      'pages of the second kind',
      page2([...same(10, 1), 1, ...same(10, 1)], {
        count: 10,
        nulls: 0,
        encoding: 'RLE_DICTIONARY',
        defined: 2,
      }),
      { optional: true },
    ],
    ['several pages', [...page([1, 2], 4, 'PLAIN'), ...page([1, 2], 6, 'PLAIN')], {}],
  ])('%s', (_, bytes, changes) => {
    expect(pagesHold(chunk(bytes, changes))).toBe(true)
  })
})

describe('pages that lie', () => {
  const many = 2 ** 30 - 1
  test.each<[string, readonly number[], Partial<ColumnChunk>]>([
    ['more values than rows', page([1, 2], 11, 'PLAIN'), {}],
    ['fewer values than none', page([1, 2], -1, 'PLAIN'), {}],
    ['more values than rows in two pages', [...page([1, 2], 6, 'PLAIN'), ...page([1, 2], 6, 'PLAIN')], {}],
    ['a run that is longer than the page', page([1, ...same(many, 1)], 10, 'RLE_DICTIONARY'), {}],
    ['a run that is longer by one', page([1, ...same(5, 1), ...same(6, 1)], 10, 'RLE_DICTIONARY'), {}],
    ['a run of levels', page([...length(same(many, 1)), 1, 2], 10, 'PLAIN'), { optional: true }],
    ['a run of truths', page(length(same(many, 1)), 10, 'RLE'), { type: 'BOOLEAN' }],
    [
      'packed values that count down for ever',
      page([1, 0xff, 0xff, 0xff, 0xff, 0x0f], 10, 'RLE_DICTIONARY'),
      {},
    ],
    [
      'half a billion packed values of no width',
      page2([0, ...varint(2 ** 27 + 1)], { count: 10, nulls: 0, encoding: 'RLE_DICTIONARY' }),
      {},
    ],
    [
      'packed values of no width',
      page2([0, ...varint(2 ** 29 + 1)], { count: 10, nulls: 0, encoding: 'RLE_DICTIONARY' }),
      {},
    ],
    ['packed values that are not there', page([8, ...packed(2, 1)], 10, 'RLE_DICTIONARY'), {}],
    ['no packed values', page([1, 1, 1, 1, 1], 10, 'RLE_DICTIONARY'), {}],
    ['indexes of too many bits', page([200, ...same(10, ...Array(25).fill(0))], 10, 'RLE_DICTIONARY'), {}],
    [
      'a run in a page of the second kind',
      page2([1, ...same(many, 1)], { count: 10, nulls: 0, encoding: 'RLE_DICTIONARY' }),
      {},
    ],
    [
      'levels in a page of the second kind',
      page2([...same(many, 1), 1], { count: 10, nulls: 0, encoding: 'PLAIN', defined: 6 }),
      { optional: true },
    ],
    [
      'truths in a page of the second kind',
      page2(length(same(many, 1)), { count: 10, nulls: 0, encoding: 'RLE' }),
      { type: 'BOOLEAN' },
    ],
    ['more missing values than values', page2([1], { count: 10, nulls: 11, encoding: 'PLAIN' }), {}],
    ['other rows than values', page2([1], { count: 10, nulls: 0, rows: 9, encoding: 'PLAIN' }), {}],
    [
      'levels that are longer than the page',
      page2([1], { count: 10, nulls: 0, encoding: 'PLAIN', defined: 9 }),
      {},
    ],
    [
      'levels that begin before the page',
      page2([1], { count: 10, nulls: 0, encoding: 'PLAIN', repeated: -9 }),
      {},
    ],
    ['no blocks of deltas', page([...varint(128), 0, 10, 2], 10, 'DELTA_BINARY_PACKED'), { type: 'INT64' }],
    [
      'a gigabyte of widths',
      page([...varint(2 ** 20), ...varint(2 ** 30), 10, 2], 10, 'DELTA_BINARY_PACKED'),
      {},
    ],
    ['a block without end', page([...varint(2 ** 30), 4, 10, 2], 10, 'DELTA_BINARY_PACKED'), {}],
    ['parts of values', page([...varint(100), 3, 10, 2], 10, 'DELTA_BINARY_PACKED'), {}],
    [
      'a text that begins as a longer one',
      page(
        [...varint(128), 4, 2, 0, 4, 0, 0, 0, 0, ...varint(128), 4, 2, 2, 0, 0, 0, 0, 0, 65, 66],
        2,
        'DELTA_BYTE_ARRAY',
      ),
      { rows: 2 },
    ],
    [
      'texts that are too long together',
      page(
        [...varint(128), 4, 2, 0, 2, 0, 0, 0, 0, ...varint(128), 4, 2, 2, 0, 0, 0, 0, 0, 65, 66],
        2,
        'DELTA_BYTE_ARRAY',
      ),
      { rows: 2, most: 2 },
    ],
    ['more split bytes than there are', page(Array(39).fill(0), 10, 'BYTE_STREAM_SPLIT'), { type: 'FLOAT' }],
    ['values of no length', page([1], 10, 'BYTE_STREAM_SPLIT'), { type: 'FIXED_LEN_BYTE_ARRAY' }],
    ['a page that is not there', page([1, 2], 10, 'PLAIN').slice(0, -1), {}],
  ])('%s', (_, bytes, changes) => {
    expect(pagesHold(chunk(bytes, changes))).toBe(false)
  })
})

test('hyparquet gives as many values as rows, quickly, of whatever passes', () => {
  const decoder = (optional: boolean) => {
    const element = { name: 'x', type: 'INT64', repetition_type: optional ? 'OPTIONAL' : 'REQUIRED' }
    const schemaPath = [{ element: { name: 'root' } }, { element }]
    return { type: 'INT64', element, schemaPath, codec: 'UNCOMPRESSED' } as unknown as Parameters<
      typeof readDataPage
    >[2]
  }
  // Bytes that are often the head of a run.
  const byte = fc.oneof(fc.nat(40), fc.nat(255), fc.constantFrom(0, 1, 2, 3, 0x80, 0xff))
  let [passed, several] = [0, 0]
  fc.assert(
    fc.property(
      fc.array(byte, { maxLength: 40 }),
      fc.integer({ min: 1, max: 60 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 0, max: 40 }),
      (body, count, optional, second, width) => {
        const framed = [...(optional && !second ? length(same(count, 1)) : []), width, ...body]
        const bytes = second
          ? page2([...(optional ? same(count, 1) : []), width, ...body], {
              count,
              nulls: 0,
              encoding: 'RLE_DICTIONARY',
              defined: optional ? 2 : 0,
            })
          : page(framed, count, 'RLE_DICTIONARY')
        let holds = false
        try {
          holds = pagesHold(chunk(bytes, { rows: count, optional, type: 'INT64' }))
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
        if (!holds) return
        passed += 1
        const given = Uint8Array.from(second ? [...(optional ? same(count, 1) : []), width, ...body] : framed)
        const { dataPage } = second
          ? readDataPageV2(
              given,
              {
                type: 'DATA_PAGE_V2',
                uncompressed_page_size: given.length,
                compressed_page_size: given.length,
                data_page_header_v2: {
                  num_values: count,
                  num_nulls: 0,
                  num_rows: count,
                  encoding: 'RLE_DICTIONARY',
                  definition_levels_byte_length: optional ? 2 : 0,
                  repetition_levels_byte_length: 0,
                  is_compressed: false,
                },
              } as unknown as Parameters<typeof readDataPageV2>[1],
              decoder(optional),
            )
          : readDataPage(
              given,
              { num_values: count, encoding: 'RLE_DICTIONARY' } as unknown as Parameters<
                typeof readDataPage
              >[1],
              decoder(optional),
            )
        expect(dataPage.length).toBe(count)
        if (body.length > 6) several += 1
      },
    ),
    { numRuns: 20_000 },
  )
  expect(passed).toBeGreaterThan(300)
  expect(several).toBeGreaterThan(100)
})
