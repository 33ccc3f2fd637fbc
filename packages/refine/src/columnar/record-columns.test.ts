import { decodeCodes } from '@sealpool/sandbox'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RefinerSchema } from '../schema/table-schema.js'
import { parseCsvSource } from '../source/csv-source.js'
import { parseJsonLine } from '../source/jsonl-source.js'
import { defaultSourceLimits, fullLimits } from '../source/source-limits.js'
import { property } from '../testing/property.js'
import { readRecordBatches } from './record-columns.js'
import { csvHeader } from './scan-csv.js'

const limits = fullLimits(defaultSourceLimits)
const schema: RefinerSchema = { id: 'a', version: '1.0.0', source: 'rows', tables: {}, notes: [] }
const bytesOf = (text: string) => new TextEncoder().encode(text)

interface Segment {
  readonly names: readonly string[] | null
  readonly count: number
  readonly columns: readonly (readonly unknown[])[]
}
/** The records of batches, as a reader of their text understands them. */
function recordsOf(read: Omit<Parameters<typeof readRecordBatches>[0], 'limits' | 'schema'>): unknown[] {
  return readRecordBatches({ ...read, schema, limits }).flatMap(({ count, text }) => {
    const records = (JSON.parse(text) as Segment[]).flatMap((segment) => {
      for (const column of segment.columns) expect(column.length).toBe(segment.count)
      return Array.from({ length: segment.count }, (_, row) =>
        segment.names === null
          ? segment.columns[0]?.[row]
          : Object.fromEntries(segment.names.map((name, at) => [name, segment.columns[at]?.[row]])),
      )
    })
    expect(records.length).toBe(count)
    return records
  })
}

/** A batch for `mapColumns`, each column as the list of its values. */
function listed(text: string) {
  const { columns, ...segment } = JSON.parse(text) as { readonly columns: readonly unknown[] }
  const lists = columns.map((column) => {
    if (Array.isArray(column)) return column as unknown[]
    const { values, codes } = column as { readonly values: readonly unknown[]; readonly codes: string }
    return Array.from(decodeCodes(codes, values.length) ?? [], (code) => values[code])
  })
  return { ...segment, columns: lists }
}

describe('records by column', () => {
  const key = fc.constantFrom('a', 'b', 'c', '1', 'ä', '__proto__', 'a"b')
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('', 'x', '\u007f', '"', '\\', 'é', true, false, null, 0, -0, 5.25, -1, 123456789012345),
    fc.constantFrom('true', '12', 'null'),
  )
  const document = fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.tuple(key, value), { maxLength: 4 }).map(fromPairs) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  )
  property(
    'are the documents of JSON Lines, whatever their keys',
    [
      fc.array(fc.tuple(document, fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
      fc.integer({ min: 1, max: 9 }),
    ],
    (given, batchRecords) => {
      const lines = given.flatMap(([one, times]) =>
        Array.from({ length: times }, () => JSON.stringify(one)).filter(isTaken),
      )
      const wanted = lines.map((line, at) => parseJsonLine(bytesOf(line), at + 1, limits))
      const piece = bytesOf(lines.map((line) => `${line}\n`).join(''))
      const found = recordsOf({ format: 'jsonl', header: [], piece, batchRecords })
      // By text: the order of keys is part of a record.
      expect(found.map((one) => JSON.stringify(one))).toEqual(wanted.map((one) => JSON.stringify(one)))
    },
  )
  property(
    'are the rows of CSV',
    [
      fc.array(
        fc.array(fc.constantFrom('', 'a', '"q"', 'x,y', 'é', '\\', ' ', '1.50'), {
          minLength: 3,
          maxLength: 3,
        }),
      ),
      fc.integer({ min: 1, max: 9 }),
    ],
    (rows, batchRecords) => {
      const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
      const text = `a,__proto__,c\n${rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('')}`
      const { header, rest } = csvHeader(bytesOf(text), limits)
      const found = recordsOf({ format: 'csv', header, piece: rest, batchRecords })
      expect(found).toEqual(parseCsvSource(bytesOf(text), defaultSourceLimits))
    },
  )
  test('fields that are named come alone, in their order, with null where there is none', () => {
    const fields = [{ name: 'b' }, { name: 'gone', optional: true }, { name: 'a' }]
    const of = (format: 'csv' | 'jsonl', header: readonly string[], text: string) =>
      readRecordBatches({
        schema: { ...schema, fields },
        format,
        header,
        piece: bytesOf(text),
        limits,
        batchRecords: 2,
      }).map(({ text: own }) => listed(own))
    const wanted = [
      {
        names: ['b', 'gone', 'a'],
        count: 2,
        columns: [
          ['2', '5'],
          [null, null],
          ['1', '4'],
        ],
      },
      { names: ['b', 'gone', 'a'], count: 1, columns: [['8'], [null], ['7']] },
    ]
    expect(of('csv', ['a', 'b', 'c'], '1,2,3\n4,5,6\n7,8,9\n')).toEqual(wanted)
    const lines = ['1,2,3', '4,5,6', '7,8,9'].map((row) => {
      const [a, b, c] = row.split(',')
      return JSON.stringify({ a, b, c })
    })
    expect(of('jsonl', [], lines.join('\n'))).toEqual(wanted)
  })
  property(
    'named fields are texts, whether their values come again or not, in both formats',
    [
      fc.array(
        fc.record(
          { a: value, b: fc.constantFrom('x', 'y', 'é', '', 5, null), c: fc.boolean() },
          { requiredKeys: [] },
        ),
        { minLength: 1, maxLength: 20 },
      ),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 2000 }),
    ],
    (given, times, batchRecords) => {
      // Often enough that it is judged whether values come again.
      const documents = Array.from(
        { length: given.length * times },
        (_, at) => given[at % given.length] ?? {},
      ).filter((one) => isTaken(JSON.stringify(one)))
      const names = ['b', 'a']
      const wanted = documents.map((one) =>
        names.map((name) => {
          const own: unknown = JSON.parse(JSON.stringify((one as Record<string, unknown>)[name] ?? null))
          return own === null || typeof own === 'string' ? own : JSON.stringify(own)
        }),
      )
      const batches = readRecordBatches({
        schema: { ...schema, fields: names.map((name) => ({ name, optional: true })) },
        format: 'jsonl',
        header: [],
        piece: bytesOf(documents.map((one) => `${JSON.stringify(one)}\n`).join('')),
        limits,
        batchRecords,
      })
      const found = batches.flatMap(({ count, text }) => {
        const { columns } = listed(text)
        for (const column of columns) expect(column.length).toBe(count)
        return Array.from({ length: count }, (_, row) => columns.map((column) => column[row]))
      })
      expect(found).toEqual(wanted)
    },
  )
  test.each([
    ['few', 90, 5000, true],
    ['hundreds', 300, 5000, true],
    ['thousands', 6000, 100_000, true],
    ['more than there are codes for', 9000, 100_000, false],
    ['as many as there are rows', 5000, 5000, false],
  ])('%s values are written once each where they come again often', (_, different, rows, coded) => {
    const lines = Array.from(
      { length: rows },
      (_each, at) => `${at},v${different === rows ? at : Math.floor(at / 3) % different}`,
    )
    const [batch] = readRecordBatches({
      schema: { ...schema, fields: [{ name: 'v' }] },
      format: 'csv',
      header: ['n', 'v'],
      piece: bytesOf(`${lines.join('\n')}\n`),
      limits,
      batchRecords: rows,
    })
    const text = batch?.text ?? ''
    expect(text.includes('"codes"')).toBe(coded)
    expect(listed(text).columns).toEqual([lines.map((line) => line.split(',')[1])])
  })
  test('texts made to fall on each other cost no more than being written each', () => {
    // FNV-1a of 32 bits in steps of a power of two: the same low bits for all of them.
    const lines: string[] = []
    for (let at = 0; lines.length < 3000; at += 1) {
      const text = `k${at.toString(36)}`
      let hash = 0x811c9dc5
      for (const byte of bytesOf(`,"${text}"`)) hash = Math.imul(hash ^ byte, 0x01000193)
      if (((hash ^ (hash >>> 15)) & 0x3f) === 0) lines.push(text)
    }
    const twice = [...lines, ...lines, ...lines]
    const [batch] = readRecordBatches({
      schema: { ...schema, fields: [{ name: 'v' }] },
      format: 'csv',
      header: ['v'],
      piece: bytesOf(`${twice.join('\n')}\n`),
      limits,
      batchRecords: 10_000,
    })
    expect(listed(batch?.text ?? '').columns).toEqual([twice])
  })
  test.each([
    ['in a plain field', [0x78, 0xff]],
    ['in a quoted field', [0x22, 0x78, 0x2c, 0xc3, 0x22]],
    ['as half of a pair', [0xed, 0xa0, 0x80]],
  ])('what is not UTF-8 %s of a CSV that nobody reads is refused', (_, bytes) => {
    const piece = Uint8Array.from([...bytesOf('1,é\n2,'), ...bytes, 0x0a])
    for (const fields of [[{ name: 'a' }], [{ name: 'b' }]])
      expect(() =>
        readRecordBatches({
          schema: { ...schema, fields },
          format: 'csv',
          header: ['a', 'b'],
          piece,
          limits,
          batchRecords: 9,
        }),
      ).toThrow(expect.objectContaining({ code: 'ENCODING_INVALID', place: 'line 2' }))
  })
  test.each([
    ['a number that loses digits', '{"a":9007199254740993}'],
    ['a repeated key', '{"a":1,"a":2}'],
    ['a number with two points', '{"a":1.2.3}'],
    ['a number that ends in a point', '{"a":1.}'],
    ['text behind', '{"a":1} x'],
    ['truth that is none', '{"a":trux}'],
    ['what is cut', '{"a":tru'],
  ])('%s is refused also behind lines of the same form', (_, line) => {
    for (const before of ['', '{"a":1}\n{"a":2}\n', '{"a":true}\n'])
      expect(() =>
        recordsOf({ format: 'jsonl', header: [], piece: bytesOf(before + line), batchRecords: 9 }),
      ).toThrow(/JSON|line/)
  })
})

/** Strict JSON takes no number that would lose digits; those are tested by name. */
function isTaken(line: string): boolean {
  try {
    parseJsonLine(bytesOf(line), 1, limits)
    return true
  } catch {
    return false
  }
}

function fromPairs(pairs: readonly (readonly [string, unknown])[]): unknown {
  const out = {}
  for (const [name, value] of pairs)
    Object.defineProperty(out, name, { value, enumerable: true, configurable: true })
  return out
}
