import { createHash, generateKeyPairSync } from 'node:crypto'
import type { CredentialCondition } from '@sealpool/contracts'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import { askedDisclosures, holderOf, readHeldCredential } from './held-credential.js'

const base64Url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')
const disclosure = (...parts: readonly unknown[]) => base64Url(['salt', ...parts])
/** Nobody looks at the issuer's signature here: the node does. */
const credential = (claims: object, ...texts: readonly string[]) =>
  `${[`${base64Url({ alg: 'ES256' })}.${base64Url({ iss: 'urn:i', vct: 'urn:t', ...claims })}.c2ln`, ...texts].join('~')}~\n`
const condition = (...claims: NonNullable<CredentialCondition['claims']>): CredentialCondition => ({
  issuer: 'urn:i',
  keys: [],
  type: 'urn:t',
  presentedWithin: 60,
  ...(claims.length === 0 ? {} : { claims }),
})

const name = disclosure('name', 'canary')
const role = disclosure('role', 'auditor')
const scopes = disclosure('scopes', ['a', 'b'])
const guest = disclosure('guest')
const staff = disclosure({ _sd: [digest(role), digest(scopes)] })
const groups = disclosure('groups', [{ '...': digest(guest) }, { '...': digest(staff) }])
const held = readHeldCredential(
  credential(
    { level: 3, _sd: [digest(name), digest(groups), 'decoy'], odd: [{ '...': 'decoy' }, 'x'] },
    ...[name, role, scopes, guest, staff, groups],
  ),
  'x',
)
const shown = (...conditions: readonly CredentialCondition[]) => askedDisclosures(held, conditions)

describe('what is shown of a credential', () => {
  test.each<[string, CredentialCondition, readonly string[]]>([
    ['nothing where issuer and type are enough', condition(), []],
    ['nothing where the claim is open', condition({ path: ['level'], within: { from: 3 } }), []],
    ['the claim that is asked for', condition({ path: ['name'], oneOf: ['x', 'canary'] }), [name]],
    [
      'the item that meets it, with what it lies in',
      condition({ path: ['groups', null, 'role'], oneOf: ['auditor'] }),
      [role, staff, groups],
    ],
    ['another item', condition({ path: ['groups', null], oneOf: ['guest'] }), [guest, groups]],
    [
      'a whole list where a place in it is asked for',
      condition({ path: ['groups', 0], oneOf: ['guest'] }),
      [guest, staff, groups],
    ],
    [
      'all that several claims ask for, once',
      condition(
        { path: ['groups', null, 'role'], oneOf: ['auditor'] },
        { path: ['groups', null, 'scopes', null], oneOf: ['b'] },
      ),
      [role, scopes, staff, groups],
    ],
  ])('is %s', (_, asked, expected) => {
    expect(shown(asked)).toEqual(expected)
  })

  test('is what any of the conditions asks for that it meets', () => {
    const met = condition({ path: ['name'], oneOf: ['canary'] })
    expect(shown({ ...met, type: 'urn:u' }, met, condition({ path: ['level'], oneOf: [4] }))).toEqual([name])
  })

  test.each<[string, CredentialCondition]>([
    ['another issuer', { ...condition(), issuer: 'urn:j' }],
    ['another type', { ...condition(), type: 'urn:u' }],
    ['another value', condition({ path: ['name'], oneOf: ['other'] })],
    ['a value of another type', condition({ path: ['level'], oneOf: ['3'] })],
    ['a claim that is not there', condition({ path: ['absent'], oneOf: [1] })],
    ['a name that every object inherits', condition({ path: ['constructor', 'name'], oneOf: ['Object'] })],
    ['a place past the end', condition({ path: ['groups', 2], oneOf: ['guest'] })],
    ['a place where something stays hidden', condition({ path: ['odd', 1], oneOf: ['x'] })],
    ['an item of what is no list', condition({ path: ['name', null], oneOf: ['canary'] })],
    ['one claim of two', condition({ path: ['level'], oneOf: [3] }, { path: ['name'], oneOf: ['x'] })],
  ])('is nothing for %s', (_, asked) => {
    expect(shown(asked)).toBeUndefined()
    expect(shown()).toBeUndefined()
  })
})

test.each<[string, string]>([
  ['nothing', ''],
  ['other letters', 'a.b.c~ü~'],
  ['a space', `e30.${base64Url({})}.e30 canary~`],
  ['no token', `${base64Url({})}~`],
  ['claims that are none', `e30.${base64Url([])}.e30~`],
  ['a token of four parts', `e30.${base64Url({})}.e30.e30~`],
  ['a disclosure that is none', credential({}, base64Url({ canary: 1 }))],
  ['a holder’s signature', `${credential({}).trim()}e30.e30.canary`],
  ['too much', credential({ canary: 'x'.repeat(65_536) })],
])('a credential with %s is none, and is not quoted', (_, text) => {
  expect(() => readHeldCredential(text, '<file>')).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.not.stringContaining('canary') }),
  )
})

test('a presentation to somebody else is told for what it is', () => {
  expect(() => readHeldCredential(`${credential({}).trim()}e30.e30.canary`, '<file>')).toThrow(
    /signature already/,
  )
})

test('a member stands in no list, and an item in no object', () => {
  const odd = readHeldCredential(
    credential({ list: [{ '...': digest(name) }], _sd: [digest(guest)] }, name, guest),
    'x',
  )
  expect(askedDisclosures(odd, [condition({ path: ['list', null], oneOf: ['name'] })])).toBeUndefined()
  expect(askedDisclosures(odd, [condition({ path: ['guest'], oneOf: ['guest'] })])).toBeUndefined()
})

describe('a holder', () => {
  const challenge = { presented: 'a.b.c~', nonce: 'n', audience: 'urn:x', at: 1_790_000_000 }
  const keys = [
    ['EdDSA', generateKeyPairSync('ed25519')],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const
  const boundTo = (jwk: jose.JWK | undefined) => readHeldCredential(credential({ cnf: { jwk } }), 'x')
  const publicJwk = (pair: (typeof keys)[number][1]): jose.JWK => pair.publicKey.export({ format: 'jwk' })
  const privateText = (pair: (typeof keys)[number][1]) =>
    JSON.stringify(pair.privateKey.export({ format: 'jwk' }))

  test.each(keys)('signs by %s, for one verifier, nonce and presentation', async (alg, pair) => {
    const sign = holderOf(privateText(pair), '--key', boundTo(publicJwk(pair)))
    const [token, proof = ''] = sign(challenge).split('~')
    expect(token).toBe('a.b.c')
    const { payload, protectedHeader } = await jose.jwtVerify(proof, pair.publicKey, {
      audience: 'urn:x',
      typ: 'kb+jwt',
      currentDate: new Date(1_790_000_000_000),
    })
    expect(protectedHeader.alg).toBe(alg)
    expect(payload).toEqual({ aud: 'urn:x', nonce: 'n', iat: 1_790_000_000, sd_hash: digest('a.b.c~') })
  })

  test('has the key that the credential names, and no other', () => {
    const [[, own], [, other]] = keys
    for (const jwk of [publicJwk(other), undefined, publicJwk(generateKeyPairSync('ed25519'))])
      expect(() => holderOf(privateText(own), '--key', boundTo(jwk))).toThrow(/not the key/)
  })

  test('has a key of a kind that nodes know; what is wrong is not quoted', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })
    const publicHalf = publicJwk(keys[0][1])
    const told = expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/expected a private JSON Web Key: (?!.*(canary|"d"))/),
    })
    for (const jwk of [rsa, p384, publicHalf, { canary: 1 }])
      expect(() => holderOf(JSON.stringify(jwk), '--key', boundTo(jwk as jose.JWK))).toThrow(told)
    for (const text of ['canary', ''])
      expect(() => holderOf(text, '--key', boundTo(publicHalf))).toThrow(told)
  })
})
