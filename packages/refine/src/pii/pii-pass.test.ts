import { describe, expect, test } from 'vitest'
import type { NamedTable, PiiMode } from '../schema/table-schema.js'
import { createPiiPass, requirePiiKey } from './pii-pass.js'

const table = (pii?: PiiMode): NamedTable => ({
  name: 't',
  description: 'd',
  columns: {
    note: { type: 'text', description: 'd', ...(pii === undefined ? {} : { pii }) },
    other: { type: 'text', description: 'd' },
  },
})
const row = { note: 'Write to ann@example.org', other: 'bob@example.org' }
const key = new Uint8Array(32).fill(7)

describe('createPiiPass', () => {
  test.each([
    ['drop', 'Write to '],
    ['mask', 'Write to ***@*******.***'],
    ['token', 'Write to [email:1]'],
    ['generalise', 'Write to [email]'],
  ] as const)('%s changes the column that asks, and no other', (mode, note) => {
    expect(createPiiPass()(table(mode), row, 0)).toEqual({ ...row, note })
  })

  test('hash needs the key, and goes by it', () => {
    const hashed = (with_: Uint8Array) =>
      (createPiiPass({ key: with_ })(table('hash'), row, 0) as typeof row).note
    expect(hashed(key)).toMatch(/^Write to \[email:[0-9a-f]{32}\]$/)
    expect(hashed(new Uint8Array(32))).not.toBe(hashed(key))
    expect(() => createPiiPass()(table('hash'), row, 0)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID' }),
    )
    expect(() => createPiiPass({ key: new Uint8Array(31) })(table('hash'), row, 0)).toThrow(/pool key/)
  })

  test('refuse tells the place and not the value', () => {
    const refuse = () => createPiiPass()(table('refuse'), row, 4)
    expect(refuse).toThrow(expect.objectContaining({ code: 'PII_FOUND', place: 't[4].note' }))
    expect(refuse).not.toThrow(/ann/)
    expect(createPiiPass()(table('refuse'), { ...row, note: 'nothing here' }, 0)).toEqual({
      ...row,
      note: 'nothing here',
    })
  })

  test('what asks for nothing, or is no row, passes', () => {
    expect(createPiiPass()(table(), row, 0)).toBe(row)
    for (const other of [null, 5, [], { note: 5 }, { note: '' }])
      expect(createPiiPass()(table('mask'), other, 0)).toBe(other)
  })
})

test('a schema with a column of hashes needs a key before anything is read, and no other schema does', () => {
  const schema = (pii?: PiiMode) => ({
    id: 's',
    version: '1.0.0',
    source: 'json' as const,
    tables: { t: table(pii) },
    notes: [],
  })
  expect(requirePiiKey(schema('hash'), key)).toBe(key)
  expect(requirePiiKey(schema('mask'), undefined)).toBeUndefined()
  for (const none of [undefined, new Uint8Array(31)])
    expect(() => requirePiiKey(schema('hash'), none)).toThrow(
      expect.objectContaining({ code: 'ARGUMENT_INVALID', place: 'piiKey' }),
    )
})
