import { describe, expect, test } from 'vitest'
import type { PiiMode, RefinerSchema } from '../schema/table-schema.js'
import { fieldTexts } from './field-texts.js'
import { piiPreflight } from './index.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const schemaWith = (pii?: PiiMode): RefinerSchema => ({
  id: 'notes',
  version: '1.0.0',
  source: 'rows',
  notes: [],
  tables: {
    notes: {
      description: 'Notes.',
      columns: {
        day: { type: 'date', description: 'Day.' },
        note: { type: 'text', nullable: true, description: 'Note.', ...(pii === undefined ? {} : { pii }) },
      },
    },
  },
  direct: { table: 'notes', columns: { day: { from: 'date' }, note: { from: 'words' } } },
})
const look = (text: string, options: { pii?: PiiMode; records?: number } = {}) =>
  piiPreflight({
    refiner: { schema: schemaWith(options.pii) },
    ...(options.records === undefined ? {} : { records: options.records }),
  })({ bytes: utf8(text), mediaType: 'text/csv' })
const head = 'date,words,phone\n'
const mails = `${head}2026-01-02,to ann@example.org,\n2026-01-03,bob@example.org or eve@example.org,+49 30 901820\n`

describe('personal data', () => {
  test('is told by column and field, kind and count, and what becomes of it, and never itself', async () => {
    const found = await look(mails, { pii: 'mask' })
    expect(found).toMatchObject({
      id: 'personal-data',
      result: 'warn',
      columns: [{ column: 'notes.note', kinds: { email: 3 }, policy: 'mask' }],
      fields: [
        { field: 'words', kinds: { email: 3 } },
        { field: 'phone', kinds: { phone: 1 } },
      ],
      records: 2,
      whole: true,
    })
    expect(found.detail).toContain('column notes.note: email (3); the pool’s node masks')
    expect(found.detail).toContain('field phone: phone (1); the sealed file holds it as it is')
    for (const value of ['ann', 'bob', 'eve', '901820']) expect(JSON.stringify(found)).not.toContain(value)
  })

  test('fails where the pool refuses it, warns where the pool takes it as it is, passes where there is none', async () => {
    expect((await look(mails, { pii: 'refuse' })).result).toBe('fail')
    const kept = await look(mails)
    expect(kept.columns).toMatchObject([{ policy: null }])
    expect(kept.result).toBe('warn')
    expect(await look(`${head}2026-01-02,milk,\n`, { pii: 'refuse' })).toMatchObject({
      result: 'pass',
      columns: [],
      fields: [],
    })
  })

  test('says when it did not look at everything', async () => {
    const some = await look(`${head}2026-01-02,milk,\n${'2026-01-02,a@example.org,\n'.repeat(5)}`, {
      records: 3,
    })
    expect(some).toMatchObject({ whole: false, records: 3, columns: [{ kinds: { email: 2 } }] })
    expect(some.detail).toContain('not all could be looked at')
    const broken = await look(`${head}2026-01-02,milk\n`)
    expect(broken).toMatchObject({ result: 'fail', whole: false })
    expect(broken.detail).toContain('CSV_FIELD_COUNT')
  })

  test('stops when it is told to', async () => {
    const run = piiPreflight({ refiner: { schema: schemaWith() } })
    const stopped = run({ bytes: utf8(mails), mediaType: 'text/csv' }, AbortSignal.abort(new Error('left')))
    await expect(stopped).rejects.toThrow('left')
  })
})

test('names of fields that could be values are not told', () => {
  const record = { people: [{ 'ann@example.org': { said: 'x' } }, { name: 'y' }], '0170 123456': 'z', n: 1 }
  expect([...fieldTexts(record)]).toEqual([
    ['people.….said', 'x'],
    ['people.name', 'y'],
    ['…', 'z'],
  ])
})
