import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitMailbox } from '../authenticity/dkim/mbox.js'
import { readMessage } from '../authenticity/dkim/message.js'
import { headerOf, readMail } from './read-mail.js'

const box =
  'From a Fri\r\nFrom: A <a@b>\r\nSubject: one\r\n two\r\nX: 1\r\nX: 2\r\n\r\nHi\r\n>From me\r\n\r\nFrom b Fri\r\nFrom: b@b\r\n\r\n'
test('messages are read with their fields unfolded and their quoting undone', () => {
  const [first, second] = readMail(box)
  expect(first?.body).toBe('Hi\nFrom me')
  expect(
    first === undefined ? [] : [headerOf(first, 'Subject'), headerOf(first, 'x'), headerOf(first, 'y')],
  ).toEqual(['one two', undefined, undefined])
  expect(second?.headers).toEqual([['from', 'b@b']])
  expect(readMail('Subject: x\n\nbody')).toEqual([{ headers: [['subject', 'x']], body: 'body' }])
  expect(readMail('')).toEqual([])
})
test('there are as many messages as the host verifies, in the same order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('From ', '\n', '\r\n', '\n\n', '>From ', 'a', 'b: c'), { maxLength: 30 }),
      (parts) => {
        const text = parts.join('')
        const bytes = splitMailbox(new TextEncoder().encode(text)) ?? []
        const messages = readMail(text)
        expect(messages.length).toBe(bytes.length)
        bytes.forEach((one, index) => {
          const host = readMessage(one)
          if (host !== undefined)
            expect(messages[index]?.headers.map(([name]) => name)).toEqual(
              host.headers.map(({ name }) => name),
            )
        })
      },
    ),
    { numRuns: 500 },
  )
})
