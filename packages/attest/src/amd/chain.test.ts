import { p384 } from '@noble/curves/nist.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { derTag } from '../encoding/der.js'
import { parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { verifyDstackSnpAttestation } from '../platform-evidence/index.js'
import { der, derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { writeSnpReport } from '../simulator/snp-report-writer.js'
import { makeCertificate, makeRevocationList, publicKeyOf, sign } from '../simulator/test-pki.js'
import { at, seededRandom } from '../testing/fixture.js'
import { dstackSnpContainer } from '../testing/platform-fixture.js'
import { amdRootClaim } from '../trust-anchor/amd.js'
import type { SnpProduct } from './claims.js'
import { parseSnpReport } from './report.js'
import { vekFacts } from './vek-extensions.js'
import { verifySnpReport } from './verify.js'
import { verifyAmdMaterial } from './verify-material.js'

// Chains put together by hand, right in everything but one thing, and signed: what the simulator's own defects do not reach.

const random = seededRandom('amd chain')
const newKey = () => p384.utils.randomSecretKey(random(72))
const keys = { root: newKey(), authority: newKey(), vek: newKey() }
const seconds = at.getTime() / 1000
const dates = { notBefore: seconds - 60, notAfter: seconds + 86_400, curve: 'p384' as const }
const chipId = new Uint8Array(64).fill(9)
const ia5 = (text: string) => der(derTag.ia5String, new TextEncoder().encode(text))

type Extensions = Readonly<Record<string, Uint8Array | null>>
const levels = { '3.1': derNumber(4), '3.2': derNumber(0), '3.3': derNumber(20), '3.8': derNumber(213) }
const genoa: Extensions = { '1': derNumber(0), '2': ia5('Genoa'), ...levels, '4': chipId }
const csp = { '4': null, '5': ia5('CN=simulated.invalid') }

interface Names {
  readonly vek?: string
  readonly authority?: string
  readonly root?: string
}
function endorsement(extensions: Extensions = {}, { vek = 'SEV-VCEK', authority = 'SEV-Genoa' }: Names = {}) {
  return makeCertificate({
    ...dates,
    commonName: vek,
    publicKey: publicKeyOf(keys.vek, 'p384'),
    issuer: { commonName: authority, privateKey: keys.authority },
    serial: Uint8Array.of(0),
    extensions: Object.entries({ ...genoa, ...extensions }).flatMap(([arc, value]) =>
      value === null ? [] : [derSequence(derOid(`1.3.6.1.4.1.3704.1.${arc}`), derOctets(value))],
    ),
  })
}
function chain(extensions: Extensions = {}, names: Names = {}): Uint8Array[] {
  const { authority = 'SEV-Genoa', root = 'Test ARK' } = names
  const issuer = { commonName: root, privateKey: keys.root }
  return [
    endorsement(extensions, names),
    makeCertificate({
      ...dates,
      commonName: authority,
      publicKey: publicKeyOf(keys.authority, 'p384'),
      issuer,
      authority: { pathLength: 0 },
      serial: Uint8Array.of(2, 0, 2),
    }),
    makeCertificate({
      ...dates,
      commonName: root,
      publicKey: publicKeyOf(keys.root, 'p384'),
      issuer,
      authority: { pathLength: 1 },
      serial: Uint8Array.of(2, 0, 0),
    }),
  ]
}
const crl = makeRevocationList({
  curve: 'p384',
  issuer: { commonName: 'Test ARK', privateKey: keys.root },
  thisUpdate: seconds - 60,
  nextUpdate: seconds + 60,
  revoked: [],
})

const tcb = Uint8Array.of(4, 0, 0, 0, 0, 0, 20, 213)
/** A report with the levels of the certificate, bytes changed where wanted, and signed. */
function report(
  patches: readonly (readonly [number, number])[] = [],
  {
    product = 'Genoa' as SnpProduct,
    kind = 'vcek' as 'vcek' | 'vlek',
    version = 3 as 2 | 3,
    levels = tcb,
  } = {},
): Uint8Array {
  const content = { reportData: new Uint8Array(64), version }
  const bytes = writeSnpReport(content, { product, chipId, kind, privateKey: keys.vek })
  for (const place of [0x38, 0x180, 0x1e0, 0x1f0]) bytes.set(levels, place)
  for (const [place, octet] of patches) bytes[place] = octet
  const signature = sign(bytes.subarray(0, 0x2a0), keys.vek, 'p384')
  bytes.fill(0, 0x2a0)
  bytes.set(signature.slice(0, 48).reverse(), 0x2a0)
  bytes.set(signature.slice(48).reverse(), 0x2a0 + 72)
  return bytes
}

const rootOf = (certificates: readonly Uint8Array[]) =>
  amdRootClaim(parseCertificate(certificates[certificates.length - 1] ?? new Uint8Array()))
const verify = (bytes: Uint8Array, certificates: readonly Uint8Array[], trustedRoots?: readonly string[]) =>
  verifySnpReport(bytes, {
    certificates,
    crl,
    at,
    trustedRoots: (trustedRoots ?? [rootOf(certificates).certificate]) as `sha256:${string}`[],
  })
/** The checks that do not pass, with what they say. */
const open = (...given: Parameters<typeof verify>) =>
  Object.fromEntries(
    verify(...given)
      .checks.filter(({ result, detail }) => result !== 'pass' && !detail.startsWith('It builds on'))
      .map(({ id, result, detail }) => [id, `${result}: ${detail}`]),
  )

describe('a chain of AMD’s form', () => {
  it('is good as it is, by the digest of its root or of the root’s key', () => {
    expect(open(report(), chain())).toEqual({})
    const vlek = chain(csp, { vek: 'SEV-VLEK', authority: 'SEV-VLEK-Genoa' })
    expect(open(report([], { kind: 'vlek' }), vlek)).toEqual({})
    expect(open(report(), chain(), [rootOf(chain()).publicKey])).toEqual({})
    expect(Object.keys(open(report(), chain(), []))).toEqual(['root-trusted'])
  })

  const leaf = endorsement()
  it.each<[string, Uint8Array[], string, RegExp]>([
    ['two leaves', [leaf, ...chain()], 'certificates', /^not-checked: Not exactly one/],
    ['no leaf', chain().slice(1), 'certificates', /^not-checked: Not exactly one/],
    [
      '17 certificates',
      [...chain(), ...Array.from({ length: 14 }, () => chain()[2] ?? leaf)],
      'certificates',
      /^fail: more than 16/,
    ],
    ['a leaf of another name', chain({}, { vek: 'SEV-OTHER' }), 'vek-chain', /neither a VCEK nor a VLEK/],
    [
      'an authority of VLEKs above a VCEK',
      chain({}, { authority: 'SEV-VLEK-Genoa' }),
      'vek-chain',
      /no issuer of a SEV-VCEK/,
    ],
    [
      'an authority of VCEKs above a VLEK',
      chain(csp, { vek: 'SEV-VLEK' }),
      'vek-chain',
      /no issuer of a SEV-VLEK/,
    ],
    ['an authority of another name', chain({}, { authority: 'SEV-Rome' }), 'vek-chain', /no issuer of/],
    ['a VCEK of a provider and a chip', chain({ '5': ia5('CN=x') }), 'vek-chain', /not both/],
    ['a VCEK of no chip', chain({ '4': null }), 'vek-chain', /not both/],
    [
      'a VLEK of no provider',
      chain({ '4': null }, { vek: 'SEV-VLEK', authority: 'SEV-VLEK-Genoa' }),
      'vek-chain',
      /not both/,
    ],
    [
      'a VLEK of a chip',
      chain({ ...csp, '4': chipId }, { vek: 'SEV-VLEK', authority: 'SEV-VLEK-Genoa' }),
      'vek-chain',
      /not both/,
    ],
    [
      'issuers of another line',
      chain({}, { authority: 'SEV-Milan' }),
      'product',
      /issuers of other processors/,
    ],
    ['a root of another line', chain({}, { root: 'ARK-Milan' }), 'product', /issuers of other processors/],
  ])('with %s is not good', (_, certificates, id, says) => {
    expect(open(report(), certificates)[id]).toMatch(says)
  })

  it.each<[string, Uint8Array, string, RegExp]>([
    [
      'of another product than its certificate',
      report([], { product: 'Milan' }),
      'product',
      /the report is of Milan/,
    ],
    ['that names no key', report([[0x48, 7 << 2]]), 'signing-key', /not signed by any key/],
    ['that names the other key', report([[0x48, 1 << 2]]), 'signing-key', /names a vlek key/],
    ['with a level that Genoa does not have', report([[0x182, 1]]), 'tcb-match', /unknown levels/],
    ['without bit 17 of its policy', report([[0x0a, 0]]), 'report-form', /bit 17/],
    ['with bit 63 of its policy', report([[0x0f, 0x80]]), 'report-form', /not known/],
  ])('does not vouch for a report %s', (_, bytes, id, says) => {
    const problems = open(bytes, chain())
    expect(problems[id]).toMatch(says)
    expect(Object.keys(problems)).toEqual([id])
  })

  it('vouches for no report of version 2 of Turin, which has none', () => {
    const turin = { '2': ia5('Turin'), '3.9': derNumber(1), '4': chipId.slice(0, 8) }
    const certificates = chain(turin, { authority: 'SEV-Turin' })
    const bytes = report([], { version: 2, levels: Uint8Array.of(1, 4, 0, 20, 0, 0, 0, 213) })
    expect(open(bytes, certificates)['product']).toMatch(/no reports of version 2/)
    expect(open(report([], { version: 2 }), chain())).toEqual({})
  })

  it('is judged alike without a report', () => {
    const material = (certificates: Uint8Array[]) =>
      verifyAmdMaterial({ certificates, crl }, { at, trustedRoots: [rootOf(certificates).certificate] })
    expect(material(chain()).ok).toBe(true)
    const { ok, checks } = material(chain({}, { authority: 'SEV-Milan' }))
    expect([ok, checks.find(({ id }) => id === 'product')?.result]).toEqual([false, 'fail'])
  })
})

// No signature is needed for these: the extensions are read before the chain is checked.
describe('texts of 200,000 bytes in the extensions', () => {
  const long = ia5('A'.repeat(200_000))
  const vlek = { vek: 'SEV-VLEK', authority: 'SEV-VLEK-Genoa' }

  it('are no product', () => {
    expect(open(report(), chain({ '2': long }))['certificates']).toMatch(/^fail: .*product is none/)
  })
  it('are a provider as any other', () => {
    const { ok, claims } = verify(report([], { kind: 'vlek' }), chain({ ...csp, '5': long }, vlek))
    expect([ok, claims.tee === 'sev-snp' && claims.cspId]).toEqual([true, 'A'.repeat(200_000)])
  })
  it.each<[string, Extensions, Names]>([
    ['a product', { '2': long }, {}],
    ['a provider', { ...csp, '5': long }, vlek],
  ])('give a verdict as %s in a container of dstack too', (_, extensions, names) => {
    const certificates = chain(extensions, names)
    const container = dstackSnpContainer({ certificates })
    const trustedRoots = [rootOf(certificates).certificate]
    expect(verifyDstackSnpAttestation(container, { crl, at, trustedRoots }).ok).toBe(false)
  })
})

describe('extensions of an endorsement key', () => {
  const facts = (extensions: Extensions) => vekFacts(parseCertificate(endorsement(extensions)))

  it('are read, levels up to 255 and a chip as an OCTET STRING too', () => {
    expect(facts({}).tcb).toEqual({ bootloader: 4, tee: 0, snp: 20, microcode: 213 })
    expect(facts({ '3.8': derNumber(255) }).tcb.microcode).toBe(255)
    expect(facts({ '3.8': derNumber(127) }).tcb.microcode).toBe(127)
    expect(facts({ '4': derOctets(chipId) }).hwid).toEqual(chipId)
    expect(facts({ '2': ia5('Genoa-B1') }).line).toBe('Genoa')
  })

  const integer = (...octets: number[]) => der(derTag.integer, Uint8Array.from(octets))
  it.each<[string, Extensions]>([
    ['a level that is missing', { '3.1': null }],
    ['a level that is ENUMERATED', { '3.1': der(derTag.enumerated, Uint8Array.of(4)) }],
    ['a level of 256', { '3.1': integer(1, 0) }],
    ['a level of 65,536', { '3.1': integer(1, 0, 0) }],
    ['a level of three octets', { '3.1': integer(0, 255, 255) }],
    ['a level below zero', { '3.1': integer(0xff) }],
    ['a level of two octets below zero', { '3.1': integer(0xff, 4) }],
    ['no product', { '2': null }],
    ['a product that is not known', { '2': ia5('Rome-B1') }],
    ['a product as UTF8String', { '2': der(0x0c, new TextEncoder().encode('Genoa')) }],
    ['a product with a control character', { '2': ia5('Genoa\u0000') }],
    ['a chip of 63 bytes', { '4': chipId.slice(1) }],
    ['a chip of 65 bytes', { '4': concatBytes(chipId, Uint8Array.of(0)) }],
    ['a chip as a BIT STRING', { '4': der(derTag.bitString, chipId) }],
    ['a chip of 66 bytes that is no OCTET STRING', { '4': concatBytes(Uint8Array.of(4, 63), chipId) }],
    ['Turin without its fmc level', { '2': ia5('Turin'), '4': chipId.slice(0, 8) }],
    ['a provider that is no IA5String', { '5': derOctets(chipId) }],
  ])('are refused with %s', (_, extensions) => {
    expect(() => facts(extensions)).toThrow(AttestError)
  })
})

it('a report is bytes: anything else is a typed error', () => {
  for (const value of [
    undefined,
    null,
    'report',
    [...report()],
    { length: 1184 },
    new ArrayBuffer(1184),
    new Uint16Array(1184),
  ]) {
    expect(() => parseSnpReport(value as Uint8Array)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
  }
})
