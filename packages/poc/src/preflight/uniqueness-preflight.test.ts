import { describe, expect, test } from 'vitest'
import { decodeRowIndex, encodeIndex } from '../uniqueness/index-file.js'
import { createRowIndex } from '../uniqueness/row-index.js'
import { rememberExport, uniquenessPreflight } from './index.js'

const key = new Uint8Array(32).fill(7)
const csv = (rows: readonly string[]) => ({
  bytes: new TextEncoder().encode(`day,place,steps\n${rows.map((row) => `${row}\n`).join('')}`),
  mediaType: 'text/csv',
})
const days = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => {
    const day = new Date(Date.UTC(2026, 0, from + at)).toISOString().slice(0, 10)
    return `${day},${day.slice(5)} Road,${1_000 + 17 * (from + at)}`
  })

describe('rows that repeat inside an export', () => {
  const check = uniquenessPreflight({ key })

  test('are counted and named by number, and not by what they say', async () => {
    const rows = days(1, 6)
    const found = await check(csv([...rows, rows[1] ?? '', rows[1] ?? '']))
    expect(found).toMatchObject({
      id: 'uniqueness',
      result: 'warn',
      repeated: { rows: 7, equal: 2, alike: 0, first: [6, 7], whole: true },
      contributedBefore: null,
    })
    expect(found.detail).toContain('2 of 7 rows repeat an earlier one: 6, 7')
    expect(JSON.stringify(found)).not.toContain('Road')
  })

  test('those that the pool would take for one are told by themselves', async () => {
    const found = await check(csv(['2026-01-01,Road,5000', '2026-01-01T10:00,road,5001']))
    expect(found).toMatchObject({ result: 'warn', repeated: { equal: 0, alike: 1, first: [] } })
  })

  test('an export without any passes, and says what it cannot know', async () => {
    const found = await check(csv(days(1, 9)))
    expect(found.result).toBe('pass')
    expect(found.detail).toContain('what others have contributed is not known here')
  })

  test('lists inside of a document count as rows, and what is no table has none', async () => {
    const json = (value: unknown) => ({
      bytes: new TextEncoder().encode(JSON.stringify(value)),
      mediaType: 'application/json',
    })
    const walk = { day: '2026-01-01', steps: 5 }
    expect((await check(json({ walks: [walk, { steps: 5, day: '2026-01-01' }] }))).repeated).toMatchObject({
      rows: 2,
      equal: 1,
    })
    expect((await check(json([{ odd: '\ud800' }, { odd: '\ud800' }]))).repeated).toMatchObject({ equal: 1 })
    const picture = { bytes: Uint8Array.of(1, 2, 3), mediaType: 'image/png' }
    expect(await check(picture)).toMatchObject({ result: 'pass', repeated: null })
  })

  test('rows in rows count as well', async () => {
    const message = { at: '2026-01-01', words: 'good morning' }
    const chats = [{ with: 'a', messages: [message, { ...message, words: 'other' }, message] }]
    const json = { bytes: new TextEncoder().encode(JSON.stringify(chats)), mediaType: 'application/json' }
    expect(await check(json)).toMatchObject({
      result: 'warn',
      repeated: { rows: 4, equal: 1, first: [4], alike: 0 },
    })
  })

  test('a row that is nested without end ends nothing', async () => {
    const deep = `[{"a":1},{"b":${'['.repeat(100_000)}${']'.repeat(100_000)}},{"a":1}]`
    const json = { bytes: new TextEncoder().encode(deep), mediaType: 'application/json' }
    expect((await check(json)).repeated).toMatchObject({ rows: 3, equal: 1, first: [3] })
  })
})

describe('exports that were contributed before', () => {
  const earlier = createRowIndex({ key })
  rememberExport({ earlier, key, input: csv(days(1, 101)) })
  const kept = encodeIndex({ kind: 'rows', index: earlier, key }).bytes
  const check = uniquenessPreflight({ key, earlier: decodeRowIndex({ bytes: kept, key }) })

  test('the same again fails, a longer one warns, a new one passes', async () => {
    expect(await check(csv(days(1, 101)))).toMatchObject({ result: 'fail', contributedBefore: 1 })
    const longer = await check(csv(days(1, 151)))
    expect(longer.result).toBe('warn')
    expect(longer.contributedBefore).toBeGreaterThan(0.6)
    expect(await check(csv(days(400, 500)))).toMatchObject({ result: 'pass' })
  })

  test('a picture is known as a whole', async () => {
    const picture = { bytes: Uint8Array.of(1, 2, 3), mediaType: 'image/png' }
    const own = createRowIndex({ key })
    const run = uniquenessPreflight({ key, earlier: own })
    expect((await run(picture)).result).toBe('pass')
    expect(rememberExport({ earlier: own, key, input: picture })).toBe(1)
    expect((await run(picture)).result).toBe('fail')
    expect((await run({ ...picture, bytes: Uint8Array.of(1, 2) })).result).toBe('pass')
  })
})

test('it tells how far it is, and stops when it is told to', async () => {
  const told: number[] = []
  const input = csv(Array.from({ length: 2_500 }, (_, at) => `2026-01-01,${at} Road,${at}`))
  await uniquenessPreflight({ key, onProgress: ({ records }) => void told.push(records) })(input)
  expect(told).toEqual([0, 1_000, 2_000])
  const stopped = uniquenessPreflight({ key })(input, AbortSignal.abort(new Error('left')))
  await expect(stopped).rejects.toThrow('left')
})

test('it wants a key of its own and shares that are some', () => {
  expect(() => uniquenessPreflight({ key: key.slice(1) })).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID' }),
  )
  expect(() => uniquenessPreflight({ key, failFrom: 0 })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID' }),
  )
})
