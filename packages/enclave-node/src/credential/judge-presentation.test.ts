import type { CredentialCondition } from '@sealpool/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { credentialIssuer, type PresentationChange } from '../testing/credential-issuer.js'
import { judgePresentation } from './judge-presentation.js'

const at = 1_790_000_000
const expected = { audience: 'urn:sealpool:key-set:x', nonce: 'n', maximumAge: 300, at }
let issuer: Awaited<ReturnType<typeof credentialIssuer>>
beforeAll(async () => {
  issuer = await credentialIssuer(at)
})

async function judged(
  change: PresentationChange & {
    readonly condition?: Partial<CredentialCondition>
    readonly statusList?: string
    readonly at?: number
  } = {},
) {
  const { condition, statusList = null, at: when = at, ...presented } = change
  const presentation = await issuer.presentation(expected, presented)
  const outcome = await judgePresentation(
    { ...issuer.condition, ...condition },
    { presentation, statusList },
    { ...expected, at: when },
  )
  expect(JSON.stringify(outcome)).not.toContain('canary')
  const { until, reason } = outcome
  return { until, reason }
}

describe('a presentation', () => {
  it.each<[string, Parameters<typeof judged>[0], number]>([
    ['as long as the condition says', {}, at + 3_600],
    ['no longer than the credential', { open: { exp: at + 50.5 } }, at + 50],
    ['from when it was signed on', { binding: { iat: at - 200 } }, at + 3_400],
    ['not from the future on', { binding: { iat: at + 60 } }, at + 3_600],
    ['no longer than the credential is young', { condition: { issuedWithin: 150 } }, at + 50],
    [
      'without an end that it needs not',
      { open: { exp: undefined }, condition: { issuedWithin: 150 } },
      at + 50,
    ],
    ['under the name that the type had before', { typ: 'vc+sd-jwt' }, at + 3_600],
  ])('counts %s', async (_, change, until) => {
    expect(await judged(change)).toEqual({ until, reason: null })
  })

  it('counts by any of several keys', async () => {
    const keys = [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } as const, ...issuer.condition.keys]
    expect(await judged({ condition: { keys } })).toEqual({ until: at + 3_600, reason: null })
  })

  it.each<[string, Parameters<typeof judged>[0], string]>([
    ['is over', { open: { exp: at } }, 'EXPIRED'],
    ['is not valid yet', { open: { nbf: at + 1 } }, 'NOT_YET_VALID'],
    ['is of another issuer', { open: { iss: 'https://other.example' } }, 'WRONG_ISSUER'],
    ['is of no issuer', { open: { iss: undefined } }, 'WRONG_ISSUER'],
    ['is forged', { issuer: 'forger' }, 'SIGNATURE_INVALID'],
    ['is for another node', { binding: { aud: 'urn:sealpool:key-set:y' } }, 'BOUND_TO_ANOTHER_VERIFIER'],
    ['is for another time', { binding: { nonce: 'm' } }, 'BOUND_TO_ANOTHER_NONCE'],
    [
      'was signed before the time for which it counts',
      { binding: { iat: at - 60 }, condition: { presentedWithin: 60 } },
      'EXPIRED',
    ],
    ['is old', { binding: { iat: at - 300 } }, 'BOUND_AT_ANOTHER_TIME'],
    ['is of another type', { open: { vct: 'https://university.example/student' } }, 'WRONG_CREDENTIAL_TYPE'],
    ['is of no type', { open: { vct: undefined } }, 'WRONG_CREDENTIAL_TYPE'],
    ['is another kind of token', { typ: 'JWT' }, 'WRONG_TYPE'],
    ['says something else', { disclosed: { role: 'student' } }, 'CLAIMS_NOT_MET'],
    ['does not say it', { disclosed: {} }, 'CLAIMS_NOT_MET'],
    ['has no end', { open: { exp: undefined } }, 'NO_END'],
    [
      'has no date where one is asked for',
      { open: { iat: undefined }, condition: { issuedWithin: 60 } },
      'NOT_DATED',
    ],
    ['is too old', { condition: { issuedWithin: 100 } }, 'ISSUED_TOO_LONG_AGO'],
    ['names a status at which nobody looks', { open: { status: {} } }, 'STATUS_NOT_EXPECTED'],
    [
      'hides its end',
      { open: { exp: undefined }, disclosed: { role: 'researcher', exp: at + 9 } },
      'CLAIM_NOT_OPEN',
    ],
  ])('does not count that %s', async (_, change, reason) => {
    expect(await judged(change)).toEqual({ until: null, reason })
  })

  it('does not count by a place in a list from which its holder left out what stood there', async () => {
    const condition = { claims: [{ path: ['roles', 0], oneOf: ['researcher'] }] }
    const open = { roles: [{ '...': 'kept-back' }, 'researcher'] }
    expect(await judged({ condition, open })).toEqual({ until: null, reason: 'CLAIMS_NOT_MET' })
    expect(await judged({ condition, open: { roles: ['researcher'] } })).toMatchObject({ reason: null })
  })
  it('counts as long as its status is known, and not once it is revoked', async () => {
    const condition = { status: { issuedWithin: 600 } }
    const open = issuer.statusAt(9)
    const outcome = (statusList?: string, own = condition) =>
      judged({ condition: own, open, ...(statusList === undefined ? {} : { statusList }) })
    expect(await outcome(await issuer.statusList([8, 10]))).toEqual({ until: at + 540, reason: null })
    expect(await outcome(await issuer.statusList([9]))).toEqual({ until: null, reason: 'STATUS_NOT_VALID' })
    expect(await outcome()).toEqual({ until: null, reason: 'STATUS_LIST_MISSING' })
    expect(await outcome(await issuer.statusList([], { iat: at - 600 }))).toEqual({
      until: null,
      reason: 'STATUS_STALE',
    })
    expect(await outcome(await issuer.statusList([], { exp: at + 7 }))).toEqual({
      until: at + 7,
      reason: null,
    })
    const statusList = await issuer.statusList([])
    expect(await judged({ condition, statusList })).toEqual({ until: null, reason: 'NO_STATUS' })
    const others = {
      status: { issuedWithin: 600, keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }] as const },
    }
    expect(await outcome(statusList, others)).toEqual({ until: null, reason: 'UNKNOWN_KEY' })
  })

  it('that is no text of this format comes to a reason', async () => {
    for (const presentation of ['', '~', 'a.b.c~d~e', '🦭', '~'.repeat(1_000)]) {
      const outcome = await judgePresentation(issuer.condition, { presentation, statusList: null }, expected)
      expect(outcome.until).toBeNull()
    }
  })
})
