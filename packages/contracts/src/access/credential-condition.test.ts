import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AccessCondition,
  maximumAccessCredentials,
  parseAccessCondition,
  parseAccessRules,
} from './access-condition.js'
import { type ClaimCondition, claimHolds } from './credential-condition.js'
import { decideAccess } from './read-access.js'

const x = `${'A'.repeat(42)}A`
const ed25519 = { kty: 'OKP', crv: 'Ed25519', x }
const p256 = { kty: 'EC', crv: 'P-256', x, y: x }
const least = {
  issuer: 'https://university.example',
  keys: [ed25519],
  type: 'https://university.example/researcher',
  presentedWithin: 3_600,
}
const whole = {
  ...least,
  keys: [p256, ed25519],
  claims: [
    { path: ['role'], oneOf: ['researcher', 7, true, ''] },
    { path: ['roles', null, 0], within: { from: 1, to: 1.5 } },
  ],
  issuedWithin: 86_400,
  status: { issuedWithin: 600, keys: [p256] },
}

describe('a credential that a condition asks for', () => {
  test.each<[string, object]>([
    ['with nothing more than it needs', least],
    ['with everything', whole],
    ['with a status of the same keys', { ...least, status: { issuedWithin: 60 } }],
    ['with a number from somewhere on', { ...least, claims: [{ path: ['age'], within: { from: 18 } }] }],
  ])('is read: %s', (_, credential) => {
    const read = parseAccessCondition({ credential })
    expect(read).toStrictEqual({ credential })
    expect(read).not.toBe(credential)
  })

  test.each<[string, object, string]>([
    ['no issuer', { issuer: '' }, 'issuer'],
    ['half a letter', { issuer: '\ud800' }, 'issuer'],
    ['a type that is too long', { type: 'x'.repeat(1_001) }, 'type'],
    ['no keys', { keys: [] }, 'keys'],
    ['too many keys', { keys: Array(9).fill(ed25519) }, 'keys'],
    ['a secret key', { keys: [{ kty: 'oct', k: x }] }, 'keys[0]'],
    ['a private key', { keys: [{ ...ed25519, d: x }] }, 'keys[0]'],
    ['another curve', { keys: [{ ...p256, crv: 'secp256k1' }] }, 'keys[0]'],
    ['a point of two coordinates on a curve of one', { keys: [{ ...ed25519, y: x }] }, 'keys[0]'],
    ['half a point', { keys: [{ kty: 'EC', crv: 'P-256', x }] }, 'keys[0].y'],
    ['a coordinate of 31 bytes', { keys: [{ ...ed25519, x: x.slice(2) }] }, 'keys[0].x'],
    ['bits that are left over', { keys: [{ ...ed25519, x: `${'A'.repeat(42)}B` }] }, 'keys[0].x'],
    ['no claims', { claims: [] }, 'claims'],
    ['a claim of nothing', { claims: [{ path: ['role'] }] }, 'claims[0]'],
    ['a claim of two things', { claims: [{ path: ['a'], oneOf: [1], within: { from: 1 } }] }, 'claims[0]'],
    ['no path', { claims: [{ path: [], oneOf: [1] }] }, 'claims[0].path'],
    ['a path into a list', { claims: [{ path: [0], oneOf: [1] }] }, 'claims[0].path[0]'],
    ['a position before the first', { claims: [{ path: ['a', -1], oneOf: [1] }] }, 'claims[0].path[1]'],
    ['an object for a value', { claims: [{ path: ['a'], oneOf: [{}] }] }, 'claims[0].oneOf[0]'],
    ['null for a value', { claims: [{ path: ['a'], oneOf: [null] }] }, 'claims[0].oneOf[0]'],
    ['no bounds', { claims: [{ path: ['a'], within: {} }] }, 'claims[0].within'],
    ['bounds of nothing', { claims: [{ path: ['a'], within: { from: 2, to: 1 } }] }, 'claims[0].within'],
    ['text for a bound', { claims: [{ path: ['a'], within: { from: '1' } }] }, 'claims[0].within.from'],
    ['a presentation for ever', { presentedWithin: 31 * 86_400 }, 'presentedWithin'],
    ['a presentation of no time', { presentedWithin: 59 }, 'presentedWithin'],
    ['half a second', { issuedWithin: 60.5 }, 'issuedWithin'],
    ['a status of any age', { status: {} }, 'status.issuedWithin'],
    ['a field that nobody knows', { revoked: false }, ''],
  ])('is refused: %s', (_, change, place) => {
    expect(() => parseAccessCondition({ credential: { ...least, ...change } })).toThrow(
      expect.objectContaining({
        code: 'ARGUMENT_INVALID',
        place: place === '' ? 'condition.credential' : `condition.credential.${place}`,
      }),
    )
  })

  test('does not stand under not, however deep: whoever has it would not show it', () => {
    for (const use of [
      { not: { credential: least } },
      { not: { not: { credential: least } } },
      { not: { all: [{ any: [{ credential: least }] }] } },
    ])
      expect(() => parseAccessRules({ version: 1, use })).toThrow('under not')
  })

  test('is one of a few', () => {
    const many = (count: number) => ({ any: Array(count).fill({ credential: least }) })
    expect(() => parseAccessCondition(many(maximumAccessCredentials))).not.toThrow()
    expect(() => parseAccessCondition(many(maximumAccessCredentials + 1))).toThrow('credentials')
  })

  test('is read or refused with a code, whatever it is', () => {
    const base = fc.constantFrom(...Object.keys(whole))
    fc.assert(
      fc.property(base, fc.jsonValue(), (name, value) => {
        try {
          parseAccessCondition({ credential: { ...whole, [name]: value } })
        } catch (error) {
          expect(error).toMatchObject({ name: 'ContractsError', code: 'ARGUMENT_INVALID' })
        }
      }),
    )
  })
})

const path = ['a']
test.each<[unknown, ClaimCondition, boolean]>([
  ['auditor', { path, oneOf: ['x', 'auditor'] }, true],
  ['3', { path, oneOf: [3] }, false],
  [null, { path, oneOf: ['', 0, false] }, false],
  [['auditor'], { path, oneOf: ['auditor'] }, false],
  [3, { path, within: { from: 3, to: 3 } }, true],
  [3, { path, within: { to: 2.9 } }, false],
  [3, { path, within: { from: 3.1 } }, false],
  ['3', { path, within: { from: 0, to: 9 } }, false],
  [undefined, { path, within: { from: 0 } }, false],
])('a claim of %j holds under %j: %s', (value, asked, holds) => {
  expect(claimHolds(value, asked)).toBe(holds)
})

describe('what a condition with a credential comes to', () => {
  const wallet = `0x${'ab'.repeat(20)}` as const
  const block = { number: 1n, hash: `0x${'cd'.repeat(32)}`, timestamp: 5 } as const
  const decided = (condition: AccessCondition, ...presented: readonly string[]) =>
    decideAccess(condition, { wallet, code: null }, { block, answers: [] }, ({ type }) =>
      presented.includes(type),
    )
  const other = { credential: { ...least, type: 'other' } }
  const both = parseAccessCondition({ all: [{ credential: least }, other] })
  const either = parseAccessCondition({ any: [{ wallets: [`0x${'77'.repeat(20)}`] }, other] })

  test('is known once it was presented, and only then', () => {
    expect(decided(both).verdict).toBe('unknown')
    expect(decided(both, 'other')).toEqual({
      verdict: 'unknown',
      unmet: [{ place: 'all[0].credential', verdict: 'unknown', wanted: 'yes' }],
    })
    expect(decided(both, 'other', least.type)).toEqual({ verdict: 'yes', unmet: [] })
    expect(decided(either).verdict).toBe('unknown')
    expect(decided(either, 'other').verdict).toBe('yes')
  })

  test('is not known to whoever is shown nothing, as by default', () => {
    const reading = { block, answers: [null, null] }
    expect(decideAccess(both, { wallet, code: null }, reading).verdict).toBe('unknown')
  })
})
