import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { quoteClaims } from '../intel/claims.js'
import { parseQuote } from '../intel/quote.js'
import { verifyNvidiaReport as nvidiaReport } from '../nvidia/verify.js'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { serviceAnswer, serviceKeys } from '../testing/platform-fixture.js'
import {
  parseFirmwareEventLog,
  verifyFirmwareEventLog,
  verifyNitroDocument,
  verifyNvidiaReport,
  verifyNvidiaToken,
} from './index.js'

type WithChecks = { readonly checks: readonly { readonly id: string; readonly result: string }[] }
const not = (verdict: WithChecks, result: 'fail' | 'not-checked') =>
  verdict.checks.filter((one) => one.result === result).map(({ id }) => id)
const codeOf = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe.skipIf(attestData === undefined)('firmware event logs', () => {
  const folder = 'google__go-eventlog/testdata/eventlogs/ccel'
  const claims = () => {
    const quote = parseQuote(
      readAttestData('google__go-tdx-guest/testing/testdata/ccel/cos-113-tdx-quote.dat'),
    )
    const read = quoteClaims(quote, { platform: null, collateral: null, root: null })
    if (read.tee !== 'tdx') throw new Error('a TDX quote is expected')
    return read
  }

  it('replays the log of a real quote, and refuses a changed one', () => {
    const log = readAttestData('google__go-tdx-guest/testing/testdata/ccel/ccel_data.dat.gz')
    const verdict = verifyFirmwareEventLog(log, claims())
    expect(not(verdict, 'fail')).toEqual([])
    expect(verdict.events.length).toBeGreaterThan(20)
    const changed = log.slice()
    const { digest } = verdict.events[3] ?? { digest: log }
    const place = digest.byteOffset - log.byteOffset
    changed[place] = (changed[place] ?? 0) ^ 1
    expect(not(verifyFirmwareEventLog(changed, claims()), 'fail').length).toBeGreaterThan(0)
  })

  it('refuses a second separator', () => {
    const log = readAttestData(`${folder}/cos-113-intel-tdx-dupe-separator.bin.gz`)
    expect(not(verifyFirmwareEventLog(log, claims()), 'fail')).toContain('separators')
  })

  it.each([
    'CCEL_data.gz',
    'CCEL_data_gcp.gz',
    'CCEL_data_grub.gz',
    'CCEL_data_grub_gke.gz',
    'CCEL_data_ovmf.gz',
    'CCEL_AAEL_alibabacloud.gz',
  ])('reads %s', (name) => {
    const log = readAttestData(`confidential-containers__trustee/deps/eventlog/test_data/${name}`)
    expect(parseFirmwareEventLog(log).length).toBeGreaterThan(4)
  })

  it('is total', () => {
    const log = readAttestData('google__go-tdx-guest/testing/testdata/ccel/ccel_data.dat.gz').slice(0, 3000)
    fc.assert(
      fc.property(fc.nat({ max: log.length - 1 }), fc.nat({ max: 255 }), (index, value) => {
        const changed = log.slice()
        changed[index] = value
        expect(['ok', 'BAD_EVENT_LOG']).toContain(codeOf(() => parseFirmwareEventLog(changed)))
      }),
      { numRuns: 300 },
    )
  })
})

describe.skipIf(attestData === undefined)('AWS Nitro documents', () => {
  // The origin keeps each behind a version, a variant and a SCALE length of two bytes.
  const read = (name: string) => readAttestData(`Dstack-TEE__dstack/dstack/dstack-attest/tests/${name}`)
  const documentOf = (name: string) => {
    const bytes = read(name)
    const length = (((bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8)) >>> 2) & 0x3fff
    return bytes.slice(4, 4 + length)
  }
  const at = (bytes: Uint8Array) => new Date(verifyNitroDocument(bytes, { at: new Date(0) }).claims.timestamp)

  it.each([
    ['nitro_attestation.bin', false],
    ['nitro_attestation_dbg.bin', true],
  ])('verifies %s, debug %s', (name, debug) => {
    const bytes = documentOf(name)
    const verdict = verifyNitroDocument(bytes, { at: at(bytes) })
    expect(not(verdict, 'fail')).toEqual(debug ? ['debug'] : [])
    expect(not(verdict, 'not-checked')).toEqual(['nonce'])
    expect(verdict.claims.debug).toBe(debug)
    const allowing = { at: at(bytes), allowDebug: true }
    expect(not(verifyNitroDocument(bytes, allowing), 'fail')).toEqual([])
    expect(not(verifyNitroDocument(bytes, { ...allowing, at: new Date('2026-11-20') }), 'fail')).toEqual([
      'fresh',
    ])
    expect(not(verifyNitroDocument(bytes, { ...allowing, nonce: Uint8Array.of(1) }), 'fail')).toEqual([
      'nonce',
    ])
  })

  it('no flipped byte verifies or crashes', () => {
    const bytes = documentOf('nitro_attestation.bin')
    const when = at(bytes)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const changed = bytes.slice()
        changed[index] = (changed[index] ?? 0) ^ mask
        try {
          expect(not(verifyNitroDocument(changed, { at: when }), 'fail').length).toBeGreaterThan(0)
        } catch (error) {
          expect((error as AttestError).code).toMatch(/^BAD_(EVIDENCE|CERTIFICATE|DER)$/)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe.skipIf(attestData === undefined)('NVIDIA measurements', () => {
  const folder = 'NVIDIA__attestation-sdk/nv-attestation-sdk-cpp/unit-tests/testdata/sample_attestation_data'
  const text = (path: string) => new TextDecoder().decode(readAttestData(`${folder}/${path}`))
  const hex = (path: string) =>
    Uint8Array.from(text(path).trim().match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  const at = new Date('2026-11-20')
  const ask = (report: string, certificates: string) => {
    const bytes = hex(report)
    return verifyNvidiaReport(bytes, { certificates: text(certificates), at, nonce: bytes.slice(4, 36) })
  }

  it.each([
    ['gpu/hopperAttestationReport.txt', 'gpu/hopperCertChain.txt'],
    ['gpu/blackwellAttestationReport.txt', 'gpu/blackwellCertChain.txt'],
    ['switch/switchAttestationReport.txt', 'switch/switchCertChain.txt'],
  ])('finds %s authentic and still not ok', (report, certificates) => {
    const verdict = ask(report, certificates)
    expect(not(verdict, 'fail')).toEqual([])
    expect(not(verdict, 'not-checked')).toEqual(['not-revoked', 'measurements'])
    expect([verdict.authentic, verdict.ok]).toEqual([true, false])
    expect(Object.keys(verdict.measurements).length).toBeGreaterThan(5)
  })

  it('is ok with NVIDIA’s answers, and follows each of them', () => {
    const bytes = hex('gpu/hopperAttestationReport.txt')
    const certificates = text('gpu/hopperCertChain.txt')
    const { measurements } = ask('gpu/hopperAttestationReport.txt', 'gpu/hopperCertChain.txt')
    const [first, second] = [measurements[1] ?? '0x', measurements[2] ?? '0x']
    const question = { certificates, at, nonce: bytes.slice(4, 36) }
    const answers = (status: 'good' | 'hold' | 'revoked' | 'unknown', nextUpdate = at) => ({
      ...question,
      revocation: () => ({ status, nextUpdate }),
      referenceMeasurements: { 1: [first], 2: ['0x00', second] as const },
    })
    const partly = verifyNvidiaReport(bytes, answers('good'))
    expect([partly.ok, not(partly, 'fail'), not(partly, 'not-checked')]).toEqual([
      false,
      [],
      ['measurements'],
    ])
    const every = Object.fromEntries(Object.entries(measurements).map(([index, value]) => [index, [value]]))
    expect(verifyNvidiaReport(bytes, { ...answers('good'), referenceMeasurements: every }).ok).toBe(true)
    const missing = verifyNvidiaReport(bytes, { ...answers('good'), measuredBlocks: [1, 2, 3] })
    expect(not(missing, 'not-checked')).toEqual(['measurements'])
    const verdict = verifyNvidiaReport(bytes, { ...answers('good'), measuredBlocks: [1, 2] })
    expect([verdict.ok, not(verdict, 'fail'), not(verdict, 'not-checked')]).toEqual([true, [], []])
    expect(not(verifyNvidiaReport(bytes, answers('hold')), 'fail')).toEqual(['not-revoked'])
    expect(not(verifyNvidiaReport(bytes, answers('revoked')), 'fail')).toEqual(['not-revoked'])
    expect(not(verifyNvidiaReport(bytes, answers('unknown')), 'not-checked')).toContain('not-revoked')
    const stale = answers('good', new Date(at.getTime() - 1))
    expect(not(verifyNvidiaReport(bytes, stale), 'fail')).toEqual([])
    expect(not(verifyNvidiaReport(bytes, stale), 'not-checked')).toContain('not-revoked')
    const silent = { ...question, revocation: () => undefined }
    expect(not(verifyNvidiaReport(bytes, silent), 'not-checked')).toContain('not-revoked')
    const measured = (referenceMeasurements: Record<number, `0x${string}`[]>) =>
      verifyNvidiaReport(bytes, { ...question, referenceMeasurements })
    expect(not(measured({ 1: [second] }), 'fail')).toEqual(['measurements'])
    expect(not(measured({ 200: [first] }), 'fail')).toEqual(['measurements'])
    expect(not(measured({}), 'not-checked')).toContain('measurements')
    // One certificate below the root that is not good is enough.
    const count = { asked: 0 }
    verifyNvidiaReport(bytes, {
      ...question,
      revocation: () => {
        count.asked += 1
        return { status: 'good', nextUpdate: at }
      },
    })
    expect(count.asked).toBeGreaterThan(2)
  })

  const serialized = (name: string, index = 0) => {
    const json = new TextDecoder().decode(
      readAttestData(`NVIDIA__attestation-sdk/common-test-data/serialized_test_evidence/${name}.json`),
    )
    const entry = JSON.parse(json)[index] as { evidence: string; certificate: string }
    const base64 = (value: string) => new Uint8Array(Buffer.from(value, 'base64'))
    const bytes = /^[0-9a-f]+$/i.test(entry.evidence)
      ? new Uint8Array(Buffer.from(entry.evidence, 'hex'))
      : base64(entry.evidence)
    return { bytes, certificates: new TextDecoder().decode(base64(entry.certificate)) }
  }

  it('reads the claims that the service writes, under a simulated signature', () => {
    const claims = JSON.parse(text('hopperClaimsv3_decoded.json')) as { 'GPU-0': Record<string, unknown> }
    const { 'GPU-0': device } = claims
    const { nbf, exp, eat_nonce } = device
    const nonce = Uint8Array.from(Buffer.from(String(eat_nonce), 'hex'))
    const when = new Date(Number(nbf) * 1000)
    const bundle = (change: object) =>
      serviceAnswer({ device: { ...device, ...change }, overall: { nbf, exp, eat_nonce } })
    const verdict = verifyNvidiaToken(bundle({}), { keys: serviceKeys, at: when, nonce })
    expect([verdict.ok, not(verdict, 'fail')]).toEqual([true, []])
    const held = bundle({ 'x-nvidia-attestation-warning': 'CERT_HOLD' })
    expect(not(verifyNvidiaToken(held, { keys: serviceKeys, at: when, nonce }), 'fail')).toEqual([
      'certificates',
    ])
  })

  it('tells single devices apart, which all have one name', () => {
    const verdicts = [0, 1, 2, 3].map((index) => {
      const { bytes, certificates } = serialized('multi_gpu_hopper', index)
      return verifyNvidiaReport(bytes, { certificates, at, nonce: bytes.slice(4, 36) })
    })
    expect(verdicts.map(({ authentic }) => authentic)).toEqual([true, true, true, true])
    expect(new Set(verdicts.map(({ device }) => device)).size).toBe(1)
    expect(new Set(verdicts.map(({ deviceKey }) => deviceKey)).size).toBe(4)
    expect(new Set(verdicts.map(({ attestationKey }) => attestationKey)).size).toBe(4)
    const { bytes, certificates } = serialized('hopper_evidence')
    const pems = certificates.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----\n?/g) ?? []
    const short = [pems[0], pems[pems.length - 1]].join('')
    expect(verifyNvidiaReport(bytes, { certificates: short, at }).deviceKey).toBeNull()
  })

  it('holds the firmware that the report names against the certificate’s', () => {
    const { bytes, certificates } = serialized('hopper_evidence')
    const options = { certificates, at, nonce: bytes.slice(4, 36) }
    const check = (report: Uint8Array, verifySignature?: () => boolean) =>
      nvidiaReport(report, {
        ...options,
        ...(verifySignature === undefined ? {} : { verifySignature }),
      }).checks.find(({ id }) => id === 'firmware-id')
    expect(check(bytes)).toMatchObject({ result: 'pass', detail: 'They do.' })
    // The field stands as type 20 and length 48; a device that signs another value is refused.
    const field = Buffer.from(bytes).lastIndexOf(Buffer.from([20, 0, 48, 0]))
    const changed = bytes.slice()
    changed[field + 4] = (changed[field + 4] ?? 0) ^ 1
    expect(check(changed, () => true)?.result).toBe('fail')
    expect(nvidiaReport(changed, { ...options, verifySignature: () => true }).authentic).toBe(false)
    const renamed = bytes.slice()
    renamed[field] = 99
    expect(check(renamed, () => true)).toMatchObject({
      result: 'pass',
      detail: 'The measurements name none.',
    })
    const cut = bytes.slice()
    cut[field + 3] = 0xff
    expect(() => check(cut)).toThrow(/opaque field is cut off/)
  })

  it('refuses a report with a byte too many or too few behind its opaque part', () => {
    const { bytes, certificates } = serialized('hopper_evidence')
    const longer = new Uint8Array([...bytes, 0])
    expect(() => verifyNvidiaReport(longer, { certificates, at })).toThrow(
      /1 bytes stand behind its signature/,
    )
    expect(() => verifyNvidiaReport(bytes.slice(0, -1), { certificates, at })).toThrow(
      /opaque part is cut off/,
    )
  })

  it('refuses a report with two measurements of one index', () => {
    const bytes = hex('gpu/hopperAttestationReport.txt')
    // Request (37), response head (8), then blocks: index, specification, size, type, value size, value.
    const first = 45
    const second = first + 4 + (bytes[first + 2] ?? 0) + (bytes[first + 3] ?? 0) * 256
    const repeated = bytes.slice()
    repeated[second] = bytes[first] ?? 0
    const certificates = text('gpu/hopperCertChain.txt')
    expect(() => verifyNvidiaReport(repeated, { certificates, at })).toThrow(/one index/)
  })

  it('refuses what must be refused', () => {
    const invalid = ask('gpu/hopperAttestationReportInvalidSignature.txt', 'gpu/hopperCertChain.txt')
    expect(invalid.authentic).toBe(false)
    expect(ask('gpu/hopperAttestationReport.txt', 'gpu/hopperCertChainExpired.txt').authentic).toBe(false)
    expect(ask('gpu/hopperAttestationReport.txt', 'gpu/blackwellCertChain.txt').authentic).toBe(false)
    const report = hex('gpu/hopperAttestationReport.txt')
    const certificates = text('gpu/hopperCertChain.txt')
    const other = verifyNvidiaReport(report, { certificates, at, nonce: new Uint8Array(32) })
    expect(not(other, 'fail')).toEqual(['nonce'])
  })
})
