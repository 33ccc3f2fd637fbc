import { generateKeyPairSync, sign } from 'node:crypto'
import { encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import type { Jwk } from '../signature/public-key.js'
import type { AuthenticityFinding } from './finding.js'
import { type TrustedKey, verifyJws } from './jose/verify-jws.js'
import { verifyPlatformSignature } from './platform/verify-platform-signature.js'

const ed = generateKeyPairSync('ed25519')
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwkOf = (key: typeof ed.publicKey): Jwk => key.export({ format: 'jwk' }) as unknown as Jwk
const reasons = (result: AuthenticityFinding): unknown[] => {
  expect(JSON.stringify({ ...result, claims: 0, credential: 0 })).not.toContain('canary')
  expect(result.authentic || result.signer === null).toBe(true)
  return [result.authentic, ...result.checks.filter((one) => one.result !== 'pass').map((one) => one.reason)]
}

describe('JWS and JWT', () => {
  const keys: TrustedKey[] = [
    { name: 'Platform', algorithm: 'EdDSA', jwk: jwkOf(ed.publicKey) },
    { name: 'Platform', algorithm: 'ES256', jwk: jwkOf(ec.publicKey), keyId: 'k1' },
    { name: 'Platform', algorithm: 'PS256', jwk: jwkOf(rsa.publicKey) },
  ]
  const claims = {
    iss: 'https://platform.example',
    aud: ['pool', 'other'],
    sub: 'canary',
    nbf: 100,
    exp: 1000,
  }
  const expectation = { issuer: 'https://platform.example', audience: 'pool' }
  const token = (
    alg: string,
    key: typeof ed.privateKey,
    header: object = {},
    payload: jose.JWTPayload = claims,
  ) => new jose.SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(key)
  const verify = (text: string, own = {}) =>
    verifyJws({ token: text, keys, expect: expectation, at: 500, ...own })

  test('what jose signs is authentic, with its claims', async () => {
    for (const [alg, key, header] of [
      ['EdDSA', ed.privateKey, {}],
      // RFC 9864's name of the same.
      ['Ed25519', ed.privateKey, {}],
      ['ES256', ec.privateKey, { kid: 'k1' }],
      ['PS256', rsa.privateKey, {}],
    ] as const) {
      expect(verify(await token(alg, key, header))).toMatchObject({
        authentic: true,
        signer: 'Platform',
        claims,
      })
    }
  })
  test('and what jose refuses is not', async () => {
    const good = await token('EdDSA', ed.privateKey)
    const [head = '', body = '', mark = ''] = good.split('.')
    const none = `${encodeBase64Url(new TextEncoder().encode('{"alg":"none"}'))}.${body}.`
    const hmac = await new jose.SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(jwkOf(ed.publicKey).x ?? '', 'base64url'))
    const other = await token('EdDSA', generateKeyPairSync('ed25519').privateKey)
    const changed = `${head}.${encodeBase64Url(new TextEncoder().encode('{"iss":"x"}'))}.${mark}`
    const otherName = (alg: string) =>
      `${encodeBase64Url(new TextEncoder().encode(`{"alg":"${alg}"}`))}.${body}.${mark}`
    const publicKey = await jose.importJWK(jwkOf(ed.publicKey) as jose.JWK, 'EdDSA')
    for (const [text, reason] of [
      [none, 'UNKNOWN_KEY'],
      [hmac, 'UNKNOWN_KEY'],
      [otherName('Ed448'), 'UNKNOWN_KEY'],
      [otherName('ed25519'), 'UNKNOWN_KEY'],
      [other, 'SIGNATURE_INVALID'],
      [changed, 'SIGNATURE_INVALID'],
      [`${good}=`, 'MALFORMED_TOKEN'],
      [`${head}.${body}`, 'MALFORMED_TOKEN'],
      [`${good}.x`, 'MALFORMED_TOKEN'],
      ['', 'MALFORMED_TOKEN'],
    ] as const) {
      expect(reasons(verify(text))).toContain(reason)
      expect(verify(text)).toMatchObject({ authentic: false, claims: undefined })
      await expect(jose.compactVerify(text, publicKey, { algorithms: ['EdDSA'] })).rejects.toThrow()
    }
  })
  test.each<[string, object, unknown[]]>([
    ['issuer', { expect: { issuer: 'other' } }, ['WRONG_ISSUER']],
    ['audience', { expect: { audience: 'nobody' } }, ['WRONG_AUDIENCE']],
    ['time, too late', { at: 1001 }, ['EXPIRED']],
    ['time, too early', { at: 99 }, ['NOT_YET_VALID']],
    ['time, not given', { at: undefined }, ['NO_TIME_GIVEN']],
  ])('the wrong %s is not authentic', async (_name, own, expected) => {
    expect(reasons(verify(await token('EdDSA', ed.privateKey), own))).toEqual([false, ...expected])
  })
  test('a key without an id takes tokens with any, one with an id only its own', async () => {
    expect(verify(await token('EdDSA', ed.privateKey, { kid: 'any' })).authentic).toBe(true)
    expect(reasons(verify(await token('ES256', ec.privateKey)))).toEqual([false, 'UNKNOWN_KEY'])
  })
  test('another key id, a critical extension and dates that are none are not', async () => {
    expect(reasons(verify(await token('ES256', ec.privateKey, { kid: 'k2' })))).toEqual([
      false,
      'UNKNOWN_KEY',
    ])
    const critical = await new jose.SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', crit: ['b64'], b64: true })
      .sign(ed.privateKey)
    expect(reasons(verify(critical))).toEqual([false, 'CRITICAL_EXTENSION'])
    for (const own of ['"crit":["x"]', '"b64":false']) {
      const head = encodeBase64Url(new TextEncoder().encode(`{"alg":"EdDSA",${own}}`))
      expect(reasons(verify(`${head}.e30.AA`))).toEqual([false, 'CRITICAL_EXTENSION'])
    }
    const head = encodeBase64Url(new TextEncoder().encode('{"alg":"EdDSA"}'))
    const body = encodeBase64Url(new TextEncoder().encode('{"exp":"never"}'))
    const mark = encodeBase64Url(sign(null, Buffer.from(`${head}.${body}`), ed.privateKey))
    expect(reasons(verify(`${head}.${body}.${mark}`, { expect: {} }))).toEqual([false, 'MALFORMED_DATES'])
  })
  test('a member that stands twice makes no token, however it is written', () => {
    const of = (head: string, body: string): string => {
      const text = [head, body].map((part) => Buffer.from(part).toString('base64url')).join('.')
      return `${text}.${sign(null, Buffer.from(text), ed.privateKey).toString('base64url')}`
    }
    const head = '{"alg":"EdDSA"}'
    const judge = (body: string, own = head) => reasons(verify(of(own, body), { expect: {} }))
    expect(judge('{"a":{"b":1},"c":[{"b":1},{"b":1}],"b":"\\"a\\":"}')).toEqual([true])
    for (const [body, own] of [
      ['{"sub":"a","sub":"b"}'],
      ['{"sub":"a","\\u0073ub":"b"}'],
      [`{"sub":"a","sub"${' '.repeat(500)}:"b"}`],
      ['{"a":[{"b":{"x":1,"y":[],"x":1}}]}'],
      ['{}', '{"alg":"EdDSA","alg":"EdDSA"}'],
    ] as const) {
      expect(judge(body, own)).toEqual([false, 'MALFORMED_TOKEN'])
    }
  })
  test('any text gives a finding', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(verify(text).authentic).toBe(false)
      }),
    )
  })
})

describe('platform signatures', () => {
  const payload = { b: [1, 'é'], a: { wage: 12.5, name: 'canary' } }
  const bytes = Buffer.from(canonicalize(payload) ?? '')
  const keys: TrustedKey[] = [
    { name: 'Ed', algorithm: 'EdDSA', jwk: jwkOf(ed.publicKey) },
    { name: 'Ec', algorithm: 'ES256', jwk: jwkOf(ec.publicKey) },
    { name: 'Rsa', algorithm: 'RS256', jwk: jwkOf(rsa.publicKey) },
  ]
  const file = (issuer: string, mark: Buffer, encoding: BufferEncoding = 'base64url'): JsonObject => ({
    payload,
    issuer,
    signature: mark.toString(encoding),
  })
  const edMark = sign(null, bytes, ed.privateKey)
  test('of Ed25519, ECDSA raw and DER, and RSA are authentic', () => {
    for (const one of [
      file('Ed', edMark),
      file('Ed', edMark, 'base64'),
      file('Ec', sign('sha256', bytes, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })),
      file('Ec', sign('sha256', bytes, ec.privateKey)),
      file('Rsa', sign('sha256', bytes, rsa.privateKey)),
    ]) {
      expect(verifyPlatformSignature({ file: one, keys })).toMatchObject({
        authentic: true,
        signer: one['issuer'],
      })
    }
  })
  test.each<[string, JsonObject, string]>([
    ['of a changed payload', { ...file('Ed', edMark), payload: {} }, 'SIGNATURE_INVALID'],
    ['by the key of another name', file('Ec', edMark), 'SIGNATURE_INVALID'],
    ['of nobody known', file('canary', edMark), 'UNKNOWN_KEY'],
    ['with one member more', { ...file('Ed', edMark), note: 1 }, 'NOT_SIGNED'],
    ['that is no text', { ...file('Ed', edMark), signature: 1 }, 'NOT_SIGNED'],
    [
      'of a payload without canonical form',
      { ...file('Ed', edMark), payload: '\ud800' },
      'SIGNATURE_INVALID',
    ],
    ['without a payload', { issuer: 'Ed', signature: 'AA' }, 'NOT_SIGNED'],
  ])('%s are not', (_name, one, reason) => {
    expect(reasons(verifyPlatformSignature({ file: one, keys }))).toEqual([false, reason])
  })
})
