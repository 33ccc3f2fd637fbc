import { createVerify, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { attestationPolicyDigest } from '../policy/policy.js'
import { at, mrTd, simulator, trust } from '../testing/fixture.js'
import { verifyQuote } from '../with-platform.js'
import { earClaims, earToken } from './ear.js'

const verdictOf = (changes: object = {}, collateral = simulator.collateral(at)) =>
  verifyQuote(simulator.quote({ reportData: new Uint8Array(64), mrTd, ...changes }), {
    collateral,
    at,
    trustedRoots: [simulator.rootDigest],
  })
const options = { build: '@sealpool/attest', issuedAt: at }
const submodule = (verdict: ReturnType<typeof verdictOf>, policy = trust) =>
  earClaims(verdict, policy, options).submods['tdx']

describe('EAR', () => {
  it('never affirms simulated evidence, and says why', () => {
    const claims = earClaims(verdictOf(), trust, options)
    expect(claims).toMatchObject({
      eat_profile: 'tag:github.com,2023:veraison/ear',
      iat: at.getTime() / 1000,
    })
    expect(submodule(verdictOf())).toMatchObject({
      'ear.status': 'contraindicated',
      'ear.appraisal-policy-id': attestationPolicyDigest(trust),
      'sealpool.simulated': true,
    })
  })

  it.each([Number.NaN, 8.64e15, -1])('has a moment: %s is none', (time) => {
    const ask = () => earClaims(verdictOf(), trust, { ...options, issuedAt: new Date(time) })
    expect(ask).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'options.issuedAt' }))
  })

  it.each([undefined, null, at.toISOString(), at.getTime(), { getTime: () => at.getTime() }])(
    'has a moment that is a date, not %j',
    (issuedAt) => {
      const ask = () => earClaims(verdictOf(), trust, { ...options, issuedAt: issuedAt as Date })
      expect(ask).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'options.issuedAt' }))
    },
  )

  it('affirms what is allowed and not simulated', () => {
    const verdict = { ...verdictOf(), simulated: false }
    expect(submodule(verdict)).toMatchObject({
      'ear.status': 'affirming',
      'ear.trustworthiness-vector': { hardware: 2, executables: 2, configuration: 2, 'instance-identity': 2 },
    })
  })

  it('has a status for each answer of a policy', () => {
    expect(submodule(verdictOf({ defect: 'tampered-body' }))?.['ear.status']).toBe('contraindicated')
    expect(submodule(verdictOf({}, simulator.collateral(at, { defect: 'stale' })))?.['ear.status']).toBe(
      'none',
    )
    const refused = submodule({ ...verdictOf(), simulated: false }, { ...trust, measurements: [] })
    expect(refused?.['ear.status']).toBe('warning')
    expect(refused?.['ear.trustworthiness-vector'].executables).toBe(33)
    const debug = submodule({ ...verdictOf({ defect: 'debug' }), simulated: false })
    expect(debug?.['ear.status']).toBe('contraindicated')
    expect(debug?.['ear.trustworthiness-vector']).toMatchObject({ configuration: 96, 'runtime-opaque': 96 })
    const stranger = submodule({ ...verdictOf(), simulated: false }, { ...trust, roots: ['intel'] })
    expect(stranger).toMatchObject({
      'ear.status': 'contraindicated',
      'ear.trustworthiness-vector': { 'instance-identity': 97, hardware: 2 },
    })
  })

  it('no claim affirms what a rule refuses', () => {
    const genuine = { ...verdictOf(), simulated: false }
    const rows = [
      ['hardware', { tdx: { mrSeams: [`0x${'11'.repeat(48)}`] } }],
      ['hardware', { tdx: { minimumTcbEvaluationDataNumber: 1_000_000 } }],
      ['hardware', { maximumAgeSeconds: 1 }],
      ['configuration', { tdx: { xfam: { mask: `0x${'ff'.repeat(8)}`, value: `0x${'00'.repeat(8)}` } } }],
      ['configuration', { reportData: `0x${'01'.repeat(32)}` }],
      ['executables', { measurements: [] }],
    ] as const
    for (const [claim, rule] of rows) {
      const vector = submodule(genuine, { ...trust, ...rule } as typeof trust)?.['ear.trustworthiness-vector']
      const bad = Object.entries(vector ?? {}).flatMap(([name, value]) => (value >= 32 ? [name] : []))
      expect([rule, bad]).toEqual([rule, [claim]])
    }
  })

  it('is a JWT that others verify', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const token = await earToken(earClaims(verdictOf(), trust, options), {
      algorithm: 'ES256',
      sign: (message) =>
        new Uint8Array(nodeSign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
    })
    const [header = '', payload = '', signature = ''] = token.split('.')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'ES256', typ: 'JWT' })
    const verify = createVerify('sha256').update(`${header}.${payload}`)
    const bytes = Buffer.from(signature, 'base64url')
    expect(verify.verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes)).toBe(true)
  })
})
