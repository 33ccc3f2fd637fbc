import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDer, readDerAll } from './der.js'
import { type Jwk, keyFromJwk, keyFromSpki } from './public-key.js'
import { type SignatureAlgorithm, signatureAlgorithms, verifySignature } from './verify-signature.js'

/** OpenSSL's keys and signatures, against which ours must agree. */
const pairs: readonly (readonly [SignatureAlgorithm, { publicKey: KeyObject; privateKey: KeyObject }])[] = [
  ['EdDSA', generateKeyPairSync('ed25519')],
  ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['ES256K', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map(
    (algorithm, index) =>
      // 2,049 and 2,055 bits reach the edges of PSS, whose encoded message may be a byte shorter than the modulus.
      [
        algorithm,
        generateKeyPairSync('rsa', { modulusLength: [2048, 2048, 2048, 2048, 2049, 2055][index] ?? 2048 }),
      ] as const,
  ),
]
const message = new TextEncoder().encode('what is signed')
const spkiOf = (key: KeyObject) => Uint8Array.from(key.export({ type: 'spki', format: 'der' }))

function signed(algorithm: SignatureAlgorithm, privateKey: KeyObject): Uint8Array {
  const hash = algorithm === 'EdDSA' ? null : `sha${/\d+/.exec(algorithm)?.[0]}`
  const options = algorithm.startsWith('PS')
    ? {
        key: privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }
    : { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return Uint8Array.from(sign(hash, message, options))
}

describe.each(pairs)('%s', (algorithm, { publicKey, privateKey }) => {
  const key = keyFromSpki(spkiOf(publicKey))
  const jwk = keyFromJwk(publicKey.export({ format: 'jwk' }) as unknown as Jwk)
  if (key === undefined || jwk === undefined) throw new Error('OpenSSL keys are read')

  test('what OpenSSL signs verifies, by either form of the key', () => {
    for (let round = 0; round < 5; round++) {
      const signature = signed(algorithm, privateKey)
      expect(verifySignature({ algorithm, key, message, signature })).toBe(true)
      expect(verifySignature({ algorithm, key: jwk, message, signature })).toBe(true)
    }
  })
  test('a changed bit anywhere does not', () => {
    const signature = signed(algorithm, privateKey)
    for (let at = 0; at < signature.length; at += 5) {
      const changed = signature.map((byte, index) => (index === at ? byte ^ 1 : byte))
      expect(verifySignature({ algorithm, key, message, signature: changed })).toBe(false)
    }
    expect(verifySignature({ algorithm, key, message: message.subarray(1), signature })).toBe(false)
    for (const other of [signature.subarray(1), Uint8Array.of(0, ...signature), new Uint8Array(0)]) {
      expect(verifySignature({ algorithm, key, message, signature: other })).toBe(false)
    }
  })
  test('no other algorithm takes it', () => {
    const signature = signed(algorithm, privateKey)
    for (const other of signatureAlgorithms.filter((one) => one !== algorithm)) {
      expect(verifySignature({ algorithm: other, key, message, signature })).toBe(false)
    }
  })
})

test('RSA keys below 2,048 bits, and exponents of 1, are no keys', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  expect(keyFromSpki(spkiOf(small))).toBeUndefined()
  expect(keyFromSpki(spkiOf(small), 1024)).toMatchObject({ type: 'rsa' })
  const { n = '' } = small.export({ format: 'jwk' }) as { n?: string }
  expect(keyFromJwk({ kty: 'RSA', n: `${n}${n}`, e: 'AQ' })).toBeUndefined()
  expect(keyFromJwk({ kty: 'RSA', n: `${n}${n}`, e: 'BA' })).toBeUndefined()
})

test.each<[Jwk]>([
  [{ kty: 'oct' }],
  [{ kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
  [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
  [{ kty: 'EC', crv: 'P-521', x: 'A', y: 'A' }],
  [{ kty: 'EC', crv: 'constructor' }],
  [{ kty: 'EC', crv: 'P-256', x: '!', y: '!' }],
  [{ kty: 'RSA', n: 'AQAB' }],
])('%j is no key', (jwk) => {
  expect(keyFromJwk(jwk)).toBeUndefined()
})

test('any bytes are DER or not, and any change of a key is a key or not', () => {
  const spki = spkiOf(pairs[1]?.[1].publicKey ?? generateKeyPairSync('ed25519').publicKey)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(spki.length - 1), fc.nat(255), (bytes, at, byte) => {
      readDer(bytes)
      readDerAll(bytes)
      const changed = spki.slice()
      changed[at] = byte
      const key = keyFromSpki(changed)
      expect(
        key !== undefined && verifySignature({ algorithm: 'ES256', key, message, signature: bytes }),
      ).toBe(false)
    }),
  )
})
test.each([
  [[0x30, 0x80]],
  [[0x30, 0x85, 0x00, 0x00, 0x00, 0x00, 0x80, ...new Array<number>(128).fill(0)]],
  [[0x30, 0x81, 0x01, 0x00]],
  [[0x30, 0x82, 0x00, 0x80]],
  [[0x1f, 0x01, 0x00]],
  [[0x30, 0x02, 0x00]],
  [[]],
])('%j is no element of DER', (bytes) => {
  expect(readDer(Uint8Array.from(bytes))).toBeUndefined()
})
