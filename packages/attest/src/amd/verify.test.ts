import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { appraise } from '../policy/appraise.js'
import { type AttestationPolicy, defaultAttestationPolicy, type SnpRules } from '../policy/policy.js'
import {
  type AmdCertificateDefect,
  type AmdCrlDefect,
  createAmdSimulator,
  type SimulatedSnpReport,
  type SnpReportDefect,
} from '../simulator/index.js'
import { seededRandom } from '../testing/fixture.js'
import { verifySnpReport } from '../with-platform.js'
import { snpReportLength } from './report.js'

const at = new Date('2026-11-20T12:00:00Z')
const reportData = new Uint8Array(64).fill(0xda)
const simulator = createAmdSimulator({ random: seededRandom('amd'), at })
const trustedRoots = [simulator.rootDigest]
const certificates = simulator.certificates()
const crl = simulator.crl(at)
const check = (bytes: Uint8Array, changes: Partial<Parameters<typeof verifySnpReport>[1]> = {}) =>
  verifySnpReport(bytes, { certificates, crl, at, trustedRoots, ...changes })
const make = (content: Partial<SimulatedSnpReport> = {}) => simulator.report({ reportData, ...content })
const report = make()
const not = (verdict: ReturnType<typeof check>, result: 'fail' | 'not-checked') =>
  verdict.checks.filter((one) => one.result === result).map(({ id }) => id)

describe('verifySnpReport on the simulator', () => {
  it.each([
    ['Milan', 'vcek', [2, 3, 4, 5]],
    ['Genoa', 'vcek', [2, 3, 4, 5]],
    ['Genoa', 'vlek', [2, 3, 4, 5]],
    ['Bergamo-Siena', 'vcek', [3, 4, 5]],
    ['Turin', 'vcek', [3, 4, 5]],
    ['Turin', 'vlek', [3, 4, 5]],
  ] as const)('passes every check for %s by %s in versions %j', (product, key, versions) => {
    const platform = createAmdSimulator({ random: seededRandom(product + key), at, product, key })
    for (const version of versions) {
      const verdict = verifySnpReport(platform.report({ reportData, version }), {
        certificates: platform.certificates().reverse(),
        crl: platform.crl(at),
        at,
        trustedRoots: [platform.rootDigest],
      })
      expect(not(verdict, 'fail')).toEqual([])
      expect(verdict).toMatchObject({ ok: true, simulated: true, tee: 'sev-snp', tcbStatus: null })
      expect(verdict.claims).toMatchObject({ reportVersion: version, signingKey: key, debug: false })
      expect(verdict.claims.product).toBe(version === 2 ? product : product)
    }
  })

  it('finds the issuer among several of its name by its signature', () => {
    const [vek, ask, ark] = certificates
    const stranger = createAmdSimulator({ random: seededRandom('another'), at }).certificates()
    if (!vek || !ask || !ark || !stranger[1] || !stranger[2]) throw new Error('chains of three are expected')
    for (const order of [
      [vek, stranger[1], ask, ark],
      [vek, ask, stranger[1], stranger[2], ark],
      [stranger[2], stranger[1], ark, ask, vek],
    ]) {
      expect(not(check(report, { certificates: order }), 'fail')).toEqual([])
      expect(check(report, { certificates: order }).ok).toBe(true)
    }
    const none = check(report, { certificates: [vek, stranger[1], stranger[2], ark] })
    expect([none.ok, not(none, 'fail').includes('vek-chain')]).toEqual([false, true])
  })

  it('refuses its root unless the caller names it', () => {
    const verdict = check(report, { trustedRoots: [] })
    expect([verdict.ok, not(verdict, 'fail')]).toEqual([false, ['root-trusted']])
  })

  it.each<[SnpReportDefect, string[]]>([
    ['other-chip', ['chip-id']],
    ['other-tcb', ['tcb-match']],
    ['reserved-byte', ['report-form']],
    ['signature-padding', ['report-form']],
    ['tampered-body', ['report-signature']],
    ['tampered-signature', ['report-signature']],
    ['tcb-order', ['tcb-order']],
    ['trailing-bytes', ['trailing-bytes']],
    ['unknown-policy-bit', ['report-form']],
    ['unknown-product', ['product']],
    ['unsigned', ['signing-key']],
    ['wrong-algorithm', ['report-form']],
    ['wrong-key-kind', ['signing-key']],
  ])('a report that is %s fails %j', (defect, ids) => {
    const verdict = check(make({ defect }))
    expect([verdict.ok, not(verdict, 'fail')]).toEqual([false, ids])
  })

  it('does not call a hidden chip id a match', () => {
    const verdict = check(make({ defect: 'masked-chip-id' }))
    expect([verdict.ok, not(verdict, 'not-checked'), verdict.claims.chipId]).toEqual([
      false,
      ['chip-id'],
      null,
    ])
  })

  it.each<[AmdCertificateDefect, 'fail' | 'not-checked', string]>([
    ['authority-missing', 'not-checked', 'certificates'],
    ['root-missing', 'not-checked', 'certificates'],
    ['self-signed', 'not-checked', 'certificates'],
    ['expired', 'fail', 'certificate-dates'],
    ['forged', 'fail', 'vek-chain'],
    ['hwid-missing', 'fail', 'vek-chain'],
    ['other-line', 'fail', 'product'],
    ['tcb-missing', 'fail', 'certificates'],
  ])('certificates that are %s: %s %s', (defect, result, id) => {
    const verdict = check(report, { certificates: simulator.certificates({ defect }) })
    expect(verdict.ok).toBe(false)
    expect(not(verdict, result)).toContain(id)
  })

  it('refuses a forged report with a self-signed VCEK even when the real issuers are given beside it', () => {
    const [, ask, ark] = certificates
    const [forged] = simulator.certificates({ defect: 'self-signed' })
    const all = [forged, ask, ark].filter((one) => one !== undefined)
    expect(check(report, { certificates: all }).ok).toBe(false)
    expect(check(report, { certificates: [] }).ok).toBe(false)
  })

  it.each<[AmdCrlDefect, string]>([
    ['from-the-future', 'crl-dates'],
    ['of-another-key', 'crl'],
    ['revoked-authority', 'not-revoked'],
    ['stale', 'crl-dates'],
    ['tampered', 'crl'],
  ])('a revocation list that is %s fails %s', (defect, id) => {
    const verdict = check(report, { crl: simulator.crl(at, { defect }) })
    expect([verdict.ok, not(verdict, 'fail')]).toEqual([false, [id]])
  })

  it('is never ok without a revocation list, and says that it was not checked', () => {
    const verdict = verifySnpReport(report, { certificates, at, trustedRoots })
    expect([verdict.ok, not(verdict, 'not-checked')]).toEqual([false, ['crl', 'crl-dates', 'not-revoked']])
    expect(appraise(verdict, defaultAttestationPolicy).answer).toBe('not-proved')
  })

  it('tells bytes that are no report from reports that are not ok', () => {
    const code = (ask: () => unknown) => {
      try {
        ask()
        return 'ok'
      } catch (error) {
        return error instanceof AttestError ? error.code : error
      }
    }
    expect(code(() => check(report.slice(0, snpReportLength - 1)))).toBe('BAD_REPORT')
    for (const version of [0, 1, 6, 255]) {
      const other = report.slice()
      other[0] = version
      expect(code(() => check(other))).toBe('BAD_REPORT')
    }
    expect(code(() => check(report, { at: new Date('x') }))).toBe('BAD_ARGUMENT')
  })

  it('no flipped byte is ok or crashes', () => {
    fc.assert(
      fc.property(fc.nat({ max: snpReportLength - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const bytes = report.slice()
        bytes[index] = (bytes[index] ?? 0) ^ mask
        try {
          expect(check(bytes).ok).toBe(false)
        } catch (error) {
          expect((error as AttestError).code).toBe('BAD_REPORT')
        }
      }),
      { numRuns: 400 },
    )
  })

  it('no flipped byte of a certificate or of the list is ok or crashes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, place, mask) => {
        const parts = [...certificates, crl].map((part) => part.slice())
        const part = parts[which] ?? crl.slice()
        const index = place % part.length
        part[index] = (part[index] ?? 0) ^ mask
        parts[which] = part
        const verdict = check(report, { certificates: parts.slice(0, 3), crl: parts[3] ?? crl })
        expect([which, index, verdict.ok]).toEqual([which, index, false])
      }),
      { numRuns: 300 },
    )
  })
})

describe('appraise on SEV-SNP', () => {
  const rules: SnpRules = { minimumTcb: { Genoa: { bootloader: 10, tee: 0, snp: 23, microcode: 84 } } }
  const policy: AttestationPolicy = {
    ...defaultAttestationPolicy,
    roots: [simulator.rootDigest],
    allowSimulator: true,
    measurements: [{ name: 'image', measurement: `0x${'51'.repeat(48)}` }],
    snp: rules,
  }
  const answer = (bytes: Uint8Array, change: Partial<SnpRules> = {}, rest: Partial<AttestationPolicy> = {}) =>
    appraise(check(bytes), { ...policy, snp: { ...rules, ...change }, ...rest })

  it('allows what the policy names', () => {
    expect(answer(report)).toEqual({ answer: 'allowed', reasons: [] })
  })

  it.each<[string, Uint8Array, Partial<SnpRules>, Partial<AttestationPolicy>]>([
    ['debug', make({ defect: 'debug' }), {}, {}],
    ['a migration agent', make({ defect: 'migration-agent' }), {}, {}],
    ['a missing alias check', make({ defect: 'missing-alias-check' }), {}, {}],
    ['provisional firmware', make({ defect: 'provisional-firmware' }), {}, {}],
    ['another privilege level', make({ vmpl: 1 }), {}, {}],
    ['another product', report, { products: ['Turin'] }, {}],
    ['a product without a minimum TCB', report, { minimumTcb: {} }, {}],
    [
      'a TCB below the minimum',
      report,
      { minimumTcb: { Genoa: { bootloader: 10, tee: 0, snp: 24, microcode: 84 } } },
      {},
    ],
    ['older firmware', report, { minimumFirmware: [1, 55, 41] }, {}],
    ['an older guest', report, { minimumGuestSvn: 1 }, {}],
    ['SMT', report, { allowSmt: false }, {}],
    ['a guest policy without ciphertext hiding', report, { require: ['ciphertextHiding'] }, {}],
    ['another signing key', report, { signingKeys: ['vlek'] }, {}],
    ['another chip', report, { chipIds: [`0x${'00'.repeat(64)}`] }, {}],
    ['another family', report, { familyIds: [] }, {}],
    ['another image id', report, { imageIds: [] }, {}],
    ['missing mitigations', report, { requiredMitigations: '0x0000000000000001' }, {}],
    ['another measurement', make({ measurement: new Uint8Array(48) }), {}, {}],
    ['other report data', report, {}, { reportData: `0x${'00'.repeat(32)}` }],
  ])('refuses %s', (_, bytes, change, rest) => {
    const { answer: given, reasons } = answer(bytes, change, rest)
    expect([given, reasons.length > 0]).toEqual(['not-allowed', true])
  })

  it('refuses all when the policy has no rules for SEV-SNP', () => {
    const { snp: _, ...without } = policy
    expect(appraise(check(report), without)).toMatchObject({ answer: 'not-allowed', reasons: [/no rules/] })
  })

  it('refuses Milan unless the policy names it', () => {
    const milan = createAmdSimulator({ random: seededRandom('milan'), at, product: 'Milan' })
    const verdict = verifySnpReport(milan.report({ reportData }), {
      certificates: milan.certificates(),
      crl: milan.crl(at),
      at,
      trustedRoots: [milan.rootDigest],
    })
    const minimumTcb = { Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219 } }
    const given = (snp: SnpRules) => appraise(verdict, { ...policy, roots: [milan.rootDigest], snp })
    expect(given({ minimumTcb }).reasons.join()).toContain('arXiv 2605.12990')
    expect(given({ minimumTcb, products: ['Milan'] }).answer).toBe('allowed')
    expect(verdict.checks.find(({ id }) => id === 'product')?.detail).toContain('2605.12990')
  })

  it('tells false from not proved', () => {
    const of = (verdict: ReturnType<typeof check>) => appraise(verdict, policy).answer
    expect(of(check(make({ defect: 'tampered-body' })))).toBe('false')
    expect(of(check(report, { crl: simulator.crl(at, { defect: 'revoked-authority' }) }))).toBe('false')
    expect(of(check(report, { crl: simulator.crl(at, { defect: 'stale' }) }))).toBe('not-proved')
  })
})
