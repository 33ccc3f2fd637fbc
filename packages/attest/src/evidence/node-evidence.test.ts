import { decodeHex, encodeBase64Url, encodeHex, keySetDigest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { formatPemCertificates } from '../encoding/pem.js'
import { AttestError } from '../errors.js'
import { defaultAttestationPolicy } from '../policy/policy.js'
import { createAmdSimulator } from '../simulator/index.js'
import { at, evidence, keySet, mrTd, seededRandom, simulator, trust } from '../testing/fixture.js'
import { nativeP256 } from '../testing/native-p256.js'
import { verifyNodeEvidence as verifyNodeEvidenceNative } from '../with-platform.js'
import { type SnpNodeEvidence, verifyNodeEvidence } from './node-evidence.js'
import { measurementDigest, nodeReportData, zeroNonce } from './report-data.js'

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

describe('verifyNodeEvidence of an SEV-SNP guest', () => {
  const amd = createAmdSimulator({ random: seededRandom('node in SEV-SNP'), at, product: 'Turin' })
  const measurement = new Uint8Array(48).fill(7)
  const report = (over: object = {}) =>
    encodeBase64Url(amd.report({ reportData: nodeReportData(keySet), measurement, ...over }))
  const certificates = formatPemCertificates(amd.certificates())
  const snp: SnpNodeEvidence = {
    format: 'sealpool/node-evidence',
    version: 1,
    tee: 'sev-snp',
    quote: report(),
    collateral: { certificates, crl: encodeHex(amd.crl(at)) },
    keySet,
    nonce: zeroNonce,
    simulated: true,
  }
  const policy = {
    ...trust,
    roots: [amd.rootDigest],
    measurements: [{ name: 'image', measurement: encodeHex(measurement) }],
    snp: { minimumTcb: { Turin: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 } } },
  }
  const ask = (given: unknown, options: object = {}) =>
    verifyNodeEvidenceNative({ evidence: given, policy, at, ...options })
  const failed = (given: unknown, options?: object) =>
    ask(given, options)
      .checks.filter(({ result }) => result === 'fail')
      .map(({ id }) => id)

  it('accepts it under a policy for SEV-SNP only', () => {
    expect(ask(snp)).toMatchObject({ ok: true, appraisal: { answer: 'allowed' }, keySet })
    expect(ask(snp).verdict.claims.tee).toBe('sev-snp')
    expect(ask(snp, { policy: trust }).ok).toBe(false)
    expect(ask(snp, { policy: { ...policy, allowSimulator: false } }).ok).toBe(false)
    expect(ask(snp, { policy: defaultAttestationPolicy }).ok).toBe(false)
  })

  it('binds keys, nonce and measurement', () => {
    expect(failed({ ...snp, nonce })).toEqual(['key-set'])
    expect(failed({ ...snp, quote: report({ measurement: new Uint8Array(48) }) })).toEqual([
      'attestation-policy',
    ])
    expect(failed({ ...snp, simulated: false })).toEqual(['simulated-flag'])
    const quote = report({ reportData: nodeReportData(keySet, nonce) })
    expect(ask({ ...snp, nonce, quote }, { nonce }).ok).toBe(true)
    expect(failed(snp, { nonce })).toEqual(['nonce'])
  })

  it('demands the one form of certificates', () => {
    const forms = [
      certificates.replaceAll('\n', '\r\n'),
      formatPemCertificates(amd.certificates().reverse()),
      formatPemCertificates([...amd.certificates(), ...amd.certificates().slice(2)]),
    ]
    for (const form of forms) {
      expect(failed({ ...snp, collateral: { ...snp.collateral, certificates: form } })).toContain(
        'collateral-form',
      )
    }
  })

  it('needs a current revocation list', () => {
    const crl = encodeHex(amd.crl(at, { defect: 'stale' }))
    const stale = ask({ ...snp, collateral: { ...snp.collateral, crl } })
    expect(stale).toMatchObject({ ok: false, appraisal: { answer: 'not-proved' } })
  })

  it('has a measurement digest of its own', () => {
    const { claims } = ask(snp).verdict
    if (claims.tee !== 'sev-snp') throw new Error('the fixture is an SEV-SNP guest')
    expect(measurementDigest(claims)).toMatch(/^0x[0-9a-f]{64}$/)
    expect(measurementDigest({ ...claims, hostData: `0x${'01'.repeat(32)}` })).not.toBe(
      measurementDigest(claims),
    )
    expect(() => measurementDigest({ ...claims, hostData: '0x00' })).toThrowError(AttestError)
  })

  it.each([
    ['no list', { ...snp, collateral: { certificates } }],
    ['TDX collateral', { ...snp, collateral: evidence.collateral }],
    ['TDX evidence with its collateral', { ...evidence, collateral: snp.collateral }],
    ['another TEE', { ...snp, tee: 'sgx' }],
    [
      'a list in capitals',
      { ...snp, collateral: { ...snp.collateral, crl: snp.collateral.crl.toUpperCase() } },
    ],
    ['a report that is none', { ...snp, quote: 'AAAA' }],
    ['a quote in place of the report', { ...snp, quote: evidence.quote.slice(0, 1200) }],
  ])('refuses to read %s', (_, given) => {
    expect(() => ask(given)).toThrowError(AttestError)
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
