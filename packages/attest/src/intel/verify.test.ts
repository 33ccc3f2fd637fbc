import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { AttestError } from '../errors.js'
import { appraise } from '../policy/appraise.js'
import { attestationPolicySchema, defaultAttestationPolicy } from '../policy/policy.js'
import type { CollateralDefect, QuoteDefect, SimulatedQuote } from '../simulator/index.js'
import { exportSimulator, importSimulator } from '../simulator/index.js'
import { writeQuote } from '../simulator/quote-writer.js'
import {
  makeCertificate,
  makeCertificates,
  publicKeyOf,
  sgxExtension,
  simulatorRootName,
} from '../simulator/test-pki.js'
import { at, mrTd, simulator, trust } from '../testing/fixture.js'
import { nativeP256 } from '../testing/native-p256.js'
import type { Collateral } from './collateral.js'
import { parseQuote } from './quote.js'
import { verifyQuote } from './verify.js'

const reportData = new Uint8Array(64).fill(0xda)
const content: SimulatedQuote = { reportData, mrTd }
const quote = simulator.quote(content)
const collateral = simulator.collateral(at)
const trustedRoots = [simulator.rootDigest]
const check = (bytes: Uint8Array, given: Collateral = collateral, when = at) =>
  verifyQuote(bytes, { collateral: given, at: when, trustedRoots, verifySignature: nativeP256 })
const notPassed = (verdict: ReturnType<typeof check>) =>
  verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)

const mapValues = <K extends string, A, B>(of: Record<K, A>, change: (value: A) => B) =>
  Object.fromEntries(Object.entries<A>(of).map(([name, value]) => [name, change(value)])) as Record<K, B>

describe('verifyQuote on the simulator', () => {
  it('passes every check and says simulated', () => {
    const verdict = verifyQuote(quote, { collateral, at, trustedRoots })
    expect(verdict).toMatchObject({ ok: true, tee: 'tdx', simulated: true, tcbStatus: 'UpToDate' })
    expect(verdict.checks.every(({ result, detail }) => result === 'pass' && detail !== '')).toBe(true)
    expect(verdict.claims).toMatchObject({ tee: 'tdx', debug: false, reportData: `0x${'da'.repeat(64)}` })
  })

  it('refuses its root unless the caller names it', () => {
    const verdict = verifyQuote(quote, { collateral, at })
    expect(verdict).toMatchObject({ ok: false, simulated: true, tcbStatus: null })
    expect(notPassed(verdict)).toEqual(['root-trusted'])
  })

  it.each<[QuoteDefect, string[]]>([
    ['foreign-attestation-key', ['attestation-key']],
    ['foreign-qe', ['qe-identity']],
    ['foreign-vendor', ['quote-header']],
    ['tampered-body', ['quote-signature']],
    ['tampered-qe-report', ['qe-report-signature']],
    ['tampered-signature', ['quote-signature']],
    ['trailing-bytes', ['trailing-bytes']],
    ['unknown-module', ['tdx-module']],
    ['unsupported-tcb', ['tcb-level']],
  ])('a quote that is %s fails %j', (defect, ids) => {
    const verdict = check(simulator.quote({ ...content, defect }))
    expect(verdict.ok).toBe(false)
    for (const id of ids) expect(notPassed(verdict)).toContain(id)
  })

  it('a module that the TCB info does not name has the status TCB_NOT_SUPPORTED', () => {
    const verdict = check(simulator.quote({ ...content, defect: 'unknown-module' }))
    expect([verdict.tcbStatus, notPassed(verdict)]).toEqual([
      'TCB_NOT_SUPPORTED',
      ['tdx-module', 'tcb-level'],
    ])
  })

  it('tells OutOfDate with what is short and the advisories', () => {
    const verdict = check(simulator.quote({ ...content, defect: 'out-of-date' }))
    expect(verdict).toMatchObject({ ok: true, tcbStatus: 'OutOfDate', advisories: ['INTEL-SA-01111'] })
    const detail = verdict.checks.find(({ id }) => id === 'tcb-level')?.detail
    expect(detail).toMatch(/TDX component 3 SVN is 1, needs 2 since 2026-09-21; advisories INTEL-SA-01111/)
  })

  it.each<[CollateralDefect, string]>([
    ['crl-of-another-authority', 'pck-crl'],
    ['from-the-future', 'collateral-dates'],
    ['revoked-authority', 'not-revoked'],
    ['revoked-pck', 'not-revoked'],
    ['revoked-tcb-signing', 'not-revoked'],
    ['sgx-tcb-info', 'collateral'],
    ['stale', 'collateral-dates'],
    ['stale-crl', 'crl-dates'],
    ['tampered-crl', 'pck-crl'],
    ['tampered-qe-identity', 'qe-identity-signature'],
    ['tampered-tcb-info', 'tcb-info-signature'],
    ['tcb-revoked', 'tcb-level'],
    ['wrong-fmspc', 'platform-match'],
    ['wrong-pce-id', 'platform-match'],
  ])('collateral that is %s fails %s', (defect, id) => {
    const verdict = check(quote, simulator.collateral(at, { defect }))
    expect(verdict.ok).toBe(false)
    expect(notPassed(verdict)).toContain(id)
  })

  it('fails when the moment lies outside the certificates or the collateral', () => {
    const early = check(quote, simulator.collateral(new Date('2026-01-01')), new Date('2026-01-01'))
    expect(notPassed(early)).toEqual(['certificate-dates'])
    expect(notPassed(check(quote, collateral, new Date('2027-01-01')))).toEqual([
      'crl-dates',
      'collateral-dates',
    ])
    expect(() => check(quote, collateral, new Date('x'))).toThrowError(AttestError)
  })

  it('fails when collateral is of another root', () => {
    const exported = exportSimulator(simulator)
    const keys = { ...exported.keys, root: exported.keys.pck }
    const foreign = importSimulator({ ...exported, keys })
    const verdict = check(quote, {
      ...collateral,
      tcbInfoIssuerChain: foreign.collateral(at).tcbInfoIssuerChain,
    })
    expect(notPassed(verdict)).toContain('collateral-chains')
  })

  it('fails another attestation key type, and does not check a quote that carries no chain', () => {
    const keyType = quote.slice()
    keyType[2] = 3
    expect(notPassed(check(keyType))).toContain('quote-header')
    const ppid = quote.slice()
    ppid[parseQuote(quote).certificationData.byteOffset - quote.byteOffset - 6] = 2
    const verdict = check(ppid)
    expect(verdict.checks.find(({ id }) => id === 'certificates')?.result).toBe('not-checked')
    expect([verdict.ok, verdict.tcbStatus]).toEqual([false, null])
  })

  it('fails when another certificate of the same root stands in for a signer or an issuer', () => {
    const { pckCrlIssuerChain: authority, tcbInfoIssuerChain: signer } = collateral
    for (const field of ['tcbInfoIssuerChain', 'qeIdentityIssuerChain'] as const) {
      expect(notPassed(check(quote, { ...collateral, [field]: authority }))).toContain('collateral-chains')
    }
    expect(notPassed(check(quote, { ...collateral, pckCrlIssuerChain: signer }))).toContain(
      'collateral-chains',
    )
    expect(notPassed(check(quote, { ...collateral, rootCaCrl: collateral.pckCrl }))).toContain('root-crl')
  })

  it('knows roots and issuers by key and by name together', () => {
    const { keys, from } = exportSimulator(simulator)
    const secret = { ...mapValues(keys, hexToBytes) }
    const [, root] = parsePemCertificates(collateral.pckCrlIssuerChain) as [Uint8Array, Uint8Array]
    const make = (commonName: string, privateKey: Uint8Array, isRoot: boolean) =>
      makeCertificate({
        notBefore: from,
        notAfter: from + 1e7,
        commonName,
        publicKey: publicKeyOf(privateKey),
        issuer: isRoot
          ? { commonName, privateKey }
          : { commonName: simulatorRootName, privateKey: secret.root },
        authority: { pathLength: isRoot ? 1 : 0 },
      })
    const name = 'Intel SGX PCK Platform CA'
    const answer = (signer: Uint8Array, last: Uint8Array) => {
      const pckCrlIssuerChain = formatPemCertificates([signer, last])
      const { checks } = check(quote, { ...collateral, pckCrlIssuerChain })
      return checks.find(({ id }) => id === 'collateral-chains')
    }
    expect(answer(make(name, secret.authority, false), root)?.result).toBe('pass')
    expect(answer(make(name, secret.pck, false), root)?.detail).toMatch(/revocation list is of/)
    expect(answer(make('Intel SGX PCK Processor CA', secret.authority, false), root)?.detail).toMatch(
      /list is of/,
    )
    const signer = make(name, secret.authority, false)
    expect(answer(signer, make(simulatorRootName, secret.pck, true))?.detail).toMatch(/another root/)
    expect(answer(signer, make('Another Root CA', secret.root, true))?.detail).toMatch(/another root/)
    expect(answer(signer, make(simulatorRootName, secret.root, true))?.result).toBe('pass')
  })

  it('takes a root that the caller names by its certificate or by its key', () => {
    const asked = (trustedRoots: `sha256:${string}`[]) => verifyQuote(quote, { collateral, at, trustedRoots })
    const { root } = asked([]).claims
    if (root === null) throw new Error('no root')
    expect(asked([root.certificate]).ok).toBe(true)
    expect(asked([root.publicKey]).ok).toBe(true)
    expect(asked([`sha256:${'00'.repeat(32)}`]).ok).toBe(false)
  })

  it('fails a PCK chain whose names are not those of the roles, whatever its signatures', () => {
    const { keys, from } = exportSimulator(simulator)
    const platform = {
      fmspc: '51aa1a7ed000',
      pceId: '0000',
      pceSvn: 11,
      sgxComponents: new Array<number>(16).fill(9),
    }
    const secret = { ...mapValues(keys, hexToBytes) }
    const good = makeCertificates(secret, platform, from)
    const request = { notBefore: from, notAfter: from + 1e7, publicKey: publicKeyOf(secret.pck) }
    const issuer = { commonName: 'Intel SGX PCK Platform CA', privateKey: secret.authority }
    const extensions = [sgxExtension(platform)]
    const failures = (certificates: typeof good) =>
      notPassed(check(writeQuote(content, secret, certificates)))
    expect(failures(good)).toEqual([])
    const misnamed = makeCertificate({ ...request, commonName: 'Intel SGX TCB Signing', issuer, extensions })
    expect(failures({ ...good, pck: misnamed })).toContain('pck-chain')
    const root = { commonName: simulatorRootName, privateKey: secret.root }
    const other = { commonName: 'Some other CA', privateKey: secret.authority }
    const authority = makeCertificate({
      ...request,
      commonName: other.commonName,
      publicKey: publicKeyOf(secret.authority),
      issuer: root,
      authority: { pathLength: 0 },
    })
    const underOther = makeCertificate({
      ...request,
      commonName: 'Intel SGX PCK Certificate',
      issuer: other,
      extensions,
    })
    expect(failures({ ...good, authority, pck: underOther })).toContain('pck-chain')
    const forged = makeCertificate({
      ...request,
      commonName: 'Intel SGX PCK Certificate',
      issuer: { ...issuer, privateKey: secret.pck },
      extensions,
    })
    expect(failures({ ...good, pck: forged })).toEqual(['pck-chain'])
  })

  it('sorts the certificates of a quote by what they are, and refuses any but leaf, authority and root', () => {
    const { certificationData } = parseQuote(quote)
    const start = certificationData.byteOffset - quote.byteOffset
    const pem = new TextDecoder().decode(certificationData)
    const [pck = '', authority = '', root = ''] = pem.split(/(?<=END CERTIFICATE-----\n)/)
    const splice = (text: string) => {
      const bytes = quote.slice()
      bytes.set(new TextEncoder().encode(text), start)
      return check(bytes)
    }
    expect(splice(`${pck}${root}${authority}`).ok).toBe(true)
    expect(notPassed(splice(`${pck}${authority}`.padEnd(pem.length, '\n')))).toContain('certificates')
  })

  it('fails, and does not crash, on collateral that is none', () => {
    for (const bad of [{}, null, { ...collateral, pckCrl: '0xzz' }, { ...collateral, extra: '' }]) {
      const verdict = check(quote, bad as unknown as Collateral)
      expect([verdict.ok, notPassed(verdict)]).toEqual([false, ['certificates', 'collateral']])
    }
  })

  it('accepts zero padding, and other trailing bytes only when asked', () => {
    const padded = (octet: number) => Uint8Array.from([...quote, 0, 0, octet])
    expect(check(padded(0)).ok).toBe(true)
    expect(notPassed(check(padded(1)))).toEqual(['trailing-bytes'])
    const any = { collateral, at, trustedRoots, verifySignature: nativeP256, trailingBytes: 'any' as const }
    expect(verifyQuote(padded(1), any).ok).toBe(true)
  })

  it('verifies version 5 with TDX 1.0, 1.5 and 1.5 extended bodies, and advises a relaunch', () => {
    for (const bodyType of [2, 3, 4] as const) {
      expect(check(simulator.quote({ ...content, version: 5, bodyType }))).toMatchObject({
        ok: true,
        tcbStatus: 'UpToDate',
      })
    }
    const old = Uint8Array.from([2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const now = Uint8Array.from([5, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const relaunch = simulator.quote({ ...content, version: 5, bodyType: 4, teeTcbSvn: old, teeTcbSvn2: now })
    expect(check(relaunch).tcbStatus).toBe('TD_RELAUNCH_ADVISED')
    expect(check(simulator.quote({ ...content, teeTcbSvn: old })).tcbStatus).toBe('OutOfDate')
  })

  it('gives the same certificates after export and import, and refuses other exports', () => {
    const copy = importSimulator(JSON.parse(JSON.stringify(exportSimulator(simulator))))
    expect(copy.rootDigest).toBe(simulator.rootDigest)
    expect(copy.quote(content)).toEqual(quote)
    const { keys, ...rest } = exportSimulator(simulator)
    for (const bad of [
      null,
      rest,
      { ...rest, keys: { ...keys, pck: '00'.repeat(32) } },
      { ...rest, keys, version: 2 },
    ]) {
      expect(() => importSimulator(bad)).toThrowError(AttestError)
    }
    try {
      importSimulator({ ...rest, keys: { ...keys, pck: `${keys.pck}00` } })
    } catch (error) {
      expect(String(error)).not.toContain(keys.pck)
    }
    expect(() => exportSimulator({ ...simulator })).toThrowError(AttestError)
  })
})

describe('mutated input', () => {
  const trailing = quote.length
  it('no flipped byte of a quote is ok or crashes', () => {
    fc.assert(
      fc.property(fc.nat({ max: trailing - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const bytes = quote.slice()
        bytes[index] = (bytes[index] ?? 0) ^ mask
        try {
          const verdict = check(bytes)
          // PEM line ends inside the quote are not signed: CR for LF and the like read as the same certificates.
          if (verdict.ok) expect(pemWhitespace(index)).toBe(true)
        } catch (error) {
          expect((error as AttestError).code).toBe('BAD_QUOTE')
        }
      }),
      { numRuns: 1500 },
    )
  })

  const { certificationData } = parseQuote(quote)
  const pemStart = certificationData.byteOffset - quote.byteOffset
  const pemWhitespace = (index: number) => index >= pemStart && quote[index] === 0x0a

  it('any prefix, any bytes and any splice give a verdict or BAD_QUOTE', () => {
    const judged = (bytes: Uint8Array) => {
      try {
        return check(bytes).ok
      } catch (error) {
        return (error as AttestError).code
      }
    }
    for (let length = 0; length < quote.length; length += 13)
      expect(judged(quote.slice(0, length))).toBe('BAD_QUOTE')
    fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => judged(bytes) === 'BAD_QUOTE'))
    fc.assert(
      fc.property(
        fc.nat({ max: trailing }),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (index, inserted) => {
          const bytes = Uint8Array.from([...quote.slice(0, index), ...inserted, ...quote.slice(index)])
          const tail = index === trailing && inserted.every((octet) => octet === 0)
          return tail || judged(bytes) !== true || inserted.every((octet) => octet === 0x0a || octet === 0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('no changed character of collateral is ok or crashes', () => {
    const fields = Object.keys(collateral) as (keyof Collateral)[]
    fc.assert(
      fc.property(
        fc.constantFrom(...fields),
        fc.nat(),
        fc.integer({ min: 32, max: 126 }),
        (field, where, letter) => {
          const text = collateral[field]
          const index = where % text.length
          const changed = text.slice(0, index) + String.fromCharCode(letter) + text.slice(index + 1)
          if (changed === text) return
          expect([field, index, letter, check(quote, { ...collateral, [field]: changed }).ok]).toEqual([
            field,
            index,
            letter,
            false,
          ])
        },
      ),
      { numRuns: 800 },
    )
  })
})

describe('appraise', () => {
  const verdict = check(quote)
  const answer = (policy: typeof trust, of = verdict) => appraise(of, policy).answer

  it('allows what the policy names', () => {
    expect(appraise(verdict, trust)).toEqual({ answer: 'allowed', reasons: [] })
    const rtmrs = verdict.claims.tee === 'tdx' ? [...verdict.claims.rtmrs] : []
    const measurement = { ...(trust.measurements[0] ?? { name: '', mrTd: '0x' as const }), rtmrs }
    expect(answer({ ...trust, measurements: [measurement] })).toBe('allowed')
  })

  it('refuses simulators by default, with the reason in capitals', () => {
    const { answer: given, reasons } = appraise(
      verifyQuote(quote, { collateral, at }),
      defaultAttestationPolicy,
    )
    expect(given).toBe('not-allowed')
    expect(reasons.join()).toContain('SIMULATED')
    expect(answer({ ...trust, allowSimulator: false })).toBe('not-allowed')
    expect(answer({ ...trust, roots: ['intel'] })).toBe('not-allowed')
  })

  it('tells false, not proved and not allowed apart', () => {
    expect(answer(trust, check(simulator.quote({ ...content, defect: 'tampered-body' })))).toBe('false')
    expect(answer(trust, check(quote, simulator.collateral(at, { defect: 'revoked-pck' })))).toBe('false')
    expect(answer(trust, check(quote, simulator.collateral(at, { defect: 'stale' })))).toBe('not-proved')
    // The wrong collateral in the verifier's hands says nothing about the quote.
    for (const defect of [
      'wrong-fmspc',
      'sgx-tcb-info',
      'crl-of-another-authority',
      'tampered-crl',
    ] as const) {
      const verdict = check(quote, simulator.collateral(at, { defect }))
      expect([defect, answer(trust, verdict)]).toEqual([defect, 'not-proved'])
    }
    const unread = check(quote, { ...collateral, tcbInfo: '', tcbInfoIssuerChain: '' })
    expect([unread.claims, answer(trust, unread)]).toEqual([
      expect.objectContaining({ platform: expect.anything() }),
      'not-proved',
    ])
    const unknown = check(simulator.quote({ ...content, defect: 'unknown-module' }))
    expect(answer(trust, unknown)).toBe('not-proved')
    expect(answer(trust, check(simulator.quote({ ...content, defect: 'out-of-date' })))).toBe('not-allowed')
  })

  it('never allows debug', () => {
    expect(answer(trust, check(simulator.quote({ ...content, defect: 'debug' })))).toBe('not-allowed')
    expect(attestationPolicySchema.safeParse({ ...trust, allowDebug: true }).success).toBe(false)
  })

  it('applies measurements, TCB status, advisories, TCB date and age', () => {
    const outOfDate = check(simulator.quote({ ...content, defect: 'out-of-date' }))
    const lenient = { ...trust, acceptedTcbStatuses: ['OutOfDate' as const] }
    expect(answer(lenient, outOfDate)).toBe('not-allowed')
    expect(answer({ ...lenient, acceptedAdvisories: ['INTEL-SA-01111'] }, outOfDate)).toBe('allowed')
    expect(answer({ ...trust, measurements: [] })).toBe('not-allowed')
    expect(answer({ ...trust, measurements: [{ name: 'x', mrTd: `0x${'00'.repeat(48)}` }] })).toBe(
      'not-allowed',
    )
    const rtmrs = [`0x${'ff'.repeat(48)}` as const]
    expect(answer({ ...trust, measurements: trust.measurements.map((entry) => ({ ...entry, rtmrs })) })).toBe(
      'not-allowed',
    )
    expect(answer({ ...trust, minimumTcbDate: '2026-09-21' })).toBe('allowed')
    expect(answer({ ...trust, minimumTcbDate: '2026-09-22' })).toBe('not-allowed')
    expect(answer({ ...trust, maximumAgeSeconds: 3600 })).toBe('allowed')
    expect(answer({ ...trust, maximumAgeSeconds: 3599 })).toBe('not-allowed')
  })
})
