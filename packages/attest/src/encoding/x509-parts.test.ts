import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { verifyP256 } from '../signature/p256.js'
import { der, derBits, derDate, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { makeCertificate, makeRevocationList, publicKeyOf } from '../simulator/test-pki.js'
import { chainProblem, validityProblem } from './certificate-chain.js'
import { parseRevocationList, revocationListProblem } from './crl.js'
import { derTag } from './der.js'
import { formatPemCertificates, parsePemCertificates } from './pem.js'
import { parseCertificate } from './x509.js'

// A certificate put together part by part, so that each part can be another one.

const octets = (...values: number[]) => Uint8Array.from(values)
const none = new Uint8Array()
const ecdsaSha256 = derSequence(derOid('1.2.840.10045.4.3.2'))
const name = (text: string) =>
  derSequence(
    der(
      derTag.set,
      derSequence(derOid('2.5.4.3'), der(derTag.printableString, new TextEncoder().encode(text))),
    ),
  )
const privateKey = new Uint8Array(32).fill(1)
const point = publicKeyOf(privateKey)
const keyAlgorithm = derSequence(derOid('1.2.840.10045.2.1'), derOid('1.2.840.10045.3.1.7'))
const constraints = (...fields: Uint8Array[]) => [derOid('2.5.29.19'), derOctets(derSequence(...fields))]
const yes = der(derTag.boolean, octets(0xff))
const extension = (...fields: Uint8Array[]) => ({
  extensions: der(0xa3, derSequence(derSequence(...fields))),
})

interface Parts {
  readonly version?: Uint8Array
  readonly serial?: Uint8Array
  readonly inner?: Uint8Array
  readonly issuer?: Uint8Array
  readonly validity?: Uint8Array
  readonly subject?: Uint8Array
  readonly spki?: Uint8Array
  readonly unique?: Uint8Array
  readonly extensions?: Uint8Array
  readonly outer?: Uint8Array
  readonly signature?: Uint8Array
  readonly more?: Uint8Array
}
const certificate = (parts: Parts = {}) =>
  derSequence(
    derSequence(
      parts.version ?? der(0xa0, derNumber(2)),
      parts.serial ?? derNumber(5),
      parts.inner ?? ecdsaSha256,
      parts.issuer ?? name('A'),
      parts.validity ?? derSequence(derDate(1000), derDate(2000)),
      parts.subject ?? name('B'),
      parts.spki ?? derSequence(keyAlgorithm, derBits(point)),
      parts.unique ?? none,
      parts.extensions ?? der(0xa3, derSequence(derSequence(...constraints()))),
    ),
    parts.outer ?? ecdsaSha256,
    parts.signature ?? derBits(derSequence(derNumber(1), derNumber(1))),
    parts.more ?? none,
  )

describe('a certificate', () => {
  it('is read from its parts', () => {
    const read = parseCertificate(certificate())
    expect([read.serial, read.commonName, read.notBefore, read.notAfter]).toEqual(['05', 'B', 1000, 2000])
    expect(read.authority).toEqual({ ca: false, pathLength: undefined })
    const authority = parseCertificate(certificate(extension(...constraints(yes, derNumber(3)))))
    expect(authority.authority).toEqual({ ca: true, pathLength: 3 })
    expect(
      parseCertificate(certificate({ serial: der(derTag.integer, new Uint8Array(21).fill(1)) })).serial,
    ).toHaveLength(42)
  })

  it.each<[string, Parts]>([
    ['no version', { version: none }],
    ['version 1 written out', { version: der(0xa0, derNumber(0)) }],
    ['version 2', { version: der(0xa0, derNumber(1)) }],
    ['version 4', { version: der(0xa0, derNumber(3)) }],
    ['a version under another tag', { version: der(0xa1, derNumber(2)) }],
    ['a version that is ENUMERATED', { version: der(0xa0, der(derTag.enumerated, octets(2))) }],
    ['a version that is an OCTET STRING', { version: der(0xa0, derOctets(octets(2))) }],
    ['a version of two octets', { version: der(0xa0, der(derTag.integer, octets(2, 0))) }],
    ['two versions', { version: der(0xa0, derNumber(2), derNumber(2)) }],
    ['a serial of 22 octets', { serial: der(derTag.integer, new Uint8Array(22).fill(1)) }],
    ['a serial that is no INTEGER', { serial: derOctets(octets(5)) }],
    ['another algorithm inside', { inner: derSequence(derOid('1.2.840.10045.4.3.3')) }],
    [
      'an algorithm that is not known',
      { inner: derSequence(derOid('1.2.3')), outer: derSequence(derOid('1.2.3')) },
    ],
    ['an algorithm that is a property of every object', { inner: none, outer: none }],
    ['an issuer that is a SET', { issuer: der(derTag.set, derNumber(1)) }],
    ['a subject that is a SET', { subject: der(derTag.set, derNumber(1)) }],
    ['one date', { validity: derSequence(derDate(1000)) }],
    ['three dates', { validity: derSequence(derDate(1000), derDate(2000), derDate(3000)) }],
    ['a date that is a number', { validity: derSequence(derNumber(1000), derDate(2000)) }],
    ['a unique id', { unique: der(0x81, octets(0)) }],
    ['no extensions', { extensions: none }],
    ['extensions under another tag', { extensions: der(0xa4, derSequence()) }],
    ['two lists of extensions', { extensions: der(0xa3, derSequence(), derSequence()) }],
    ['extensions that are no list', { extensions: der(0xa3, derOctets(none)) }],
    ['an extension whose name is a number', extension(derNumber(1), derOctets(none))],
    ['an extension whose value is a number', extension(derOid('1.2.3'), derNumber(1))],
    ['an extension without a value', extension(derOid('1.2.3'))],
    ['an extension of three fields', extension(derOid('1.2.3'), derOctets(none), derOctets(none))],
    [
      'a critical extension of four fields',
      extension(derOid('2.5.29.19'), yes, derOctets(derSequence()), derOctets(none)),
    ],
    [
      'critical written as FALSE',
      extension(derOid('2.5.29.19'), der(derTag.boolean, octets(0)), derOctets(derSequence())),
    ],
    ['an unknown critical extension', extension(derOid('1.2.3'), yes, derOctets(none))],
    ['constraints that are no list', extension(derOid('2.5.29.19'), derOctets(derNumber(1)))],
    ['constraints that begin with a number', extension(...constraints(derNumber(1)))],
    ['constraints of three fields', extension(...constraints(yes, derNumber(1), derNumber(1)))],
    ['a path length of two octets', extension(...constraints(yes, derNumber(300)))],
    ['a path length below zero', extension(...constraints(yes, der(derTag.integer, octets(0xff))))],
    ['a path length that is no INTEGER', extension(...constraints(yes, derOctets(octets(1))))],
    ['a key usage that is no BIT STRING', extension(derOid('2.5.29.15'), derOctets(derNumber(1)))],
    ['a key of one field', { spki: derSequence(keyAlgorithm) }],
    ['a key of three fields', { spki: derSequence(keyAlgorithm, derBits(point), derNumber(1)) }],
    [
      'a key of another curve',
      { spki: derSequence(derSequence(derOid('1.2.840.10045.2.1'), derOid('1.3.132.0.10')), derBits(point)) },
    ],
    [
      'a compressed point',
      { spki: derSequence(keyAlgorithm, derBits(concatBytes(octets(2), point.slice(1, 33)))) },
    ],
    ['a point of another length', { spki: derSequence(keyAlgorithm, derBits(point.slice(0, 64))) }],
    ['a key that is an OCTET STRING', { spki: derSequence(keyAlgorithm, derOctets(point)) }],
    ['a signature with unused bits', { signature: derBits(octets(0x30, 0), 2) }],
    ['a fourth part', { more: derNumber(1) }],
  ])('is refused with %s', (_, parts) => {
    expect(() => parseCertificate(certificate(parts))).toThrow(
      expect.objectContaining({
        name: 'AttestError',
        code: expect.stringMatching(/^BAD_(?:CERTIFICATE|DER)$/),
      }),
    )
  })
})

describe('who may sign', () => {
  const dates = { notBefore: 1000, notAfter: 2000 }
  const root = { commonName: 'Root', privateKey }
  const rootCertificate = parseCertificate(
    makeCertificate({ ...dates, ...root, publicKey: point, issuer: root, authority: { pathLength: 1 } }),
  )
  /** The same certificate with another field, as a parser that reads otherwise would give it. */
  const asIf = (change: object) => ({ ...rootCertificate, ...change })
  const leaf = parseCertificate(
    makeCertificate({ ...dates, commonName: 'Leaf', publicKey: point, issuer: root }),
  )
  const list = parseRevocationList(
    makeRevocationList({ issuer: root, thisUpdate: 1000, nextUpdate: 2000, revoked: [] }),
  )

  it('certificates: an authority with the right, a key of the kind, and the signature', () => {
    const problem = (change: object) => chainProblem([leaf, asIf(change)], verifyP256)
    expect(problem({})).toBeUndefined()
    expect(problem({ authority: { ca: false, pathLength: undefined } })).toMatch(
      /not a certificate authority/,
    )
    expect(problem({ keyUsage: undefined })).toMatch(/may not sign certificates/)
    expect(problem({ subject: name('Other') })).toMatch(/another issuer/)
    expect(problem({ publicKey: publicKeyOf(new Uint8Array(48).fill(1), 'p384') })).toMatch(
      /no key of the kind/,
    )
    expect(chainProblem([leaf, rootCertificate], () => false)).toMatch(/does not verify/)
  })

  it('no chain is not a good one', () => {
    expect(chainProblem([], verifyP256)).toMatch(/no certificate/)
    expect(validityProblem([], 1500)).toMatch(/no certificate/)
  })

  it('certificates: no more of them than an authority above allows', () => {
    const middle = { commonName: 'Middle', privateKey }
    const below = parseCertificate(
      makeCertificate({ ...dates, commonName: 'Leaf', publicKey: point, issuer: middle }),
    )
    const between = (pathLength: number) =>
      parseCertificate(
        makeCertificate({ ...dates, ...middle, publicKey: point, issuer: root, authority: { pathLength } }),
      )
    const above = (pathLength: number) => asIf({ authority: { ca: true, pathLength } })
    const problem = (low: number, high: number) =>
      chainProblem([below, between(low), above(high)], () => true)
    expect(problem(0, 1)).toBeUndefined()
    expect(problem(0, 0)).toMatch(/Root allows a shorter chain/)
    expect(chainProblem([below, between(0), between(0)], () => true)).toMatch(/another issuer/)
    expect(chainProblem([leaf, above(0)], () => true)).toBeUndefined()
  })

  it('lists: an authority with the right, a key of the kind, and the signature', () => {
    const problem = (change: object) => revocationListProblem(list, asIf(change), verifyP256)
    expect(problem({})).toBeUndefined()
    expect(problem({ authority: { ca: false, pathLength: undefined } })).toMatch(
      /may not sign revocation lists/,
    )
    expect(problem({ keyUsage: undefined })).toMatch(/may not sign revocation lists/)
    expect(problem({ subject: name('Other') })).toMatch(/not issued by/)
    expect(problem({ publicKey: publicKeyOf(new Uint8Array(48).fill(1), 'p384') })).toMatch(
      /no key of the kind/,
    )
    expect(revocationListProblem(list, rootCertificate, () => false)).toMatch(/does not verify/)
  })
})

it('PEM is base64 of a whole length', () => {
  const pem = formatPemCertificates([certificate()])
  expect(parsePemCertificates(pem)).toHaveLength(1)
  const lines = pem.trim().split('\n')
  const last = lines[lines.length - 2] ?? ''
  for (const cut of [last.slice(0, -1), last.slice(0, -2), `${last}A`, `${last}=`]) {
    const changed = [...lines.slice(0, -2), cut, lines[lines.length - 1]].join('\n')
    expect(() => parsePemCertificates(`${changed}\n`)).toThrow(expect.objectContaining({ code: 'BAD_PEM' }))
  }
})
