import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, decodeBase64Url, encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { text } from '../testing/payroll-export.js'
import { verifyIssuerSignature } from './issuer-signature.js'

const secret = new Uint8Array(32).fill(5)
const issuer = { name: 'Bureau', ed25519PublicKey: encodeBase64Url(ed25519.getPublicKey(secret)) }
const other = {
  name: 'Bureau',
  ed25519PublicKey: encodeBase64Url(ed25519.getPublicKey(new Uint8Array(32).fill(6))),
}
const payload: JsonObject = { b: [1, 'é'], a: { wage: 12.5 } }
const signature = encodeBase64Url(ed25519.sign(canonicalBytes(payload), secret))
const file = { issuer: 'Bureau', payload, signature }
const verify = (value: unknown, issuers = [issuer]) =>
  verifyIssuerSignature({ bytes: text(JSON.stringify(value)), issuers })

test('RFC 8032 section 7.1 test 2 verifies as the signature of the one-byte message', () => {
  // The message 0x72 is no JSON; it shows that key and signature encodings are those of the standard.
  const key = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
  const signed =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
  expect(ed25519.verify(bytes(signed), Uint8Array.of(0x72), bytes(key), { zip215: false })).toBe(true)
})

test('a signed export is valid, however it is written', () => {
  expect(verify(file)).toEqual({ name: 'Bureau', valid: true })
  expect(verifyIssuerSignature({ bytes: text(JSON.stringify(file, null, 4)), issuers: [issuer] }).valid).toBe(
    true,
  )
  expect(verify({ signature, payload: { a: { wage: 12.5 }, b: [1, 'é'] }, issuer: 'Bureau' }).valid).toBe(
    true,
  )
})

test('one of several keys of an issuer is enough', () => {
  expect(verify(file, [other, issuer])).toEqual({ name: 'Bureau', valid: true })
  expect(verify(file, [other])).toMatchObject({ valid: false, reason: 'SIGNATURE_INVALID' })
})

test.each<[string, unknown, string]>([
  ['a changed payload', { ...file, payload: { ...payload, c: 1 } }, 'SIGNATURE_INVALID'],
  [
    'a flipped bit',
    { ...file, signature: encodeBase64Url(decodeBase64Url(signature).map((b, i) => (i === 3 ? b ^ 1 : b))) },
    'SIGNATURE_INVALID',
  ],
  ['a short signature', { ...file, signature: signature.slice(0, 40) }, 'SIGNATURE_INVALID'],
  ['a padded signature', { ...file, signature: `${signature}==` }, 'SIGNATURE_INVALID'],
  ['an empty signature', { ...file, signature: '' }, 'SIGNATURE_INVALID'],
  ['a payload with a lone surrogate', { ...file, payload: '\ud800' }, 'SIGNATURE_INVALID'],
  ['an unknown issuer', { ...file, issuer: 'bureau' }, 'UNKNOWN_ISSUER'],
  ['one member more', { ...file, note: 1 }, 'NOT_SIGNED'],
  ['no payload', { issuer: 'Bureau', signature }, 'NOT_SIGNED'],
  ['a signature that is no text', { ...file, signature: 1 }, 'NOT_SIGNED'],
  ['a list', [file], 'NOT_SIGNED'],
  ['null', null, 'NOT_SIGNED'],
])('%s is not valid', (_name, value, reason) => {
  expect(verify(value)).toMatchObject({ valid: false, reason })
})

test('a scalar that is not reduced is refused (RFC 8032 section 5.1.7)', () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const bytes = decodeBase64Url(signature)
  let scalar = order
  for (let index = 0; index < 32; index++) scalar += BigInt(bytes[32 + index] ?? 0) << BigInt(8 * index)
  const malleable = bytes.slice()
  for (let index = 0; index < 32; index++)
    malleable[32 + index] = Number((scalar >> BigInt(8 * index)) & 255n)
  expect(verify({ ...file, signature: encodeBase64Url(malleable) })).toMatchObject({ valid: false })
})

test('a key of small order signs nothing, though ZIP 215 would accept it', () => {
  const identity = new Uint8Array(32)
  identity[0] = 1
  const forged = new Uint8Array(64)
  forged[0] = 1
  const weak = { name: 'Bureau', ed25519PublicKey: encodeBase64Url(identity) }
  expect(ed25519.verify(forged, canonicalBytes(payload), identity, { zip215: true })).toBe(true)
  expect(verify({ ...file, signature: encodeBase64Url(forged) }, [weak])).toMatchObject({ valid: false })
})

test('any bytes give an answer', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json().map(text)), (bytes) => {
      expect(verifyIssuerSignature({ bytes, issuers: [issuer] }).valid).toBe(false)
    }),
  )
})

test.each(['', 'AAAA', `${issuer.ed25519PublicKey}=`, '***'])(
  'the issuer key "%s" is KEY_INVALID',
  (ed25519PublicKey) => {
    expect(() => verify(file, [{ name: 'x', ed25519PublicKey }])).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', place: 'issuers[0].ed25519PublicKey' }),
    )
  },
)
