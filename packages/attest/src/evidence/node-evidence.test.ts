import { decodeHex, encodeHex, keySetDigest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { defaultAttestationPolicy } from '../policy/policy.js'
import { at, evidence, keySet, mrTd, simulator, trust } from '../testing/fixture.js'
import { nativeP256 } from '../testing/native-p256.js'
import { verifyNodeEvidence } from './node-evidence.js'
import { measurementDigest, nodeReportData } from './report-data.js'

const verify = (given: unknown, options: object = {}) =>
  verifyNodeEvidence({ evidence: given, policy: trust, at, verifySignature: nativeP256, ...options })
const failing = (given: unknown, options?: object) =>
  verify(given, options)
    .checks.filter(({ result }) => result === 'fail')
    .map(({ id }) => id)
const nonce = `0x${'5a'.repeat(32)}` as const

describe('verifyNodeEvidence', () => {
  it('accepts a simulated node only under a policy that names its root', () => {
    expect(verify(evidence)).toMatchObject({ ok: true, appraisal: { answer: 'allowed' }, keySet })
    const refused = verify(evidence, { policy: defaultAttestationPolicy })
    expect(refused).toMatchObject({ ok: false, appraisal: { answer: 'not-allowed' } })
    const named = verify(evidence, { policy: { ...trust, allowSimulator: false } })
    expect(named).toMatchObject({ ok: false, appraisal: { answer: 'not-allowed' } })
  })

  it('binds keys and nonce through the report data', () => {
    expect(failing({ ...evidence, keySet: { ...keySet, config: keySetDigest(keySet) } })).toEqual(['key-set'])
    expect(failing({ ...evidence, nonce })).toEqual(['key-set'])
    const fresh = Buffer.from(simulator.quote({ reportData: nodeReportData(keySet, nonce), mrTd }))
    const answered = { ...evidence, nonce, quote: fresh.toString('base64url') }
    expect(verify(answered, { nonce }).ok).toBe(true)
    expect(failing(evidence, { nonce })).toEqual(['nonce'])
  })

  it('fails a node that hides that it is simulated', () => {
    expect(failing({ ...evidence, simulated: false })).toEqual(['simulated-flag'])
  })

  it('fails issuer chains that are written in another way', () => {
    const tcbInfoIssuerChain = evidence.collateral.tcbInfoIssuerChain.replaceAll('\n', '\r\n')
    const collateral = { ...evidence.collateral, tcbInfoIssuerChain }
    expect(failing({ ...evidence, collateral })).toEqual(['collateral-form'])
  })

  it('fails another measurement', () => {
    const quote = Buffer.from(simulator.quote({ reportData: nodeReportData(keySet) })).toString('base64url')
    expect(failing({ ...evidence, quote })).toEqual(['attestation-policy'])
  })

  it.each([
    ['null', null],
    ['an unknown field', { ...evidence, extra: 1 }],
    ['a quote that is not base64url', { ...evidence, quote: 'A' }],
    ['a key set in another form', { ...evidence, keySet: { ...keySet, version: 2 } }],
    ['a nonce in capitals', { ...evidence, nonce: nonce.toUpperCase() }],
    ['a quote that is none', { ...evidence, quote: 'AAAA' }],
  ])('refuses to read %s', (_, given) => {
    expect(() => verify(given)).toThrowError(AttestError)
  })
})

describe('report data and measurement', () => {
  it('is the key set’s digest and the nonce', () => {
    const data = nodeReportData(keySet, nonce)
    expect(encodeHex(data)).toBe(`0x${keySetDigest(keySet).slice(7)}${'5a'.repeat(32)}`)
    expect(() => nodeReportData(keySet, '0x00')).toThrowError(AttestError)
  })

  it('is SHA-256 over the five registers', async () => {
    const { claims } = verify(evidence).verdict
    if (claims.tee !== 'tdx') throw new Error('the fixture is a TD')
    const bytes = Buffer.concat([claims.mrTd, ...claims.rtmrs].map((register) => decodeHex(register)))
    const expected = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    expect(measurementDigest(claims)).toBe(encodeHex(expected))
    expect(() => measurementDigest({ ...claims, mrTd: '0x00' })).toThrowError(AttestError)
  })
})
