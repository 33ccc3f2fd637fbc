import { describe, expect, it } from 'vitest'
import { changed, check, claims, hex, measured, type Row, tdx } from '../testing/appraisal-table.js'
import { at, trust } from '../testing/fixture.js'
import type { SgxClaims, TdxClaims, Verdict } from '../verdict/verdict.js'
import { appraise } from './appraise.js'
import { type AttestationPolicy, defaultAttestationPolicy, type SgxRules, type TdxRules } from './policy.js'

describe('rules for every kind of evidence, on TDX', () => {
  const rows: Record<string, Row<TdxClaims, Partial<AttestationPolicy>>> = {
    allowDebug: { rule: {}, fail: { claims: { debug: true } }, says: /debug/ },
    roots: {
      rule: {},
      fail: {
        claims: {
          root: {
            commonName: 'x',
            certificate: `sha256:${'0'.repeat(64)}`,
            publicKey: `sha256:${'0'.repeat(64)}`,
            vendor: null,
          },
        },
      },
      unknown: { claims: { root: null } },
      says: /does not name its root/,
    },
    acceptedTcbStatuses: {
      rule: { acceptedTcbStatuses: ['UpToDate', 'OutOfDate'], acceptedAdvisories: ['A'] },
      pass: { verdict: { tcbStatus: 'OutOfDate', advisories: ['A'] } },
      fail: { verdict: { tcbStatus: 'SWHardeningNeeded', advisories: ['A'] } },
      unknown: { verdict: { tcbStatus: null } },
      says: /does not accept its TCB|status is unknown/,
    },
    acceptedAdvisories: {
      rule: { acceptedTcbStatuses: ['OutOfDate'], acceptedAdvisories: ['A'] },
      pass: { verdict: { tcbStatus: 'OutOfDate', advisories: ['A'] } },
      fail: { verdict: { tcbStatus: 'OutOfDate', advisories: ['A', 'B'] } },
      says: /Advisories apply .*: B\./,
    },
    graceForAdvisories: {
      rule: {
        acceptedTcbStatuses: ['OutOfDate'],
        graceForAdvisories: [{ advisory: 'A', until: at.toISOString() }],
      },
      pass: { verdict: { tcbStatus: 'OutOfDate', advisories: ['A'] } },
      fail: {
        verdict: {
          tcbStatus: 'OutOfDate',
          advisories: ['A'],
          at: new Date(at.getTime() + 1000).toISOString(),
        },
      },
      says: /Advisories apply/,
    },
    minimumTcbDate: {
      rule: { minimumTcbDate: '2025-01-01' },
      pass: { verdict: { tcbDate: '2025-01-01T00:00:00Z' } },
      fail: { verdict: { tcbDate: '2024-12-31T00:00:00Z' } },
      unknown: { verdict: { tcbDate: null } },
      says: /TCB is of/,
    },
    'reportData, 32 bytes': {
      rule: { reportData: hex(7, 32) },
      fail: { claims: { reportData: hex(8, 64) } },
      says: /report data/,
    },
    'reportData, 64 bytes': {
      rule: { reportData: hex(7, 64) },
      fail: { claims: { reportData: `${hex(7, 63)}08` } },
      says: /report data/,
    },
    maximumAgeSeconds: {
      rule: { maximumAgeSeconds: 3600 },
      fail: { verdict: { at: new Date(at.getTime() + 1000).toISOString() } },
      unknown: { claims: { collateral: null } },
      says: /seconds old|age of its collateral is unknown/,
    },
    measurements: {
      rule: {},
      fail: { claims: { mrTd: hex(1, 48) } },
      says: /no measurement like this one \(MRTD/,
    },
    'measurements.rtmrs': {
      rule: { measurements: [{ name: 'x', mrTd: claims.mrTd, rtmrs: [...claims.rtmrs] }] },
      fail: { claims: { rtmrs: [claims.rtmrs[0], claims.rtmrs[1], claims.rtmrs[2], hex(1, 48)] } },
      says: /no measurement/,
    },
    'measurements.mrConfigId': {
      rule: { measurements: [{ name: 'x', mrTd: claims.mrTd, mrConfigId: hex(0, 48) }] },
      fail: { claims: { mrConfigId: hex(1, 48) } },
      says: /no measurement/,
    },
    'measurements.mrOwner': {
      rule: { measurements: [{ name: 'x', mrTd: claims.mrTd, mrOwner: hex(0, 48) }] },
      fail: { claims: { mrOwner: hex(1, 48) } },
      says: /no measurement/,
    },
    'measurements.mrOwnerConfig': {
      rule: { measurements: [{ name: 'x', mrTd: claims.mrTd, mrOwnerConfig: hex(0, 48) }] },
      fail: { claims: { mrOwnerConfig: hex(1, 48) } },
      says: /no measurement/,
    },
  }
  for (const [name, row] of Object.entries(rows)) check(name, tdx, row, { ...trust, ...row.rule })

  it('allowSimulator: without it nothing simulated is allowed', () => {
    const { answer, reasons } = appraise(tdx, { ...trust, allowSimulator: false })
    expect([answer, reasons]).toEqual(['not-allowed', [expect.stringMatching(/^It is SIMULATED/)]])
  })

  it('advisories beside UpToDate are mended ones', () => {
    expect(appraise(changed(tdx, { verdict: { advisories: ['INTEL-SA-1'] } }), trust).answer).toBe('allowed')
  })

  it('the default policy allows nothing, for two reasons', () => {
    expect(appraise(tdx, defaultAttestationPolicy).reasons.length).toBeGreaterThanOrEqual(3)
    expect(measured).toBeDefined()
  })
})

describe('rules for TDX', () => {
  const rows: Record<string, Row<TdxClaims, TdxRules>> = {
    mrSeams: { rule: { mrSeams: [claims.mrSeam] }, fail: { claims: { mrSeam: hex(1, 48) } }, says: /MRSEAM/ },
    attributes: {
      rule: { attributes: { mask: '0x0000001000000000', value: '0x0000001000000000' } },
      fail: { claims: { tdAttributes: '0x0000000000000000' } },
      says: /attributes/,
    },
    xfam: {
      rule: { xfam: { mask: '0x0700000000000000', value: '0x0700000000000000' } },
      fail: { claims: { xfam: '0x0300000000000000' } },
      says: /XFAM/,
    },
    'mrServiceTds, absent': {
      rule: {},
      pass: { claims: { mrServiceTd: hex(0, 48) } },
      fail: { claims: { mrServiceTd: hex(1, 48) } },
      says: /service TD/,
    },
    mrServiceTds: {
      rule: { mrServiceTds: [hex(1, 48)] },
      pass: { claims: { mrServiceTd: hex(1, 48) } },
      fail: { claims: { mrServiceTd: hex(2, 48) } },
      says: /service TD/,
    },
    minimumTcbEvaluationDataNumber: {
      rule: { minimumTcbEvaluationDataNumber: 18 },
      fail: {
        claims: { collateral: claims.collateral && { ...claims.collateral, tcbEvaluationDataNumber: 17 } },
      },
      says: /evaluation data number 17/,
    },
    'minimumTcbEvaluationDataNumber, of an old QE identity': {
      rule: { minimumTcbEvaluationDataNumber: 18 },
      fail: {
        claims: { collateral: claims.collateral && { ...claims.collateral, qeTcbEvaluationDataNumber: 11 } },
      },
      says: /evaluation data number 11/,
    },
  }
  for (const [name, row] of Object.entries(rows)) check(name, tdx, row, { ...trust, tdx: row.rule })
})

// --- SGX ---

describe('rules for SGX', () => {
  const numbers = (tcbInfo: number, identity: number): SgxClaims['collateral'] => {
    if (claims.collateral === null) throw new Error('the simulator gives collateral')
    return {
      ...claims.collateral,
      tcbEvaluationDataNumber: tcbInfo,
      qeTcbEvaluationDataNumber: identity,
    }
  }
  const sgxClaims: SgxClaims = {
    tee: 'sgx',
    quoteVersion: 3,
    debug: false,
    reportData: claims.reportData,
    platform: claims.platform,
    collateral: claims.collateral,
    root: claims.root,
    mrEnclave: hex(1, 32),
    mrSigner: hex(2, 32),
    isvProdId: 5,
    isvSvn: 7,
    attributes: hex(0, 16),
  }
  const sgx: Verdict = { ...tdx, tee: 'sgx', claims: sgxClaims }
  const signer = { name: 's', mrSigner: hex(2, 32), isvProdId: 5, minimumIsvSvn: 7 }
  const rows: Record<string, Row<SgxClaims, AttestationPolicy['measurements']>> = {
    mrEnclave: {
      rule: [{ name: 'e', mrEnclave: hex(1, 32) }],
      fail: { claims: { mrEnclave: hex(9, 32) } },
      says: /MRENCLAVE/,
    },
    mrSigner: { rule: [signer], fail: { claims: { mrSigner: hex(9, 32) } }, says: /MRENCLAVE/ },
    isvProdId: { rule: [signer], fail: { claims: { isvProdId: 6 } }, says: /MRENCLAVE/ },
    minimumIsvSvn: {
      rule: [signer],
      pass: { claims: { isvSvn: 8 } },
      fail: { claims: { isvSvn: 6 } },
      says: /MRENCLAVE/,
    },
  }
  for (const [name, row] of Object.entries(rows)) check(name, sgx, row, { ...trust, measurements: row.rule })

  const rules: Record<string, Row<SgxClaims, SgxRules>> = {
    attributes: {
      rule: { attributes: { mask: hex(0xff, 16), value: hex(0, 16) } },
      fail: { claims: { attributes: hex(1, 16) } },
      says: /does not allow its attributes/,
    },
    'minimumTcbEvaluationDataNumber, of the TCB info': {
      rule: { minimumTcbEvaluationDataNumber: 20 },
      pass: { claims: { collateral: numbers(20, 21) } },
      fail: { claims: { collateral: numbers(19, 21) } },
      says: /evaluation data number 19, the policy asks for 20/,
    },
    'minimumTcbEvaluationDataNumber, of the identity': {
      rule: { minimumTcbEvaluationDataNumber: 20 },
      pass: { claims: { collateral: numbers(21, 20) } },
      fail: { claims: { collateral: numbers(21, 19) } },
      says: /evaluation data number 19, the policy asks for 20/,
    },
  }
  for (const [name, row] of Object.entries(rules)) {
    check(name, sgx, row, {
      ...trust,
      measurements: [signer],
      sgx: row.rule,
      // Rules of the other TEE do not count.
      tdx: { minimumTcbEvaluationDataNumber: 1_000_000 },
    })
  }

  it('a measurement of another TEE never fits', () => {
    expect(appraise(sgx, trust).answer).toBe('not-allowed')
    expect(appraise(tdx, { ...trust, measurements: [signer] }).answer).toBe('not-allowed')
  })
})
