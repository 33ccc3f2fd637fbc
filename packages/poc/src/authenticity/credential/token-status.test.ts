import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type SdJwtParty, sdJwtParty } from '../../testing/sd-jwt-issuer.js'
import type { TrustedKey } from '../jose/verify-jws.js'
import { verifyStatus } from './token-status.js'

const at = 1_800_000_000
const uri = 'https://issuer.example/lists/1'
let issuer: SdJwtParty
let keys: readonly TrustedKey[]
beforeAll(async () => {
  issuer = await sdJwtParty('ES256')
  keys = [{ name: 'issuer', algorithm: 'ES256', jwk: issuer.jwk }]
})

const packed = (bytes: readonly number[]) => deflateSync(Buffer.from(bytes)).toString('base64url')
const claimsAt = (idx: unknown, more: object = {}) =>
  ({ status: { status_list: { idx, uri, ...more } } }) as never
const listed = (change: Readonly<Record<string, unknown>> = {}, typ = 'statuslist+jwt') =>
  issuer.sign(
    { sub: uri, iat: at - 100, exp: at + 1_000, status_list: { bits: 1, lst: packed([2]) }, ...change },
    { typ },
  )
const asked = async (list: string | null, idx: unknown = 0, own = keys) => {
  const found = await verifyStatus({ claims: claimsAt(idx), list, keys: own, maximumAge: 600, at })
  const reasons = found.checks.flatMap(({ result, reason }) => (result === 'pass' ? [] : [reason]))
  expect(found.until === undefined).toBe(reasons.length > 0)
  expect(found.authentic).toBe(reasons.length === 0)
  return { until: found.until, reasons }
}

/** The lists of appendix C and section 4.1 of draft-ietf-oauth-status-list. */
const examples: readonly [number, string, readonly number[]][] = [
  [1, 'eNrbuRgAAhcBXQ', [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]],
  [2, 'eNo76fITAAPfAgc', [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]],
]

describe('a token status list', () => {
  test.each(examples)('of %i bits is read as the draft’s example', async (bits, lst, statuses) => {
    const list = await listed({ status_list: { bits, lst } })
    for (const [index, status] of statuses.entries()) {
      expect((await asked(list, index)).reasons).toEqual(status === 0 ? [] : ['STATUS_NOT_VALID'])
    }
    expect((await asked(list, statuses.length)).reasons).toEqual(['STATUS_LIST_MALFORMED'])
  })

  test('counts until it is over, or too old', async () => {
    expect((await asked(await listed())).until).toBe(at + 500)
    expect((await asked(await listed({ exp: at + 10 }))).until).toBe(at + 10)
    expect((await asked(await listed({ exp: undefined }))).until).toBe(at + 500)
  })

  test.each<[string, () => Promise<string | null>, string]>([
    ['there is none', async () => null, 'STATUS_LIST_MISSING'],
    ['it is no token', async () => 'x', 'MALFORMED_TOKEN'],
    ['it is too long', async () => 'x'.repeat(200_000), 'STATUS_LIST_MALFORMED'],
    ['it is another list', () => listed({ sub: `${uri}1` }), 'STATUS_OF_ANOTHER_LIST'],
    ['it is another kind of token', () => listed({}, 'JWT'), 'WRONG_TYPE'],
    ['it is over', () => listed({ exp: at }), 'EXPIRED'],
    ['it is too old', () => listed({ iat: at - 600 }), 'STATUS_STALE'],
    ['it is of the future', () => listed({ iat: at + 61 }), 'STATUS_STALE'],
    ['it has no date', () => listed({ iat: undefined }), 'STATUS_STALE'],
    [
      'it is of three bits',
      () => listed({ status_list: { bits: 3, lst: packed([0]) } }),
      'STATUS_LIST_MALFORMED',
    ],
    ['it is not packed', () => listed({ status_list: { bits: 1, lst: 'AAAA' } }), 'STATUS_LIST_MALFORMED'],
    [
      'it is cut off',
      () => listed({ status_list: { bits: 1, lst: packed([0, 1, 2, 3]).slice(0, 8) } }),
      'STATUS_LIST_MALFORMED',
    ],
    ['it is empty', () => listed({ status_list: { bits: 1, lst: packed([]) } }), 'STATUS_LIST_MALFORMED'],
    ['it has none', () => listed({ status_list: undefined }), 'STATUS_LIST_MALFORMED'],
    [
      'it grows without end',
      async () =>
        listed({ status_list: { bits: 8, lst: deflateSync(Buffer.alloc(1_048_577)).toString('base64url') } }),
      'STATUS_LIST_MALFORMED',
    ],
  ])('tells nothing when %s', async (_, list, reason) => {
    expect((await asked(await list())).reasons).toContain(reason)
  })

  test('of somebody else tells nothing', async () => {
    const stranger = await sdJwtParty('ES256')
    const others: TrustedKey[] = [{ name: 'issuer', algorithm: 'ES256', jwk: stranger.jwk }]
    expect((await asked(await listed(), 0, others)).reasons).toEqual(['SIGNATURE_INVALID'])
  })

  test.each<[string, unknown]>([
    ['no status', {}],
    ['a status that is none', { status: 'valid' }],
    ['a status that is null', { status: null }],
    ['a list of statuses', { status: [{ idx: 0, uri }] }],
    ['another mechanism', { status: { identifier_list: { id: 'a', uri } } }],
    ['two mechanisms', { status: { status_list: { idx: 0, uri }, identifier_list: {} } }],
    ['no list', { status: { status_list: { idx: 0 } } }],
    ['a place before the first', { status: { status_list: { idx: -1, uri } } }],
    ['half a place', { status: { status_list: { idx: 0.5, uri } } }],
    ['a place as text', { status: { status_list: { idx: '0', uri } } }],
  ])('is not looked for by a token with %s', async (_, claims) => {
    const list = await listed()
    const found = await verifyStatus({ claims: claims as never, list, keys, maximumAge: 600, at })
    expect(found).toMatchObject({ authentic: false, until: undefined, checks: [{ reason: 'NO_STATUS' }] })
  })

  test('has every status at its place, of any width', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 2, 4, 8),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.nat(63),
        async (bits, bytes, place) => {
          const statuses = [...bytes].flatMap((byte) =>
            Array.from({ length: 8 / bits }, (_, index) =>
              Number.parseInt(
                byte
                  .toString(2)
                  .padStart(8, '0')
                  .slice(8 - (index + 1) * bits, 8 - index * bits),
                2,
              ),
            ),
          )
          const list = await listed({ status_list: { bits, lst: packed([...bytes]) } })
          const status = statuses[place]
          const expected =
            status === undefined ? ['STATUS_LIST_MALFORMED'] : status === 0 ? [] : ['STATUS_NOT_VALID']
          expect((await asked(list, place)).reasons).toEqual(expected)
        },
      ),
      { numRuns: 30 },
    )
  })
})
