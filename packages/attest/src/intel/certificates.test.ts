import { describe, expect, it } from 'vitest'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { at, simulator } from '../testing/fixture.js'
import { certificationText, collateralChains, intelNames, isTcbSigner, pckChain } from './certificates.js'
import { parseQuote } from './quote.js'

const collateral = simulator.collateral(at)
const quote = parseQuote(simulator.quote({ reportData: new Uint8Array(64) }))
const [pck, authority, root] = parsePemCertificates(certificationText(quote)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const [signer] = parsePemCertificates(collateral.tcbInfoIssuerChain) as [Uint8Array]

const failure = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

describe('pckChain', () => {
  it.each([
    [[pck, authority, root]],
    [[pck, root, authority]],
    [[root, authority, pck]],
    [[authority, pck, root]],
  ])('tells leaf, authority and root apart in any order (%#)', (order) => {
    const chain = pckChain(formatPemCertificates(order))
    expect([chain.pck.raw, chain.authority.raw, chain.root.raw]).toEqual([pck, authority, root])
  })

  it.each<[string, Uint8Array[]]>([
    ['no authority', [pck, root]],
    ['no root', [pck, authority]],
    ['no leaf', [authority, root]],
    ['two leaves and no authority', [pck, pck, root]],
    ['two leaves and no root', [pck, pck, authority]],
    ['two roots and no authority', [pck, root, root]],
    ['two authorities and no leaf', [authority, authority, root]],
    ['a leaf too many', [pck, signer, authority, root]],
    ['an authority too many', [pck, authority, authority, root]],
    ['a root too many', [pck, authority, root, root]],
    ['a leaf alone', [pck]],
  ])('refuses %s', (_, certificates) => {
    expect(failure(() => pckChain(formatPemCertificates(certificates)))).toBe(
      'BAD_CERTIFICATE quote.certificationData',
    )
  })
})

describe('collateralChains', () => {
  it.each(['tcbInfoIssuerChain', 'qeIdentityIssuerChain', 'pckCrlIssuerChain'] as const)(
    'wants %s to be a signer and a root',
    (field) => {
      const [one, two] = parsePemCertificates(collateral[field]) as [Uint8Array, Uint8Array]
      const read = (certificates: Uint8Array[]) =>
        failure(() => collateralChains({ ...collateral, [field]: formatPemCertificates(certificates) }))
      expect(read([one, two])).toBe('ok')
      for (const certificates of [[one], [one, two, two], [one, two, one, two]])
        expect(read(certificates)).toBe(`BAD_COLLATERAL collateral.${field}`)
    },
  )
})

describe('isTcbSigner', () => {
  const parsed = parseCertificate(signer)
  it.each<[string, Partial<Certificate>, boolean]>([
    ['Intel’s own', {}, true],
    ['another name', { commonName: intelNames.pck }, false],
    ['no key usage', { keyUsage: undefined as never }, false],
    ['a key for other uses', { keyUsage: { ...parsed.keyUsage, digitalSignature: false } as never }, false],
    ['an authority', { authority: { ...parsed.authority, ca: true } }, false],
  ])('by name, use and place: %s', (_, change, expected) => {
    expect(isTcbSigner({ ...parsed, ...change })).toBe(expected)
  })
})
