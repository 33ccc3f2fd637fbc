import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { JsonObject } from '@sealpool/crypto'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import type { Jwk } from '../../signature/public-key.js'
import { decodeBase58 } from '../credential/base58.js'
import { unixSeconds } from '../credential/date-time.js'
import { verifyCredentialJwt, verifyDataIntegrity } from '../credential/verify-credential.js'
import type { AuthenticityFinding } from '../finding.js'
import { TooMuchWork, workMeter } from '../verification-budget.js'

const ed = generateKeyPairSync('ed25519')
const jwkOf = (key: typeof ed.publicKey): Jwk => key.export({ format: 'jwk' }) as unknown as Jwk
const reasons = (result: AuthenticityFinding): unknown[] => {
  expect(JSON.stringify({ ...result, claims: 0, credential: 0 })).not.toContain('canary')
  expect(result.authentic || result.signer === null).toBe(true)
  return [result.authentic, ...result.checks.filter((one) => one.result !== 'pass').map((one) => one.reason)]
}

describe('verifiable credentials', () => {
  const issuer = 'did:web:issuer.example'
  const keys = [
    {
      name: 'Issuer',
      algorithm: 'EdDSA' as const,
      jwk: jwkOf(ed.publicKey),
      issuer,
      verificationMethod: `${issuer}#k`,
    },
  ]
  const credential = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    type: ['VerifiableCredential', 'Employment'],
    issuer,
    validFrom: '2026-01-01T00:00:00Z',
    validUntil: '2026-12-31T23:59:59+01:00',
    credentialSubject: { id: 'did:example:canary', role: 'Clerk' },
  }
  const at = 1_780_000_000
  const jwt = (payload: object) =>
    new jose.SignJWT(payload as jose.JWTPayload)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'vc+jwt' })
      .sign(ed.privateKey)
  /** Signs as W3C says, with another implementation of RFC 8785 and OpenSSL. */
  const integrity = (document: JsonObject, change: object = {}, own: object = {}): JsonObject => {
    const config = {
      type: 'DataIntegrityProof',
      cryptosuite: 'eddsa-jcs-2022',
      created: '2026-02-01T00:00:00Z',
      verificationMethod: `${issuer}#k`,
      proofPurpose: 'assertionMethod',
      '@context': document['@context'] ?? null,
      ...own,
    }
    const hash = (value: unknown) =>
      createHash('sha256')
        .update(canonicalize(value) ?? '')
        .digest()
    const mark = sign(null, Buffer.concat([hash(config), hash(document)]), ed.privateKey)
    return { ...document, proof: { ...config, proofValue: `z${base58(mark)}` }, ...change } as JsonObject
  }

  test('in either form stop at the end of a budget', async () => {
    const work = (signatures: number) => workMeter({ signatures, bytes: 10_000 })
    const token = await jwt(credential)
    expect(verifyCredentialJwt({ token, keys, at, work: work(1) }).authentic).toBe(true)
    expect(() => verifyCredentialJwt({ token, keys, at, work: work(0) })).toThrow(TooMuchWork)
    const signed = integrity(credential)
    expect(verifyDataIntegrity({ credential: signed, keys, at, work: work(1) }).authentic).toBe(true)
    expect(() => verifyDataIntegrity({ credential: signed, keys, at, work: work(0) })).toThrow(TooMuchWork)
  })
  test('in JWT form, of either data model, they are authentic', async () => {
    const modern = verifyCredentialJwt({ token: await jwt(credential), keys, at })
    expect(modern).toMatchObject({ authentic: true, signer: 'Issuer', credential })
    const { issuer: _, ...inner } = credential
    const older = verifyCredentialJwt({ token: await jwt({ iss: issuer, vc: inner }), keys, at })
    expect(older).toMatchObject({ authentic: true, credential })
  })
  test('of two issuers whose keys share a name, each is held to the key that signed', async () => {
    const other = generateKeyPairSync('ed25519')
    const both = [
      ...keys,
      {
        name: 'Issuer',
        algorithm: 'EdDSA' as const,
        jwk: jwkOf(other.publicKey),
        issuer: 'did:web:b.example',
      },
    ]
    const by = (key: typeof ed.privateKey, own: string) =>
      new jose.SignJWT({ ...credential, issuer: own } as jose.JWTPayload)
        .setProtectedHeader({ alg: 'EdDSA' })
        .sign(key)
    const verify = async (key: typeof ed.privateKey, own: string) =>
      reasons(verifyCredentialJwt({ token: await by(key, own), keys: both, at }))
    expect(await verify(ed.privateKey, issuer)).toEqual([true])
    expect(await verify(other.privateKey, 'did:web:b.example')).toEqual([true])
    expect(await verify(other.privateKey, issuer)).toEqual([false, 'WRONG_ISSUER'])
    expect(await verify(ed.privateKey, 'did:web:b.example')).toEqual([false, 'WRONG_ISSUER'])
  })
  test('with a Data Integrity proof they are authentic', () => {
    expect(verifyDataIntegrity({ credential: integrity(credential), keys, at })).toMatchObject({
      authentic: true,
      signer: 'Issuer',
      credential,
    })
  })
  test.each<[string, object, string]>([
    ['another issuer', { issuer: 'did:web:other' }, 'WRONG_ISSUER'],
    ['an issuer object of another', { issuer: { id: 'did:web:other' } }, 'WRONG_ISSUER'],
    ['no type of a credential', { type: 'Employment' }, 'NOT_A_CREDENTIAL'],
    ['no subject', { credentialSubject: 'x' }, 'NO_SUBJECT'],
    ['an end that has passed', { validUntil: '2026-01-02T00:00:00Z' }, 'EXPIRED'],
    ['a beginning to come', { validFrom: '2027-01-01T00:00:00Z' }, 'NOT_YET_VALID'],
    ['a date that is none', { validFrom: '2026-02-30T00:00:00Z' }, 'MALFORMED_DATES'],
    ['a status', { credentialStatus: { id: 'https://issuer.example/1' } }, 'STATUS_NEEDS_THE_NETWORK'],
  ])('with %s they are not', async (_name, change, reason) => {
    const changed = { ...credential, ...change }
    expect(reasons(verifyCredentialJwt({ token: await jwt(changed), keys, at }))).toEqual([false, reason])
    expect(reasons(verifyDataIntegrity({ credential: integrity(changed as JsonObject), keys, at }))).toEqual([
      false,
      reason,
    ])
  })
  test.each<[string, JsonObject, string]>([
    ['a changed document', integrity(credential, { type: ['VerifiableCredential'] }), 'SIGNATURE_INVALID'],
    ['no proof', credential, 'NOT_SIGNED'],
    ['another suite', integrity(credential, {}, { cryptosuite: 'eddsa-rdfc-2022' }), 'MALFORMED_PROOF'],
    ['another purpose', integrity(credential, {}, { proofPurpose: 'authentication' }), 'MALFORMED_PROOF'],
    ['an unknown key', integrity(credential, {}, { verificationMethod: 'did:web:other#k' }), 'UNKNOWN_KEY'],
    ['another context', integrity(credential, {}, { '@context': ['https://other'] }), 'WRONG_CONTEXT'],
    ['an expired proof', integrity(credential, {}, { expires: '2026-02-02T00:00:00Z' }), 'EXPIRED'],
    ['a lone surrogate', integrity({ ...credential, a: 'x' }, { a: '\ud800' }), 'SIGNATURE_INVALID'],
  ])('with %s a proof is not', (_name, document, reason) => {
    expect(reasons(verifyDataIntegrity({ credential: document, keys, at }))).toEqual([false, reason])
  })
  test("a token whose issuer is not the credential's is not", async () => {
    const token = await jwt({ ...credential, iss: 'did:web:other' })
    expect(reasons(verifyCredentialJwt({ token, keys, at }))).toEqual([false, 'WRONG_ISSUER'])
  })
  test('dates are read as RFC 3339 has them', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
        expect(unixSeconds(date.toISOString())).toBe(Math.floor(date.getTime() / 1000))
      }),
    )
    expect(unixSeconds('2026-01-01T01:00:00+01:00')).toBe(unixSeconds('2026-01-01T00:00:00Z'))
    for (const text of [
      '2026-01-01',
      '2026-01-01T00:00:00',
      '2026-13-01T00:00:00Z',
      '2026-01-01T24:00:00Z',
      1,
    ]) {
      expect(unixSeconds(text)).toBeUndefined()
    }
  })
  test('base58 gives back what was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeBase58(base58(bytes))).toEqual(bytes)
      }),
    )
    expect(decodeBase58('0')).toBeUndefined()
    expect(decodeBase58('1'.repeat(201))).toBeUndefined()
  })
})

function base58(bytes: Uint8Array): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  let text = ''
  for (; value > 0n; value /= 58n) text = `${alphabet[Number(value % 58n)]}${text}`
  return (
    '1'.repeat(
      bytes.findIndex((byte) => byte !== 0) === -1 ? bytes.length : bytes.findIndex((byte) => byte !== 0),
    ) + text
  )
}
