import { concatBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPemCertificates } from '../encoding/pem.js'
import { parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { nativeSignatures } from '../platform.js'
import { derNumber, derOctets, derOid, derSequence } from '../simulator/der-writer.js'
import { checkTable, own } from '../testing/check-table.js'
import { at } from '../testing/fixture.js'
import { remembersByContent } from '../testing/remembers-by-content.js'
import {
  firmwareName,
  type SpdmChainDefects,
  type SpdmDefects,
  spdmBlocks,
  spdmCertificates,
  spdmChain,
  spdmFirmware,
  spdmNonce,
  spdmReport,
  spdmSimulatorRoot,
} from '../testing/spdm-fixture.js'
import { verifyNvidiaReport as publicVerifier } from '../with-platform.js'
import {
  type NvidiaReferenceMeasurements,
  type NvidiaRevocationAnswer,
  nvidiaCheckTitles,
  verifyNvidiaReport,
} from './verify.js'

// Reports made here under a simulated root, which the verifier's own tests pin in the place of NVIDIA's: every check passes, and
// fails, without evidence of a GPU at hand.

const native = nativeSignatures()
const hex = (fill: number) => `0x${fill.toString(16).padStart(2, '0').repeat(48)}` as const
const references: NvidiaReferenceMeasurements = { 1: [hex(1)], 2: [hex(9), hex(2)], 3: [hex(3)] }
const good = (): NvidiaRevocationAnswer => ({ status: 'good', nextUpdate: at })
const asking = {
  certificates: spdmCertificates(),
  at,
  nonce: spdmNonce,
  revocation: good,
  referenceMeasurements: references,
  ...(native === undefined ? {} : { verifySignature: remembersByContent(native) }),
}
const judge = (defects: SpdmDefects = {}, change: object = {}) =>
  verifyNvidiaReport(spdmReport(defects), { ...asking, ...change }, spdmSimulatorRoot)
const ask = (defects: SpdmDefects = {}, change: object = {}) => judge(defects, change).checks
const chained = (defects: SpdmChainDefects) => ({ certificates: spdmCertificates(defects) })
const named = ({ checks }: ReturnType<typeof judge>, wanted: string) =>
  checks.filter(({ result }) => result === wanted).map(({ id }) => id)
const failed = (verdict: ReturnType<typeof judge>) => named(verdict, 'fail')
const open = (verdict: ReturnType<typeof judge>) => named(verdict, 'not-checked')
const seconds = at.getTime() / 1000

checkTable('verifyNvidiaReport', {
  titles: nvidiaCheckTitles,
  good: () => ask(),
  rows: {
    'root-trusted': { fail: () => publicVerifier(spdmReport(), asking).checks, notChecked: own },
    chain: { fail: () => ask({}, chained({ strangerSigns: true })), notChecked: own },
    'certificate-dates': {
      fail: () => ask({}, chained({ leaf: { notAfter: seconds - 1 } })),
      notChecked: own,
    },
    signature: {
      fail: () => ask({ stranger: true }),
      notChecked: () => ask({}, chained({ strangerSigns: true })),
    },
    'firmware-id': {
      fail: () => ask({}, chained({ certified: new Uint8Array(48) })),
      notChecked: () => ask({ stranger: true }),
    },
    nonce: {
      fail: () => ask({}, { nonce: new Uint8Array(32) }),
      notChecked: () => ask({}, { nonce: undefined }),
    },
    'not-revoked': {
      fail: () => ask({}, { revocation: () => ({ status: 'revoked', nextUpdate: at }) }),
      notChecked: () => ask({}, { revocation: undefined }),
    },
    measurements: {
      fail: () => ask({}, { referenceMeasurements: { ...references, 1: [hex(2)] } }),
      notChecked: () => ask({}, { referenceMeasurements: undefined }),
    },
  },
})

describe('an NVIDIA report', () => {
  it('is ok with NVIDIA’s answers, and says what it says', () => {
    const { ok, authentic, checks: _, ...told } = judge()
    expect([ok, authentic]).toEqual([true, true])
    const [leaf, device] = spdmChain().map((one) => parseCertificate(one).spkiDigest)
    expect(told).toEqual({
      device: 'Simulated GH100 GSP BROM',
      deviceKey: `0x${device}`,
      attestationKey: `0x${leaf}`,
      nonce: `0x${'06'.repeat(32)}`,
      measurements: { 1: hex(1), 2: hex(2), 3: hex(3) },
    })
    const [only, , , root] = spdmChain()
    const short = formatPemCertificates([only ?? new Uint8Array(), root ?? new Uint8Array()])
    expect(judge({}, { certificates: short }).deviceKey).toBeNull()
  })

  it('is authentic and not ok without them', () => {
    for (const left of ['revocation', 'referenceMeasurements']) {
      const { ok, authentic } = judge({}, { [left]: undefined })
      expect([ok, authentic]).toEqual([false, true])
    }
  })

  it.each<[string, SpdmDefects, object]>([
    ['chain', {}, chained({ strangerSigns: true })],
    ['certificate-dates', {}, chained({ device: { notAfter: seconds - 1 } })],
    ['certificate-dates', {}, chained({ leaf: { notBefore: seconds + 1 } })],
    ['signature', { stranger: true }, {}],
    ['firmware-id', {}, chained({ certified: new Uint8Array(48) })],
    ['nonce', {}, { nonce: new Uint8Array(32) }],
    ['nonce', {}, { nonce: spdmNonce.slice(1) }],
  ])('is not authentic when %s fails', (id, defects, change) => {
    const verdict = judge(defects, change)
    expect([verdict.authentic, verdict.ok, failed(verdict)]).toEqual([false, false, [id]])
  })

  it('leaves open what builds on a chain or a signature that does not hold', () => {
    const broken = judge({}, chained({ strangerSigns: true }))
    expect(open(broken)).toEqual(['signature', 'firmware-id', 'not-revoked', 'measurements'])
    expect(open(judge({ stranger: true }))).toEqual(['firmware-id', 'measurements'])
  })

  it('is not authentic when nobody asked for a nonce, nor of a root that is not NVIDIA’s', () => {
    expect(judge({}, { nonce: undefined }).authentic).toBe(false)
    const verdict = publicVerifier(spdmReport(), asking)
    expect([verdict.authentic, verdict.ok, failed(verdict)]).toEqual([false, false, ['root-trusted']])
    // A further argument reaches nothing through the public face.
    const loose = publicVerifier as (...given: unknown[]) => ReturnType<typeof judge>
    expect(failed(loose(spdmReport(), asking, spdmSimulatorRoot))).toEqual(['root-trusted'])
  })

  it('has one verdict with portable code and with the platform’s, and every key is of P-384', () => {
    const { verifySignature: _, ...portable } = { verifySignature: undefined, ...asking }
    for (const defects of [{}, { strangerSigns: true }, { curve: 'p256' } as const]) {
      const given = chained(defects)
      expect(judge({}, given)).toEqual(
        verifyNvidiaReport(spdmReport(), { ...portable, ...given }, spdmSimulatorRoot),
      )
    }
    expect(failed(judge({}, chained({ curve: 'p256' })))).toContain('chain')
  })

  it('names its firmware as the certificate does, where both name one', () => {
    const answer = (defects: SpdmDefects, given: SpdmChainDefects = {}) =>
      ask(defects, chained(given)).find(({ id }) => id === 'firmware-id')
    const unnamed: SpdmDefects = { fields: [[1, Uint8Array.of(7)]] }
    expect(answer({})).toMatchObject({ result: 'pass', detail: 'They do.' })
    expect(answer(unnamed)).toMatchObject({ result: 'pass', detail: 'The measurements name none.' })
    expect(answer({}, { certified: null })).toMatchObject({
      result: 'pass',
      detail: 'The certificate names none.',
    })
    const element = derOctets(Uint8Array.of(1))
    const fails: SpdmChainDefects[] = [
      { certified: spdmFirmware.slice(1) },
      { hash: '2.16.840.1.101.3.4.2.1' },
      { extension: Uint8Array.of(0x30, 0x05) },
      { extension: derSequence(derNumber(1), element) },
      { extension: derSequence(derNumber(1), element, derSequence()) },
      { extension: derSequence(derNumber(1), element, derSequence(derOid('2.16.840.1.101.3.4.2.2'))) },
      { extension: derSequence(...[0, 1].map(() => firmwareName(spdmFirmware)), element, element) },
    ]
    for (const given of fails) expect(answer({}, given)?.result).toBe('fail')
    const twice = concatBytes(firmwareName(spdmFirmware), Uint8Array.of(5, 0))
    expect(answer({}, { extension: twice })?.result).toBe('fail')
    const { length } = firmwareName(spdmFirmware)
    const longer = derSequence(firmwareName(spdmFirmware).subarray(length < 0x80 ? 2 : 3), element)
    expect(answer({}, { extension: longer })?.result).toBe('fail')
    expect(answer({ fields: [[20, new Uint8Array(48)]] })?.result).toBe('fail')
  })
})

describe('what only NVIDIA knows', () => {
  type Status = NvidiaRevocationAnswer['status']
  const revocation = (answers: readonly (Status | undefined)[], nextUpdate = at) => {
    const seen: string[] = []
    const verdict = judge(
      {},
      {
        revocation: ({ commonName }: { commonName: string }) => {
          seen.push(commonName)
          const status = answers[seen.length - 1]
          return status === undefined ? undefined : { status, nextUpdate }
        },
      },
    )
    return { fail: failed(verdict), open: open(verdict), seen }
  }

  it('is asked of each certificate below the root', () => {
    expect(revocation(['good', 'good', 'good', 'revoked'])).toEqual({
      fail: [],
      open: [],
      seen: ['Simulated GH100 GSP BROM', 'Simulated GH100 1', 'Simulated GH100 CA'],
    })
  })

  it('refuses one that is revoked or on hold, whatever is known of the others', () => {
    for (const bad of ['revoked', 'hold'] as const)
      for (const index of [0, 1, 2])
        for (const others of ['good', 'unknown', undefined] as const) {
          const answers = [0, 1, 2].map((one): Status | undefined => (one === index ? bad : others))
          expect(revocation(answers)).toMatchObject({ fail: ['not-revoked'], open: [] })
        }
    const stale = new Date(at.getTime() - 1)
    expect(revocation(['good', 'good', 'revoked'], stale)).toMatchObject({ fail: ['not-revoked'] })
  })

  it('leaves open one that nobody tells of, and answers that went stale', () => {
    for (const unclear of ['unknown', undefined, 'GOOD'] as Status[])
      for (const index of [0, 1, 2]) {
        const answers = [0, 1, 2].map((one): Status | undefined => (one === index ? unclear : 'good'))
        expect(revocation(answers)).toMatchObject({ fail: [], open: ['not-revoked'] })
      }
    for (const when of [new Date(at.getTime() - 1), new Date(Number.NaN)])
      expect(revocation(['good', 'good', 'good'], when)).toMatchObject({ fail: [], open: ['not-revoked'] })
  })

  const measured = (referenceMeasurements: object, measuredBlocks?: readonly number[]) => {
    const verdict = judge({}, { referenceMeasurements, measuredBlocks })
    return [failed(verdict), open(verdict)]
  }
  const fails = [['measurements'], []]
  const isOpen = [[], ['measurements']]
  const passes = [[], []]

  it('are the values of each block, all that count', () => {
    expect(measured(references)).toEqual(passes)
    for (const index of [1, 2, 3]) {
      expect(measured({ ...references, [index]: [hex(8)] })).toEqual(fails)
      expect(measured({ ...references, [index]: [] })).toEqual(fails)
      const { [index]: _, ...less } = references
      expect(measured(less)).toEqual(isOpen)
      expect(
        measured(
          less,
          [1, 2, 3].filter((one) => one !== index),
        ),
      ).toEqual(passes)
      expect(measured({ ...less, [index]: [hex(8)] }, [])).toEqual(fails)
    }
    expect(measured({ ...references, 4: [hex(4)] })).toEqual(fails)
    for (const counted of [undefined, []]) expect(measured({}, counted)).toEqual(isOpen)
    expect(measured(references, [1, 2, 3, 4])).toEqual(isOpen)
    // Not the index's own value.
    expect(measured({ ...references, 1: [hex(2)], 2: [hex(1)] })).toEqual(fails)
  })
})

const [first] = spdmBlocks
const block = (change: object) => ({ blocks: [{ index: 1, value: new Uint8Array(48), ...first, ...change }] })
const field = (type: number) => [type, spdmFirmware] as const

describe('what is no report', () => {
  it.each<[string, SpdmDefects, RegExp]>([
    ['a request of another version', { request: '10e001ff' }, /begin with the request/],
    ['another request', { request: '118401ff' }, /begin with the request/],
    ['a request for no signature', { request: '11e000ff' }, /all measurements, signed/],
    ['a request for one block only', { request: '11e00101' }, /all measurements, signed/],
    ['a response of another version', { response: '10600000' }, /response is missing/],
    ['another response', { response: '117f0000' }, /response is missing/],
    ['a record longer than the report', { recordLength: 1 << 16 }, /record is cut off/],
    ['a record that ends within the signature', { recordLength: 300 }, /record is cut off/],
    ['fewer blocks than told', { blockCount: 4 }, /measurement is cut off/],
    ['more blocks than told', { blockCount: 2 }, /more than its measurements/],
    ['bytes behind its blocks', { recordEnd: Uint8Array.of(0) }, /more than its measurements/],
    ['a block longer than the record', block({ size: 52 }), /measurement is cut off/],
    ['a block without its head', block({ size: 2 }), /not as DMTF has it/],
    ['a block of another specification', block({ specification: 2 }), /not as DMTF has it/],
    ['a block whose value is shorter than told', block({ valueSize: 49 }), /not as DMTF has it/],
    ['a block whose value is longer than told', block({ valueSize: 47 }), /not as DMTF has it/],
    ['two blocks of one index', { blocks: [...spdmBlocks, ...spdmBlocks.slice(0, 1)] }, /have one index/],
    ['an opaque part beyond the end', { opaqueLength: 1000 }, /opaque part is cut off/],
    ['a byte that nobody reads', { unread: Uint8Array.of(0) }, /1 bytes stand behind/],
    ['a field that is cut', { opaque: Uint8Array.of(20, 0, 48, 0, 1) }, /opaque field is cut off/],
    ['a field without its length', { opaque: Uint8Array.of(20) }, /opaque field is cut off/],
    ['two names of its firmware', { fields: [field(20), field(1), field(20)] }, /stands twice/],
  ])('has %s', (_, defects, says) => {
    expect(() => judge(defects)).toThrow(says)
    expect(() => judge(defects)).toThrow(
      expect.objectContaining({ name: 'AttestError', code: 'BAD_EVIDENCE', place: 'nvidia.report' }),
    )
  })

  it('is too short or too long', () => {
    for (const bytes of [new Uint8Array(), spdmReport().slice(0, 140), new Uint8Array((1 << 20) + 1)])
      expect(() => verifyNvidiaReport(bytes, asking)).toThrow(/its length is wrong/)
  })

  it('has all its certificates, in PEM', () => {
    for (const certificates of ['', 'x', spdmCertificates().slice(0, -30)])
      expect(() => judge({}, { certificates })).toThrow(expect.objectContaining({ code: 'BAD_PEM' }))
    const garbage = formatPemCertificates([Uint8Array.of(0x30, 0)])
    expect(() => judge({}, { certificates: garbage })).toThrow(AttestError)
  })

  it('no byte can be changed without notice, and none makes it crash', () => {
    const whole = spdmReport()
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const changed = whole.slice()
        changed[index] = (changed[index] ?? 0) ^ mask
        try {
          const { ok, authentic } = verifyNvidiaReport(changed, asking, spdmSimulatorRoot)
          expect([ok, authentic]).toEqual([false, false])
        } catch (error) {
          expect(error).toMatchObject({ name: 'AttestError', code: 'BAD_EVIDENCE' })
        }
      }),
      { numRuns: 300 },
    )
    for (let cut = 0; cut < whole.length; cut += 1)
      expect(() => verifyNvidiaReport(whole.slice(0, cut), asking)).toThrow(AttestError)
  })
})
