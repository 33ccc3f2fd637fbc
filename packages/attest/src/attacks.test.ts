import { hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it, vi } from 'vitest'
import { chainProblem } from './encoding/certificate-chain.js'
import { formatPemCertificates, parsePemCertificates } from './encoding/pem.js'
import { parseCertificate } from './encoding/x509.js'
import type { QeIdentity, TcbInfo } from './intel/collateral.js'
import { parseQuote } from './intel/quote.js'
import { evaluateTcb } from './intel/tcb.js'
import { appraise } from './policy/appraise.js'
import type { QuoteDefect } from './simulator/index.js'
import { createAmdSimulator } from './simulator/index.js'
import { at, mrTd, seededRandom, simulator, trust } from './testing/fixture.js'
import { verifyQuote, verifySnpReport } from './with-platform.js'

// Each test is an attack or a mistake that another verifier was shown to accept (names of the peers in the titles), told by
// public advisories, by their code, or by running them.
const reportData = new Uint8Array(64)
const collateral = simulator.collateral(at)
const trustedRoots = [simulator.rootDigest]
const make = (defect?: QuoteDefect) =>
  simulator.quote({ reportData, mrTd, ...(defect === undefined ? {} : { defect }) })
const ask = (quote = make(), changes: Partial<Parameters<typeof verifyQuote>[1]> = {}) =>
  verifyQuote(quote, { collateral, at, trustedRoots, ...changes })
const failed = (verdict: { checks: readonly { id: string; result: string }[] }) =>
  verdict.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
const hexBytes = (hex: string) => hexToBytes(hex.slice(2))
const hexOf = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString('hex')}`

describe('Intel: what others accepted', () => {
  it.each(['pckCrl', 'rootCaCrl'] as const)(
    'dcap-qvl JS, teekit, attestation-rs: a %s that is garbage, empty, expired, of another issuer or bit-flipped',
    (name) => {
      const flipped = hexBytes(collateral[name])
      flipped[flipped.length - 3] = (flipped[flipped.length - 3] ?? 0) ^ 1
      const other = name === 'pckCrl' ? 'rootCaCrl' : 'pckCrl'
      for (const bad of [
        '0xdeadbeef',
        '0x',
        simulator.collateral(at, { defect: 'stale-crl' })[name],
        collateral[other],
        hexOf(flipped),
      ] as const) {
        expect(ask(make(), { collateral: { ...collateral, [name]: bad } }).ok).toBe(false)
      }
    },
  )

  it('dcap-qvl JS with a window: certificates out of date are refused in browsers too', () => {
    vi.stubGlobal('window', {})
    try {
      for (const when of ['2019-01-01', '2060-01-01']) {
        expect(failed(ask(make(), { at: new Date(when) }))).toContain('certificate-dates')
      }
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it.each<[string, QuoteDefect, string]>([
    ['dcap-qvl JS: trailing bytes', 'trailing-bytes', 'trailing-bytes'],
    ['dcap-qvl JS: another vendor of the quoting enclave', 'foreign-vendor', 'quote-header'],
    ['dcap-qvl (CVE-2026-22696), teekit: another quoting enclave', 'foreign-qe', 'qe-identity'],
    [
      'dcap-qvl JS, attestation-rs: a TDX module that Intel does not describe',
      'unknown-module',
      'tdx-module',
    ],
    ['an attestation key that no quoting enclave vouched for', 'foreign-attestation-key', 'attestation-key'],
  ])('%s', (_, defect, id) => {
    const verdict = ask(make(defect))
    expect([verdict.ok, failed(verdict).includes(id)]).toEqual([false, true])
  })

  it('dcap-qvl, attestation-rs: PCE id and FMSPC of another platform', () => {
    for (const defect of ['wrong-pce-id', 'wrong-fmspc'] as const) {
      expect(failed(ask(make(), { collateral: simulator.collateral(at, { defect }) }))).toContain(
        'platform-match',
      )
    }
  })

  it('teekit: TCB info and QE identity without a valid signature', () => {
    for (const defect of ['tampered-tcb-info', 'tampered-qe-identity'] as const) {
      expect(ask(make(), { collateral: simulator.collateral(at, { defect }) }).ok).toBe(false)
    }
    const stripped = collateral.tcbInfo.replace(/"signature":"[0-9a-f]+"/, '"signature":""')
    expect(ask(make(), { collateral: { ...collateral, tcbInfo: stripped } }).ok).toBe(false)
  })

  it('attestation-rs: expired TCB info, and collateral without its chains', () => {
    expect(ask(make(), { collateral: simulator.collateral(at, { defect: 'stale' }) }).ok).toBe(false)
    for (const name of ['tcbInfoIssuerChain', 'qeIdentityIssuerChain', 'pckCrlIssuerChain'] as const) {
      expect(ask(make(), { collateral: { ...collateral, [name]: '' } }).ok).toBe(false)
    }
  })

  it('teekit: a debug TD is never allowed, whatever the policy', () => {
    const verdict = ask(make('debug'))
    expect(verdict.claims.debug).toBe(true)
    expect(appraise(verdict, trust).answer).toBe('not-allowed')
  })

  it('attestation-rs: another measurement is a refusal, not a remark', () => {
    const verdict = ask(simulator.quote({ reportData, mrTd: new Uint8Array(48) }))
    expect(appraise(verdict, trust).answer).toBe('not-allowed')
  })

  it('automata, near/mpc: zero padding is accepted, anything else only when asked for', () => {
    const quote = make()
    expect(ask(Uint8Array.from([...quote, 0, 0, 0])).ok).toBe(true)
    expect(ask(Uint8Array.from([...quote, 0, 7])).ok).toBe(false)
    expect(ask(Uint8Array.from([...quote, 0, 7]), { trailingBytes: 'any' }).ok).toBe(true)
  })

  it('PCK, root, intermediate in that order: told apart by what they are', () => {
    const quote = make()
    const { certificationData } = parseQuote(quote)
    const [pck, authority, root] = parsePemCertificates(new TextDecoder().decode(certificationData))
    const pem = formatPemCertificates([pck, root, authority].filter((one) => one !== undefined))
    const other = quote.slice()
    other.set(new TextEncoder().encode(pem), certificationData.byteOffset - quote.byteOffset)
    expect(ask(other).ok).toBe(true)
  })
})

describe('Intel’s algorithm where others differ', () => {
  const level = (svns: number[], status: TcbInfo['levels'][number]['status'], advisories: string[] = []) => ({
    sgxComponents: new Array<number>(16).fill(0),
    tdxComponents: [...svns, ...new Array<number>(16 - svns.length).fill(0)],
    pceSvn: 0,
    status,
    tcbDate: '2025-01-01T00:00:00Z',
    advisories,
  })
  const isv = (isvSvn: number, status: 'UpToDate' | 'OutOfDate') => ({
    isvSvn,
    status,
    tcbDate: '2025-05-14T00:00:00Z',
    advisories: status === 'OutOfDate' ? ['INTEL-SA-01192'] : [],
  })
  const info = (
    levels: TcbInfo['levels'],
    moduleLevels = [isv(11, 'UpToDate'), isv(3, 'OutOfDate')],
  ): TcbInfo => ({
    id: 'TDX',
    version: 3,
    issueDate: '2026-01-01T00:00:00Z',
    nextUpdate: '2026-02-01T00:00:00Z',
    fmspc: '00806f050000',
    pceId: '0000',
    tcbEvaluationDataNumber: 18,
    baseModule: undefined,
    modules: [
      { id: 'TDX_0A', mrSigner: '', attributes: '', attributesMask: '', levels: moduleLevels },
      { id: 'TDX_01', mrSigner: '', attributes: '', attributesMask: '', levels: moduleLevels },
    ],
    levels,
  })
  const identity = { levels: [isv(4, 'UpToDate')] } as unknown as QeIdentity
  const platform = { fmspc: '', pceId: '', pceSvn: 0, sgxComponents: new Array<number>(16).fill(0) }
  const evaluate = (document: TcbInfo, svn: number[]) =>
    evaluateTcb({
      info: document,
      identity,
      platform,
      qeIsvSvn: 4,
      teeTcbSvn: Uint8Array.from([...svn, ...new Array<number>(16 - svn.length).fill(0)]),
      teeTcbSvn2: undefined,
    })

  it('dcap-qvl wasm: SVNs are numbers, not texts (9 is below 10)', () => {
    const document = info([level([0, 0, 10], 'UpToDate'), level([0, 0, 2], 'OutOfDate')])
    expect(evaluate(document, [11, 1, 9]).status).toBe('OutOfDate')
  })

  it('dcap-qvl, automata: components 0 and 1 are the module’s when its major version is above zero', () => {
    const document = info([level([13, 0, 6], 'UpToDate')])
    expect(evaluate(document, [11, 1, 6]).status).toBe('UpToDate')
    expect(evaluate(document, [11, 0, 6]).status).toBe('TCB_NOT_SUPPORTED')
  })

  it('dcap-qvl, attestation-rs: an outdated module makes an up-to-date platform OutOfDate, and the shortfall is told', () => {
    const result = evaluate(info([level([0, 0, 6], 'UpToDate')]), [6, 1, 6])
    expect(result).toMatchObject({ status: 'OutOfDate', advisories: ['INTEL-SA-01192'] })
    expect(result.shortfall.join()).toBe('TDX module SVN is 6, needs 11 since 2025-05-14')
  })

  it('go-tdx-guest: an up-to-date module does not hide an outdated platform', () => {
    expect(evaluate(info([level([0, 0, 6], 'OutOfDate')]), [11, 1, 6]).status).toBe('OutOfDate')
  })

  it('dcap-qvl Rust: an outdated module over ConfigurationNeeded is OutOfDateConfigurationNeeded', () => {
    const document = info([level([0, 0, 6], 'ConfigurationNeeded')])
    expect(evaluate(document, [6, 1, 6]).status).toBe('OutOfDateConfigurationNeeded')
  })

  it('go-tdx-guest: module ids are upper-case hex (major version 10 is TDX_0A)', () => {
    expect(evaluate(info([level([0, 0, 6], 'UpToDate')]), [11, 10, 6]).status).toBe('UpToDate')
  })

  it('dcap-qvl, automata: levels are tried from the highest, whatever their order', () => {
    const document = info([level([0, 0, 2], 'OutOfDate'), level([0, 0, 6], 'UpToDate')])
    expect(evaluate(document, [11, 1, 6]).status).toBe('UpToDate')
  })

  it('near/mpc: advisories beside UpToDate are no reason to refuse', () => {
    const verdict = { ...ask(), advisories: ['INTEL-SA-01314'] }
    expect(appraise(verdict, trust).answer).toBe('allowed')
  })
})

describe('AMD: what others accepted', () => {
  const amd = createAmdSimulator({ random: seededRandom('attacks'), at })
  const options = {
    certificates: amd.certificates(),
    crl: amd.crl(at),
    at,
    trustedRoots: [amd.rootDigest],
  }
  const report = amd.report({ reportData })

  it('teekit: a forged report with a self-signed VCEK, no issuer, no root, or no certificate at all', () => {
    const [vcek, ask1, ark] = options.certificates
    const [selfSigned] = amd.certificates({ defect: 'self-signed' })
    for (const given of [[selfSigned], [selfSigned, ask1, ark], [vcek], [vcek, ask1], [vcek, ark], []]) {
      const certificates = given.filter((one) => one !== undefined)
      expect(verifySnpReport(report, { ...options, certificates }).ok).toBe(false)
    }
  })

  it('teekit: signature algorithm 0', () => {
    const forged = amd.report({ reportData, defect: 'wrong-algorithm' })
    expect(failed(verifySnpReport(forged, options))).toContain('report-form')
  })

  it('trustee, snpguest: a certificate “SEV-VCEK” of another chip', () => {
    expect(failed(verifySnpReport(amd.report({ reportData, defect: 'other-chip' }), options))).toEqual([
      'chip-id',
    ])
  })

  it('dstack: a certificate of another TCB', () => {
    expect(failed(verifySnpReport(amd.report({ reportData, defect: 'other-tcb' }), options))).toEqual([
      'tcb-match',
    ])
  })

  it('attestation-rs: the list is held against the intermediate, whose serial it can name, not against VCEKs, which all have 0', () => {
    const revoked = amd.crl(at, { defect: 'revoked-authority' })
    expect(failed(verifySnpReport(report, { ...options, crl: revoked }))).toEqual(['not-revoked'])
  })

  it('tinfoil-js, dstack, MS TAV: out of date certificates, and a list that went stale', () => {
    expect(
      verifySnpReport(report, { ...options, certificates: amd.certificates({ defect: 'expired' }) }).ok,
    ).toBe(false)
    expect(verifySnpReport(report, { ...options, crl: amd.crl(at, { defect: 'stale' }) }).ok).toBe(false)
  })

  it.each(['hwid-missing', 'tcb-missing'] as const)(
    'MS TAV, snpguest: a certificate whose extension is %s',
    (defect) => {
      expect(verifySnpReport(report, { ...options, certificates: amd.certificates({ defect }) }).ok).toBe(
        false,
      )
    },
  )

  it('teekit, tinfoil-js: a report of a version that nobody has specified', () => {
    const future = report.slice()
    future[0] = 6
    expect(() => verifySnpReport(future, options)).toThrow(/versions 2, 3, 4 and 5/)
  })

  it('BadRAM: a platform that did not check for memory aliases is refused by default', () => {
    const verdict = verifySnpReport(amd.report({ reportData, defect: 'missing-alias-check' }), options)
    const policy = {
      ...trust,
      roots: [amd.rootDigest],
      measurements: [{ name: 'image', measurement: hexOf(new Uint8Array(48).fill(0x51)) }],
      snp: { minimumTcb: { Genoa: { bootloader: 0, tee: 0, snp: 0, microcode: 0 } } },
    }
    expect(appraise(verdict, policy).reasons.join()).toContain('BadRAM')
    expect(
      appraise(verdict, { ...policy, snp: { ...policy.snp, allowMissingAliasCheck: true } }).answer,
    ).toBe('allowed')
  })
})

it('a certificate that claims another kind of signature than its issuer’s key makes is refused before any port is asked', () => {
  const { certificationData } = parseQuote(make())
  const chain = parsePemCertificates(new TextDecoder().decode(certificationData)).map(parseCertificate)
  expect(chainProblem(chain, () => true)).toBeUndefined()
  const confused = chain.map((certificate, i) =>
    i === 0 ? { ...certificate, signedWith: 'rsa' as const } : certificate,
  )
  expect(chainProblem(confused, () => true)).toMatch(/no key of the kind/)
})
