import { expect, test } from 'vitest'
import { acceptAnswer } from './accept-answer.js'

const limits = { outputBytes: 6 }
const saying = (output: string) => acceptAnswer({ ok: true, output, logs: [] }, limits)

test('an answer within its limit is taken', () => {
  expect(saying('"1234"')).toEqual({ ok: true, output: '1234', logs: [] })
})

test('an answer past its limit is refused, whatever the child made of the limit', () => {
  expect(saying('"12345"')).toMatchObject({ ok: false, code: 'OUTPUT_TOO_LARGE' })
})

test('attachments are part of an answer, and count as its output does', () => {
  const attached = (attachments: readonly string[]) =>
    acceptAnswer({ ok: true, output: '1', logs: [], attachments }, limits)
  expect(attached(['abc', 'de'])).toEqual({ ok: true, output: 1, logs: [], attachments: ['abc', 'de'] })
  expect(attached(['abc', 'def'])).toMatchObject({ ok: false, code: 'OUTPUT_TOO_LARGE' })
  expect(attached(Array.from({ length: 65 }, () => ''))).toMatchObject({
    ok: false,
    code: 'OUTPUT_TOO_LARGE',
  })
})

test('an answer that is no JSON is refused', () => {
  expect(saying('{')).toMatchObject({ ok: false, code: 'OUTPUT_NOT_JSON' })
})
