import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToHex } from '../encoding/hex.js'
import { AttestError } from '../errors.js'
import { nativeSignatures } from '../platform.js'
import {
  appraisePlatform,
  type PlatformPolicy,
  type PlatformVerdicts,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackEventLog,
  verifyDstackSnpAttestation,
  verifyNitroDocument,
  verifyNvidiaReport,
  verifyNvidiaToken,
} from '../platform-evidence/index.js'
import { tdx } from '../testing/appraisal-table.js'
import { cborInteger } from '../testing/cbor-writer.js'
import { at, mrTd, simulator, trust } from '../testing/fixture.js'
import { nitroDocument } from '../testing/nitro-fixture.js'
import { policy } from '../testing/platform-appraisal-table.js'
import {
  amd,
  azureEvidence,
  azureNonce,
  dstackLog,
  dstackSnpContainer,
  gpuNonce,
  mrConfigText,
  raTlsCertificate,
  runtimeEvent,
  serviceAnswer,
  serviceKeys,
} from '../testing/platform-fixture.js'
import { remembersByContent } from '../testing/remembers-by-content.js'
import { spdmCertificates, spdmReport } from '../testing/spdm-fixture.js'
import type { TdxClaims, Verdict } from '../verdict/verdict.js'
import { verifyQuote, verifySnpReport } from '../with-platform.js'
import { appraise } from './appraise.js'

// Whatever a stranger writes into evidence, it is refused as unreadable, or the verdict on it is one that the appraisal takes: a
// verifier's own answer is never "no verdict".

const native = nativeSignatures()
if (native === undefined) throw new Error('these tests need node:crypto')
const verifySignature = remembersByContent(native)

type Kind = keyof PlatformVerdicts
const rules = (kind: Kind): PlatformPolicy =>
  ({ format: policy.format, version: 1, [kind]: policy[kind] }) as PlatformPolicy
const platformAnswer =
  <K extends Kind>(kind: K) =>
  (verdict: PlatformVerdicts[K]) =>
    appraisePlatform({ [kind]: verdict }, rules(kind)).answer
const hardwareAnswer = (verdict: Verdict) => appraise(verdict, trust).answer

/** What becomes of evidence: its code when it cannot be read, else the appraisal's answer, which must be one. */
function answerOf<T>(verify: () => T, ask: (verdict: T) => string): string {
  let verdict: T
  try {
    verdict = verify()
  } catch (error) {
    if (error instanceof AttestError && error.code !== 'BAD_ARGUMENT') return error.code
    throw error
  }
  return ask(verdict)
}
const answers = /^(?:BAD_[A-Z_]+|false|not-proved|not-allowed|allowed)$/

/** Bytes with one change: other octets somewhere, a cut, or something left out or repeated. */
const changed = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      place: fc.nat(bytes.length - 1),
      kind: fc.constantFrom('set', 'set', 'set', 'fill', 'cut', 'drop', 'repeat'),
      octets: fc.uint8Array({ minLength: 1, maxLength: 8 }),
      length: fc.integer({ min: 1, max: 64 }),
    })
    .map(({ place, kind, octets, length }) => {
      const head = bytes.slice(0, place)
      if (kind === 'cut') return head
      if (kind === 'drop') return Uint8Array.from([...head, ...bytes.slice(place + length)])
      if (kind === 'repeat')
        return Uint8Array.from([...bytes.slice(0, place + length), ...bytes.slice(place)])
      const copy = Uint8Array.from(bytes)
      if (kind === 'fill') return copy.fill(octets[0] ?? 0, place, place + length)
      copy.set(octets.slice(0, bytes.length - place), place)
      return copy
    })

const quote = simulator.quote({ reportData: new Uint8Array(64).fill(7), mrTd })
const collateral = simulator.collateral(at)
const intel = { collateral, at, trustedRoots: [simulator.rootDigest], verifySignature }
const snp = {
  certificates: amd.certificates(),
  crl: amd.crl(at),
  at,
  trustedRoots: [amd.rootDigest],
  verifySignature,
}
const report = amd.report({ reportData: new Uint8Array(64) })
const azure = azureEvidence()
const { rtmrs } = tdx.claims as TdxClaims
const dstack = (eventLog: unknown) =>
  answerOf(
    () => ({ ...verifyDstackEventLog({ eventLog, claims: { rtmrs } }), hardware: tdx }),
    platformAnswer('dstack'),
  )
const nitro = (bytes: Uint8Array) =>
  answerOf(() => verifyNitroDocument(bytes, { at, verifySignature }), platformAnswer('nitro'))
const { certificate, gpu } = { certificate: raTlsCertificate(), gpu: spdmReport() }
const token = (change: Parameters<typeof serviceAnswer>[0]) =>
  answerOf(
    () => verifyNvidiaToken(serviceAnswer(change), { keys: serviceKeys, at, nonce: gpuNonce }),
    platformAnswer('nvidiaToken'),
  )

const byBytes: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => string]>> = {
  'TDX quote': [quote, (bytes) => answerOf(() => verifyQuote(bytes, intel), hardwareAnswer)],
  'SEV-SNP report': [report, (bytes) => answerOf(() => verifySnpReport(bytes, snp), hardwareAnswer)],
  'dstack certificate': [
    certificate,
    (bytes) => answerOf(() => verifyDstackCertificate(bytes, intel), platformAnswer('dstack')),
  ],
  'dstack container': [
    dstackSnpContainer(),
    (bytes) =>
      answerOf(
        () =>
          verifyDstackSnpAttestation(bytes, {
            crl: snp.crl,
            at,
            trustedRoots: snp.trustedRoots,
            verifySignature,
          }),
        platformAnswer('dstack'),
      ),
  ],
  'HCL report': [
    azure.hclReport,
    (hclReport) =>
      answerOf(
        () => verifyAzureEvidence({ ...azure, hclReport }, { snp, nonce: azureNonce }),
        platformAnswer('azure'),
      ),
  ],
  'TPM quote': [
    azure.tpmQuote.message,
    (message) =>
      answerOf(
        () => verifyAzureEvidence({ ...azure, tpmQuote: { ...azure.tpmQuote, message } }, { snp }),
        platformAnswer('azure'),
      ),
  ],
  'Nitro document': [nitroDocument(), nitro],
  'SPDM report': [
    gpu,
    (bytes) =>
      answerOf(
        () => verifyNvidiaReport(bytes, { certificates: spdmCertificates(), at, verifySignature }),
        platformAnswer('nvidia'),
      ),
  ],
}

describe('the appraisal takes a verifier’s own verdict', () => {
  it.each(Object.entries(byBytes))('on any change of a %s', (_, [bytes, ask]) => {
    expect(ask(bytes)).toMatch(/^(?:false|not-proved|not-allowed|allowed)$/)
    fc.assert(
      fc.property(changed(bytes), (other) => {
        expect(ask(other)).toMatch(answers)
      }),
      { numRuns: 60 },
    )
  })

  it('on SEV-SNP reports that name any processor', () => {
    for (let family = 0x17; family <= 0x1b; family += 1)
      for (let model = 0; model < 256; model += 5) {
        const other = Uint8Array.from(report)
        other.set([family, model], 0x188)
        expect(answerOf(() => verifySnpReport(other, snp), hardwareAnswer)).toBe(
          family === report[0x188] && model === report[0x189] ? 'not-allowed' : 'false',
        )
      }
  })

  it('on any text of a collateral', () => {
    const number = fc.constantFrom('0', '1', '65535', '4294967295', '9007199254740991')
    const date = fc.constantFrom('0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2024-02-29T00:00:00Z')
    fc.assert(
      fc.property(
        fc.constantFrom('tcbInfo', 'qeIdentity'),
        number,
        date,
        fc.nat(3),
        (part, digits, time, nth) => {
          let seen = 0
          const swap = (value: string) => (all: string) => {
            seen += 1
            return seen % 4 === nth ? value : all
          }
          const text = collateral[part]
            .replace(/(?<=:)\d+(?=[,}])/g, swap(digits))
            .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, swap(time))
          expect(
            answerOf(
              () => verifyQuote(quote, { ...intel, collateral: { ...collateral, [part]: text } }),
              hardwareAnswer,
            ),
          ).toMatch(answers)
        },
      ),
    )
  })

  it('on as many advisories as the documents of one quote may name', () => {
    const advisories = Array.from({ length: 3000 }, (_, i) => `INTEL-SA-${i}`)
    expect(hardwareAnswer({ ...tdx, tcbStatus: 'OutOfDate', advisories })).toBe('not-allowed')
  })

  it('on any payload of any event', () => {
    const payload = fc.oneof(
      fc.constant(''),
      fc.uint8Array({ maxLength: 64 }).map(bytesToHex),
      fc.constant('00'.repeat(600_000)),
    )
    const name = fc.constantFrom(
      'app-id',
      'compose-hash',
      'os-image-hash',
      'key-provider',
      'instance-id',
      'other',
    )
    fc.assert(
      fc.property(name, payload, (event, content) => {
        const log = dstackLog.map((one) => (one.event === event ? runtimeEvent(event, content) : one))
        expect(dstack([...log, runtimeEvent(event, content)])).toBe('false')
      }),
      { numRuns: 20 },
    )
  })

  it('on a payload as long as one may be, and on an event of any text', () => {
    for (const name of ['app-id', 'key-provider'])
      expect(dstack([{ ...dstackLog[0], imr: 3, event: name, event_payload: '61'.repeat(1 << 20) }])).toBe(
        'false',
      )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (event, digest) => {
        expect(dstack([{ ...runtimeEvent('app-id'), event }])).toMatch(/^(?:BAD_EVENT_LOG|false)$/)
        expect(dstack([{ ...runtimeEvent('app-id'), digest }])).toMatch(/^(?:BAD_EVENT_LOG|false)$/)
      }),
    )
  })

  it('on any document of a guest that its report names', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('app_id', 'instance_id', 'key_provider', 'extra'),
        (value, field) => {
          const document = JSON.stringify({ ...JSON.parse(mrConfigText), [field]: value })
          const [, ask] = byBytes['dstack container'] ?? []
          expect(ask?.(dstackSnpContainer({ document }))).toMatch(answers)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('on any time of a document or a token, of whatever year', () => {
    const last = Date.parse('9999-12-31T23:59:59.999Z')
    const time = (value: number) => nitro(nitroDocument({ fields: { timestamp: cborInteger(value) } }))
    expect([0, last, last + 1, 0x0001ff0000000000, 8.64e15, 8.64e15 + 1].map(time)).toEqual([
      'false',
      'false',
      'BAD_EVIDENCE',
      'BAD_EVIDENCE',
      'BAD_EVIDENCE',
      'BAD_EVIDENCE',
    ])
    for (const iat of [-1, 0, (last - 999) / 1000, last / 1000 + 1, 3e11, 8.64e12, 1e300, '1', null, []])
      expect([iat, token({ overall: { iat }, device: { iat } })]).toEqual([iat, 'allowed'])
  })

  it('on any claims of a token', () => {
    const field = fc.constantFrom(
      'eat_nonce',
      'iat',
      'exp',
      'hwmodel',
      'x-nvidia-gpu-driver-version',
      'ueid',
      'submods',
    )
    const value = fc.oneof(fc.jsonValue(), fc.constant('\ud800'), fc.constant('00'.repeat(100_000)))
    fc.assert(
      fc.property(field, value, (name, given) => {
        for (const part of ['overall', 'device'])
          expect(token({ [part]: { [name]: given } })).toMatch(answers)
      }),
      { numRuns: 20 },
    )
  })
})

describe('a moment that verdicts cannot write', () => {
  it.each(['+010000-01-01T00:00:00Z', '-000001-12-31T23:59:59Z', '1969-12-31T23:59:59Z', ''])(
    'is no moment: %s',
    (text) => {
      const then = { at: new Date(text) }
      for (const ask of [
        () => verifyQuote(quote, { ...intel, ...then }),
        () => verifySnpReport(report, { ...snp, ...then }),
        () => verifyNitroDocument(nitroDocument(), then),
        () => verifyNvidiaToken(serviceAnswer(), { keys: serviceKeys, ...then }),
      ])
        expect(ask).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'options.at' }))
    },
  )

  it('begins in 1970 and ends with the year 9999', () => {
    for (const text of ['1970-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'])
      expect(hardwareAnswer(verifyQuote(quote, { ...intel, at: new Date(text) }))).toBe('not-proved')
  })
})
