import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import type { ColumnSchema } from '../schema/table-schema.js'
import { parseCsvSource } from '../source/csv-source.js'
import { parseJsonSource } from '../source/json-source.js'
import { property } from '../testing/property.js'
import { directCell } from './direct-cell.js'

const encode = (text: string) => new TextEncoder().encode(text)
const types = {
  integer: { type: 'integer', description: 'd' },
  decimal: { type: 'decimal', decimals: 2, description: 'd' },
  text: { type: 'text', description: 'd' },
  boolean: { type: 'boolean', description: 'd' },
  date: { type: 'date', description: 'd' },
} as const satisfies Record<string, ColumnSchema>
type Type = keyof typeof types

/** What becomes of a field: the cell, or the code of its refusal. */
function outcome(type: Type, field: unknown): unknown {
  const column = { ...types[type], nullable: true }
  try {
    const cell = directCell(column, {}, field)
    return checkRow({ name: 't', description: 'd', columns: { c: column } }, { c: cell }, 0, 0)['c']
  } catch (error) {
    if (error instanceof RefineError) return error.code
    throw error
  }
}
const inJson = (type: Type, text: string) =>
  outcome(type, (parseJsonSource(encode(`{"f":${text}}`)) as { f: unknown }).f)
const inCsv = (type: Type, text: string) => outcome(type, parseCsvSource(encode(`f\n${text}\n`))[0]?.['f'])

describe('a field means the same in JSON and in CSV', () => {
  test.each<[Type, string, unknown]>([
    ['integer', '5', 5],
    ['integer', '5.0', 5],
    ['integer', '1e3', 1000],
    ['integer', '1.5e1', 15],
    ['integer', '-0', 0],
    ['integer', '-0.0', 0],
    ['integer', '5.5', 'VALUE_TYPE'],
    ['integer', '9007199254740991', 9007199254740991],
    ['integer', 'true', 'VALUE_TYPE'],
    ['decimal', '5', '5.00'],
    ['decimal', '1e1', '10.00'],
    ['decimal', '0.125', 'DECIMAL_PLACES'],
    ['text', '7', '7'],
    ['text', '-7', '-7'],
    ['text', 'true', 'true'],
    ['text', 'false', 'false'],
    ['boolean', 'true', true],
    ['boolean', '1', 'VALUE_TYPE'],
    ['date', '20240229', 'VALUE_TYPE'],
  ])('%s %s', (type, text, want) => {
    expect([inJson(type, text), inCsv(type, text)]).toEqual([want, want])
  })

  property(
    'of integers and texts in any column',
    [fc.constantFrom(...(Object.keys(types) as Type[])), fc.oneof(fc.maxSafeInteger(), fc.string())],
    (type, value) => {
      const json = typeof value === 'string' ? JSON.stringify(value) : String(value)
      const csv = typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : String(value)
      expect(inCsv(type, csv)).toEqual(inJson(type, json))
    },
  )

  test('a number whose written form JSON has lost is no text', () => {
    for (const text of ['1.50', '1.5', '-0.25', '-0']) expect(inJson('text', text)).toBe('VALUE_TYPE')
    // Beyond 2^53 JSON numbers are refused by their reader, and text by its column.
    for (const text of ['9007199254740993', '1e20', '1e300', '1e999'])
      expect(inCsv('integer', text)).toBe('VALUE_TYPE')
  })
})
