import { expect, test } from 'vitest'
import { exportFormat } from './export-format.js'

const dated = 'From ann@example.org Wed May  1 08:00:00 2024'
const formatOf = (text: string, name?: string, mediaType?: string) =>
  exportFormat({ head: new TextEncoder().encode(text), name, mediaType })

test.each([
  ['X.mbox/mbox', `${dated}\nSubject: x\n\ny\n`, undefined],
  ['Mail/Local Folders/Inbox', 'From - Wed May 01 08:00:00 2024\r\nX-Mozilla-Status: 0001\r\n', undefined],
  ['info@example.org', `${dated}\nSubject : x\n`, 'application/octet-stream'],
  [undefined, `${dated}\n>From me Mon Jan 1\nReturn-Path: <a@b>\n`, undefined],
])('a mailbox without an ending is recognised: %s', (name, text, mediaType) => {
  expect(formatOf(text, name, mediaType)).toBe('mbox')
})

test.each([
  ['text', 'From today on we meet at 9.\nWhere: here\n'],
  ['a separator without its date', 'From ann@example.org\nSubject: x\n'],
  ['a separator in front of text', `${dated}\nHello Ann,\n`],
  ['a separator alone', dated],
  ['a field of a header alone', 'Subject: x\n\ny\n'],
  ['something in front', `\n${dated}\nSubject: x\n`],
])('no mailbox: %s', (_, text) => {
  expect(formatOf(text, 'Inbox')).toBeUndefined()
})

test('what the name or the media type says goes first', () => {
  const text = `${dated}\nSubject: x\n`
  expect(formatOf(text, 'a.csv')).toBe('csv')
  expect(formatOf(text, 'Inbox', 'message/rfc822')).toBe('message')
})
