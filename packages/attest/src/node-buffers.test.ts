import { runInNewContext } from 'node:vm'
import { bytesToHex } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { parseSnpReport } from './amd/report.js'
import { isBytes } from './encoding/is-bytes.js'
import { parseCertificate } from './encoding/x509.js'
import { noteKey } from './log/index.js'
import {
  authenticodeDigest,
  parseTdvf,
  qemuLoadedKernel,
  tdHobLayout,
  tdxLaunchRegisters,
} from './measurement/index.js'
import {
  parseDstackAttestation,
  parseHclReport,
  parseTpmQuote,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackSnpAttestation,
  verifyFirmwareEventLog,
  verifyNitroDocument,
  verifyNvidiaReport,
} from './platform-evidence/index.js'
import { withWebCrypto } from './signature/web-crypto.js'
import { firmwareLog } from './testing/firmware-log.js'
import { at, quote, simulator } from './testing/fixture.js'
import { testKernel } from './testing/kernel-image.js'
import { nitroDocument, nitroNonce } from './testing/nitro-fixture.js'
import {
  amd,
  askedData,
  azureEvidence,
  azureNonce,
  compose,
  dstackSnpContainer,
  raTlsCertificate,
} from './testing/platform-fixture.js'
import { spdmCertificates, spdmNonce, spdmReport } from './testing/spdm-fixture.js'
import { testFirmware } from './testing/tdx-firmware.js'
import { verifyQuote, verifySnpReport } from './with-platform.js'

// What a file gives in Node is a Buffer, often a view into a larger one, and its `slice` shares memory where that of a Uint8Array
// copies. Every reader is asked twice with the same Buffer: it must answer as for plain bytes, and leave every byte where it was.

const hardware = { crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
const tdx = { collateral: simulator.collateral(at), at, trustedRoots: [simulator.rootDigest] }
const zero = `0x${'00'.repeat(48)}` as const
const machine = { initrdLength: 1000, memoryBytes: 2 ** 31 }
const azure = (tee: 'tdx' | 'sev-snp') => {
  const { hclReport, tpmQuote, quote: below } = azureEvidence({ tee })
  return [
    hclReport,
    tpmQuote.message,
    tpmQuote.signature,
    ...tpmQuote.registers,
    ...(below === undefined ? [] : [below]),
  ]
}

type Reader = readonly [name: string, given: readonly Uint8Array[], read: (...given: Uint8Array[]) => unknown]
const none = new Uint8Array()
const readers: readonly Reader[] = [
  ['verifyQuote', [quote], (bytes = none) => verifyQuote(bytes, tdx)],
  [
    'verifySnpReport',
    [amd.report({ reportData: askedData }), amd.crl(at), ...amd.certificates()],
    (bytes = none, crl = none, ...certificates) => verifySnpReport(bytes, { ...hardware, crl, certificates }),
  ],
  ['parseSnpReport', [amd.report({ reportData: askedData })], (bytes = none) => parseSnpReport(bytes)],
  ['parseCertificate', [...amd.certificates()], (bytes = none) => parseCertificate(bytes)],
  ...(['tdx', 'sev-snp'] as const).map(
    (tee): Reader => [
      `verifyAzureEvidence on ${tee}`,
      azure(tee),
      (hclReport = none, message = none, signature = none, ...rest) =>
        verifyAzureEvidence(
          {
            hclReport,
            tpmQuote: { message, signature, registers: rest.slice(0, 24) },
            ...(rest[24] === undefined ? {} : { quote: rest[24] }),
          },
          { tdx, snp: { ...hardware, certificates: amd.certificates() }, nonce: azureNonce },
        ),
    ],
  ),
  ['parseHclReport', azure('sev-snp').slice(0, 1), (bytes = none) => parseHclReport(bytes)],
  ['parseTpmQuote', azure('sev-snp').slice(1, 2), (bytes = none) => parseTpmQuote(bytes)],
  [
    'verifyDstackCertificate',
    [raTlsCertificate()],
    (bytes = none) => verifyDstackCertificate(bytes, { ...tdx, compose }),
  ],
  [
    'verifyDstackSnpAttestation',
    [dstackSnpContainer(), askedData],
    (bytes = none, reportData = none) =>
      verifyDstackSnpAttestation(bytes, { ...hardware, reportData, compose }),
  ],
  ['parseDstackAttestation', [dstackSnpContainer()], (bytes = none) => parseDstackAttestation(bytes)],
  [
    'verifyNitroDocument',
    [nitroDocument(), nitroNonce],
    (bytes = none, nonce = none) => verifyNitroDocument(bytes, { at, nonce }),
  ],
  [
    'verifyNvidiaReport',
    [spdmReport(), spdmNonce],
    (bytes = none, nonce = none) =>
      verifyNvidiaReport(bytes, { at, nonce, certificates: spdmCertificates() }),
  ],
  [
    'verifyFirmwareEventLog',
    [firmwareLog()],
    (bytes = none) => verifyFirmwareEventLog(bytes, { rtmrs: [zero, zero, zero, zero] }),
  ],
  ['authenticodeDigest', [testKernel()], (bytes = none) => authenticodeDigest(bytes)],
  ['qemuLoadedKernel', [testKernel()], (bytes = none) => qemuLoadedKernel(bytes, machine)],
  ['parseTdvf', [testFirmware()], (bytes = none) => parseTdvf(bytes)],
  ['tdHobLayout', [testFirmware()], (bytes = none) => tdHobLayout(bytes)],
  [
    'tdxLaunchRegisters',
    [testFirmware(), testKernel(), new Uint8Array(100)],
    (firmware = none, kernel = none, initrd = none) =>
      tdxLaunchRegisters({
        firmware,
        kernel,
        initrd,
        commandLine: 'a',
        memoryBytes: 2 ** 31,
        pageOrder: 'single-pass',
      }),
  ],
  ['noteKey', [new Uint8Array(32).fill(1)], (bytes = none) => noteKey('log.example', bytes)],
]

/** Values by what they hold, whatever kind of bytes holds it. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, function (this: Record<string, unknown>, name: string, given: unknown) {
      const one = isBytes(this[name]) ? this[name] : given
      if (isBytes(one)) return `bytes ${bytesToHex(one)}`
      if (one instanceof Map) return [...one]
      return typeof one === 'bigint' ? String(one) : one
    }) ?? 'null',
  )
/** A view into a larger Buffer, and the whole of it. */
const inBuffer = (bytes: Uint8Array) => {
  const whole = Buffer.concat([Buffer.alloc(13, 0xaa), bytes, Buffer.alloc(3000, 0x55)])
  return { whole, view: whole.subarray(13, 13 + bytes.length) }
}

describe('bytes in Node’s Buffers', () => {
  it.each(readers)('are read by %s as plain ones are, and stay what they are', (_, given, read) => {
    const expected = plain(read(...given))
    const buffers = given.map(inBuffer)
    const before = buffers.map(({ whole }) => Buffer.from(whole))
    const views = buffers.map(({ view }) => view)
    for (let i = 0; i < 2; i += 1) {
      expect(plain(read(...views))).toEqual(expected)
      expect(buffers.map(({ whole }) => whole)).toEqual(before)
    }
  })

  it.each(readers)('of another realm are read by %s as those of this one', (_, given, read) => {
    const foreign = runInNewContext('Uint8Array') as typeof Uint8Array
    expect(new foreign(1) instanceof Uint8Array).toBe(false)
    expect(plain(read(...given.map((one) => foreign.from(one))))).toEqual(plain(read(...given)))
  })

  it('are kept as copies where something is kept', async () => {
    const { view } = inBuffer(new Uint8Array(32).fill(1))
    const key = noteKey('log.example', view)
    const loaded = inBuffer(testKernel())
    const copy = qemuLoadedKernel(loaded.view, machine)
    view.fill(0)
    loaded.view.fill(0)
    expect(key.publicKey).toEqual(new Uint8Array(32).fill(1))
    expect(copy).toEqual(qemuLoadedKernel(testKernel(), machine))
    // WebCrypto answers later: what is changed in between is not what was asked about.
    const report = inBuffer(amd.report({ reportData: askedData }))
    const options = { ...hardware, certificates: amd.certificates() }
    const verdict = await withWebCrypto((verifySignature) =>
      verifySnpReport(report.view, { ...options, verifySignature }),
    )
    expect(verdict).toEqual(verifySnpReport(amd.report({ reportData: askedData }), options))
  })
})
