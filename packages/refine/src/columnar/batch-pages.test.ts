import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parquetColumns } from '../output/parquet/encrypted-parquet.js'
import { encodeColumnPage } from '../output/parquet/plain-column.js'
import type { CellValue, ColumnSchema } from '../schema/table-schema.js'
import { property } from '../testing/property.js'
import { batchPages } from './batch-pages.js'
import { type BatchColumn, type ColumnBatch, createColumn, reserveText, setCell } from './column-batch.js'
import { createColumnScan } from './rows-ahead.js'

const types = {
  integer: { type: 'integer' },
  decimal: { type: 'decimal', decimals: 2 },
  date: { type: 'date' },
  boolean: { type: 'boolean' },
  text: { type: 'text' },
  instant: { type: 'timestamp' },
} as const
const definitions = Object.fromEntries(
  Object.entries(types).flatMap(([name, type]): [string, ColumnSchema][] => [
    [name, { ...type, description: 'd' }],
    [`${name}_or_null`, { ...type, nullable: true, description: 'd' }],
  ]),
)
const parquet = parquetColumns({ name: 't', description: 'd', columns: definitions })
const mostRows = 1_000

/** A cell of a row: different ones for different seeds, null where it may be. */
function cellOf({ type, nullable }: ColumnSchema, seed: number): CellValue {
  if (nullable === true && seed % 3 === 0) return null
  switch (type) {
    case 'integer':
      return (seed - 500) * 7_919_001
    case 'decimal':
      return `${seed % 2 === 0 ? '-' : ''}${seed}.${10 + (seed % 90)}`
    case 'date':
      return `20${10 + (seed % 90)}-0${1 + (seed % 9)}-1${seed % 10}`
    case 'boolean':
      return seed % 5 < 2
    case 'timestamp':
      return `2024-01-1${seed % 10}T10:00:0${seed % 10}Z`
    default:
      return 'éa'.repeat(seed % 23)
  }
}

/** Columns in a memory of WebAssembly, which all pieces share. */
const scan = createColumnScan({
  columns: definitions,
  direct: {},
  rows: mostRows,
  bytes: 100_000,
  fieldLength: 100,
})
const own = () =>
  Object.entries(definitions).map(([name, column]) => createColumn(name, column, mostRows, 1000))

function filled(columns: readonly BatchColumn[], seeds: readonly number[]): readonly BatchColumn[] {
  for (const column of columns)
    for (const [row, seed] of seeds.entries()) setCell(column, row, cellOf(column.column, seed))
  return columns
}

const hexOf = (pages: readonly Uint8Array[]) => pages.map((page) => Buffer.from(page).toString('hex'))

function expected(seeds: readonly number[]): readonly Uint8Array[] {
  return parquet.map((column, index) =>
    encodeColumnPage(
      column,
      seeds.map((seed) =>
        index === 0 ? 7 : cellOf(definitions[column.name] ?? { type: 'text', description: 'd' }, seed),
      ),
    ),
  )
}

// Up to so many rows that the length of the levels takes one byte and two, with whole and broken groups of eight and sixteen.
const rows = fc
  .tuple(fc.oneof(fc.nat(40), fc.nat(40), fc.integer({ min: 490, max: 530 }), fc.nat(mostRows)), fc.nat(1000))
  .map(([count, first]) => Array.from({ length: count }, (_, row) => (first + row * row) % 1000))

property(
  'pages are those of the same rows, whoever makes them and whatever stood in their memory',
  [rows],
  (seeds) => {
    const pages = hexOf(expected(seeds))
    const inWebAssembly: ColumnBatch = {
      rows: seeds.length,
      columns: filled(scan?.columns ?? [], seeds),
      pending: [],
      writer: scan?.writer,
    }
    const used = (length: number) => new Uint8Array(length + 9).fill(0xff)
    expect(hexOf(batchPages(inWebAssembly, 7, used))).toEqual(pages)
    const here = { rows: seeds.length, columns: filled(own(), seeds), pending: [] }
    expect(hexOf(batchPages(here, 7, used))).toEqual(pages)
  },
)

test('all pages of a batch share one buffer, which is moved once', () => {
  const pages = batchPages({ rows: 3, columns: filled(own(), [1, 2, 3]), pending: [] }, 7)
  expect(new Set(pages.map(({ buffer }) => buffer)).size).toBe(1)
})

test('a column that had to leave the memory is written outside of it', () => {
  const columns = filled(scan?.columns ?? [], [4])
  const text = columns.find(({ name }) => name === 'text')
  if (text === undefined || scan === undefined) throw new Error('no memory')
  const { bytes } = text
  expect(scan.writer.page(text, 1)).toBeDefined()
  reserveText(text, 10 ** 6)
  expect(scan.writer.page(text, 1)).toBeUndefined()
  text.bytes = bytes
  const [stranger] = own()
  expect(stranger === undefined ? 'none' : scan.writer.page(stranger, 1)).toBeUndefined()
})
