import { expect, test } from 'vitest'
import { readAnswer } from './protocol.js'

const lost = { ok: false, code: 'RUNTIME_LOST' }

test('an honest answer is taken as it is', () => {
  expect(readAnswer({ head: { ok: true, logs: ['a'] }, texts: ['1'] })).toEqual({
    ok: true,
    output: '1',
    attachments: [],
    logs: ['a'],
  })
  const failed = { ok: false, code: 'THREW', message: 'm', place: 'line 1' } as const
  expect(readAnswer({ head: failed, texts: [] })).toEqual(failed)
})

test.each([
  ['no output', { ok: true, logs: [] }, []],
  ['no logs', { ok: true }, ['1']],
  ['an unknown code', { ok: false, code: 'constructor', message: 'm', place: 'p' }, []],
  ['a code only the parent may give', { ok: false, code: 'LIMITS_INVALID', message: 'm', place: 'p' }, []],
  ['a message that is no text', { ok: false, code: 'THREW', message: {}, place: 'p' }, []],
  [
    'a message long enough to carry data',
    { ok: false, code: 'THREW', message: 'x'.repeat(201), place: 'p' },
    [],
  ],
  ['neither', {}, []],
])('an answer with %s counts as a lost child', (_name, head, texts) => {
  expect(readAnswer({ head, texts })).toMatchObject(lost)
})

test('logs of a child that ignores its bounds are cut here', () => {
  const logs = Array.from({ length: 200 }, () => 'x'.repeat(2000))
  const answer = readAnswer({ head: { ok: true, logs: [...logs, 1] }, texts: ['1'] })
  expect(answer.ok && answer.logs.length).toBe(100)
  expect(answer.ok && answer.logs[0]?.length).toBe(1000)
})
