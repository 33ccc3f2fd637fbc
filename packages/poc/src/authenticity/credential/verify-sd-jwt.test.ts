import type { JsonObject } from '@sealpool/crypto'
import fc from 'fast-check'
import * as jose from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  rfc9901Claims,
  rfc9901Disclosures,
  rfc9901IssuerKey,
  rfc9901Jwt,
  rfc9901KeyBinding,
} from '../../testing/rfc9901-examples.js'
import {
  boundBy,
  digestOfText,
  disclosure,
  type SdJwtParty,
  sdJwtParty,
} from '../../testing/sd-jwt-issuer.js'
import type { TrustedKey } from '../jose/verify-jws.js'
import { type SdJwtFinding, verifySdJwt } from './verify-sd-jwt.js'

const reasons = ({ checks }: SdJwtFinding) =>
  checks.filter(({ result }) => result !== 'pass').map(({ reason }) => reason)

describe('the examples of RFC 9901', () => {
  const { familyName, address, givenName, unitedStates, email } = rfc9901Disclosures
  const presentation = [rfc9901Jwt, familyName, address, givenName, unitedStates, rfc9901KeyBinding].join('~')
  const binding = { audience: 'https://verifier.example.org', nonce: '1234567890', maximumAge: 300 }
  const options = {
    presentation,
    keys: [{ name: 'issuer', algorithm: 'ES256', jwk: rfc9901IssuerKey }] satisfies TrustedKey[],
    types: ['example+sd-jwt'],
    issuer: 'https://issuer.example.com',
    binding,
    at: 1_748_537_300,
  }

  test('section 5.2 is authentic, with the payload that the RFC shows', async () => {
    const thumbprint = await jose.calculateJwkThumbprint(rfc9901Claims.cnf.jwk)
    expect(verifySdJwt(options)).toMatchObject({
      kind: 'sd-jwt',
      authentic: true,
      signer: 'issuer',
      claims: rfc9901Claims,
      boundAt: 1_748_537_244,
      holder: thumbprint,
    })
    expect(verifySdJwt(options).claims).toStrictEqual(rfc9901Claims)
  })

  test.each<[string, Partial<Parameters<typeof verifySdJwt>[0]>, string]>([
    [
      'for another verifier',
      { binding: { ...binding, audience: 'https://other.example.org' } },
      'BOUND_TO_ANOTHER_VERIFIER',
    ],
    ['for another nonce', { binding: { ...binding, nonce: '1234567891' } }, 'BOUND_TO_ANOTHER_NONCE'],
    ['too old', { at: 1_748_537_244 + 300 }, 'BOUND_AT_ANOTHER_TIME'],
    ['from the future', { at: 1_748_537_244 - 61 }, 'BOUND_AT_ANOTHER_TIME'],
    [
      'with a disclosure more',
      { presentation: presentation.replace('~WyJlbHVW', `~${email}~WyJlbHVW`) },
      'BOUND_TO_ANOTHER_PRESENTATION',
    ],
    [
      'with a disclosure fewer',
      { presentation: presentation.replace(`~${familyName}`, '') },
      'BOUND_TO_ANOTHER_PRESENTATION',
    ],
    ['of another issuer', { issuer: 'https://other.example.com' }, 'WRONG_ISSUER'],
    ['of another type', { types: ['dc+sd-jwt'] }, 'WRONG_TYPE'],
    [
      'of another key',
      { keys: [{ ...options.keys[0], jwk: rfc9901Claims.cnf.jwk } as TrustedKey] },
      'SIGNATURE_INVALID',
    ],
    ['of no key', { keys: [] }, 'UNKNOWN_KEY'],
    ['over at its end', { at: 1_883_000_000, binding: { ...binding, maximumAge: 1e9 } }, 'EXPIRED'],
    ['without its holder', { presentation: `${[rfc9901Jwt, familyName].join('~')}~` }, 'NOT_BOUND'],
    ['without a tilde', { presentation: rfc9901Jwt }, 'MALFORMED_TOKEN'],
    ['with white space', { presentation: ` ${presentation}` }, 'MALFORMED_TOKEN'],
    ['that is too long', { presentation: presentation + 'A'.repeat(65_536) }, 'MALFORMED_TOKEN'],
  ])('a presentation %s is not', (_, change, reason) => {
    const found = verifySdJwt({ ...options, ...change })
    expect(found).toMatchObject({
      authentic: false,
      claims: undefined,
      boundAt: undefined,
      holder: undefined,
      signer: null,
    })
    expect(reasons(found)).toContain(reason)
  })

  test('its end is the first second that is over', () => {
    const lasting = { ...options, binding: { ...binding, maximumAge: 1e9 } }
    expect(verifySdJwt({ ...lasting, at: 1_882_999_999 }).authentic).toBe(true)
    expect(verifySdJwt({ ...lasting, at: 1_883_000_000 }).authentic).toBe(false)
  })

  test('one changed letter anywhere, and it is not', () => {
    fc.assert(
      fc.property(fc.nat(presentation.length - 1), fc.constantFrom(...'Aa0-_.~'), (at, letter) => {
        const changed = presentation.slice(0, at) + letter + presentation.slice(at + 1)
        expect(verifySdJwt({ ...options, presentation: changed }).authentic).toBe(changed === presentation)
      }),
      { numRuns: 40 },
    )
  })
})

describe('an SD-JWT', () => {
  const at = 1_800_000_000
  const binding = { audience: 'urn:node', nonce: 'n-1', maximumAge: 300 }
  const bound = { aud: 'urn:node', nonce: 'n-1', iat: at }
  let issuer: SdJwtParty
  let holder: SdJwtParty
  let stranger: SdJwtParty
  beforeAll(async () => {
    issuer = await sdJwtParty('EdDSA')
    holder = await sdJwtParty('ES256')
    stranger = await sdJwtParty('ES256')
  })

  /** Issues and presents, each part otherwise where it is said. */
  async function presented(
    change: {
      readonly payload?: Readonly<Record<string, unknown>>
      readonly header?: Readonly<Record<string, unknown>>
      readonly disclosures?: readonly string[]
      readonly by?: SdJwtParty
      readonly claims?: Readonly<Record<string, unknown>>
      readonly bindingHeader?: Readonly<Record<string, unknown>>
    } = {},
  ): Promise<SdJwtFinding> {
    const {
      payload = {},
      header = {},
      disclosures = [],
      by = holder,
      claims = {},
      bindingHeader = {},
    } = change
    const jwt = await issuer.sign(
      { iss: 'urn:issuer', vct: 'urn:type', cnf: { jwk: holder.jwk }, ...payload },
      { typ: 'dc+sd-jwt', ...header },
    )
    const presentation = await boundBy(
      by,
      [jwt, ...disclosures, ''].join('~'),
      { ...bound, ...claims },
      bindingHeader,
    )
    return verifySdJwt({
      presentation,
      keys: [{ name: 'issuer', algorithm: 'EdDSA', jwk: issuer.jwk }],
      types: ['dc+sd-jwt'],
      issuer: 'urn:issuer',
      binding,
      at,
    })
  }

  test('discloses members and items, nested in each other', async () => {
    const role = disclosure('role', 'auditor')
    const item = disclosure({ _sd: [role.digest], of: 'bank' })
    const roles = disclosure('roles', [{ '...': item.digest }, { '...': 'decoy' }, 'open'])
    const found = await presented({
      payload: { _sd: [roles.digest, 'another decoy'], deep: { _sd: ['a third'] } },
      disclosures: [role.text, roles.text, item.text],
    })
    expect(reasons(found)).toEqual([])
    expect(found.claims).toStrictEqual({
      iss: 'urn:issuer',
      vct: 'urn:type',
      cnf: { jwk: holder.jwk },
      deep: {},
      roles: [{ of: 'bank', role: 'auditor' }, 'open'],
    })
  })

  test('says of which lists its holder left items out', async () => {
    const first = disclosure('student')
    const second = disclosure('auditor')
    const payload = { roles: [{ '...': first.digest }, { '...': second.digest }], whole: ['a', ['b']] }
    const part = await presented({ payload, disclosures: [second.text] })
    expect(part.claims).toMatchObject({ roles: ['auditor'], whole: ['a', ['b']] })
    expect([...part.shortened]).toEqual([part.claims?.['roles']])
    expect(part.shortened.has(part.claims?.['roles'] ?? null)).toBe(true)
    const all = await presented({ payload, disclosures: [second.text, first.text] })
    expect(all.claims).toMatchObject({ roles: ['student', 'auditor'] })
    expect([...all.shortened]).toEqual([])
  })
  test('is taken by the newer name of EdDSA too', async () => {
    expect((await presented({ header: { alg: 'Ed25519' } })).authentic).toBe(true)
    expect((await presented({ header: { alg: 'Ed25519' }, by: stranger })).authentic).toBe(false)
  })
  test('may have a member of any name that is no word of the format', async () => {
    const odd = disclosure('__proto__', { admin: true })
    const found = await presented({ payload: { _sd: [odd.digest] }, disclosures: [odd.text] })
    expect(found.authentic).toBe(true)
    expect(Object.hasOwn(found.claims ?? {}, '__proto__')).toBe(true)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  const one = disclosure('role', 'auditor')
  const saltless = Buffer.from('[7,"role","auditor"]').toString('base64url')
  const hidden = (digest: unknown) => ({ payload: { _sd: [digest] } })
  const of = (...parts: readonly unknown[]) => {
    const { text, digest } = disclosure(...parts)
    return { ...hidden(digest), disclosures: [text] }
  }
  const flat = disclosure('a', 1)
  const around = disclosure('b', { _sd: [flat.digest] })
  const deepItems = (levels: number): unknown => (levels === 0 ? 1 : [deepItems(levels - 1)])
  /** Each flat, all together deep. */
  const chain = (levels: number) => {
    const links = [disclosure('end', 1)]
    for (let level = 0; level < levels; level++) links.push(disclosure('in', { _sd: [links.at(-1)?.digest] }))
    return { ...hidden(links.at(-1)?.digest), disclosures: links.map(({ text }) => text) }
  }

  type Case = [string, Parameters<typeof presented>[0], string]
  test.each<Case>([
    ['a disclosure that nothing refers to', { disclosures: [one.text] }, 'DISCLOSURE_NOT_REFERENCED'],
    [
      'a disclosure inside one that was kept back',
      { ...hidden(around.digest), disclosures: [flat.text] },
      'DISCLOSURE_NOT_REFERENCED',
    ],
    [
      'a disclosure twice',
      { ...hidden(one.digest), disclosures: [one.text, one.text] },
      'DISCLOSURE_REPEATED',
    ],
    ['a digest twice', { payload: { _sd: [one.digest], x: [{ '...': one.digest }] } }, 'DIGEST_REPEATED'],
    [
      'a digest again in a disclosure',
      { payload: { _sd: [around.digest, flat.digest] }, disclosures: [around.text, flat.text] },
      'DIGEST_REPEATED',
    ],
    ['a claim over an open one', of('iss', 'urn:other'), 'CLAIM_REPEATED'],
    ...['_sd', '_sd_alg', '...'].map(
      (word): Case => [`${word} for a name`, of(word, []), 'DISCLOSURE_MALFORMED'],
    ),
    ...(
      [
        ['nbf', at],
        ['exp', at + 10],
        ['cnf', {}],
        ['vct', 'urn:type'],
        ['vct#integrity', 'x'],
        ['status', {}],
        ['aud', 'urn:node'],
      ] as const
    ).map(([name, value]): Case => {
      const { payload, disclosures } = of(name, value)
      const change = { payload: { ...payload, [name]: undefined }, disclosures }
      return [`${name} that its holder chose to show`, change, 'CLAIM_NOT_OPEN']
    }),
    [
      'a salt that is none',
      { ...hidden(digestOfText(saltless)), disclosures: [saltless] },
      'DISCLOSURE_MALFORMED',
    ],
    ['a name that is none', of(7, 1), 'DISCLOSURE_MALFORMED'],
    ['an item for a member', of('auditor'), 'DISCLOSURE_MALFORMED'],
    [
      'a member for an item',
      { payload: { x: [{ '...': one.digest }] }, disclosures: [one.text] },
      'DISCLOSURE_MALFORMED',
    ],
    ['four parts', of('a', 1, 2), 'DISCLOSURE_MALFORMED'],
    ['an empty disclosure', { disclosures: [''] }, 'DISCLOSURE_MALFORMED'],
    ['digests that are no list', { payload: { _sd: 'x' } }, 'DISCLOSURE_MALFORMED'],
    ['a digest that is none', hidden(7), 'DISCLOSURE_MALFORMED'],
    ['more beside an item’s digest', { payload: { x: [{ '...': 'd', y: 1 }] } }, 'DISCLOSURE_MALFORMED'],
    ['an item’s digest in no list', { payload: { x: { '...': 'd' } } }, 'DISCLOSURE_MALFORMED'],
    ['a hash within', { payload: { x: { _sd_alg: 'sha-256' } } }, 'DISCLOSURE_MALFORMED'],
    ['another hash', { payload: { _sd_alg: 'sha-512' } }, 'HASH_NOT_SUPPORTED'],
    ['a hash that is none', { payload: { _sd_alg: null } }, 'HASH_NOT_SUPPORTED'],
    ['too deep a value', { payload: { x: deepItems(40) } }, 'TOO_DEEP'],
    ['too deep a chain of flat ones', chain(40), 'TOO_DEEP'],
    [
      'too many disclosures',
      { disclosures: Array.from({ length: 201 }, (_, index) => disclosure(index).text) },
      'DISCLOSURE_MALFORMED',
    ],
    ['no holder’s key', { payload: { cnf: {} } }, 'NO_HOLDER_KEY'],
    ['a holder’s key by name', { payload: { cnf: { kid: 'k' } } }, 'NO_HOLDER_KEY'],
    ...[
      { kty: 'OKP', crv: 'X25519', x: 'AA' },
      { kty: 'EC', crv: 'Ed25519', x: 'AA', y: 'AA' },
      { kty: 'RSA', crv: 'P-256', x: 'AA', y: 'AA' },
      { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' },
      { kty: 'EC', crv: 'P-256', x: 'AA' },
    ].map(
      (jwk): Case => [
        `a holder’s key of kind ${jwk.kty} ${jwk.crv}`,
        { payload: { cnf: { jwk } } },
        'NO_HOLDER_KEY',
      ],
    ),
    [
      'a secret for a holder’s key',
      { payload: { cnf: { jwk: { kty: 'oct', k: 'AAAA' } } } },
      'NO_HOLDER_KEY',
    ],
    ['a binding of another type', { bindingHeader: { typ: 'JWT' } }, 'WRONG_TYPE'],
    ['a binding of no time', { claims: { iat: undefined } }, 'BOUND_AT_ANOTHER_TIME'],
    ['a binding for several', { claims: { aud: ['urn:node', 'urn:other'] } }, 'BOUND_TO_ANOTHER_VERIFIER'],
    ['a binding over something else', { claims: { sd_hash: 'x' } }, 'BOUND_TO_ANOTHER_PRESENTATION'],
    ['a binding that is over', { claims: { exp: at } }, 'EXPIRED'],
    ['another verifier in the credential', { payload: { aud: 'urn:other' } }, 'WRONG_AUDIENCE'],
    ['an issue in the future', { payload: { iat: at + 61 } }, 'NOT_YET_VALID'],
    ['an issue at no time', { payload: { iat: 'now' } }, 'MALFORMED_DATES'],
    ['a validity in the future', { payload: { nbf: at + 1 } }, 'NOT_YET_VALID'],
    ['an end that is over', { payload: { exp: at } }, 'EXPIRED'],
    ['an end that is no number', { payload: { exp: '9999999999' } }, 'MALFORMED_DATES'],
  ])('with %s is refused', async (_, change, reason) => {
    const found = await presented(change)
    expect(found).toMatchObject({ authentic: false, claims: undefined, boundAt: undefined })
    expect(reasons(found)).toContain(reason)
  })

  test('that a stranger presents is refused, whichever key he names', async () => {
    expect(reasons(await presented({ by: stranger }))).toEqual(['SIGNATURE_INVALID'])
    expect((await presented({ by: stranger, bindingHeader: { jwk: stranger.jwk } })).authentic).toBe(false)
  })

  test('that nobody or a secret signed is refused, also as its holder’s word', async () => {
    const text = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const payload = text({ iss: 'urn:issuer', cnf: { jwk: holder.jwk } })
    for (const alg of ['none', 'HS256', 'EdDSA', 'ES256K']) {
      const jwt = `${text({ alg, typ: 'dc+sd-jwt' })}.${payload}.`
      const presentation = await boundBy(holder, `${jwt}~`, bound)
      const found = verifySdJwt({
        presentation,
        keys: [{ name: 'issuer', algorithm: 'EdDSA', jwk: issuer.jwk }],
        types: ['dc+sd-jwt'],
        binding,
        at,
      })
      expect(found.authentic).toBe(false)
    }
    expect((await presented({ claims: {}, bindingHeader: { alg: 'ES256' } })).authentic).toBe(true)
  })

  test('comes to a finding, whatever it is', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'eyJhbGciOi.~_-019AZ='), maxLength: 300 })
    fc.assert(
      fc.property(letters, (presentation) => {
        const keys: TrustedKey[] = [{ name: 'issuer', algorithm: 'EdDSA', jwk: issuer.jwk }]
        expect(verifySdJwt({ presentation, keys, types: ['dc+sd-jwt'], binding, at }).authentic).toBe(false)
      }),
    )
  })
})
