import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { der, derBits, derDate, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { makeRevocationList } from '../simulator/test-pki.js'
import { parseRevocationList } from './crl.js'
import { derTag, parseDer } from './der.js'

// A list put together part by part, so that each part can be another one.

const ecdsaSha256 = derSequence(derOid('1.2.840.10045.4.3.2'))
const issuer = derSequence(
  der(derTag.set, derSequence(derOid('2.5.4.3'), der(derTag.printableString, Uint8Array.of(0x41)))),
)
const signature = derBits(derSequence(derNumber(1), derNumber(1)))
const number = derSequence(derOid('2.5.29.20'), derOctets(derNumber(1)))
const entry = derSequence(derNumber(5), derDate(1000))
const none = new Uint8Array()

interface Parts {
  readonly version?: Uint8Array
  readonly inner?: Uint8Array
  readonly issuer?: Uint8Array
  readonly thisUpdate?: Uint8Array
  readonly nextUpdate?: Uint8Array
  readonly entries?: Uint8Array
  readonly extensions?: Uint8Array
  readonly more?: Uint8Array
  readonly outer?: Uint8Array
  readonly signature?: Uint8Array
}
const list = (parts: Parts = {}) =>
  derSequence(
    derSequence(
      parts.version ?? derNumber(1),
      parts.inner ?? ecdsaSha256,
      parts.issuer ?? issuer,
      parts.thisUpdate ?? derDate(1000),
      parts.nextUpdate ?? derDate(2000),
      parts.entries ?? none,
      parts.extensions ?? der(0xa0, derSequence(number)),
      parts.more ?? none,
    ),
    parts.outer ?? ecdsaSha256,
    parts.signature ?? signature,
  )
const revoked = (...entries: Uint8Array[]) => ({ entries: derSequence(...entries) })
const critical = derSequence(
  derSequence(derOid('2.5.29.29'), der(derTag.boolean, Uint8Array.of(0xff)), derOctets(derNumber(1))),
)
const reason = derSequence(
  derSequence(derOid('2.5.29.21'), derOctets(der(derTag.enumerated, Uint8Array.of(1)))),
)

describe('a revocation list', () => {
  it('is read from its parts', () => {
    const { thisUpdate, nextUpdate, revoked: none } = parseRevocationList(list())
    expect([thisUpdate, nextUpdate, none.size]).toEqual([1000, 2000, 0])
    const some = parseRevocationList(list(revoked(entry, derSequence(derNumber(6), derDate(1500), reason))))
    expect([...some.revoked]).toEqual([
      ['05', 1000],
      ['06', 1500],
    ])
    const later = 2_600_000_000
    expect(parseRevocationList(list({ nextUpdate: derDate(later) })).nextUpdate).toBe(later)
  })

  it('keeps the tag of an entry’s extensions apart from those of the entry before', () => {
    const twice = list(
      revoked(
        derSequence(derNumber(5), derDate(1000), reason),
        derSequence(derNumber(6), derDate(1000), critical),
      ),
    )
    expect(() => parseRevocationList(twice)).toThrow(AttestError)
  })

  const octets = (value: number) => Uint8Array.of(value)
  it.each<[string, Uint8Array]>([
    ['version 1', list({ version: derNumber(0) })],
    ['version 3', list({ version: derNumber(2) })],
    ['a version that is ENUMERATED', list({ version: der(derTag.enumerated, octets(1)) })],
    ['a version of two octets', list({ version: der(derTag.integer, Uint8Array.of(1, 1)) })],
    ['no version', list({ version: none })],
    ['an issuer that is a SET', list({ issuer: der(derTag.set, octets(5)) })],
    ['no issuer', list({ issuer: none })],
    ['no dates', list({ thisUpdate: none, nextUpdate: none })],
    ['no next update', list({ nextUpdate: none })],
    ['a first date that is a number', list({ thisUpdate: derNumber(1000) })],
    ['a second date that is a number', list({ nextUpdate: derNumber(2000) })],
    ['no extensions', list({ extensions: none })],
    ['extensions under another tag', list({ extensions: der(0xa1, derSequence(number)) })],
    ['a critical extension', list({ extensions: der(0xa0, critical) })],
    ['a further field', list({ more: derNumber(1) })],
    ['entries in a second list', list({ ...revoked(entry), more: derSequence(entry) })],
    ['an entry that is a number', list(revoked(derNumber(5)))],
    ['an entry whose serial is no INTEGER', list(revoked(derSequence(derOctets(octets(5)), derDate(1000))))],
    ['an entry without a date', list(revoked(derSequence(derNumber(5))))],
    ['an entry whose date is a number', list(revoked(derSequence(derNumber(5), derNumber(1000))))],
    ['an entry of four fields', list(revoked(derSequence(derNumber(5), derDate(1000), reason, reason)))],
    ['an entry with a critical extension', list(revoked(derSequence(derNumber(5), derDate(1000), critical)))],
    ['another algorithm inside', list({ inner: derSequence(derOid('1.2.840.10045.4.3.3')) })],
    [
      'an algorithm that is not known',
      list({ inner: derSequence(derOid('1.2.3')), outer: derSequence(derOid('1.2.3')) }),
    ],
    ['a signature that is an OCTET STRING', list({ signature: derOctets(octets(1)) })],
    ['a fourth part', derSequence(...(parseDer(list()).children ?? []).map(({ raw }) => raw), derNumber(1))],
    ['bytes behind', concatBytes(list(), octets(0))],
  ])('is refused with %s', (_, bytes) => {
    expect(() => parseRevocationList(bytes)).toThrow(
      expect.objectContaining({ name: 'AttestError', code: expect.stringMatching(/^BAD_(?:CRL|DER)$/) }),
    )
  })

  it('names itself in errors, also where parts of certificates are read', () => {
    const bad = list({ extensions: der(0xa0, critical) })
    expect(() => parseRevocationList(bad)).toThrow(expect.objectContaining({ code: 'BAD_CRL' }))
  })

  it('of the simulator has the same form', () => {
    const privateKey = new Uint8Array(32).fill(1)
    const made = makeRevocationList({
      issuer: { commonName: 'A', privateKey },
      thisUpdate: 1000,
      nextUpdate: 2000,
      revoked: [octets(5)],
    })
    expect([...parseRevocationList(made).revoked]).toEqual([['05', 1000]])
  })
})
