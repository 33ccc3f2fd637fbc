import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { makeCertificate, makeRevocationList, publicKeyOf, sign } from '../simulator/test-pki.js'
import { nativeP256 } from '../testing/native-p256.js'
import { chainProblem } from './certificate-chain.js'
import { parseRevocationList, revocationListProblem } from './crl.js'
import { type Certificate, parseCertificate } from './x509.js'

const issuer = { commonName: 'Root', privateKey: new Uint8Array(32).fill(1) }
const dates = { notBefore: 1_700_000_000, notAfter: 2_600_000_000 }
const rootBytes = makeCertificate({
  ...dates,
  ...issuer,
  publicKey: publicKeyOf(issuer.privateKey),
  issuer,
  authority: { pathLength: 0 },
})
const leaf = parseCertificate(
  makeCertificate({
    ...dates,
    commonName: 'Leaf',
    publicKey: publicKeyOf(new Uint8Array(32).fill(2)),
    issuer,
  }),
)
const list = parseRevocationList(
  makeRevocationList({ issuer, thisUpdate: dates.notBefore, nextUpdate: dates.notAfter, revoked: [] }),
)

/** The root with another key usage (RFC 5280 4.2.1.3: content of the BIT STRING), and its signature made anew. */
function rootWith(keyUsage: string): Certificate {
  const bytes = rootBytes.slice()
  const extension = '551d0f0101ff04040302'
  const at = Buffer.from(bytes).indexOf(extension, 0, 'hex') + extension.length / 2
  expect(Buffer.from(bytes.subarray(at, at + 2)).toString('hex')).toBe('0106')
  bytes.set(hexToBytes(keyUsage), at)
  const root = parseCertificate(bytes)
  return { ...root, signature: sign(root.tbs, issuer.privateKey) }
}

const answers = (root: Certificate) => [
  chainProblem([leaf, root], nativeP256),
  revocationListProblem(list, root, nativeP256),
]
const noCertificates = 'Root may not sign certificates'
const noLists = 'Root may not sign revocation lists'

describe('key usage of an authority', () => {
  it.each([
    ['keyCertSign and cRLSign', '0106', undefined, undefined],
    ['keyCertSign only', '0204', undefined, noLists],
    ['cRLSign only', '0102', noCertificates, undefined],
    ['digitalSignature only', '0780', noCertificates, noLists],
  ])('%s decides what it may issue', (_, keyUsage, onChain, onList) => {
    expect(answers(rootWith(keyUsage))).toEqual([onChain, onList])
  })

  it('allows nothing when it is absent', () => {
    expect(answers({ ...rootWith('0106'), keyUsage: undefined })).toEqual([noCertificates, noLists])
  })
})
