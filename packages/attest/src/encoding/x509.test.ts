import { p256 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { verifyP256 } from '../signature/p256.js'
import { der, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import {
  type CertificateRequest,
  makeCertificate,
  makeRevocationList,
  publicKeyOf,
  serialOf,
} from '../simulator/test-pki.js'
import { nativeP256 } from '../testing/native-p256.js'
import { chainProblem, validityProblem } from './certificate-chain.js'
import { parseRevocationList, revocationListProblem } from './crl.js'
import { formatPemCertificates, parsePemCertificates } from './pem.js'
import { parseCertificate } from './x509.js'

const key = (n: number) => new Uint8Array(32).fill(n)
const root = { commonName: 'Root', privateKey: key(1) }
const authority = { commonName: 'Authority', privateKey: key(2) }
const dates = { notBefore: 1_700_000_000, notAfter: 2_600_000_000 }
const make = (request: Partial<CertificateRequest>) =>
  parseCertificate(
    makeCertificate({
      commonName: 'Leaf',
      publicKey: publicKeyOf(key(3)),
      issuer: authority,
      ...dates,
      ...request,
    }),
  )
const rootCertificate = make({
  commonName: 'Root',
  publicKey: publicKeyOf(key(1)),
  issuer: root,
  authority: { pathLength: 1 },
})
const authorityRequest = { commonName: 'Authority', publicKey: publicKeyOf(key(2)), issuer: root }
const authorityCertificate = make({ ...authorityRequest, authority: { pathLength: 0 } })
const leaf = make({})
const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe('parseCertificate', () => {
  it('reads what was written', () => {
    expect(leaf).toMatchObject({
      commonName: 'Leaf',
      ...dates,
      authority: { ca: false, pathLength: undefined },
    })
    expect(leaf.keyUsage).toEqual({ digitalSignature: true, signCertificates: false, signCrls: false })
    expect(authorityCertificate.authority).toEqual({ ca: true, pathLength: 0 })
    expect(leaf.publicKey).toEqual(publicKeyOf(key(3)))
    expect(leaf.notAfter).toBeGreaterThan(Date.UTC(2050, 0) / 1000)
  })

  const extension = (critical: boolean) =>
    derSequence(
      derOid('1.2.3.4'),
      ...(critical ? [der(1, Uint8Array.of(0xff))] : []),
      derOctets(derNumber(1)),
    )

  it('fails on an unknown critical extension and keeps an unknown other one', () => {
    expect(code(() => make({ extensions: [extension(true)] }))).toBe('BAD_CERTIFICATE')
    expect(make({ extensions: [extension(false)] }).extensions.get('1.2.3.4')).toEqual(derNumber(1))
  })

  it('fails on a repeated extension', () => {
    expect(code(() => make({ extensions: [extension(false), extension(false)] }))).toBe('BAD_CERTIFICATE')
  })

  it('fails when the outer algorithm differs from the signed one', () => {
    const bytes = leaf.raw.slice()
    const at = leaf.raw.indexOf(0x30, 4 + leaf.tbs.length)
    bytes[at + 11] = (bytes[at + 11] ?? 0) ^ 1
    expect(code(() => parseCertificate(bytes))).toBe('BAD_CERTIFICATE')
  })

  it('is total: no flipped byte of a certificate crashes, and none leaves the chain valid', () => {
    fc.assert(
      fc.property(fc.nat({ max: leaf.raw.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const bytes = leaf.raw.slice()
        bytes[index] = (bytes[index] ?? 0) ^ mask
        let problem: unknown
        try {
          problem = chainProblem([parseCertificate(bytes), authorityCertificate, rootCertificate], nativeP256)
        } catch (error) {
          expect(error).toBeInstanceOf(AttestError)
          return
        }
        expect(problem).toBeTypeOf('string')
      }),
      { numRuns: 1500 },
    )
  })
})

describe('chainProblem', () => {
  const problem = (...chain: Parameters<typeof chainProblem>[0]) => chainProblem(chain, verifyP256)

  it('finds nothing wrong with a good chain', () => {
    expect(problem(leaf, authorityCertificate, rootCertificate)).toBeUndefined()
  })

  it.each([
    [
      'another issuer name',
      problem(make({ issuer: { ...authority, commonName: 'Other' } }), authorityCertificate, rootCertificate),
    ],
    ['an issuer that is no authority', problem(leaf, make(authorityRequest), rootCertificate)],
    [
      'a signature by another key',
      problem(make({ issuer: { ...authority, privateKey: key(9) } }), authorityCertificate, rootCertificate),
    ],
    [
      'a root that did not sign itself',
      problem(
        leaf,
        authorityCertificate,
        make({
          commonName: 'Root',
          publicKey: publicKeyOf(key(1)),
          issuer: { ...root, privateKey: key(9) },
          authority: { pathLength: 1 },
        }),
      ),
    ],
    [
      'a chain longer than the path length',
      problem(
        leaf,
        authorityCertificate,
        make({
          commonName: 'Root',
          publicKey: publicKeyOf(key(1)),
          issuer: root,
          authority: { pathLength: 0 },
        }),
      ),
    ],
    ['a chain without root', problem(leaf, authorityCertificate)],
  ])('finds %s', (_, found) => {
    expect(found).toBeTypeOf('string')
  })

  it('tells dates apart from signatures', () => {
    expect(validityProblem([leaf], dates.notBefore)).toBeUndefined()
    expect(validityProblem([leaf], dates.notAfter)).toBeUndefined()
    expect(validityProblem([leaf], dates.notBefore - 1)).toContain('not valid before')
    expect(validityProblem([leaf], dates.notAfter + 1)).toContain('expired')
  })
})

describe('revocation lists', () => {
  const list = (options: Partial<Parameters<typeof makeRevocationList>[0]> = {}) =>
    makeRevocationList({
      issuer: authority,
      thisUpdate: dates.notBefore,
      nextUpdate: dates.notAfter,
      revoked: [],
      ...options,
    })

  it('name the revoked serials as certificates name theirs', () => {
    const parsed = parseRevocationList(list({ revoked: [serialOf(leaf.publicKey)] }))
    expect(parsed.revoked.has(leaf.serial)).toBe(true)
    expect(revocationListProblem(parsed, authorityCertificate, verifyP256)).toBeUndefined()
    expect(parseRevocationList(list()).revoked.size).toBe(0)
  })

  it('fail by another issuer, another key, or an issuer without the right to sign lists', () => {
    const parsed = parseRevocationList(list())
    expect(revocationListProblem(parsed, rootCertificate, verifyP256)).toContain('not issued by')
    expect(revocationListProblem(parsed, make(authorityRequest), verifyP256)).toContain('may not sign')
    const forged = parseRevocationList(list({ issuer: { ...authority, privateKey: key(9) } }))
    expect(revocationListProblem(forged, authorityCertificate, verifyP256)).toContain('does not verify')
  })

  it('are parsed totally, and no flipped byte keeps one authentic', () => {
    const bytes = list({ revoked: [serialOf(leaf.publicKey)] })
    for (let index = 0; index < bytes.length; index += 1) {
      const copy = bytes.slice()
      copy[index] = (copy[index] ?? 0) ^ 0x01
      let problem: unknown = 'unreadable'
      try {
        problem = revocationListProblem(parseRevocationList(copy), authorityCertificate, nativeP256)
      } catch (error) {
        expect(error).toBeInstanceOf(AttestError)
      }
      expect([index, typeof problem]).toEqual([index, 'string'])
    }
  })
})

describe('PEM', () => {
  const text = formatPemCertificates([leaf.raw, rootCertificate.raw])

  it('is read back, with CRLF and blank lines between blocks too', () => {
    expect(parsePemCertificates(text)).toEqual([leaf.raw, rootCertificate.raw])
    expect(
      parsePemCertificates(text.replaceAll('\n', '\r\n').replaceAll('-----BEGIN', '\n-----BEGIN')),
    ).toHaveLength(2)
  })

  it.each([
    ['nothing', ''],
    ['other text', `x\n${text}`],
    ['an open block', text.slice(0, -30)],
    ['another label', text.replaceAll('CERTIFICATE', 'PUBLIC KEY')],
    ['characters outside base64', text.replace('MII', 'M*I')],
    ['too many certificates', text.repeat(9)],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['padding bits', '-----BEGIN CERTIFICATE-----\nMB==\n-----END CERTIFICATE-----\n'],
  ])('refuses %s', (_, pem) => {
    expect(code(() => parsePemCertificates(pem))).toBe('BAD_PEM')
  })

  it('round-trips any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        expect(parsePemCertificates(formatPemCertificates([bytes]))).toEqual([bytes])
      }),
    )
  })
})

describe('verifyP256', () => {
  it('agrees with OpenSSL on valid, altered and malformed input', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat({ max: 4 }),
        fc.nat({ max: 63 }),
        (message, kind, index) => {
          const signature = p256.sign(message, key(5), { lowS: false, prehash: true, format: 'compact' })
          const publicKey = publicKeyOf(key(5)).slice()
          if (kind === 1) signature[index] = (signature[index] ?? 0) ^ 1
          if (kind === 2) publicKey[1 + index] = (publicKey[1 + index] ?? 0) ^ 1
          if (kind === 3) signature.fill(0)
          if (kind === 4) publicKey[0] = 2
          const answer = verifyP256(publicKey, message, signature)
          expect(answer).toBe(nativeP256(publicKey, message, signature))
          expect(answer).toBe(kind === 0)
        },
      ),
      { numRuns: 40 },
    )
  })
})
