import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readCsvColumns } from '../columnar/batch-reader.js'
import { canonicalRows } from '../columnar/canonical-rows.js'
import { csvHeader } from '../columnar/scan-csv.js'
import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { csvRows } from './csv-rows.js'
import { parseCsvSource } from './csv-source.js'
import { defaultSourceLimits, fullLimits } from './source-limits.js'
import { utf8Chunks } from './text-chunks.js'

/** The cases that `@sealpool/poc` is held to as well: a proof and a refiner must see the same rows. */
interface Case {
  readonly name: string
  readonly text: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}
const cases = JSON.parse(
  readFileSync(new URL('../../../../conformance/csv/cases.json', import.meta.url), 'utf8'),
) as { readonly accepted: readonly Case[]; readonly refused: readonly Case[] }
const limits = fullLimits(defaultSourceLimits)
const encode = (text: string) => new TextEncoder().encode(text)

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

async function streamed(text: string, size: number) {
  const rows: unknown[] = []
  for await (const row of csvRows(inPieces(encode(text), size), limits)) rows.push(row)
  return rows
}

/** Through the columns that file jobs read: one text column per name of the header. */
async function inColumns(text: string) {
  const parts: Uint8Array[] = []
  for await (const part of utf8Chunks(inPieces(encode(text), 3))) parts.push(part)
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
  if (bytes.length === 0) throw new RefineError('CSV_HEADER_INVALID', 'line 1', 'The export has no header')
  const { header, rest } = csvHeader(bytes, limits)
  const names = header.map((_, index) => `c${index}`)
  const schema: RefinerSchema = {
    id: 's',
    version: '1.0.0',
    source: 'csv',
    notes: [],
    tables: {
      t: {
        description: 'd',
        columns: Object.fromEntries(names.map((name) => [name, { type: 'text', description: 'd' }])),
      },
    },
    direct: {
      table: 't',
      columns: Object.fromEntries(names.map((name, index) => [name, { from: header[index] ?? '' }])),
    },
  }
  const rows: string[][] = []
  canonicalRows(readCsvColumns(schema, header, rest, limits), 0, new Uint8Array(), (row) => {
    const read = JSON.parse(new TextDecoder().decode(row)) as Record<string, string>
    rows.push(names.map((name) => read[name] ?? ''))
  })
  return { header, rows }
}

describe('the CSV of proofs and refiners', () => {
  test.each(cases.accepted)('takes $name', async ({ text, header, rows }) => {
    const records = rows.map((row) => Object.fromEntries(row.map((field, at) => [header[at] ?? '', field])))
    expect(parseCsvSource(encode(text))).toEqual(records)
    for (const size of [1, 3, 1000]) expect(await streamed(text, size)).toEqual(records)
    expect(await inColumns(text)).toEqual({ header, rows })
  })

  test.each(cases.refused)('refuses $name', async ({ text }) => {
    const code = expect.objectContaining({ name: 'RefineError', code: expect.stringMatching(/^CSV_/) })
    expect(() => parseCsvSource(encode(text))).toThrow(code)
    for (const size of [1, 3, 1000]) await expect(streamed(text, size)).rejects.toEqual(code)
    await expect(inColumns(text)).rejects.toEqual(code)
  })
})
