import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authenticMailbox } from '../authenticity/dkim/authentic-mailbox.js'
import { splitMailbox } from '../authenticity/dkim/mbox.js'
import { readMessage } from '../authenticity/dkim/message.js'
import { verifyDkim } from '../authenticity/dkim/verify-dkim.js'
import { factOf } from '../authenticity/evidence.js'
import { workMeter } from '../authenticity/verification-budget.js'
import { verifySigned } from '../authenticity/verify-source.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { authenticMail, headerOf, readMail } from './read-mail.js'

const box =
  'From a Fri Nov 20 10:00:00 2026\r\nFrom: A <a@b>\r\nSubject: one\r\n two\r\nX: 1\r\nX: 2\r\n\r\nHi\r\n>From me\r\n\r\nFrom b Fri Nov 20 10:00:00 2026\r\nFrom: b@b\r\n\r\n'
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
describe('what a signed message quotes is no message', () => {
  const key = mailEd25519
  const base = { domain: 'example.org', selector: 'ed', key }
  const fields = (subject: string) =>
    [
      ['From', 'Shop <orders@example.org>'],
      ['Subject', subject],
    ] as const
  const note =
    'note:\r\n\r\nFrom x Fri Nov 20 10:00:00 2026\r\nFrom: Shop <orders@example.org>\r\nSubject: Order 99\r\n\r\nTotal: 9999.00\r\n'
  const first = signMail({ ...base, headers: fields('Order 1'), body: note })
  const second = signMail({ ...base, headers: fields('Order 2'), body: 'Total: 2.00\r\n' })
  const source = {
    kind: 'dkim',
    keys: [{ domain: 'example.org', selector: 'ed', record: ed25519Record(key) }],
  } as const
  const read = (box: string) => {
    const findings = verifySigned({
      source,
      bytes: Uint8Array.from(Buffer.from(box, 'latin1')),
      work: workMeter(),
    })
    return authenticMail(box, factOf('dkim', findings)).map((mail) => headerOf(mail, 'subject'))
  }
  test.each(['\r\r', '\r\r\n', '\n\r', '\r'])('whatever carriage returns stand before it: %j', (gap) => {
    const forged = first.replace('note:\r\n\r\nFrom x', `note:${gap}From x`)
    expect(
      read(
        `From a Fri Nov 20 10:00:00 2026\r\n${forged}\r\n\r\nFrom y Fri Nov 20 10:00:00 2026\r\n${second}`,
      ),
    ).toEqual(['Order 2'])
  })
  test('a message whose lines are as they were signed is read', () => {
    const quoted = first.replace('\nFrom x', '\n>From x')
    expect(
      read(
        `From a Fri Nov 20 10:00:00 2026\r\n${quoted}\r\n\r\nFrom y Fri Nov 20 10:00:00 2026\r\n${second}`,
      ),
    ).toEqual(['Order 1', 'Order 2'])
    expect(read(`\ufeffFrom a Fri Nov 20 10:00:00 2026\r\n${second}`)).toEqual([])
  })
  test('fields that no signature covers are not read, and a required one makes the message none', () => {
    const bare = signMail({ ...base, headers: fields('x').slice(0, 1), body: 'Total: 3.00\r\n' })
    const forged = `Subject: Order 5, total 500.00\r\n${bare}`
    expect(read(forged)).toEqual([undefined])
    const twice = `Subject: Order 5\r\n${second}`
    expect(read(twice)).toEqual([undefined])
    const check = (text: string) =>
      verifyDkim({ message: Buffer.from(text, 'latin1'), keys: source.keys, require: ['Subject'] })
    expect(check(second).authentic).toBe(true)
    for (const text of [forged, twice, bare]) {
      expect(check(text).checks.filter(({ result }) => result !== 'pass')).toEqual([
        { name: 'headers', result: 'fail', reason: 'HEADER_NOT_SIGNED', essential: true },
      ])
    }
  })
  test('the mailbox for a refiner holds what a proof reads, and nothing more', () => {
    const quoted = first.replace('\nFrom x', '\n>From x')
    const forged = second.replace('2.00', '3.00')
    const box = `From a Fri Nov 20 10:00:00 2026\r\nX-A: 1\r\n${quoted}\r\nFrom b Fri Nov 20 10:00:00 2026\r\n${forged}\r\nFrom c Fri Nov 20 10:00:00 2026\r\n${second}\r\n`
    const bytes = Uint8Array.from(Buffer.from(box, 'latin1'))
    const read = authenticMail(box, factOf('dkim', verifySigned({ source, bytes, work: workMeter() })))
    const kept = Buffer.from(authenticMailbox({ bytes, keys: source.keys })).toString('latin1')
    expect(read).toHaveLength(2)
    expect(readMail(kept)).toEqual(read)
    expect(authenticMailbox({ bytes, keys: [] })).toHaveLength(0)
  })
  test('without a fact, or with one about something else, nothing is read', () => {
    expect(authenticMail(second, undefined)).toEqual([])
    const fact = { kind: 'jws', authentic: true, signer: 'A', parts: [true] } as const
    expect(authenticMail(second, fact)).toEqual([])
  })
})
test('a mailbox of more messages than the host takes has none', () => {
  const box = 'From a Fri Nov 20 10:00:00 2026\n\n'.repeat(10_001)
  expect([readMail(box).length, splitMailbox(new TextEncoder().encode(box))]).toEqual([0, undefined])
  expect(readMail('From a Fri Nov 20 10:00:00 2026\n\n'.repeat(10_000))).toHaveLength(10_000)
})

test('there are as many messages as the host verifies, in the same order', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          'From ',
          '\n',
          '\r\n',
          '\r',
          '\n\n',
          '>From ',
          'From a Fri Nov 20 10:00:00 2026',
          '\ufeff',
          '\u2028',
          'a',
          'b: c',
        ),
        { maxLength: 30 },
      ),
      fc.boolean(),
      (parts, decoded) => {
        const original = parts.join('')
        const file = new TextEncoder().encode(original)
        const text = decoded ? original : Buffer.from(file).toString('latin1')
        const bytes = splitMailbox(file) ?? []
        const messages = readMail(text)
        expect(messages.length).toBe(bytes.length)
        bytes.forEach((one, index) => {
          const host = readMessage(one)
          if (host !== undefined)
            expect(messages[index]?.headers.map(([name]) => name)).toEqual(
              host.headers.map(({ name }) => name),
            )
          // What holds a bare carriage return is no message to either.
          else if (/\r(?!\n)/.test(Buffer.from(one).toString('latin1')))
            expect(messages[index]).toEqual({ headers: [], body: '' })
        })
      },
    ),
    { numRuns: 500 },
  )
})
