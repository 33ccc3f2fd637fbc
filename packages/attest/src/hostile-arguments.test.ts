import { describe, expect, it } from 'vitest'
import * as collateralSource from './collateral-source/index.js'
import { AttestError, attestErrorCodes } from './errors.js'
import * as main from './index.js'
import * as log from './log/index.js'
import * as measurement from './measurement/index.js'
import * as platformEvidence from './platform-evidence/index.js'
import * as provenance from './provenance/index.js'
import { at, simulator, trust } from './testing/fixture.js'
import { testKernel } from './testing/kernel-image.js'
import { amd, azureEvidence, azureNonce } from './testing/platform-fixture.js'
import { testFirmware } from './testing/tdx-firmware.js'

// Callers without types give text where bytes are expected, lists of numbers, nothing. Each exported function that takes bytes, lists
// of bytes or text is asked with such values; who exports another one has to say here what it takes.

type Call = (value: never) => unknown
const key = log.noteKey('log.example', new Uint8Array(32))
const launch = { vcpus: 1, vcpu: 'EPYC-v4' } as const
const hashes = [new Uint8Array(32)]

const tdx = (change: object) =>
  measurement.tdxLaunchRegisters({
    firmware: testFirmware(),
    kernel: testKernel(),
    initrd: new Uint8Array(100),
    commandLine: '',
    memoryBytes: 2 ** 31,
    pageOrder: 'single-pass',
    ...change,
  })
const bytes: Readonly<Record<string, Call>> = {
  gpuNonce: platformEvidence.gpuNonce,
  amdRequest: collateralSource.amdRequest,
  authenticodeDigest: measurement.authenticodeDigest,
  commitResult: (value) => main.commitResult({ answer: {}, views: [], salt: value }),
  configurationVolumeDigest: measurement.configurationVolumeDigest,
  cosign: (value) => log.cosign('a\n', 'w', 1, value),
  intelRequest: collateralSource.intelRequest,
  leafHash: log.leafHash,
  noteKey: (value) => log.noteKey('log.example', value),
  parseCertificate: main.parseCertificate,
  parseDer: main.parseDer,
  parseDstackAttestation: platformEvidence.parseDstackAttestation,
  parseDstackImageMeasurement: platformEvidence.parseDstackImageMeasurement,
  parseEntryBundle: log.parseEntryBundle,
  parseFirmwareEventLog: platformEvidence.parseFirmwareEventLog,
  parseHclReport: platformEvidence.parseHclReport,
  parseLogEntry: log.parseLogEntry,
  parseOvmf: measurement.parseOvmf,
  parseQuote: main.parseQuote,
  parseRaTlsCertificate: platformEvidence.parseRaTlsCertificate,
  parseRevocationList: main.parseRevocationList,
  parseSnpReport: main.parseSnpReport,
  parseTdvf: measurement.parseTdvf,
  parseTpmQuote: platformEvidence.parseTpmQuote,
  qemuLoadedKernel: (value) => measurement.qemuLoadedKernel(value, { initrdLength: 0, memoryBytes: 2 ** 31 }),
  readResultView: (value) => main.readResultView(value, `sha256:${'00'.repeat(32)}`),
  sevLaunchDigest: (value) => measurement.sevLaunchDigest({ mode: 'SEV', ovmf: value }),
  signNote: (value) => log.signNote('a\n', 'log.example', value),
  snpLaunchDigest: (value) => measurement.snpLaunchDigest({ ...launch, ovmf: value }),
  'snpLaunchDigest, digest': (value) =>
    measurement.snpLaunchDigest({
      ...launch,
      ovmf: new Uint8Array(4096),
      ovmfDigest: value ?? ('' as never),
    }),
  svsmLaunchDigest: (value) =>
    measurement.svsmLaunchDigest({ ...launch, ovmf: value, svsm: value, ovmfVariablesLength: 0 }),
  tdHobLayout: measurement.tdHobLayout,
  tdxLaunchMeasurement: (value) => measurement.tdxLaunchMeasurement(value, { pageOrder: 'single-pass' }),
  'tdxLaunchRegisters, firmware': (value) => tdx({ firmware: value }),
  'tdxLaunchRegisters, kernel': (value) => tdx({ kernel: value }),
  'tdxLaunchRegisters, restored kernel': (value) => tdx({ kernel: value, setupHeaderRestored: true }),
  'tdxLaunchRegisters, initrd': (value) => tdx({ initrd: value }),
  tdxLaunchRegisters: (value) =>
    measurement.tdxLaunchRegisters({
      firmware: value,
      kernel: value,
      initrd: value,
      commandLine: '',
      memoryBytes: 2 ** 31,
      pageOrder: 'single-pass',
    }),
  verifyAzureEvidence: (value) =>
    platformEvidence.verifyAzureEvidence({ ...azureEvidence(), hclReport: value }, { nonce: azureNonce }),
  verifyDstackCertificate: (value) =>
    platformEvidence.verifyDstackCertificate(value, { at, collateral: simulator.collateral(at) }),
  verifyDstackImage: (value) =>
    platformEvidence.verifyDstackImage({
      osImageHash: '0x',
      checksumFile: '',
      measurement: value,
      claims: { mrTd: '0x', rtmrs: ['0x', '0x', '0x', '0x'] },
      eventLog: [],
      machine: { memoryBytes: 2 ** 31, qemuVersion: '9.1.0' },
    }),
  verifyDstackSnpAttestation: (value) =>
    platformEvidence.verifyDstackSnpAttestation(value, { at, crl: amd.crl(at) }),
  verifyFirmwareEventLog: (value) =>
    platformEvidence.verifyFirmwareEventLog(value, { rtmrs: ['0x', '0x', '0x', '0x'] }),
  verifyNitroDocument: (value) => platformEvidence.verifyNitroDocument(value, { at }),
  verifyNvidiaReport: (value) => platformEvidence.verifyNvidiaReport(value, { at, certificates: '' }),
  verifyQuote: (value) => main.verifyQuote(value, { at, collateral: simulator.collateral(at) }),
  verifySnpReport: (value) =>
    main.verifySnpReport(value, { at, certificates: amd.certificates(), crl: amd.crl(at) }),
}
const lists: Readonly<Record<string, Call>> = {
  consistencyProof: (value) => log.consistencyProof(value, 0),
  formatEntryBundle: log.formatEntryBundle,
  formatPemCertificates: main.formatPemCertificates,
  inclusionProof: (value) => log.inclusionProof(value, 0),
  replayRegister: platformEvidence.replayRegister,
  treeRoot: log.treeRoot,
  treeTiles: log.treeTiles,
}
const texts: Readonly<Record<string, Call>> = {
  addSignatures: (value) => log.addSignatures(value, []),
  composeHash: platformEvidence.composeHash,
  mrConfigDigest: platformEvidence.mrConfigDigest,
  openCheckpoint: (value) => log.openCheckpoint(value, key),
  parseCheckpoint: log.parseCheckpoint,
  parseNote: log.parseNote,
  parseNoteKey: log.parseNoteKey,
  parsePemCertificates: main.parsePemCertificates,
  parseQeIdentity: main.parseQeIdentity,
  parseTcbEvaluationDataNumbers: main.parseTcbEvaluationDataNumbers,
  parseTcbInfo: main.parseTcbInfo,
}
/** Documents, of any JSON: their own codes. */
const documents: Readonly<Record<string, Call>> = {
  appraiseNodeGpus: (value) =>
    platformEvidence.appraiseNodeGpus({ shown: null, hardware: value, policy: value, keys: value, at }),
  attestationPolicyDigest: main.attestationPolicyDigest,
  bundledCollateral: collateralSource.bundledCollateral,
  compareReceipts: (value) => main.compareReceipts(value, value),
  gpuModeEvent: platformEvidence.gpuModeEvent,
  parseGpuMode: platformEvidence.parseGpuMode,
  disclosureProblem: (value) => main.disclosureProblem(value, {} as never),
  logEntryBytes: log.logEntryBytes,
  parseAttestationPolicy: main.parseAttestationPolicy,
  parseCollateral: main.parseCollateral,
  parseNodeEvidence: main.parseNodeEvidence,
  parseNodeGpuPolicy: platformEvidence.parseNodeGpuPolicy,
  parsePlatformPolicy: platformEvidence.parsePlatformPolicy,
  parseReceiptBundle: main.parseReceiptBundle,
  platformPolicyDigest: platformEvidence.platformPolicyDigest,
  prepareCollateral: main.prepareCollateral,
  verifyCollateral: (value) => main.verifyCollateral(value, { at }),
  verifyDstackEventLog: (value) =>
    platformEvidence.verifyDstackEventLog({ eventLog: value, claims: { rtmrs: ['0x', '0x', '0x', '0x'] } }),
  verifyNodeEvidence: (value) => main.verifyNodeEvidence({ evidence: value, policy: trust, at }),
  verifyNvidiaToken: (value) => platformEvidence.verifyNvidiaToken(value, { keys: [], at }),
}
/** Functions that take none of these: what a parser of this package has made, verdicts, ports, options and numbers. */
const others = new Set<string>([
  'AttestError',
  'amdName',
  'amdRootClaim',
  'appraise',
  'appraisePlatform',
  'budgetProblem',
  'cachedCollateral',
  'chainProblem',
  'collectBundle',
  'convergeTcbStatus',
  'cosignatureTime',
  'discloseInput',
  'dsseEnvelope',
  'dstackImageRegisters',
  'earClaims',
  'earToken',
  'evaluateTcb',
  'formatCheckpoint',
  'formatNote',
  'formatNoteKey',
  'inTotoStatement',
  'isBundleFile',
  'kdsCertificates',
  'knownDigests',
  'matchTcbLevel',
  'measurementDigest',
  'monitorLog',
  'mrConfigId',
  'nativeSignatures',
  'networkCollateral',
  'nodeReportData',
  'openLineageEvents',
  'provDocument',
  'pckPlatform',
  'pcsCollateral',
  'relaunchTcbStatus',
  'revocationListProblem',
  'rootClaim',
  'tdHobDigest',
  'tdxConfigurationRegister',
  'tdxKernelRegisters',
  'tilePath',
  'validityProblem',
  'vekFacts',
  'viewOf',
  'verdictsRoot',
  'verifyAmdSignature',
  'verifyConsistency',
  'verifyDeletions',
  'verifyEquivocation',
  'verifyInclusion',
  'verifyLogged',
  'verifyNote',
  'verifyP256',
  'verifyReceipt',
  'walkBack',
  'withWebCrypto',
  'witnessCheckpoint',
])

/** Codes and error classes of one function for values. */
const codesOf = (call: Call, values: readonly unknown[]) =>
  values.map((value) => {
    try {
      return `answer ${String(call(value as never))}`
    } catch (error) {
      return error instanceof AttestError ? error.code : String(error)
    }
  })
const noBytes = [undefined, null, '00', '', 7, {}, [], [1], new ArrayBuffer(8), new Uint16Array(4)]
const noLists = [
  undefined,
  null,
  '00',
  7,
  {},
  [1],
  [hashes[0], null],
  [undefined],
  new Array(2),
  new Set(hashes),
]
const noTexts = [undefined, null, 7, {}, ['a'], new Uint8Array(4)]

describe('what is not of the expected kind is the caller’s mistake, BAD_ARGUMENT', () => {
  it.each(Object.entries(bytes))('%s asks for bytes', (_, call) => {
    expect([...new Set(codesOf(call, noBytes))]).toEqual(['BAD_ARGUMENT'])
  })
  it.each(Object.entries(lists))('%s asks for a list of bytes', (_, call) => {
    expect([...new Set(codesOf(call, noLists))]).toEqual(['BAD_ARGUMENT'])
  })
  it.each(Object.entries(texts))('%s asks for text', (_, call) => {
    expect([...new Set(codesOf(call, noTexts))]).toEqual(['BAD_ARGUMENT'])
  })
  it.each(Object.entries(documents))('%s gives a code of its own', (_, call) => {
    for (const code of codesOf(call, [undefined, null, 7, true, [null], [7]]))
      expect(attestErrorCodes).toContain(code)
  })
  it('nothing that is exported is left out', () => {
    const named = [main, platformEvidence, measurement, collateralSource, log, provenance].flatMap((entry) =>
      Object.entries(entry).flatMap(([name, value]) => (typeof value === 'function' ? [name] : [])),
    )
    const known = [
      ...Object.keys(bytes),
      ...Object.keys(lists),
      ...Object.keys(texts),
      ...Object.keys(documents),
      ...others,
    ].map((name) => name.split(',')[0] ?? name)
    expect(named.filter((name) => !known.includes(name)).sort()).toEqual([])
    expect(known.filter((name) => !named.includes(name))).toEqual([])
  })
})
