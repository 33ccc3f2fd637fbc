import {
  canonicalBytes,
  decodeBase64Url,
  encodeBase64Url,
  type JsonObject,
  parseCanonical,
} from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import {
  attenuateCapability,
  type CapabilityHead,
  type Caveat,
  maximumCapabilityLength,
  maximumCaveats,
  mintCapability,
  openCapability,
  parseCapability,
} from './capability.js'

const key = new Uint8Array(32).fill(5)
const head: CapabilityHead = {
  format: 'sealpool/capability',
  version: 1,
  id: 'ab'.repeat(16),
  use: 'agent',
  keySet: `sha256:${'1'.repeat(64)}`,
  address: `0x${'2'.repeat(40)}`,
  roles: ['consumer'],
  issuedAt: 1,
  expiresAt: 100,
}
const token = mintCapability({ key, head })
const text = (value: string) => encodeBase64Url(new TextEncoder().encode(value))

const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as const)
const caveat: fc.Arbitrary<Caveat> = fc.oneof(
  fc.record({ expires: fc.nat() }),
  fc.record({ pools: fc.array(address, { minLength: 1, maxLength: 3 }) }),
  fc.record({ jobs: fc.array(fc.nat().map(String), { minLength: 1, maxLength: 3 }) }),
  fc.record({ endpoints: fc.constant(['GET /v1/jobs/{id}']) }),
  fc.record({ id: fc.constant('0'.repeat(32)) }),
)

describe('a capability token', () => {
  test('is what its maker wrote, and is opened with its maker’s key alone', () => {
    expect(openCapability({ key, token })).toEqual({ head, caveats: [] })
    expect(openCapability({ key: new Uint8Array(32), token })).toBeUndefined()
    expect(token.length).toBeLessThan(600)
  })

  test('is narrowed without the key, and holds every caveat in its order', () => {
    fc.assert(
      fc.property(fc.array(caveat, { maxLength: 6 }), fc.array(caveat, { maxLength: 6 }), (first, second) => {
        const twice = attenuateCapability(attenuateCapability(token, first), second)
        expect(openCapability({ key, token: twice })).toEqual({ head, caveats: [...first, ...second] })
        expect(attenuateCapability(token, [...first, ...second])).toBe(twice)
      }),
      { numRuns: 50 },
    )
  })

  test('is worth nothing without one of its caveats, with one changed, or with two swapped', () => {
    const caveats: Caveat[] = [{ expires: 5 }, { jobs: ['7'] }, { id: '0'.repeat(32) }]
    const parts = attenuateCapability(token, caveats).split('.')
    const open = (changed: readonly string[]) => openCapability({ key, token: changed.join('.') })
    expect(open(parts)).toBeDefined()
    for (const at of [2, 3, 4]) expect(open(parts.filter((_, index) => index !== at))).toBeUndefined()
    expect(open(parts.with(2, text('{"expires":6}')))).toBeUndefined()
    expect(open([...parts.slice(0, 2), parts[3] ?? '', parts[2] ?? '', ...parts.slice(4)])).toBeUndefined()
    const wider = parseCanonical(decodeBase64Url(parts[1] ?? '')) as JsonObject
    const forged = encodeBase64Url(canonicalBytes({ ...wider, roles: ['consumer', 'operator'] }))
    expect(open(parts.with(1, forged))).toBeUndefined()
  })

  test('of any bytes is read or refused with a typed error', () => {
    const piece = fc.oneof(fc.string(), fc.constant('sealpool1'), fc.base64String(), fc.json().map(text))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.array(piece).map((parts) => parts.join('.')),
        ),
        (value) => {
          try {
            openCapability({ key, token: value })
          } catch (error) {
            expect(error).toBeInstanceOf(ClientError)
            expect((error as ClientError).code).toBe('CAPABILITY_INVALID')
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each<[string, string]>([
    ['a caveat that is not known', '{"price":5}'],
    ['a caveat of two', '{"expires":5,"jobs":["1"]}'],
    ['a caveat of a prototype', '{"constructor":5}'],
    ['a caveat of nothing', '{}'],
    ['a caveat that is a list', '[]'],
    ['JSON that is not canonical', '{"expires": 5}'],
    ['a job that is no number', '{"jobs":["01"]}'],
    ['no endpoint', '{"endpoints":["DELETE /x"]}'],
  ])('with %s is none', (_, json) => {
    const parts = token.split('.')
    const forged = [...parts.slice(0, -1), text(json), parts.at(-1)].join('.')
    expect(() => parseCapability(forged)).toThrow(expect.objectContaining({ code: 'CAPABILITY_INVALID' }))
  })

  test.each<[string, object]>([
    ['another format', { format: 'x' }],
    ['another version', { version: 2 }],
    ['a role that there is not', { roles: ['god'] }],
    ['no roles', { roles: [] }],
    ['an address in capitals', { address: `0x${'A'.repeat(40)}` }],
    ['a time that is none', { expiresAt: -1 }],
    ['one field more', { more: 1 }],
  ])('is not made with %s', (_, change) => {
    expect(() => mintCapability({ key, head: { ...head, ...change } as CapabilityHead })).toThrow(
      expect.objectContaining({ code: 'CAPABILITY_INVALID' }),
    )
  })

  test('has an end to its length', () => {
    const one: Caveat = { expires: 5 }
    const full = attenuateCapability(
      token,
      Array.from({ length: maximumCaveats }, () => one),
    )
    expect(openCapability({ key, token: full })?.caveats).toHaveLength(maximumCaveats)
    expect(() => attenuateCapability(full, [one])).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    const wide: Caveat = { pools: Array.from({ length: 64 }, () => head.address) }
    expect(() => attenuateCapability(token, [wide, wide, wide])).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    expect(() => parseCapability('x'.repeat(maximumCapabilityLength + 1))).toThrow(ClientError)
    expect(() => attenuateCapability(token, [{ price: 5 } as never])).toThrow(
      expect.objectContaining({ code: 'CAPABILITY_INVALID' }),
    )
  })

  test('that is refused is not repeated in the error', () => {
    expect(() => parseCapability('sealpool1.hunter2.hunter2')).not.toThrow(/hunter2/)
  })
})
