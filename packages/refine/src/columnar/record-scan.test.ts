import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { defaultSourceLimits, fullLimits } from '../source/source-limits.js'
import { property } from '../testing/property.js'
import { readRecordBatches } from './record-columns.js'
import { createRecordScan, type RecordScan } from './record-scan.js'

const limits = fullLimits({ ...defaultSourceLimits, fieldLength: 50 })
const bytesOf = (text: string) => new TextEncoder().encode(text)
const fields = ['a', 'b', 'ü"', 'absent']
const schema: RefinerSchema = {
  id: 'a',
  version: '1.0.0',
  source: 'rows',
  tables: {},
  notes: [],
  fields: fields.map((name) => ({ name, optional: true })),
}

function scanOf(records: number, bytes = 100_000): RecordScan {
  const made = createRecordScan({ fields, records, bytes, fieldLength: 50 })
  if (made === undefined) throw new Error('no memory')
  return made
}

// Kept from piece to piece, so that what one leaves behind would show in the next.
const scans = new Map<number, RecordScan>()

/** The batches, to the letter the same with and without a scan. */
function batches(format: 'csv' | 'jsonl', header: readonly string[], text: string, batchRecords: number) {
  const scan = scans.get(batchRecords) ?? scanOf(batchRecords)
  scans.set(batchRecords, scan)
  const read = (own: { readonly scan?: RecordScan }) => {
    try {
      return readRecordBatches({ schema, format, header, piece: bytesOf(text), limits, batchRecords, ...own })
    } catch (error) {
      if (!(error instanceof RefineError)) throw error
      return [error.code, error.place]
    }
  }
  const found = read({ scan })
  expect(found).toEqual(read({}))
  return found
}

const cell = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom('', '0', '1', '7', 'x', 'yes', '1.50', '-0', '0.0001', '0.5', '-12.25'),
  },
  { weight: 3, arbitrary: fc.integer({ min: -9999, max: 9999 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('é', '"', '\\', 'a,b', '\u007f', 'tab\t', 'x'.repeat(51), '1e3', 'null'),
  },
)
const row = fc.tuple(cell, cell, cell, cell)
const rows = fc.array(row, { maxLength: 60 })
const batchRecords = fc.constantFrom(1, 2, 7, 1000)

describe('a scan changes nothing of what a mapping gets', () => {
  const csvField = (text: string, always: boolean) =>
    always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  property(
    'of CSV',
    [rows, fc.boolean(), batchRecords, fc.constantFrom('\n', '\r\n')],
    (given, always, most, end) => {
      const text = given.map((cells) => cells.map((one) => csvField(one, always)).join(',') + end).join('')
      batches('csv', ['b', 'other', 'a', 'ü"'], text, most)
    },
  )

  const json = (text: string, dice: number) =>
    text === ''
      ? 'null'
      : dice < 5 && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)
        ? text
        : dice === 9
          ? ['true', 'false', '[]', '{"a":1}'][text.length % 4]
          : JSON.stringify(text)
  property(
    'of JSON Lines',
    [fc.array(fc.tuple(row, fc.nat(9), fc.nat(9)), { maxLength: 60 }), batchRecords],
    (given, most) => {
      const text = given
        .map(([cells, dice, shape]) => {
          const keys = ['b', 'other', 'a', 'ü"']
          const own = keys.map((key, at) => `${JSON.stringify(key)}:${json(cells[at] ?? '', dice)}`)
          return `{${(shape === 0 ? own.slice(0, 2) : shape === 1 ? own.toReversed() : own).join(',')}}\n`
        })
        .join('')
      batches('jsonl', [], text, most)
    },
  )

  test('of many different texts, few, and texts that begin to come again', () => {
    for (const different of [3, 600, 3000]) {
      const text = Array.from({ length: 5000 }, (_, at) => `${at % different},x,${at},"${at % 7}"\n`).join('')
      expect(batches('csv', ['b', 'other', 'a', 'ü"'], text, 5000)).toHaveLength(1)
      expect(batches('csv', ['b', 'other', 'a', 'ü"'], text, 1700)).toHaveLength(3)
    }
  })

  test('behind a piece that was refused', () => {
    batches('csv', ['a', 'b'], 'x,1\ny,2\n"', 7)
    expect(batches('csv', ['a', 'b'], 'z,1\nz,2\n', 7)).toHaveLength(1)
  })
})

test('records are read by the scan as far as they have the common form, and batches end where they must', () => {
  const scan = scanOf(3)
  const text = 'p,1\nq,1\np,2\np,3\n'
  const piece = scan.csv(bytesOf(text), ['a', 'b'])
  expect(piece.read(0, 0, 3)).toBe(12)
  expect(piece.row).toBe(3)
  const [first] = scan.dictionaries
  expect(Array.from(first?.codes ?? [])).toEqual([1, 2, 1])
  expect(Array.from(first?.ends.subarray(0, 3) ?? [])).toEqual([0, 1, 2])
  expect(Array.from(scan.dictionaries[3]?.codes ?? [])).toEqual([0, 0, 0])
  scan.reset()
  expect(piece.read(12, 0, 3)).toBe(16)
  expect(first?.codes[0]).toBe(1)
})

test.each([
  ['a text that JSON escapes', 'a\\b,1\n'],
  ['a text that is no ASCII', 'é,1\n'],
  ['a control character', 'a\tb,1\n'],
])('%s is left to its reader', (_, text) => {
  expect(scanOf(3).csv(bytesOf(text), ['a', 'b']).read(0, 0, 3)).toBe(0)
})

test.each([
  ['a number with zeros at its end', '{"a":1.50}\n'],
  ['a number that JavaScript writes with an exponent', '{"a":0.0000001}\n'],
  ['minus zero', '{"a":-0}\n'],
])('%s is left to its reader', (_, text) => {
  const piece = scanOf(3).json(bytesOf(text))
  piece.expect(['a'])
  expect(piece.read(0, 0, 3)).toBe(0)
})

test('there is none for batches of more records than share a dictionary', () => {
  expect(createRecordScan({ fields, records: 8_193, bytes: 10, fieldLength: 50 })).toBeUndefined()
})
