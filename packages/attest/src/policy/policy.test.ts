import { encodeHex } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { earClaims } from '../export/ear.js'
import { hex, minimum, tdx } from '../testing/appraisal-table.js'
import { at, evidence, mrTd, trust } from '../testing/fixture.js'
import { verifyNodeEvidence } from '../with-platform.js'
import { appraise } from './appraise.js'
import { type AttestationPolicy, attestationPolicyDigest, parseAttestationPolicy } from './policy.js'

describe('parseAttestationPolicy', () => {
  const full: AttestationPolicy = {
    ...trust,
    graceForAdvisories: [{ advisory: 'A', until: '2026-01-01' }],
    minimumTcbDate: '2025-01-01',
    reportData: hex(1, 32),
    tdx: {
      mrSeams: [],
      attributes: { mask: hex(0, 8), value: hex(0, 8) },
      minimumTcbEvaluationDataNumber: 1,
    },
    sgx: {
      attributes: { mask: hex(0, 16), value: hex(0, 16) },
      minimumTcbEvaluationDataNumber: 1,
    },
    snp: {
      minimumTcb: { Turin: minimum },
      minimumFirmware: [1, 2, 3],
      require: ['singleSocket'],
      cspIds: ['A'],
    },
  }
  const place = (json: unknown) => {
    try {
      parseAttestationPolicy(json)
      return 'ok'
    } catch (error) {
      return error instanceof AttestError ? `${error.code} ${error.place}` : error
    }
  }

  it('reads every rule back as it was', () => {
    expect(parseAttestationPolicy(JSON.parse(JSON.stringify(full)))).toEqual(full)
    expect(encodeHex(mrTd)).toMatch(/^0x/)
  })

  it.each([
    ['policy', null],
    ['policy', []],
    ['policy', { ...full, mesurements: [] }],
    ['policy.format', { ...full, format: 'x' }],
    ['policy.version', { ...full, version: 2 }],
    ['policy.roots', { ...full, roots: 'intel' }],
    ['policy.roots.1', { ...full, roots: ['intel', 'amd '] }],
    ['policy.allowSimulator', { ...full, allowSimulator: 'no' }],
    ['policy.allowDebug', { ...full, allowDebug: true }],
    ['policy.acceptedTcbStatuses.0', { ...full, acceptedTcbStatuses: ['uptodate'] }],
    ['policy.acceptedAdvisories.0', { ...full, acceptedAdvisories: [1] }],
    // Not Unicode text, so that it has no canonical JSON, and the policy no digest.
    ['policy.acceptedAdvisories.0', { ...full, acceptedAdvisories: ['a\ud800'] }],
    ['policy.measurements.0.name', { ...full, measurements: [{ name: '\udfff', mrTd: hex(1, 48) }] }],
    [
      'policy.graceForAdvisories.0.until',
      { ...full, graceForAdvisories: [{ advisory: 'A', until: 'soon' }] },
    ],
    ['policy.graceForAdvisories.0.advisory', { ...full, graceForAdvisories: [{ until: '2026-01-01' }] }],
    ['policy.minimumTcbDate', { ...full, minimumTcbDate: '2026-02-30' }],
    ['policy.measurements.0.mrTd', { ...full, measurements: [{ name: 'x', mrTd: '0x00' }] }],
    ['policy.measurements.0.name', { ...full, measurements: [{ mrTd: hex(1, 48) }] }],
    [
      'policy.measurements.0.rtmrs.0',
      { ...full, measurements: [{ name: 'x', mrTd: hex(1, 48), rtmrs: ['0x'] }] },
    ],
    ['policy.measurements.0.measurement', { ...full, measurements: [{ name: 'x', measurement: 1 }] }],
    ['policy.reportData', { ...full, reportData: '0x00' }],
    ['policy.maximumAgeSeconds', { ...full, maximumAgeSeconds: 0 }],
    ['policy.snp.minimumTcb', { ...full, snp: { minimumTcb: { Rome: minimum } } }],
    [
      'policy.snp.minimumTcb.Turin.snp',
      { ...full, snp: { minimumTcb: { Turin: { ...minimum, snp: 256 } } } },
    ],
    ['policy.snp.minimumFirmware', { ...full, snp: { minimumTcb: {}, minimumFirmware: [1, 2] } }],
    ['policy.snp.products.0', { ...full, snp: { minimumTcb: {}, products: ['Rome'] } }],
    ['policy.snp.require.0', { ...full, snp: { minimumTcb: {}, require: ['everything'] } }],
    ['policy.snp', { ...full, snp: { minimumTcb: {}, allowSmT: false } }],
    ['policy.tdx.attributes.mask', { ...full, tdx: { attributes: { mask: '0x', value: hex(0, 8) } } }],
    ['policy.tdx', { ...full, tdx: { mrSeam: hex(0, 48) } }],
    ['policy.sgx', { ...full, sgx: { mrSeams: [] } }],
    ['policy.sgx.attributes.mask', { ...full, sgx: { attributes: { mask: hex(0, 8), value: hex(0, 16) } } }],
    ['policy.sgx.minimumTcbEvaluationDataNumber', { ...full, sgx: { minimumTcbEvaluationDataNumber: -1 } }],
    ['policy.roots.0', { ...full, roots: new Array(1) }],
  ])('names the place: %s', (where, json) => {
    expect(place(json)).toBe(`BAD_POLICY ${where}`)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a policy without its roots', { ...full, roots: undefined }],
    ['a policy without its measurements', { ...full, measurements: undefined }],
    ['a policy without statuses', { ...full, acceptedTcbStatuses: null }],
    ['a policy without advisories', { ...full, acceptedAdvisories: undefined }],
    ['SNP rules without minimumTcb', { ...full, snp: {} }],
    ['a list with a hole', { ...full, measurements: new Array(1) }],
  ])('every function that takes a policy refuses %s with a typed error', (_, json) => {
    const policy = json as AttestationPolicy
    const calls = {
      appraise: () => appraise(tdx, policy),
      attestationPolicyDigest: () => attestationPolicyDigest(policy),
      earClaims: () => earClaims(tdx, policy, { build: 'b', issuedAt: at }),
      verifyNodeEvidence: () => verifyNodeEvidence({ evidence, policy, at }),
    }
    for (const call of Object.values(calls)) {
      expect(call).toThrow(AttestError)
      expect(call).toThrow(/Not an attestation policy/)
    }
  })
})
