import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ed25519Record, mailEd25519, signMail } from '../../testing/signed-mail.js'
import { splitMailbox } from './mbox.js'
import { type DkimKey, verifyDkim } from './verify-dkim.js'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaRecord = `v=DKIM1; p=${rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const keys: DkimKey[] = [
  { domain: 'example.org', selector: 'ed', record: ed25519Record(mailEd25519) },
  { domain: 'example.org', selector: 'rsa', record: rsaRecord },
]
const headers = [
  ['From', 'Shop <orders@example.org>'],
  ['To', 'canary@example.net'],
  ['Subject', 'Order   4711'],
  ['Date', 'Fri, 20 Nov 2026 10:00:00 +0000'],
] as const
const body = 'Thank you  for your order.\r\n\r\nTotal: 12.50 \r\n\r\n\r\n'
const base = { headers, body, domain: 'example.org', selector: 'ed', key: mailEd25519 }
const mail = signMail(base)
const verify = (text: string, own: Partial<Parameters<typeof verifyDkim>[0]> = {}) =>
  verifyDkim({ message: bytes(text), keys, ...own })
const reasons = (text: string, own = {}) => {
  const result = verify(text, own)
  expect(JSON.stringify(result)).not.toContain('canary')
  return [
    result.authentic,
    ...result.checks.filter((check) => check.result !== 'pass').map((check) => check.reason),
  ]
}

// RFC 8463 appendix A: one message, signed with both algorithms by the authors of the standard.
const rfc8463 = [
  'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
  ' d=football.example.com; i=@football.example.com;',
  ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
  ' subject : date : message-id : from : subject : date;',
  ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
  ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
  ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
  'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
  ' d=football.example.com; i=@football.example.com;',
  ' q=dns/txt; s=test; t=1528637909; h=from : to : subject :',
  ' date : message-id : from : subject : date;',
  ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
  ' b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3',
  ' DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz',
  ' dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=',
  'From: Joe SixPack <joe@football.example.com>',
  'To: Suzie Q <suzie@shopping.example.net>',
  'Subject: Is dinner ready?',
  'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
  'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
  '',
  'Hi.',
  '',
  'We lost the game.  Are you hungry yet?',
  '',
  'Joe.',
  '',
].join('\r\n')
const football = 'football.example.com'
const brisbane = {
  domain: football,
  selector: 'brisbane',
  record: 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
}
const testSelector = {
  domain: football,
  selector: 'test',
  record:
    'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB',
}
const at = 1_528_637_910

describe('the message of RFC 8463', () => {
  test.each([
    ['Ed25519', brisbane],
    ['RSA', testSelector],
  ])('holds by its %s key', (_name, key) => {
    expect(verify(rfc8463, { keys: [key], at })).toMatchObject({ authentic: true, signer: football })
  })
  test('holds as it lies on disk, with bare line feeds', () => {
    expect(verify(rfc8463.replaceAll('\r\n', '\n'), { keys: [brisbane], at }).authentic).toBe(true)
  })
  test('does not hold with another word, another sender or another key', () => {
    expect(reasons(rfc8463.replace('lost', 'won'), { keys: [brisbane], at })).toEqual([false, 'BODY_CHANGED'])
    expect(reasons(rfc8463.replace('From: Joe', 'From: Jo'), { keys: [brisbane], at })).toEqual([
      false,
      'SIGNATURE_INVALID',
    ])
    const stranger = { ...brisbane, record: ed25519Record(mailEd25519) }
    expect(reasons(rfc8463, { keys: [stranger], at })).toEqual([false, 'SIGNATURE_INVALID'])
  })
})

test('a signed message is authentic, by either algorithm, and names the domain', () => {
  expect(verify(mail)).toMatchObject({ authentic: true, signer: 'example.org' })
  expect(verify(signMail({ ...base, selector: 'rsa', key: rsa.privateKey })).authentic).toBe(true)
})

test.each<[string, string, readonly unknown[]]>([
  ['an unsigned message', mail.slice(mail.indexOf('From:')), [false, 'NOT_SIGNED']],
  ['text added behind a length', signMail({ ...base, extraTags: 'l=10; ' }), [false, 'LENGTH_TAG']],
  ['an expired signature', signMail({ ...base, extraTags: 't=100; x=200; ' }), [false, 'EXPIRED']],
  ['a signature of the future', signMail({ ...base, extraTags: 't=5000; ' }), [false, 'NOT_YET_VALID']],
  [
    'an expiry before the beginning',
    signMail({ ...base, extraTags: 't=200; x=100; ' }),
    [false, 'MALFORMED_SIGNATURE'],
  ],
  [
    'an identity elsewhere',
    signMail({ ...base, extraTags: 'i=@evil.org; ' }),
    [false, 'MALFORMED_SIGNATURE'],
  ],
  [
    'an identity that ends alike',
    signMail({ ...base, extraTags: 'i=@evilexample.org; ' }),
    [false, 'MALFORMED_SIGNATURE'],
  ],
  ['a tag twice', signMail({ ...base, extraTags: 'q=dns/txt; q=dns/txt; ' }), [false, 'MALFORMED_SIGNATURE']],
  ['an unknown selector', signMail({ ...base, selector: 'other' }), [false, 'UNKNOWN_KEY']],
  [
    'a second sender',
    mail.replace('To:', 'From: x@example.org\r\nTo:'),
    [false, 'SIGNATURE_INVALID', 'FROM_NOT_ONE'],
  ],
  [
    'a sender of another domain',
    signMail({ ...base, headers: [['From', '"a@example.org" <b@evil.org>'], ...headers.slice(1)] }),
    [false, 'FROM_OF_ANOTHER_DOMAIN'],
  ],
  [
    'a sender in a comment',
    signMail({ ...base, headers: [['From', 'b@evil.org (a@example.org)'], ...headers.slice(1)] }),
    [false, 'FROM_OF_ANOTHER_DOMAIN'],
  ],
  [
    'two addresses',
    signMail({ ...base, headers: [['From', 'b@evil.org, a@example.org'], ...headers.slice(1)] }),
    [false, 'FROM_OF_ANOTHER_DOMAIN'],
  ],
  [
    'a sender that is not signed',
    signMail({ ...base, headers: headers.slice(1) }).replace('To:', 'From: a@example.org\r\nTo:'),
    [false, 'FROM_NOT_SIGNED'],
  ],
  ['another algorithm', mail.replace('a=ed25519-sha256', 'a=rsa-sha1'), [false, 'MALFORMED_SIGNATURE']],
  [
    'the algorithm of another key',
    mail.replace('a=ed25519-sha256', 'a=rsa-sha256'),
    [false, 'WRONG_ALGORITHM'],
  ],
  ['no header at all', 'canary', [false, 'MALFORMED_MESSAGE']],
  ['a continuation before any field', ' canary: 1\r\n\r\n', [false, 'MALFORMED_MESSAGE']],
])('%s is not', (_name, text, expected) => {
  expect(reasons(text, { at: 1000 })).toEqual(expected)
})

test('without a time, a signature that may have expired is not checked, and so not authentic', () => {
  const expiring = signMail({ ...base, extraTags: 't=100; x=2000; ' })
  expect(reasons(expiring)).toEqual([false, 'NO_TIME_GIVEN'])
  expect(reasons(expiring, { at: 1000 })).toEqual([true])
})

test.each<[string, string, string]>([
  ['revoked', 'v=DKIM1; k=ed25519; p=', 'KEY_REVOKED'],
  ['in testing', `${ed25519Record(mailEd25519)}; t=y`, 'KEY_IN_TESTING'],
  ['of another kind', ed25519Record(mailEd25519).replace('k=ed25519; ', ''), 'WRONG_ALGORITHM'],
  ['for another hash', `${ed25519Record(mailEd25519)}; h=sha1`, 'WRONG_ALGORITHM'],
  ['for another service', `${ed25519Record(mailEd25519)}; s=other`, 'NOT_FOR_MAIL'],
  ['of another version', ed25519Record(mailEd25519).replace('DKIM1', 'DKIM2'), 'MALFORMED_KEY'],
  ['cut short', ed25519Record(mailEd25519).slice(0, -4), 'MALFORMED_KEY'],
  ['no list of tags', 'p', 'MALFORMED_KEY'],
])('a key that is %s signs nothing', (_name, record, reason) => {
  expect(reasons(mail, { keys: [{ domain: 'example.org', selector: 'ed', record }] })).toEqual([
    false,
    reason,
  ])
})

test('a key for the very domain does not take identities below it', () => {
  const below = signMail({ ...base, extraTags: 'i=@mail.example.org; ' })
  expect(verify(below).authentic).toBe(true)
  const strict = [{ domain: 'example.org', selector: 'ed', record: `${ed25519Record(mailEd25519)}; t=s` }]
  expect(reasons(below, { keys: strict })).toEqual([false, 'WRONG_IDENTITY'])
})

test('one signature that holds is enough, wherever it stands', () => {
  const broken = 'DKIM-Signature: v=1; a=rsa-sha256\r\n'
  expect(verify(`${broken}${mail}`).authentic).toBe(true)
  // Within reason: more are not looked at.
  expect(verify(`${broken.repeat(2)}${mail}`).authentic).toBe(true)
  expect(verify(`${broken.repeat(3)}${mail}`).authentic).toBe(false)
})

test('every record of a selector is a key, so that one may be changed', () => {
  const other = ed25519Record(generateKeyPairSync('ed25519').privateKey)
  const record = (text: string): DkimKey => ({ domain: 'example.org', selector: 'ed', record: text })
  const good = record(ed25519Record(mailEd25519))
  for (const known of [
    [record(other), good],
    [good, record(other)],
    [record('v=DKIM1; p='), good],
  ]) {
    expect(verify(mail, { keys: known })).toMatchObject({ authentic: true, signer: 'example.org' })
  }
  expect(reasons(mail, { keys: [record(other)] })).toEqual([false, 'SIGNATURE_INVALID'])
  expect(reasons(mail, { keys: [record('v=DKIM1; p=')] })).toEqual([false, 'WRONG_ALGORITHM'])
  expect(reasons(mail, { keys: [record('v=DKIM1; k=ed25519; p=')] })).toEqual([false, 'KEY_REVOKED'])
})
test('a bare carriage return makes no message', () => {
  expect(reasons(mail.replace('\r\nTotal', '\rTotal'))).toEqual([false, 'MALFORMED_MESSAGE'])
  expect(reasons(`${mail}\r`)).toEqual([false, 'MALFORMED_MESSAGE'])
})
test('a field counts as signed when no instance of it is left out', () => {
  const signedHeaders = (text: string) => verify(text).signedHeaders
  expect(signedHeaders(mail)).toEqual(['from', 'to', 'subject', 'date'])
  expect(signedHeaders(`Subject: x\r\n${mail}`)).toEqual(['from', 'to', 'date'])
  expect(signedHeaders(`X-A: x\r\n${mail}`)).toEqual(['from', 'to', 'subject', 'date'])
  expect(signedHeaders(mail.replace('Order', 'order'))).toEqual([])
})

test('any bytes give a finding', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(mail.length - 1), fc.nat(255), (random, place, byte) => {
      const changed = bytes(mail)
      const differs = changed[place] !== byte
      changed[place] = byte
      expect(verifyDkim({ message: random, keys }).authentic).toBe(false)
      const result = verifyDkim({ message: changed, keys })
      // White space may change: relaxed canonicalisation says so.
      if (differs && byte > 32 && ![32, 13, 10].includes(bytes(mail)[place] ?? 0) && place > 400)
        expect(result.authentic).toBe(false)
    }),
    { numRuns: 200 },
  )
})

describe('mailboxes', () => {
  const second = signMail({ ...base, body: 'From here on.\r\n>From there\r\n' })
  const box = `From orders@example.org Fri Nov 20 10:00:00 2026\r\n${mail}\r\nFrom x Fri Nov 20 10:00:00 2026\r\n${second
    .replace('From here', '>From here')
    .replace('\n>From there', '\n>>From there')}\r\n`
  test('give back the messages that were put in', () => {
    const messages = splitMailbox(bytes(box))
    expect(messages?.map((message) => verifyDkim({ message, keys }).authentic)).toEqual([true, true])
    expect(
      splitMailbox(bytes(box.replaceAll('\r\n', '\n')))?.map(
        (message) => verifyDkim({ message, keys }).authentic,
      ),
    ).toEqual([true, true])
    expect(splitMailbox(bytes(mail))).toHaveLength(1)
    expect(splitMailbox(new Uint8Array(0))).toEqual([])
  })
  test('of more messages than allowed are refused', () => {
    expect(splitMailbox(bytes(box), 1)).toBeUndefined()
    expect(splitMailbox(bytes(box), 2)).toHaveLength(2)
  })
  test('any bytes are a mailbox', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('From ', 'From a Fri Nov 20 10:00:00 2026', '\n', '\r\n', '>', 'a', ':')),
        (parts) => {
          expect(splitMailbox(bytes(parts.join('')))).toBeDefined()
        },
      ),
    )
  })
})

describe('against mailauth', () => {
  test('the same messages hold and fail', async () => {
    // It has no declarations; the path is a variable so that none is looked for.
    const path: string = 'mailauth/lib/dkim/verify.js'
    const { dkimVerify } = (await import(path)) as unknown as {
      dkimVerify: (message: Buffer, options: object) => Promise<{ results: { status: { result: string } }[] }>
    }
    const resolver = async (name: string): Promise<string[][]> => {
      const key = keys.find(({ domain, selector }) => name === `${selector}._domainkey.${domain}`)
      if (key === undefined) throw Object.assign(new Error('no record'), { code: 'ENOTFOUND' })
      return [[key.record]]
    }
    const bodies = [
      '',
      '\r\n',
      'a',
      'a\r\n',
      ' a  b \r\n\r\n',
      'a\t\tb\r\n \r\n',
      '\r\na\r\n',
      'x'.repeat(200),
    ]
    const changes: ((text: string) => string)[] = [
      (text) => text,
      (text) => text.replace('Order', 'order'),
      (text) => `${text}\r\n\r\n`,
      (text) => `${text}x`,
      (text) => text.replace('Subject: ', 'Subject:\r\n   '),
      (text) => text.replace('bh=', 'bh=A'),
      (text) => text.replace('s=ed;', 's=none;'),
    ]
    let held = 0
    for (const text of bodies) {
      for (const [selector, key] of [
        ['ed', mailEd25519],
        ['rsa', rsa.privateKey],
      ] as const) {
        const signed = signMail({ ...base, body: text, selector, key })
        for (const change of changes) {
          const changed = change(signed)
          const { results } = await dkimVerify(Buffer.from(changed, 'latin1'), { resolver })
          const theirs = results[0]?.status.result === 'pass'
          expect([text, changed === signed, verify(changed).authentic]).toEqual([
            text,
            changed === signed,
            theirs,
          ])
          held += theirs ? 1 : 0
        }
      }
    }
    expect(held).toBeGreaterThan(30)
  })
})

describe('white space of a header is blanks and tabs alone (RFC 6376 section 3.4.2)', () => {
  const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
  const subject = (text: string) => [...headers.slice(0, 2), ['Subject', text], ...headers.slice(3)] as const
  test('a field whose last letter ends with the byte of a hard blank is what was signed', () => {
    expect(reasons(signMail({ ...base, headers: subject(utf8('voilà')) }))).toEqual([true])
  })
  test.each(['\u00a0', '\u000b', '\u000c'])('%j cannot be put around a field', (blank) => {
    for (const own of [`${blank}Total 1`, `Total 1${blank}`]) {
      const signed = signMail({ ...base, headers: subject('Total 1') })
      expect(reasons(signed.replace('Subject: Total 1', `Subject: ${own}`))).toEqual([
        false,
        'SIGNATURE_INVALID',
      ])
    }
  })
})

test('quotes that do not end cost no time, and hide no address', () => {
  const from = (name: string) => signMail({ ...base, headers: [['From', name], ...headers.slice(1)] })
  expect(reasons(from('"a \\" b" <orders@example.org>'))).toEqual([true])
  expect(reasons(from('orders@example.org "b@evil.org'))).toEqual([false, 'FROM_OF_ANOTHER_DOMAIN'])
  const long = from(`"${'\\"'.repeat(4800)}`)
  // Signed or not: a header of one's own with the domain and selector of the key is enough.
  for (let time = 0; time < 2_000; time++) expect(verify(long).authentic).toBe(false)
})
