import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import * as jose from 'jose'
import { hashTypedData, keccak256, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import type { Jwk } from '../signature/public-key.js'
import { typedDataHash } from '../signature/typed-data.js'
import { decodeBase58 } from './credential/base58.js'
import { unixSeconds } from './credential/date-time.js'
import { verifyCredentialJwt, verifyDataIntegrity } from './credential/verify-credential.js'
import { verifyDeviceRecords } from './device/verify-device-records.js'
import type { AuthenticityFinding } from './finding.js'
import { type TrustedKey, verifyJws } from './jose/verify-jws.js'
import { verifyPlatformSignature } from './platform/verify-platform-signature.js'
import { verifyReclaim } from './reclaim/verify-reclaim.js'
import { inspectPresentation } from './tlsnotary/inspect-presentation.js'

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
    const publicKey = await jose.importJWK(jwkOf(ed.publicKey) as jose.JWK, 'EdDSA')
    for (const [text, reason] of [
      [none, 'UNKNOWN_KEY'],
      [hmac, 'UNKNOWN_KEY'],
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
    const head = encodeBase64Url(new TextEncoder().encode('{"alg":"EdDSA"}'))
    const body = encodeBase64Url(new TextEncoder().encode('{"exp":"never"}'))
    const mark = encodeBase64Url(sign(null, Buffer.from(`${head}.${body}`), ed.privateKey))
    expect(reasons(verify(`${head}.${body}.${mark}`, { expect: {} }))).toEqual([false, 'MALFORMED_DATES'])
  })
  test('any text gives a finding', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(verify(text).authentic).toBe(false)
      }),
    )
  })
})

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

  test('in JWT form, of either data model, they are authentic', async () => {
    const modern = verifyCredentialJwt({ token: await jwt(credential), keys, at })
    expect(modern).toMatchObject({ authentic: true, signer: 'Issuer', credential })
    const { issuer: _, ...inner } = credential
    const older = verifyCredentialJwt({ token: await jwt({ iss: issuer, vc: inner }), keys, at })
    expect(older).toMatchObject({ authentic: true, credential })
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

describe('device records', () => {
  const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`)
  const types = {
    Sample: [
      { name: 'counter', type: 'uint64' },
      { name: 'value', type: 'int32' },
      { name: 'unit', type: 'string' },
      { name: 'position', type: 'Position' },
      { name: 'raw', type: 'bytes' },
      { name: 'tags', type: 'bytes4[]' },
      { name: 'ok', type: 'bool' },
    ],
    Position: [
      { name: 'lat', type: 'int256' },
      { name: 'owner', type: 'address' },
      { name: 'pair', type: 'uint8[2]' },
    ],
  } as const
  const domain = {
    name: 'Meter',
    version: '1',
    chainId: 1,
    verifyingContract: `0x${'33'.repeat(20)}`,
  } as const
  const message = (counter: number) =>
    ({
      counter,
      value: -5,
      unit: 'canary é',
      position: { lat: '-9007199254740993', owner: `0x${'44'.repeat(20)}`, pair: [1, 2] },
      raw: '0x0102',
      tags: ['0x01020304', '0xffffffff'],
      ok: true,
    }) as const
  const typed = (counter: number, own: object = {}) =>
    ({ domain, types, primaryType: 'Sample', message: { ...message(counter), ...own } }) as never
  const record = async (counter: number, by = account) => ({
    message: message(counter) as unknown as JsonObject,
    signature: await by.signTypedData(typed(counter)),
  })
  const source = {
    domain: domain as unknown as JsonObject,
    types,
    primaryType: 'Sample',
    devices: [{ name: 'Meter 7', address: account.address }],
    uniqueBy: 'counter',
  }
  const verify = (file: JsonObject) => verifyDeviceRecords({ file, source })

  test('the hash is what viem computes', () => {
    const ours = typedDataHash({ ...source, message: message(3) as unknown as JsonObject })
    expect(ours === undefined ? '' : toHex(ours)).toBe(hashTypedData(typed(3)))
  })
  test('records of one known device are authentic', async () => {
    const file = { records: [await record(1), await record(2)] }
    expect(verify(file as JsonObject)).toMatchObject({ authentic: true, signer: 'Meter 7' })
  })
  test('others are not', async () => {
    const one = await record(1)
    const cases: [JsonObject, string][] = [
      [{ records: [one, await record(2, stranger)] }, 'SEVERAL_SIGNERS'],
      [{ records: [await record(1, stranger)] }, 'UNKNOWN_DEVICE'],
      [{ records: [one, one] }, 'RECORD_REPEATED'],
      [{ records: [{ ...one, message: { ...one.message, value: 6 } }] }, 'UNKNOWN_DEVICE'],
      [{ records: [{ ...one, message: { ...one.message, extra: 6 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, value: 2 ** 31 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, counter: -1 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, ok: 1 } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, raw: '0x1' } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, tags: ['0x01'] } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, message: { ...one.message, unit: '\ud800' } }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [{ ...one, extra: 1 }] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [1] }, 'RECORD_DOES_NOT_FIT'],
      [{ records: [] }, 'NOT_SIGNED'],
      [{ records: Array.from({ length: 10_001 }, () => 1) }, 'TOO_MANY_RECORDS'],
      [{ records: [one], note: 1 }, 'NOT_SIGNED'],
    ]
    for (const [file, reason] of cases) expect(reasons(verify(file))).toContain(reason)
  })
  test('a signature with high s, which is another text of the same, is none', async () => {
    const one = await record(1)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = order - BigInt(`0x${one.signature.slice(66, 130)}`)
    const v = one.signature.endsWith('1b') ? '1c' : '1b'
    const high = `${one.signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}`
    expect(reasons(verify({ records: [{ ...one, signature: high }] }))).toContain('UNKNOWN_DEVICE')
  })
})

describe('Reclaim claims', () => {
  const witness = privateKeyToAccount(`0x${'55'.repeat(32)}`)
  const second = privateKeyToAccount(`0x${'66'.repeat(32)}`)
  const owner = `0x${'77'.repeat(20)}` as const
  const parameters = '{"url":"https://api.example/me"}'
  const claim = (own: object = {}) => {
    const base = {
      provider: 'http',
      parameters,
      context: '{"canary":1}',
      owner,
      timestampS: 1000,
      epoch: 1,
      ...own,
    }
    const identifier = keccak256(
      new TextEncoder().encode(`${base.provider}\n${base.parameters}\n${base.context}`),
    )
    return { identifier, ...base }
  }
  const signedBy = async (one: ReturnType<typeof claim>, ...accounts: (typeof witness)[]) => ({
    claimData: one as unknown as JsonObject,
    signatures: await Promise.all(
      accounts.map((account) =>
        account.signMessage({ message: `${one.identifier}\n${one.owner}\n${one.timestampS}\n${one.epoch}` }),
      ),
    ),
  })
  const source = {
    witnesses: [witness.address, second.address],
    provider: 'http',
    parameters: [parameters],
    maximumAgeSeconds: 100,
  }
  const verify = (proof: JsonObject, own = {}) => verifyReclaim({ proof, source, owner, at: 1050, ...own })

  test('that trusted witnesses signed are authentic, and say what nobody here saw', async () => {
    const result = verify((await signedBy(claim(), witness)) as JsonObject)
    expect(result.authentic).toBe(true)
    expect(result.checks.at(-1)).toEqual({
      name: 'tls-session',
      result: 'not-checked',
      reason: 'SEEN_BY_WITNESSES_ONLY',
      essential: false,
    })
  })
  test('others are not', async () => {
    const good = await signedBy(claim(), witness)
    const stranger = privateKeyToAccount(`0x${'78'.repeat(32)}`)
    const of = async (own: object): Promise<JsonObject> => (await signedBy(claim(own), witness)) as JsonObject
    const cases: [JsonObject, string, object?][] = [
      [(await signedBy(claim(), stranger)) as JsonObject, 'TOO_FEW_WITNESSES'],
      [{ ...good, signatures: [] }, 'TOO_FEW_WITNESSES'],
      [
        { ...good, signatures: [...good.signatures, ...good.signatures] },
        'TOO_FEW_WITNESSES',
        { source: { ...source, threshold: 2 } },
      ],
      [good, 'TOO_FEW_WITNESSES', { source: { ...source, threshold: 0, witnesses: [] } }],
      [{ ...good, claimData: { ...good.claimData, context: '{}' } }, 'IDENTIFIER_MISMATCH'],
      [{ ...good, claimData: { ...good.claimData, timestampS: 1001 } }, 'TOO_FEW_WITNESSES'],
      [await of({ provider: 'other' }), 'WRONG_PROVIDER'],
      [await of({ parameters: '{}' }), 'WRONG_PARAMETERS'],
      [await of({ owner: `0x${'88'.repeat(20)}` }), 'WRONG_OWNER'],
      [good, 'EXPIRED', { at: 1101 }],
      [good, 'NOT_YET_VALID', { at: 999 }],
      [good, 'NO_TIME_GIVEN', { at: undefined }],
      [await of({ context: 'a\nb' }), 'MALFORMED_CLAIM'],
      [{ signatures: [] }, 'MALFORMED_CLAIM'],
      [{ claimData: good.claimData, signatures: 'x' }, 'MALFORMED_CLAIM'],
    ]
    for (const [proof, reason, own] of cases) expect(reasons(verify(proof, own))).toContain(reason)
    for (const [proof, , own] of cases) expect(verify(proof, own).authentic).toBe(false)
  })
  test('two of two witnesses are two', async () => {
    const both = (await signedBy(claim(), witness, second)) as JsonObject
    expect(verify(both, { source: { ...source, threshold: 2 } }).authentic).toBe(true)
  })
})

test('a TLSNotary presentation is recognised and never authentic', () => {
  const result = inspectPresentation({ file: { version: '0.1.0-alpha.12', data: '00ff', meta: {} } })
  expect(result.authentic).toBe(false)
  expect(result.checks.map((check) => check.result)).toEqual([
    'pass',
    'not-checked',
    'not-checked',
    'not-checked',
  ])
  for (const file of [
    {},
    { version: '1', data: '00' },
    { version: '0.1.0', data: 'zz' },
    { version: '0.1.0', data: '' },
  ]) {
    expect(reasons(inspectPresentation({ file }))).toEqual([false, 'MALFORMED_PRESENTATION'])
  }
})
