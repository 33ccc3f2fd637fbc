import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RefinerSchema } from '../schema/table-schema.js'
import { parseJsonLine } from '../source/jsonl-source.js'
import { defaultSourceLimits, fullLimits } from '../source/source-limits.js'
import { property } from '../testing/property.js'
import { readJsonColumns } from './batch-reader.js'
import { readRecordBatches } from './record-columns.js'

const limits = fullLimits(defaultSourceLimits)
const bytesOf = (text: string) => new TextEncoder().encode(text)
const schema: RefinerSchema = {
  id: 'a',
  version: '1.0.0',
  source: 'rows',
  notes: [],
  tables: {
    t: {
      description: 'd',
      columns: { b: { type: 'decimal', decimals: 2, nullable: true, description: 'd' } },
    },
  },
}

/** What a reader makes of the line behind lines of the same form: the code of its refusal, or that it took it. */
function outcome(read: () => unknown): unknown {
  try {
    read()
    return 'taken'
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

describe('a number behind lines of the same form', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('0', '1', '5', '-', '.'), minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      '1-2',
      '1-',
      '-',
      '1.-2',
      '5.5-1',
      '1--2',
      '--1',
      '1.',
      '.5',
      '-.5',
      '01',
      '-01',
      '1.2.3',
      '0.50',
      '9007199254740993',
      '-1234567890123456',
      '9007199254740991',
      '123456789012345',
    ),
  )
  property('is what the strict reader says, also where nobody reads its field', [text], (number) => {
    const line = `{"a":1,"b":${number}}`
    const piece = bytesOf(`{"a":1,"b":1}\n{"a":1,"b":1.5}\n${line}\n`)
    const wanted = outcome(() => parseJsonLine(bytesOf(line), 1, limits))
    const records = (own: object) => () =>
      readRecordBatches({
        schema: { ...schema, ...own },
        format: 'jsonl',
        header: [],
        piece,
        limits,
        batchRecords: 9,
      })
    expect(outcome(records({}))).toBe(wanted)
    expect(outcome(records({ fields: [{ name: 'b' }] }))).toBe(wanted)
    expect(outcome(records({ fields: [{ name: 'a' }] }))).toBe(wanted)
    const direct = (columns: RefinerSchema['direct'] & object) => () =>
      readJsonColumns({ ...schema, direct: columns }, piece, limits)
    expect(outcome(direct({ table: 't', columns: { b: { from: 'b', by: 'same' } } }))).toBe(wanted)
    expect(outcome(direct({ table: 't', columns: { b: { from: 'a' } } }))).toBe(wanted)
  })
})

test('a record has as many fields as a CSV may have columns, and no more', () => {
  const line = (count: number) =>
    `{${Array.from({ length: count }, (_, at) => `"${'k'.repeat(20)}${at}":1`).join(',')}}`
  const records = (text: string, own: object = {}) =>
    readRecordBatches({
      schema: { ...schema, ...own },
      format: 'jsonl',
      header: [],
      piece: bytesOf(text),
      limits,
      batchRecords: 9,
    })
  const { columns } = limits
  expect(records(`${line(columns)}\n${line(columns)}\n`)).toMatchObject([{ count: 2 }])
  const refused = expect.objectContaining({ code: 'LIMIT_EXCEEDED', place: 'line 2' })
  const text = `{"k":1}\n${line(columns + 1)}\n`
  expect(() => records(text)).toThrow(refused)
  expect(() => records(text, { fields: [{ name: 'k', optional: true }] })).toThrow(refused)
  expect(() => parseJsonLine(bytesOf(line(columns + 1)), 2, limits)).toThrow(refused)
})
