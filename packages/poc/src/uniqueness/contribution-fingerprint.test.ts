import { generateKeyPairSync, sign } from 'node:crypto'
import { canonicalBytes, type JsonObject } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import type { AuthenticitySource } from '../authenticity/source.js'
import { verifySource } from '../authenticity/verify-source.js'
import type { Jwk } from '../signature/public-key.js'
import { issue, signedPng } from '../testing/c2pa-fixture.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { contentFingerprint } from './content-fingerprint.js'
import { contributionFingerprint } from './contribution-fingerprint.js'

const key = new Uint8Array(32).fill(1)
const at = 1_790_000_000
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** A file, the same content in files that anyone can make of it without a key, and files of other content. */
interface Case {
  readonly source: AuthenticitySource
  readonly file: Uint8Array
  readonly twins: readonly Uint8Array[]
  readonly others: readonly Uint8Array[]
  /** The same statements again in one file, and how many count of it. */
  readonly again: {
    readonly source?: AuthenticitySource
    readonly file: Uint8Array
    readonly counted: number
  }
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = ec.publicKey.export({ format: 'jwk' }) as unknown as Jwk
const ed = generateKeyPairSync('ed25519')
const edJwk = ed.publicKey.export({ format: 'jwk' }) as unknown as Jwk
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const raw = (content: Uint8Array): Buffer =>
  sign('sha256', content, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
const flipped = (mark: Buffer): Buffer => {
  const s = order - BigInt(`0x${mark.subarray(32).toString('hex')}`)
  return Buffer.concat([mark.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
}
function der(mark: Buffer): Buffer {
  const integer = (part: Buffer): Buffer => {
    const hex = part.toString('hex').replace(/^(00)+/, '')
    const content = Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex, 'hex')
    return Buffer.concat([Buffer.from([2, content.length]), content])
  }
  const both = Buffer.concat([integer(mark.subarray(0, 32)), integer(mark.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, both.length]), both])
}

function platform(): Case {
  const signed = (payload: object) => {
    // Until both ways to write it differ.
    for (;;) {
      const mark = raw(canonicalBytes(payload as JsonObject))
      if (/[+/]/.test(mark.toString('base64'))) return { payload, mark }
    }
  }
  const { payload, mark } = signed({ steps: [1, 2, 3] })
  const file = (signature: string, own: object = payload) => json({ payload: own, issuer: 'Plat', signature })
  const other = signed({ steps: [1, 2, 4] })
  return {
    source: { kind: 'platform-signature', keys: [{ name: 'Plat', algorithm: 'ES256', jwk }] },
    file: file(mark.toString('base64url')),
    twins: [
      file(mark.toString('base64')),
      file(mark.toString('base64').replaceAll('=', '')),
      file(flipped(mark).toString('base64url')),
      file(der(mark).toString('base64')),
      file(der(flipped(mark)).toString('base64url')),
    ],
    others: [file(other.mark.toString('base64url'), other.payload)],
    again: {
      file: Buffer.concat([file(mark.toString('base64')), bytes('\n'), file(mark.toString('base64'))]),
      counted: 0,
    },
  }
}

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256' })}.${part(claims)}`
}

function jws(): Case {
  const body = token({ sub: 'x', rows: [1, 2] })
  const mark = raw(bytes(body))
  const other = token({ sub: 'x', rows: [1, 3] })
  const good = `${body}.${mark.toString('base64url')}`
  return {
    source: { kind: 'jws', keys: [{ name: 'Plat', algorithm: 'ES256', jwk }] },
    file: bytes(good),
    twins: [bytes(`${good}\n`), bytes(` ${good}`), bytes(`${body}.${flipped(mark).toString('base64url')}`)],
    others: [bytes(`${other}.${raw(bytes(other)).toString('base64url')}`)],
    again: { file: bytes(`${good}\n${good}`), counted: 0 },
  }
}

function dkim(): Case {
  const source = {
    kind: 'dkim',
    keys: [{ domain: 'example.org', selector: 'ed', record: ed25519Record(mailEd25519) }],
    require: ['subject'],
  } as const
  const mail = (subject: string, total = '12.50') =>
    signMail({
      headers: [
        ['From', 'Shop <orders@example.org>'],
        ['Subject', subject],
        ['Date', 'Fri, 20 Nov 2026 10:00:00 +0000'],
      ],
      body: `Thank  you.\r\nTotal: ${total}\r\n`,
      domain: 'example.org',
      selector: 'ed',
      key: mailEd25519,
    })
  const [one, two] = [mail('Order 1'), mail('Order 2')]
  const box = (...messages: string[]) =>
    bytes(messages.map((text) => `From x Fri Nov 20 10:00:00 2026\r\n${text}\r\n`).join(''))
  const unsigned = one.slice(one.indexOf('From:'))
  const [signature = '', ...fields] = one.split('\r\n')
  // A signature does not fix the order of different fields.
  const [from = '', subject = '', ...rest] = fields
  return {
    source,
    file: box(one, two),
    twins: [
      box(`X-A: 1\r\n${one}`, two),
      box(`X-A: \xff\r\n${one}`, two),
      box(`Comments: a\r\n b\r\n${one}`, two),
      box(one, `${two}\r\n\r\n`),
      box(one.replace('Thank  you', 'Thank \t you'), two),
      box(one.replace('Subject: Order', 'SUBJECT:\r\n  Order'), two),
      box([signature, subject, from, ...rest].join('\r\n'), two),
      box(two, one),
      box(one, two, one),
      box(one, unsigned, two),
      bytes(
        `From y Fri Nov 20 10:00:00 2026\n${one.replaceAll('\r\n', '\n')}\nFrom z Fri Nov 20 10:00:00 2026\n${two.replaceAll('\r\n', '\n')}`,
      ),
    ],
    others: [box(one), box(one, mail('Order 3')), box(one, mail('Order 2', '12.51'))],
    again: { file: box(one, two, one, `X-A: 1\r\n${one}`, unsigned, two), counted: 2 },
  }
}

async function device(): Promise<Case> {
  const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const types = { R: [{ name: 'n', type: 'uint64' }] } as const
  const domain = { name: 'Meter' } as const
  const record = async (n: number) => ({
    message: { n: n as number | string },
    signature: await account.signTypedData({ domain, types, primaryType: 'R', message: { n: BigInt(n) } }),
  })
  const [one, two, three] = [await record(7), await record(8), await record(9)]
  const spelt = (n: string) => json({ records: [{ ...one, message: { n } }, two] })
  const v = (own: typeof one, byte: string) => ({ ...own, signature: `${own.signature.slice(0, -2)}${byte}` })
  return {
    source: {
      kind: 'device-record',
      domain,
      types,
      primaryType: 'R',
      devices: [{ name: 'Meter 7', address: account.address }],
      uniqueBy: 'n',
    },
    file: json({ records: [one, two] }),
    twins: [
      json({ records: [two, one] }),
      ...['7', '07', '0x7', '0x0000007'].map(spelt),
      json({ records: [v(one, one.signature.endsWith('1b') ? '00' : '01'), two] }),
      json({ records: [{ ...one, signature: `0x${one.signature.slice(2).toUpperCase()}` }, two] }),
    ],
    others: [json({ records: [one] }), json({ records: [one, three] })],
    again: {
      file: json({ records: [one, two, v(one, one.signature.endsWith('1b') ? '00' : '01')] }),
      counted: 0,
    },
  }
}

async function reclaim(): Promise<Case> {
  const witnesses = [privateKeyToAccount(`0x${'55'.repeat(32)}`), privateKeyToAccount(`0x${'66'.repeat(32)}`)]
  const { keccak256 } = await import('viem')
  const claim = (context: string) => ({
    identifier: keccak256(new TextEncoder().encode(`http\n{}\n${context}`)),
    provider: 'http',
    parameters: '{}',
    context,
    owner: `0x${'ab'.repeat(20)}`,
    timestampS: 1000,
    epoch: 1,
  })
  const signed = async (own: ReturnType<typeof claim>) => {
    const message = `${own.identifier}\n${own.owner}\n${own.timestampS}\n${own.epoch}`
    return Promise.all(witnesses.map((witness) => witness.signMessage({ message })))
  }
  const one = claim('{"a":1}')
  const [first = '', second = ''] = await signed(one)
  const later = { ...one, timestampS: 2000 }
  const other = claim('{"a":2}')
  const source = {
    kind: 'reclaim',
    witnesses: witnesses.map(({ address }) => address),
    provider: 'http',
    parameters: ['{}'],
  } as const
  return {
    source,
    file: json({ claimData: one, signatures: [first] }),
    twins: [
      json({ ...one, signatures: [first] }),
      json({ claimData: one, signatures: [second, first, 'junk', 7] }),
      json({ claimData: { ...one, owner: one.owner.toUpperCase() }, signatures: [first] }),
      json({ claimData: later, signatures: await signed(later) }),
    ],
    others: [json({ claimData: other, signatures: await signed(other) })],
    again: {
      source: { ...source, threshold: 2 },
      file: json({ claimData: one, signatures: [first, first, first.toUpperCase().replace('0X', '0x')] }),
      counted: 0,
    },
  }
}

function c2pa(): Case {
  const root = issue({ subject: 'Root', authority: true })
  const usage = '1.3.6.1.5.5.7.3.36'
  const leaf = issue({ subject: 'Camera', by: root, usage })
  const second = issue({ subject: 'Editor', by: root, usage })
  return {
    source: { kind: 'c2pa', roots: [root.certificate.toString('base64')] },
    file: signedPng(leaf),
    twins: [signedPng(leaf, { padding: 50 }), signedPng(second)],
    others: [signedPng(leaf, { content: 'other pixels' })],
    again: { file: Buffer.concat([signedPng(leaf), signedPng(leaf)]), counted: 0 },
  }
}

const cases = { platform, jws, dkim, device, reclaim, c2pa }
describe.each(Object.entries(cases))('%s: one authentic export', (_, make) => {
  const print = (source: AuthenticitySource, file: Uint8Array): string => {
    const findings = verifySource({ source, bytes: file, at })
    // A part that is not authentic may be among them; nothing is no test.
    expect(findings.some(({ authentic }) => authentic)).toBe(true)
    return contributionFingerprint({ key, mediaType: 'application/x', bytes: file, sources: [source], at })
  }
  test('has one fingerprint, whatever anyone makes of its bytes', async () => {
    const { source, file, twins } = await make()
    const own = print(source, file)
    expect(twins.map((twin) => Buffer.from(twin).equals(Buffer.from(file)))).not.toContain(true)
    for (const [index, twin] of twins.entries()) expect([index, print(source, twin)]).toEqual([index, own])
  })
  test('counts once, however often it stands in the file', async () => {
    const { source, again } = await make()
    const findings = verifySource({ source: again.source ?? source, bytes: again.file, at })
    expect(findings.filter(({ authentic }) => authentic)).toHaveLength(again.counted)
  })
  test('is not authentic as a whole where verifying it takes more than the budget', async () => {
    const { source, file } = await make()
    const most = { signatures: 100, bytes: 1_000_000 }
    const reasons = (budget: object) =>
      verifySource({ source, bytes: file, at, budget: { ...most, ...budget } }).map(
        ({ authentic, checks }) => [authentic, checks.find(({ result }) => result === 'fail')?.reason],
      )
    expect(reasons({})).not.toContainEqual([false, 'TOO_MUCH_WORK'])
    for (const none of [{ signatures: 0 }, { bytes: 0 }, { bytes: file.length - 1 }]) {
      expect(reasons(none)).toEqual([[false, 'TOO_MUCH_WORK']])
    }
    expect(() => reasons({ signatures: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
  test('and other content has another', async () => {
    const { source, file, others } = await make()
    const own = print(source, file)
    for (const other of others) expect(print(source, other)).not.toBe(own)
  })
})

test('two sources of one file make one fingerprint, in whatever order they are declared', () => {
  const { source, file } = jws()
  const extra = { kind: 'jws', keys: [{ name: 'Ed', algorithm: 'EdDSA', jwk: edJwk }] } as const
  const print = (...sources: AuthenticitySource[]) =>
    contributionFingerprint({ key, mediaType: 'application/jwt', bytes: file, sources })
  expect(print(source, extra)).toBe(print(extra, source))
})
test('without an authentic part it is the fingerprint of the content, and it needs a key', () => {
  const { file } = platform()
  const own = { key, mediaType: 'application/json', bytes: file }
  expect(contributionFingerprint({ ...own, sources: [] })).toBe(contentFingerprint(own))
  const source = {
    kind: 'platform-signature',
    keys: [{ name: 'Plat', algorithm: 'EdDSA', jwk: edJwk }],
  } as const
  expect(contributionFingerprint({ ...own, sources: [source] })).toBe(contentFingerprint(own))
  expect(() => contributionFingerprint({ ...own, key: new Uint8Array(31), sources: [] })).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID' }),
  )
  const other = contributionFingerprint({ ...own, key: new Uint8Array(32), sources: [platform().source] })
  expect(other).not.toBe(contributionFingerprint({ ...own, sources: [platform().source] }))
})
