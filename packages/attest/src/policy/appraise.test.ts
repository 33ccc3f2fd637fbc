import { encodeHex } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { earClaims } from '../export/ear.js'
import { createAmdSimulator } from '../simulator/index.js'
import { at, evidence, mrTd, seededRandom, simulator, trust } from '../testing/fixture.js'
import type { Claims, SgxClaims, TdxClaims, Verdict } from '../verdict/verdict.js'
import { verifyNodeEvidence, verifyQuote, verifySnpReport } from '../with-platform.js'
import { appraise } from './appraise.js'
import {
  type AttestationPolicy,
  attestationPolicyDigest,
  defaultAttestationPolicy,
  parseAttestationPolicy,
  type SgxRules,
  type SnpRules,
  type TdxRules,
} from './policy.js'

// A verdict that passes, and a policy that allows it; each row changes one thing on either side. "unknown" is what the evidence
// does not tell: a policy that asks for it is never satisfied by silence.

const hex = (fill: number, length: number) =>
  `0x${fill.toString(16).padStart(2, '0').repeat(length)}` as const

type Change<C extends Claims> = { readonly claims?: Partial<C>; readonly verdict?: Partial<Verdict> }
interface Row<C extends Claims, R> {
  readonly rule: R
  readonly pass?: Change<C>
  readonly fail: Change<C>
  readonly unknown?: Change<C>
  readonly says: RegExp
}

const changed = <C extends Claims>(verdict: Verdict, change: Change<C> = {}): Verdict => ({
  ...verdict,
  ...change.verdict,
  claims: { ...verdict.claims, ...change.claims } as Claims,
})

function check<C extends Claims, R>(
  name: string,
  verdict: Verdict,
  row: Row<C, R>,
  policy: AttestationPolicy,
): void {
  it(`${name}: pass`, () => {
    expect(appraise(changed(verdict, row.pass), policy)).toEqual({ answer: 'allowed', reasons: [] })
  })
  for (const which of ['fail', 'unknown'] as const) {
    const change = row[which]
    if (change === undefined) continue
    it(`${name}: ${which}`, () => {
      const { answer, reasons } = appraise(changed(verdict, change), policy)
      expect(answer).toBe('not-allowed')
      expect(reasons.join(' ')).toMatch(row.says)
      expect(reasons).toHaveLength(1)
    })
  }
}

// --- TDX ---

const tdx = verifyQuote(simulator.quote({ reportData: new Uint8Array(64).fill(7), mrTd }), {
  collateral: simulator.collateral(at),
  at,
  trustedRoots: [simulator.rootDigest],
})
const claims = tdx.claims as TdxClaims
const [measured] = trust.measurements

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

// --- SEV-SNP ---

const amd = createAmdSimulator({ random: seededRandom('policy'), at, product: 'Turin' })
const snp = verifySnpReport(amd.report({ reportData: new Uint8Array(64) }), {
  certificates: amd.certificates(),
  crl: amd.crl(at),
  at,
  trustedRoots: [amd.rootDigest],
})
type Snp = typeof snp.claims
const minimum = { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 }

describe('rules for SEV-SNP', () => {
  const { guestPolicy, platformInfo, tcb } = snp.claims
  if (tcb === null) throw new Error('the fixture has a TCB')
  const below = { ...tcb, reported: { ...tcb.reported, microcode: 80 } }
  const rows: Record<string, Row<Snp, Partial<SnpRules>>> = {
    products: {
      rule: { products: ['Turin'] },
      fail: { claims: { product: 'Genoa' } },
      says: /does not allow Genoa|no minimum TCB/,
    },
    'products, absent': {
      rule: { minimumTcb: { Turin: minimum, Milan: minimum } },
      fail: { claims: { product: 'Milan' } },
      says: /Milan: its chip keys/,
    },
    minimumTcb: {
      rule: {},
      fail: { claims: { tcb: below } },
      unknown: { claims: { tcb: null } },
      says: /microcode is 80, needs 81|no minimum TCB/,
    },
    'minimumTcb of the product': {
      rule: { minimumTcb: { Genoa: minimum } },
      pass: { claims: { product: 'Genoa' } },
      fail: {},
      says: /no minimum TCB for Turin/,
    },
    maximumVmpl: {
      rule: { maximumVmpl: 1 },
      pass: { claims: { vmpl: 1 } },
      fail: { claims: { vmpl: 2 } },
      says: /privilege level 2/,
    },
    'maximumVmpl, absent': { rule: {}, fail: { claims: { vmpl: 1 } }, says: /privilege level 1/ },
    minimumGuestSvn: {
      rule: { minimumGuestSvn: 3 },
      pass: { claims: { guestSvn: 3 } },
      fail: { claims: { guestSvn: 2 } },
      says: /guest’s SVN is 2/,
    },
    minimumFirmware: {
      rule: { minimumFirmware: [1, 55, 10] },
      pass: { claims: { firmware: { current: '1.55.10', committed: '1.55.10' } } },
      fail: { claims: { firmware: { current: '1.54.99', committed: '1.54.99' } } },
      says: /firmware is 1\.54\.99/,
    },
    allowMigrationAgent: {
      rule: { allowMigrationAgent: true },
      pass: { claims: { guestPolicy: { ...guestPolicy, migrationAgent: true } } },
      fail: { claims: { vmpl: 3 } },
      says: /privilege/,
    },
    'allowMigrationAgent, absent': {
      rule: {},
      fail: { claims: { guestPolicy: { ...guestPolicy, migrationAgent: true } } },
      says: /migration agent/,
    },
    'allowSmt, the platform': {
      rule: { allowSmt: false },
      pass: {
        claims: {
          guestPolicy: { ...guestPolicy, smt: false },
          platformInfo: { ...platformInfo, smt: false },
        },
      },
      fail: {
        claims: { guestPolicy: { ...guestPolicy, smt: false }, platformInfo: { ...platformInfo, smt: true } },
      },
      says: /multithreading is on/,
    },
    'allowSmt, the guest': {
      rule: { allowSmt: false },
      pass: {
        claims: {
          guestPolicy: { ...guestPolicy, smt: false },
          platformInfo: { ...platformInfo, smt: false },
        },
      },
      fail: {
        claims: { guestPolicy: { ...guestPolicy, smt: true }, platformInfo: { ...platformInfo, smt: false } },
      },
      says: /guest allows/,
    },
    allowCxl: { rule: {}, fail: { claims: { guestPolicy: { ...guestPolicy, cxl: true } } }, says: /CXL/ },
    allowMissingAliasCheck: {
      rule: {},
      fail: { claims: { platformInfo: { ...platformInfo, aliasCheckComplete: false } } },
      says: /BadRAM/,
    },
    'allowProvisionalFirmware, TCB': {
      rule: {},
      fail: { claims: { tcb: { ...tcb, committed: { ...tcb.committed, microcode: 80 } } } },
      says: /provisional/,
    },
    'allowProvisionalFirmware, version': {
      rule: {},
      fail: { claims: { firmware: { current: '9.9.9', committed: '1.1.1' } } },
      says: /provisional/,
    },
    signingKeys: {
      rule: { signingKeys: ['vcek'] },
      fail: { claims: { signingKey: 'vlek' } },
      says: /vlek to sign/,
    },
    cspIds: {
      rule: { cspIds: ['A'] },
      pass: { claims: { signingKey: 'vlek', cspId: 'A' } },
      fail: { claims: { signingKey: 'vlek', cspId: 'B' } },
      unknown: { claims: { signingKey: 'vlek', cspId: null } },
      says: /provider/,
    },
    chipIds: {
      rule: { chipIds: [hex(1, 64)] },
      pass: { claims: { chipId: hex(1, 64) } },
      fail: { claims: { chipId: hex(2, 64) } },
      unknown: { claims: { chipId: null } },
      says: /chip/,
    },
    familyIds: {
      rule: { familyIds: [hex(1, 16)] },
      pass: { claims: { familyId: hex(1, 16) } },
      fail: { claims: { familyId: hex(2, 16) } },
      says: /family id/,
    },
    imageIds: {
      rule: { imageIds: [hex(1, 16)] },
      pass: { claims: { imageId: hex(1, 16) } },
      fail: { claims: { imageId: hex(2, 16) } },
      says: /image id/,
    },
    'requiredMitigations, launch': {
      rule: { requiredMitigations: '0x0000000000000003' },
      pass: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000007' } } },
      fail: { claims: { mitigations: { launch: '0x0000000000000001', current: '0x0000000000000003' } } },
      says: /at launch/,
    },
    'requiredMitigations, now': {
      rule: { requiredMitigations: '0x0000000000000003' },
      pass: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000003' } } },
      fail: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000002' } } },
      says: /not there now/,
    },
  }
  const base: AttestationPolicy = {
    ...trust,
    roots: [amd.rootDigest],
    measurements: [{ name: 'x', measurement: snp.claims.measurement }],
  }
  const quiet: SnpRules = { minimumTcb: { Turin: minimum } }
  for (const [name, row] of Object.entries(rows)) {
    if (name === 'products') continue
    check(name, snp, row, { ...base, snp: { ...quiet, ...row.rule } })
  }

  it.each([
    'ciphertextHiding',
    'memoryAes256Xts',
    'pageSwapDisabled',
    'raplDisabled',
    'singleSocket',
  ] as const)('require %s', (bit) => {
    const policy = { ...base, snp: { ...quiet, require: [bit] } }
    const ask = (value: boolean) =>
      appraise(changed<Snp>(snp, { claims: { guestPolicy: { ...guestPolicy, [bit]: value } } }), policy)
    expect(ask(true).answer).toBe('allowed')
    expect(ask(false)).toEqual({
      answer: 'not-allowed',
      reasons: [`The guest’s policy does not demand ${bit}.`],
    })
  })

  it('products, the unknown one, and mitigations that are not told, are never allowed', () => {
    const policy = { ...base, snp: { ...quiet, requiredMitigations: hex(0, 8) } }
    expect(appraise(changed<Snp>(snp, { claims: { product: null } }), policy).answer).toBe('not-allowed')
    expect(appraise(changed<Snp>(snp, { claims: { mitigations: null } }), policy).reasons).toHaveLength(2)
    const only = { ...base, snp: { ...quiet, products: ['Genoa' as const] } }
    expect(appraise(snp, only).reasons).toEqual([expect.stringMatching(/does not allow Turin/)])
  })

  it('measurements: host data and keys', () => {
    const { measurement, hostData, idKeyDigest, authorKeyDigest } = snp.claims
    const whole = { name: 'x', measurement, hostData, idKeyDigest, authorKeyDigest }
    const policy = { ...base, snp: quiet, measurements: [whole] }
    expect(appraise(snp, policy).answer).toBe('allowed')
    for (const field of ['measurement', 'hostData', 'idKeyDigest', 'authorKeyDigest'] as const) {
      const other = changed<Snp>(snp, { claims: { [field]: hex(0xee, 48) } })
      expect([field, appraise(other, policy).answer]).toEqual([field, 'not-allowed'])
    }
  })

  it('what is refused by default is allowed by name, one thing at a time', () => {
    const { firmware } = snp.claims
    const rows = [
      ['allowCxl', { guestPolicy: { ...guestPolicy, cxl: true } }],
      ['allowMissingAliasCheck', { platformInfo: { ...platformInfo, aliasCheckComplete: false } }],
      ['allowProvisionalFirmware', { firmware: { ...firmware, current: '9.9.9', committed: '1.1.1' } }],
    ] as const
    for (const [allow] of rows) {
      for (const [name, claims] of rows) {
        const given = { ...base, snp: { ...quiet, [allow]: true } }
        const expected = name === allow ? 'allowed' : 'not-allowed'
        expect([allow, name, appraise(changed<Snp>(snp, { claims }), given).answer]).toEqual([
          allow,
          name,
          expected,
        ])
      }
    }
  })

  it('without rules for SEV-SNP nothing is allowed', () => {
    expect(appraise(snp, base).reasons).toEqual([expect.stringMatching(/no rules for SEV-SNP/)])
  })
})

describe('answers', () => {
  const broken = (id: string, result: 'fail' | 'not-checked') =>
    changed(tdx, {
      verdict: { ok: false, checks: tdx.checks.map((one) => (one.id === id ? { ...one, result } : one)) },
    })
  it.each([
    ['quote-signature', 'fail', 'false'],
    ['quote-signature', 'not-checked', 'not-proved'],
    ['not-revoked', 'fail', 'false'],
    ['certificate-dates', 'fail', 'not-proved'],
    ['crl-dates', 'fail', 'not-proved'],
    ['collateral-dates', 'fail', 'not-proved'],
    ['collateral', 'fail', 'not-proved'],
    ['platform-match', 'fail', 'not-proved'],
    ['collateral-chains', 'fail', 'not-proved'],
    ['root-crl', 'fail', 'not-proved'],
    ['pck-crl', 'fail', 'not-proved'],
    ['tcb-info-signature', 'fail', 'not-proved'],
    ['qe-identity-signature', 'fail', 'not-proved'],
    ['certificates', 'fail', 'not-proved'],
    ['pck-chain', 'fail', 'false'],
    ['qe-identity', 'fail', 'false'],
    ['tdx-module', 'fail', 'false'],
  ] as const)('%s %s is %s', (id, result, answer) => {
    expect(appraise(broken(id, result), trust).answer).toBe(answer)
  })

  it('certificates of the quote itself that cannot be read are false, a module that the TCB info does not know is not proved', () => {
    const checks = broken('certificates', 'fail').checks
    const unread = changed(tdx, { verdict: { ok: false, checks }, claims: { platform: null } })
    expect(appraise(unread, trust).answer).toBe('false')
    const module = { ...broken('tdx-module', 'fail'), tcbStatus: 'TCB_NOT_SUPPORTED' as const }
    expect(appraise(module, trust).answer).toBe('not-proved')
  })

  it.each([
    ['certificates', 'not-proved'],
    ['crl', 'not-proved'],
    ['report-signature', 'false'],
    ['platform-match', 'false'],
  ] as const)('SEV-SNP %s fail is %s', (id, answer) => {
    const one = { id, title: id, result: 'fail', detail: 'x' } as const
    const checks = [...snp.checks.filter((check) => check.id !== id), one]
    expect(appraise({ ...snp, ok: false, checks }, trust).answer).toBe(answer)
  })

  it('a verdict that is not ok is never allowed, even when no check says why', () => {
    expect(appraise({ ...tdx, ok: false }, trust).answer).toBe('not-proved')
  })

  it('a root that nobody named and a refused TCB level are not allowed, and not false', () => {
    expect(appraise(broken('tcb-level', 'fail'), { ...trust, acceptedTcbStatuses: [] }).answer).toBe(
      'not-allowed',
    )
    expect(appraise(broken('root-trusted', 'fail'), { ...trust, roots: [] }).answer).toBe('not-allowed')
  })
})

describe('a verdict that was kept, cut or made up', () => {
  const sgxOnly = { tee: 'sgx', mrEnclave: hex(1, 32), mrSigner: hex(2, 32), isvProdId: 5, isvSvn: 7 }
  const sgx = {
    ...tdx,
    tee: 'sgx',
    checks: tdx.checks.filter(({ id }) => id !== 'tdx-module'),
    claims: { ...claims, ...sgxOnly },
  } as unknown as Verdict
  const kinds = { tdx, sgx, snp } as const
  const rules: AttestationPolicy = {
    ...trust,
    roots: [...trust.roots, ...Object.values(kinds).flatMap(({ claims }) => claims.root?.certificate ?? [])],
    snp: { minimumTcb: { Turin: minimum } },
  }
  it.each(Object.entries(kinds))('of %s is no proof without one answer to each question', (_, verdict) => {
    const answer = (change: object) => appraise({ ...verdict, ...change } as Verdict, rules).answer
    expect(answer({})).toBe(verdict === tdx ? 'allowed' : 'not-allowed')
    expect(answer({ checks: [] })).toBe('not-proved')
    for (const [i, check] of verdict.checks.entries()) {
      expect(answer({ checks: verdict.checks.filter((one) => one !== check) })).toBe('not-proved')
      expect(answer({ checks: [...verdict.checks, check] })).toBe('not-proved')
      const renamed = verdict.checks.map((one, j) => (i === j ? { ...one, id: 'x' } : one))
      expect(answer({ checks: renamed })).toBe('not-proved')
    }
    for (const ok of ['false', 1, undefined, null, false]) expect(answer({ ok })).not.toBe('allowed')
  })

  it.each<unknown>([
    null,
    undefined,
    'x',
    [],
    {},
    { ok: true },
    { ...tdx, checks: {} },
    { ...tdx, claims: undefined },
  ])('is a typed error when it is none: %#', (verdict) => {
    expect(() => appraise(verdict as Verdict, trust)).toThrow(
      expect.objectContaining({ name: 'AttestError', code: 'BAD_ARGUMENT', place: 'verdict' }),
    )
  })
})

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
