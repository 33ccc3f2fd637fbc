import { describe, expect, test } from 'vitest'
import { definePoc, type Facts, readMail } from '../define/index.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { authenticMailbox } from './dkim/authentic-mailbox.js'
import { evidenceOf, factOf } from './evidence.js'
import { onceEach } from './once-each.js'
import type { SignedFinding } from './signed-content.js'
import { workMeter } from './verification-budget.js'
import { verifySigned } from './verify-source.js'

const keys = ['ed', 'other'].map((selector) => ({
  domain: 'example.org',
  selector,
  record: ed25519Record(mailEd25519),
}))
const field = {
  from: ['From', 'Shop <orders@example.org>'],
  date: ['Date', 'Fri, 20 Nov 2026 10:00:00 +0000'],
  later: ['Date', 'Sat, 21 Nov 2026 10:00:00 +0000'],
  subject: ['Subject', 'Your order'],
} as const
const mail = (names: readonly (keyof typeof field)[], own: { body?: string; selector?: string } = {}) =>
  signMail({
    headers: names.map((name) => field[name]),
    body: 'Thank you.\r\n',
    domain: 'example.org',
    selector: 'ed',
    key: mailEd25519,
    ...own,
  })
const box = (...messages: string[]): Uint8Array =>
  Buffer.from(messages.map((text) => `From x Fri Nov 20 10:00:00 2026\r\n${text}\r\n`).join(''), 'latin1')
const find = (...messages: string[]) =>
  verifySigned({ source: { kind: 'dkim', keys }, bytes: box(...messages), work: workMeter() })
const counted = (...messages: string[]) => find(...messages).map(({ authentic }) => authentic)

const one = mail(['from', 'date'])
const next = mail(['from', 'later'])
const unsigned = one.slice(one.indexOf('From:'))

describe('a letter that stands in a mailbox again', () => {
  test('counts once, and says why it does not count twice', () => {
    const findings = find(one, next, one)
    expect(findings.map(({ authentic }) => authentic)).toEqual([true, true, false])
    expect(findings[2]?.checks.filter(({ result }) => result !== 'pass')).toEqual([
      { name: 'once', result: 'fail', reason: 'REPEATED', essential: true },
    ])
    expect(evidenceOf(findings).at(-1)).toEqual({ check: 'dkim.once', result: 'fail', place: 'REPEATED' })
  })
  test('is the same with fields that nobody signed, with other blanks, and on another line end', () => {
    expect(
      counted(one, `X-Copy: 2\r\n${one}`, one.replace('Thank you.', 'Thank \t you.  '), `${one}\r\n\r\n`),
    ).toEqual([true, false, false, false])
  })
  test('is the same by each of its signatures, whatever else one of them signs', () => {
    const [first = '', second = ''] = [
      mail(['from', 'date']),
      mail(['from', 'subject'], { selector: 'other' }),
    ].map((text) => text.slice(0, text.indexOf('From:')))
    const body = `From: ${field.from[1]}\r\nDate: ${field.date[1]}\r\nSubject: ${field.subject[1]}\r\n\r\nThank you.\r\n`
    expect(counted(`${first}${body}`, `${second}${body}`, `${first}${second}${body}`)).toEqual([
      true,
      false,
      false,
    ])
  })
  test('is the same where a field was put in front of one that is signed', () => {
    expect(counted(one, `Date: today\r\n${one}`)).toEqual([true, false])
  })
  test('and two letters of the same words on two days are two, in every order', () => {
    expect(counted(one, next, one, next)).toEqual([true, true, false, false])
    expect(counted(next, one)).toEqual([true, true])
    const [plain, dated] = [mail(['from', 'subject', 'date']), mail(['from', 'subject', 'later'])]
    expect(counted(one, plain, dated, next)).toEqual([true, false, true, false])
  })
  test('is looked at beside so many others that sign other fields, and no more', () => {
    const found = (number: number): SignedFinding => ({
      kind: 'dkim',
      authentic: true,
      checks: [],
      signer: 'example.org',
      signedContent: new Uint8Array(32),
      signedFields: new Map([
        ['date', `date:${number}`],
        [`x-${number}`, ''],
      ]),
    })
    const kept = onceEach(Array.from({ length: 200 }, (_, number) => found(number)))
    expect(kept.filter(({ authentic }) => authentic)).toHaveLength(64)
    const same = onceEach(
      Array.from({ length: 200 }, (_, number) => ({
        ...found(0),
        signedFields: new Map([['date', `${number}`]]),
      })),
    )
    expect(same.every(({ authentic }) => authentic)).toBe(true)
  })
  test('is not looked at again for every set of names that somebody makes', () => {
    let looks = 0
    class Counted extends Map<string, string> {
      override get(name: string) {
        looks++
        return super.get(name)
      }
    }
    const names = Array.from({ length: 12 }, (_, bit) => `x-${bit}`)
    const found = (date: number, set: number): SignedFinding => ({
      kind: 'dkim',
      authentic: true,
      checks: [],
      signer: 'example.org',
      signedContent: new Uint8Array(32),
      signedFields: new Counted([
        ['date', `${date}`],
        ...names.flatMap((name, bit): [string, string][] => ((set >> bit) % 2 === 1 ? [] : [[name, '']])),
      ]),
    })
    const of = (sets: number, dateOf: (set: number) => number): number => {
      looks = 0
      onceEach([
        ...Array.from({ length: 300 }, (_, date) => found(date, 0)),
        ...Array.from({ length: sets }, (_, set) => found(dateOf(set), set + 1)),
      ])
      return looks
    }
    for (const dateOf of [(set: number) => 300 + set, () => 0]) {
      const least = of(63, dateOf)
      expect(least).toBeGreaterThan(300)
      expect(of(1000, dateOf)).toBe(least)
    }
  })
  test('goes to a refiner once', () => {
    const text = Buffer.from(authenticMailbox({ bytes: box(one, one, next), keys })).toString('latin1')
    expect(readMail(text).map(({ headers }) => headers.find(([name]) => name === 'date')?.[1])).toEqual([
      field.date[1],
      field.later[1],
    ])
  })
})

describe('the share that is authentic', () => {
  const poc = definePoc({
    id: 'x',
    version: '1',
    sources: [{ kind: 'dkim', keys }],
    input: String,
    checks: { any: () => ({ passed: true }) },
    score: { authenticity: 1 },
  })
  const share = (...messages: string[]): number => {
    const authenticity: Facts['authenticity'] = [factOf('dkim', find(...messages))]
    const facts = { uniqueness: { duplicate: false }, owner: '0x00', authenticity }
    return poc.evaluate({ file: { mediaType: 'application/mbox', text: 'x' }, facts }).score
  }
  test('is that without what is repeated: a copy neither raises nor lowers it', () => {
    expect(share(one, unsigned)).toBe(0.5)
    expect(share(one, one, one, one, unsigned)).toBe(0.5)
    expect(share(one, one, next)).toBe(1)
    expect(share(unsigned, unsigned)).toBe(0)
  })
  test('code is told of repeated parts where there are any, and what it was told before where there are none', () => {
    expect(factOf('dkim', find(one, one))).toMatchObject({
      authentic: true,
      parts: [true, false],
      repeated: [false, true],
      signedHeaders: [['from', 'date'], []],
    })
    expect(factOf('dkim', find(one, next))).not.toHaveProperty('repeated')
    expect(factOf('dkim', find(one, one, unsigned)).authentic).toBe(false)
  })
})
