import { generateKeyPairSync } from 'node:crypto'
import { concatBytes } from '@noble/hashes/utils.js'
import { sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { VerifyAzureOptions } from '../azure/verify.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { AttestError } from '../errors.js'
import {
  azureCheckTitles,
  composeHash,
  dstackCertificateCheckTitles,
  dstackSnpCheckTitles,
  mrConfigDigest,
  nvidiaTokenCheckTitles,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackSnpAttestation,
  verifyNitroDocument,
  verifyNvidiaReport,
  verifyNvidiaToken,
} from '../platform-evidence/index.js'
import { createSimulator } from '../simulator/index.js'
import { checkTable, own, type Verifier } from '../testing/check-table.js'
import { at, seededRandom, simulator } from '../testing/fixture.js'
import {
  type GeneratedCase,
  generatedRoot,
  plainCase,
  writeGeneratedCollateral,
  writeGeneratedQuote,
} from '../testing/generated-platform.js'
import {
  type AzureDefects,
  amd,
  askedData,
  azureEvidence,
  azureNonce,
  azureRegisters,
  type CertificateDefects,
  compose,
  dstackLog,
  dstackSnpContainer,
  goodChain,
  gpuNonce,
  mrConfigFields,
  mrConfigText,
  raTlsCertificate,
  runtimeEvent,
  type SnpContainerDefects,
  serviceAnswer,
  serviceKeys,
  serviceToken,
  type TokenDefects,
} from '../testing/platform-fixture.js'

// --- Azure, on a simulated SEV-SNP platform and on a simulated TDX platform ---

const snp = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
const tdx = { collateral: simulator.collateral(at), at, trustedRoots: [simulator.rootDigest] }
const azure = (
  defects: AzureDefects = {},
  change: Partial<VerifyAzureOptions> = {},
  leave: string[] = [],
) => {
  const options = Object.fromEntries(
    Object.entries({ snp, tdx, nonce: azureNonce, ...change }).filter(([name]) => !leave.includes(name)),
  )
  return verifyAzureEvidence(azureEvidence(defects), options).checks
}
const noRoot = { snp: { ...snp, trustedRoots: [] }, tdx: { ...tdx, trustedRoots: [] } }
const azureRows = (tee: 'sev-snp' | 'tdx'): Verifier['rows'] => ({
  hardware: { fail: () => azure({ tee }, noRoot), notChecked: () => azure({ tee }, {}, ['snp', 'tdx']) },
  debug: { fail: () => azure({ tee, debug: true }), notChecked: () => azure({ tee }, {}, ['snp', 'tdx']) },
  'runtime-data': {
    fail: () => azure({ tee, runtimeText: changedRuntime() }),
    notChecked: own,
  },
  'tpm-signature': { fail: () => azure({ tee, otherKey: true }), notChecked: own },
  'tpm-selection': { fail: () => azure({ tee, selected: [0, 1, 2] }), notChecked: own },
  'register-digest': {
    fail: () => azure({ tee, registers: azureRegisters.map(() => new Uint8Array(32)) }),
    notChecked: () => azure({ tee, registers: azureRegisters.slice(0, 3) }),
  },
  nonce: {
    fail: () => azure({ tee }, { nonce: new Uint8Array(32) }),
    notChecked: () => azure({ tee }, {}, ['nonce']),
  },
})
/** The same key, and one more byte that the hardware does not vouch for. */
function changedRuntime(): string {
  const { runtimeData } = verifyAzureEvidence(azureEvidence(), {})
  return `${runtimeData} `
}
const { 'td-report': _, ...snpTitles } = azureCheckTitles
checkTable('verifyAzureEvidence on SEV-SNP', {
  titles: snpTitles,
  good: () => azure(),
  rows: azureRows('sev-snp'),
})
checkTable('verifyAzureEvidence on TDX', {
  titles: azureCheckTitles,
  good: () => azure({ tee: 'tdx' }),
  rows: {
    ...azureRows('tdx'),
    'td-report': {
      fail: () => azure({ tee: 'tdx', quoteReportData: new Uint8Array(64) }),
      notChecked: () => azure({ tee: 'tdx' }, {}, ['tdx']),
    },
  },
})

describe('Azure evidence', () => {
  it('of another bank of registers fails, of fewer registers passes when no more are asked for', () => {
    const result = (checks: ReturnType<typeof azure>, id: string) =>
      checks.find((one) => one.id === id)?.result
    expect(result(azure({ bank: 0x0004 }), 'tpm-selection')).toBe('fail')
    expect(result(azure({ selected: [0, 4] }, { registers: [4] }), 'tpm-selection')).toBe('pass')
    expect(result(azure({ selected: [0, 4] }, { registers: [4, 7] }), 'tpm-selection')).toBe('fail')
  })
})

describe('a guest under debug', () => {
  it('passes only a caller who allows it, and the answer says so', () => {
    const allowed = (allowDebug: unknown) => [
      verifyDstackCertificate(raTlsCertificate({ debug: true }), {
        ...options,
        allowDebug,
      } as typeof options),
      ...(['sev-snp', 'tdx'] as const).map((tee) =>
        verifyAzureEvidence(azureEvidence({ tee, debug: true }), {
          snp,
          tdx,
          nonce: azureNonce,
          allowDebug,
        } as VerifyAzureOptions),
      ),
    ]
    for (const no of [undefined, false, 'yes', 1])
      expect(allowed(no).map(({ ok }) => ok)).toEqual([false, false, false])
    for (const { ok, checks } of allowed(true)) {
      expect(ok).toBe(true)
      expect(checks.find(({ id }) => id === 'debug')?.detail).toMatch(/^DEBUG/)
    }
  })
})

describe('a nonce or a moment that is none', () => {
  const code = (ask: () => unknown) => expect(ask).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  it.each<unknown>(['06', null, [6], new ArrayBuffer(2)])('is a typed error: %j', (nonce) => {
    code(() => azure({}, { nonce } as Partial<VerifyAzureOptions>))
    code(() => verifyNitroDocument(new Uint8Array(), { at, nonce: nonce as Uint8Array }))
    const given = { at, nonce: nonce as Uint8Array, certificates: '' }
    code(() => verifyNvidiaReport(new Uint8Array(), given))
    code(() => token({}, { nonce }))
  })
  it.each([undefined, null, '2026-11-20', 0, new Date(Number.NaN)])(
    'is a typed error of a Nitro document: %j',
    (moment) => code(() => verifyNitroDocument(new Uint8Array(), { at: moment as Date })),
  )
})

// --- dstack's certificates ---

const options = { ...tdx, compose }
const certificate = (defects: CertificateDefects = {}, change: object = {}) =>
  verifyDstackCertificate(raTlsCertificate(defects), { ...options, ...change })
const dstack = (defects: CertificateDefects = {}, change: object = {}) => certificate(defects, change).checks
const other = createSimulator({ random: seededRandom('other'), at })
const withoutLog = () => dstack({ log: null })
const swapped = (imr: number) => () =>
  dstack({
    measured: dstackLog.map((one) => (one.imr === imr ? { ...one, digest: '11'.repeat(48) } : one)),
  })
const relabelled = dstackLog.map((one) =>
  one.event === 'app-id' ? { ...one, event_payload: '0d'.repeat(20) } : one,
)
const late = [...dstackLog.filter(({ event }) => event !== 'app-id'), runtimeEvent('app-id', '0b'.repeat(20))]

checkTable('verifyDstackCertificate', {
  titles: dstackCertificateCheckTitles,
  good: () => dstack(),
  rows: {
    quote: {
      fail: () => dstack({}, { trustedRoots: [] }),
      notChecked: () => dstack({}, { collateral: undefined }),
    },
    debug: { fail: () => dstack({ debug: true }), notChecked: () => dstack({}, { collateral: undefined }) },
    'key-binding': {
      fail: () => dstack({ reportData: new Uint8Array(64) }),
      notChecked: () => dstack({}, { collateral: undefined }),
    },
    'certificate-dates': { fail: () => dstack({ notAfter: at.getTime() / 1000 - 1 }), notChecked: own },
    'app-id': { fail: () => dstack({ appId: '0d'.repeat(20) }), notChecked: withoutLog },
    rtmr0: { fail: swapped(0), notChecked: withoutLog },
    rtmr1: { fail: swapped(1), notChecked: withoutLog },
    rtmr2: { fail: swapped(2), notChecked: withoutLog },
    rtmr3: { fail: swapped(3), notChecked: withoutLog },
    'event-digests': { fail: () => dstack({ log: relabelled }), notChecked: withoutLog },
    'boot-order': { fail: () => dstack({ log: late, measured: late }), notChecked: withoutLog },
    'compose-hash': {
      fail: () => dstack({}, { compose: '{}' }),
      notChecked: () => dstack({}, { compose: undefined }),
    },
  },
})

// --- dstack's containers of SEV-SNP guests ---

const snpOptions = { crl: amd.crl(at), at, trustedRoots: [amd.rootDigest], reportData: askedData, compose }
const container = (defects: SnpContainerDefects = {}, change: object = {}) =>
  verifyDstackSnpAttestation(dstackSnpContainer(defects), { ...snpOptions, ...change })
const guest = (defects: SnpContainerDefects = {}, change: object = {}) => container(defects, change).checks
const document = (change: object) => ({ document: JSON.stringify({ ...mrConfigFields, ...change }) })

checkTable('verifyDstackSnpAttestation', {
  titles: dstackSnpCheckTitles,
  good: () => guest(),
  rows: {
    report: { fail: () => guest({}, { trustedRoots: [] }), notChecked: own },
    debug: { fail: () => guest({ debug: true }), notChecked: own },
    'report-data': {
      fail: () => guest({ reportData: new Uint8Array(64) }),
      notChecked: () => guest({}, { reportData: undefined }),
    },
    'mr-config': { fail: () => guest({ named: `${mrConfigText} ` }), notChecked: own },
    'compose-hash': {
      fail: () => guest({}, { compose: `${compose} ` }),
      notChecked: () => guest({}, { compose: undefined }),
    },
  },
})

it('verifyDstackCertificate refuses a log with a name that is no Unicode text', () => {
  const log = JSON.stringify([{ ...dstackLog[0], event: '\ud800' }])
  const ask = () =>
    verifyDstackCertificate(raTlsCertificate({ log }), { at, collateral: simulator.collateral(at) })
  expect(ask).toThrow(expect.objectContaining({ name: 'AttestError', code: 'BAD_EVENT_LOG' }))
})

describe('verifyDstackSnpAttestation', () => {
  const result = (checks: ReturnType<typeof guest>, id: string) => checks.find((one) => one.id === id)?.result

  it('gives what the document says, the digest of the document, and the verdict on the report', () => {
    const { ok, hardware, facts, mrConfig, platform } = container()
    expect([ok, hardware.ok, hardware.simulated, platform]).toEqual([true, true, true, 'sev-snp'])
    expect(mrConfig).toBe(mrConfigDigest(mrConfigText))
    expect(facts).toEqual({
      appId: `0x${'0b'.repeat(20)}`,
      composeHash: composeHash(compose),
      instanceId: `0x${'0e'.repeat(20)}`,
      keyProvider: '{"name":"kms","id":"3059"}',
      osImageHash: null,
      appEvents: [],
    })
  })

  it('tells nothing of an app whose document the report does not name', () => {
    const { facts, checks } = container({ named: '{}' })
    expect(facts).toMatchObject({ appId: null, composeHash: null, keyProvider: null })
    expect(result(checks, 'compose-hash')).toBe('not-checked')
  })

  it('compares the container’s report data with the report’s, also when nobody says what was asked for', () => {
    for (const change of [{}, { reportData: undefined }])
      expect(result(guest({ claimed: new Uint8Array(64) }, change), 'report-data')).toBe('fail')
    expect(result(guest({}, { reportData: new Uint8Array(64) }), 'report-data')).toBe('fail')
  })

  it('takes certificates in PEM and DER, from inside and from outside, each once', () => {
    const all = amd.certificates()
    expect(container({ certificates: all }).ok).toBe(true)
    expect(container({ certificates: [] }).ok).toBe(false)
    expect(container({ certificates: [] }, { certificates: all }).ok).toBe(true)
    expect(container({ certificates: [] }, { certificates: formatPemCertificates(all) }).ok).toBe(true)
    expect(container({ certificates: all.slice(0, 2) }, { certificates: all }).ok).toBe(true)
    expect(container({ certificates: all.slice(0, 2) }).ok).toBe(false)
  })

  it('passes a guest under debug only for a caller who allows it', () => {
    for (const no of [undefined, false, 1])
      expect(container({ debug: true }, { allowDebug: no }).ok).toBe(false)
    expect(container({ debug: true }, { allowDebug: true }).ok).toBe(true)
  })

  it.each<[string, SnpContainerDefects]>([
    ['no JSON', { document: '{' }],
    ['a list', { document: '[]' }],
    ['null', { document: 'null' }],
    ['version 2', document({ version: 2 })],
    ['a version as text', document({ version: '3' })],
    ['no compose hash', document({ compose_hash: undefined })],
    ['a short compose hash', document({ compose_hash: '00' })],
    ['a compose hash in capitals', document({ compose_hash: 'AB'.repeat(32) })],
    ['a short app id', document({ app_id: '00' })],
    ['no key provider', document({ key_provider: undefined })],
    ['an instance id that is no hex', document({ instance_id: 'x' })],
    ['a key provider’s id that is no hex', document({ key_provider_id: '0x00' })],
    ['a field twice', { document: mrConfigText.replace('{', `{"compose_hash":"${'00'.repeat(32)}",`) }],
    ['a field twice, once escaped', { document: mrConfigText.replace('{', '{"\\u0076ersion":2,') }],
    ['a field twice further inside', { document: mrConfigText.replace('{', '{"extra":[{"a":1,"a":2}],') }],
  ])('fails a document of %s', (_, defects) => {
    const { checks, facts } = container(defects)
    expect([result(checks, 'mr-config'), facts.composeHash]).toEqual(['fail', null])
  })

  it.each<[string, string, string]>([
    ['longer than 64 Ki characters', `"${'a'.repeat(1 << 16)}"`, 'longer'],
    ['with a text that fills the stack of a regular expression', `"${'a'.repeat(9_000_000)}"`, 'longer'],
    ['deeper than 128', `${'['.repeat(128)}${']'.repeat(128)}`, 'deeper'],
    ['as deep as 64 Ki characters may be', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'deeper'],
    ['deeper than a parser may go', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, 'longer'],
  ])('fails a document %s, by its sender’s own report that nobody signed', (_, inside, says) => {
    const { checks, facts } = container({ document: mrConfigText.replace('{', `{"x":${inside},`) })
    expect([result(checks, 'mr-config'), facts.composeHash]).toEqual(['fail', null])
    expect(checks.find(({ id }) => id === 'mr-config')?.detail).toContain(says)
  })

  it('passes a document just as long and as deep as one may be', () => {
    const deep = mrConfigText.replace('{', `{"x":${'['.repeat(127)}${']'.repeat(127)},`)
    expect(container({ document: deep }).ok).toBe(true)
    const long = mrConfigText.replace('{', `{"x":"${'a'.repeat((1 << 16) - mrConfigText.length - 7)}",`)
    expect([long.length, container({ document: long }).ok]).toEqual([1 << 16, true])
  })

  it('takes a document without an instance, and further fields', () => {
    for (const change of [{ instance_id: undefined }, { instance_id: '' }]) {
      const extra = { a: '"b":', c: ['\\', { a: 'x:"' }], 'd"': 'e\\":' }
      const { ok, facts } = container(document({ ...change, extra }))
      expect([ok, facts.instanceId]).toEqual([true, null])
    }
  })

  it('refuses what it cannot read with typed errors', () => {
    const code = (ask: () => unknown) => {
      try {
        return ask()
      } catch (error) {
        return error instanceof AttestError ? `${error.code} ${error.place}` : error
      }
    }
    const nitro = concatBytes(Uint8Array.of(0, 2, 0, 0), new Uint8Array(64), Uint8Array.of(0))
    expect(code(() => verifyDstackSnpAttestation(nitro, snpOptions))).toBe(
      'BAD_EVIDENCE attestation.evidence',
    )
    expect(code(() => verifyDstackSnpAttestation(new Uint8Array(), snpOptions))).toMatch(/^BAD_EVIDENCE/)
    expect(code(() => container({ certificates: [Uint8Array.of(1)] }))).toMatch(/^BAD_PEM/)
    for (const given of [null, undefined, '00', [0, 3], {}] as unknown as Uint8Array[])
      expect(code(() => verifyDstackSnpAttestation(given, snpOptions))).toMatch(/^BAD_ARGUMENT/)
    const many = Array.from({ length: 17 }, (_, i) => Uint8Array.of(0x30, i))
    expect(code(() => container({ certificates: many }))).toMatch(/^BAD_EVIDENCE/)
    const packed = [amd.certificates(), amd.certificates(), amd.certificates()].map((all) =>
      new TextEncoder().encode(formatPemCertificates([...all, ...all])),
    )
    expect(code(() => container({ certificates: packed }))).toMatch(/^BAD_EVIDENCE/)
    for (const reportData of ['00', null, new Uint8Array(63)])
      expect(code(() => container({}, { reportData }))).toBe('BAD_ARGUMENT options.reportData')
    expect(code(() => container({}, { at: 0 }))).toMatch(/^BAD_ARGUMENT/)
  })
})

describe('verifyDstackCertificate', () => {
  it('gives the facts of the log, the verdict on the quote, and the key that it vouches for', () => {
    const { ok, hardware, facts, publicKey } = certificate()
    expect([ok, hardware?.ok, hardware?.simulated]).toEqual([true, true, true])
    expect(facts).toMatchObject({ appId: `0x${'0b'.repeat(20)}`, osImageHash: `0x${'0c'.repeat(32)}` })
    expect(facts.appEvents.map(({ name }) => name)).toEqual(['app-says'])
    expect(publicKey).toMatch(/^0x3059/)
  })

  it('passes a certificate that names no app, and takes a log from outside', () => {
    expect(certificate({ appId: null }).ok).toBe(true)
    expect(certificate({ log: null }, { eventLog: dstackLog }).ok).toBe(true)
    expect(certificate({ log: 'packed' }, { eventLog: dstackLog }).ok).toBe(true)
    expect(certificate({}, { eventLog: relabelled }).ok).toBe(false)
  })

  it('is never ok without collateral, and tells nothing of the app then', () => {
    const { ok, facts, hardware } = certificate({}, { collateral: undefined })
    expect([ok, hardware, facts.appId]).toEqual([false, null, null])
  })

  it('refuses what it cannot read with typed errors', () => {
    const code = (ask: () => unknown) => {
      try {
        return ask()
      } catch (error) {
        return error instanceof AttestError ? `${error.code} ${error.place}` : error
      }
    }
    expect(code(() => certificate({ quote: null }))).toBe('BAD_EVIDENCE certificate.quote')
    const container = () => certificate({ quote: null, container: new Uint8Array(9) })
    expect(container).toThrow(/extension 8/)
    expect(() => certificate({ quote: null })).toThrow(/carries no TDX quote/)
    expect(code(() => certificate({ quote: new Uint8Array(9) }))).toMatch(/^BAD_QUOTE/)
    expect(code(() => certificate({ log: 'packed' }))).toBe('BAD_EVENT_LOG certificate.eventLog')
    expect(code(() => certificate({ log: '{}' }))).toMatch(/^BAD_EVENT_LOG/)
    expect(code(() => certificate({}, { at: new Date(Number.NaN) }))).toMatch(/^BAD_ARGUMENT/)
  })

  it('holds a quote of an enclave to be no evidence of a dstack guest', () => {
    const answer = (one: GeneratedCase) => {
      const trustedRoots = [sha256Digest(generatedRoot)]
      const collateral = writeGeneratedCollateral(one)
      const { hardware, checks } = certificate(
        { quote: writeGeneratedQuote(one) },
        { collateral, trustedRoots },
      )
      return [hardware?.ok, checks.find(({ id }) => id === 'quote')?.detail]
    }
    expect(answer(plainCase())).toEqual([true, expect.stringMatching(/checks pass/)])
    expect(answer(plainCase({ version: 3, bodyType: 1 }))).toEqual([true, 'it is not of a TDX guest'])
  })

  it('fails with the collateral of another root', () => {
    expect(other.rootDigest).not.toBe(simulator.rootDigest)
    expect(certificate({}, { collateral: other.collateral(at) }).ok).toBe(false)
  })
})

// --- tokens of NVIDIA's service ---

const tokenOptions = { keys: serviceKeys, at, nonce: gpuNonce }
const token = (defects: TokenDefects = {}, change: object = {}) =>
  verifyNvidiaToken(serviceAnswer(defects), { ...tokenOptions, ...change }).checks
const unsigned = () => token({}, { keys: [] })

const swap = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
const otherKeys = [{ ...swap, kid: 'key-1' }]

checkTable('verifyNvidiaToken', {
  titles: nvidiaTokenCheckTitles,
  good: () => token(),
  rows: {
    signatures: {
      fail: () => token({}, { keys: otherKeys }),
      notChecked: unsigned,
    },
    issuer: {
      fail: () => token({ device: { iss: 'https://nras.attestation.nvidia.com.example' } }),
      notChecked: own,
    },
    'token-dates': { fail: () => token({}, { at: new Date(at.getTime() + 3_600_000) }), notChecked: own },
    devices: { fail: () => token({ overall: { submods: {} } }), notChecked: unsigned },
    nonce: {
      fail: () => token({ device: { eat_nonce: '00' } }),
      notChecked: () => verifyNvidiaToken(serviceAnswer(), { keys: serviceKeys, at }).checks,
    },
    result: {
      fail: () => token({ overall: { 'x-nvidia-overall-att-result': 'true' } }),
      notChecked: unsigned,
    },
    measurements: { fail: () => token({ device: { measres: 'failure' } }), notChecked: unsigned },
    certificates: {
      fail: () => token({ device: { 'x-nvidia-attestation-warning': 'CERT_HOLD' } }),
      notChecked: () => token({ device: { 'x-nvidia-gpu-attestation-report-cert-chain': undefined } }),
    },
    report: {
      fail: () => token({ device: { 'x-nvidia-gpu-attestation-report-nonce-match': false } }),
      notChecked: () => token({ device: { 'x-nvidia-gpu-attestation-report-nonce-match': undefined } }),
    },
    'secure-boot': { fail: () => token({ device: { secboot: null } }), notChecked: unsigned },
    debug: { fail: () => token({ device: { dbgstat: 'enabled' } }), notChecked: unsigned },
  },
})

describe('verifyNvidiaToken', () => {
  const failed = (checks: ReturnType<typeof token>) =>
    checks.filter(({ result }) => result === 'fail').map(({ id }) => id)

  it('gives what the service says of each device', () => {
    const { ok, devices, ...told } = verifyNvidiaToken(serviceAnswer(), tokenOptions)
    expect(ok).toBe(true)
    const issuedAt = new Date(at.getTime() - 60_000).toISOString()
    expect(told).toMatchObject({ at: at.toISOString(), nonce: `0x${'06'.repeat(32)}`, issuedAt })
    expect(devices).toEqual([
      {
        name: 'GPU-0',
        hardwareModel: 'GH100 A01 GSP BROM',
        driverVersion: '550.90.07',
        vbiosVersion: '96.00.9F.00.01',
        ueid: '4781',
      },
    ])
  })

  it.each<[string, TokenDefects, object, string[]]>([
    ['a token of tomorrow', { overall: { nbf: at.getTime() / 1000 + 1 } }, {}, ['token-dates']],
    ['a token that never ends', { device: { exp: undefined } }, {}, ['token-dates']],
    ['a device’s token of another issuer', { device: { iss: 'me' } }, {}, ['issuer']],
    ['an overall token for another nonce', { overall: { eat_nonce: 'ff' } }, {}, ['nonce']],
    ['tokens that name no key', { header: { alg: 'ES384' } }, {}, ['signatures']],
    ['tokens that name a number as key', { header: { alg: 'ES384', kid: 7 } }, {}, ['signatures']],
    ['a key that signed nothing of it', {}, { keys: otherKeys }, ['signatures']],
    [
      'a wrong signature beside a token of an unknown key',
      { header: { alg: 'ES384', kid: 'key-2' } },
      { keys: otherKeys },
      ['signatures'],
    ],
  ])('refuses %s', (_, defects, change, ids) => {
    expect(failed(token(defects, change))).toEqual(ids)
  })

  it.each<[string, object[]]>([
    ['without the key that the token names', [{ ...serviceKeys[0], kid: 'key-2' }]],
    ['with two keys of one id', [...serviceKeys, ...serviceKeys]],
    ['with a key of another curve', [{ ...serviceKeys[0], crv: 'P-256' }]],
    ['with a key of another kind', [{ ...serviceKeys[0], kty: 'OKP' }]],
    ['with a key of another length', [{ ...serviceKeys[0], x: 'AAAA' }]],
    ['with a key that is no base64url', [{ ...serviceKeys[0], x: '=' }]],
    ['with a key without an id', [{ ...serviceKeys[0], kid: undefined }]],
  ])('leaves signatures open by a list %s: it may be old', (_, keys) => {
    const checks = token({}, { keys })
    expect(failed(checks)).toEqual([])
    expect(checks.find(({ id }) => id === 'signatures')?.result).toBe('not-checked')
  })

  const chain = 'x-nvidia-gpu-attestation-report-cert-chain'
  it.each<[string, object, string]>([
    ['a warning', { 'x-nvidia-attestation-warning': 'CERT_HOLD' }, 'certificates'],
    [
      'a revoked certificate',
      { [chain]: { ...goodChain, 'x-nvidia-cert-status': 'revoked' } },
      'certificates',
    ],
    [
      'a revoked answer',
      { [chain]: { ...goodChain, 'x-nvidia-cert-ocsp-status': 'revoked' } },
      'certificates',
    ],
    [
      'a reason of revocation',
      { [chain]: { ...goodChain, 'x-nvidia-cert-revocation-reason': 'CERT_HOLD' } },
      'certificates',
    ],
    [
      'an old answer of OCSP',
      { [chain]: { ...goodChain, 'x-nvidia-cert-ocsp-nonce-matches': false } },
      'certificates',
    ],
    [
      'an invalid answer of OCSP',
      { [chain]: { ...goodChain, 'x-nvidia-cert-ocsp-response-valid': false } },
      'certificates',
    ],
    ['a chain that is a text', { [chain]: 'valid' }, 'certificates'],
    [
      'an expired certificate of a reference',
      { 'x-nvidia-gpu-vbios-rim-cert-chain': { ...goodChain, 'x-nvidia-cert-status': 'expired' } },
      'certificates',
    ],
    [
      'a report that is not signed',
      { 'x-nvidia-gpu-attestation-report-signature-verified': false },
      'report',
    ],
    [
      'a signature that is a text',
      { 'x-nvidia-gpu-attestation-report-signature-verified': 'true' },
      'report',
    ],
    ['another nonce', { 'x-nvidia-gpu-attestation-report-nonce-match': false }, 'report'],
    ['another firmware', { [`${chain}-fwid-match`]: false }, 'report'],
    ['another chain of version 2', { [`${chain}-validated`]: false }, 'report'],
    ['another architecture', { 'x-nvidia-gpu-arch-check': false }, 'report'],
    ['a reference that is not signed', { 'x-nvidia-gpu-vbios-rim-signature-verified': false }, 'report'],
    ['a reference that was not fetched', { 'x-nvidia-gpu-driver-rim-fetched': false }, 'report'],
    ['a conflict', { 'x-nvidia-gpu-vbios-index-no-conflict': false }, 'report'],
    ['a report that was not read', { 'x-nvidia-gpu-attestation-report-parsed': false }, 'report'],
    ['no measurements', { 'x-nvidia-gpu-driver-rim-measurements-available': false }, 'report'],
    ['other measurements', { 'x-nvidia-mismatch-measurement-records': [1] }, 'report'],
    ['measurements in another form', { 'x-nvidia-mismatch-measurement-records': {} }, 'report'],
  ])('refuses a device of which the service tells %s', (_, device, id) => {
    const checks = token({ device })
    expect(failed(checks)).toEqual([id])
  })

  it('takes claims that are null as not made, and claims of version 2', () => {
    const nothing = { 'x-nvidia-mismatch-measurement-records': null, 'x-nvidia-gpu-vbios-rim-fetched': null }
    expect(verifyNvidiaToken(serviceAnswer({ device: nothing }), tokenOptions).ok).toBe(true)
    const older = { [chain]: undefined, [`${chain}-validated`]: true }
    expect(verifyNvidiaToken(serviceAnswer({ device: older }), tokenOptions).ok).toBe(true)
    const switches = { 'x-nvidia-switch-arch-check': 'LS10' }
    expect(verifyNvidiaToken(serviceAnswer({ device: switches }), tokenOptions).ok).toBe(true)
    const untold = token({ device: { 'x-nvidia-gpu-attestation-report-signature-verified': null } })
    expect(untold.find(({ id }) => id === 'report')?.result).toBe('not-checked')
  })

  it('wants the list of keys, and says so', () => {
    for (const keys of [undefined, null, { keys: serviceKeys }, [null], ['key']])
      expect(() => token({}, { keys })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  it('takes a nonce in capitals, and no other kind of value', () => {
    const eat_nonce = '06'.repeat(32)
    expect(failed(token({ overall: { eat_nonce: eat_nonce.toUpperCase() } }))).toEqual([])
    expect(failed(token({ overall: { eat_nonce: [eat_nonce] } }))).toEqual(['nonce'])
    const nonce = new Uint8Array(32).fill(0xab)
    const capitals = { eat_nonce: 'AB'.repeat(32) }
    expect(failed(token({ overall: capitals, device: capitals }, { nonce }))).toEqual([])
  })

  it.each<[string, TokenDefects, object]>([
    ['no nonce in the token', { overall: { eat_nonce: undefined } }, { nonce: null }],
    ['another nonce in a device’s', { device: { eat_nonce: '07' } }, { nonce: null }],
    ['a nonce that is no hex', { overall: { eat_nonce: 'x' }, device: { eat_nonce: 'x' } }, { nonce: null }],
    ['half a byte', { overall: { eat_nonce: '0' }, device: { eat_nonce: '0' } }, { nonce: null }],
    ['capitals', { overall: { eat_nonce: '0A' }, device: { eat_nonce: '0a' } }, { nonce: '0x0a' }],
    ['no time of issue', { device: { iat: undefined } }, { issuedAt: null }],
    ['a time that is a text', { overall: { iat: '0' } }, { issuedAt: null }],
    ['a time beyond all dates', { overall: { iat: 1e300 } }, { issuedAt: null }],
    ['a time before 1970', { overall: { iat: -1 } }, { issuedAt: null }],
    ['an older device’s token', { device: { iat: 0 } }, { issuedAt: '1970-01-01T00:00:00.000Z' }],
    ['an older token', { overall: { iat: 1 } }, { issuedAt: '1970-01-01T00:00:01.000Z' }],
  ])('tells nonce and time of issue of all tokens together: %s', (_, defects, told) => {
    expect(verifyNvidiaToken(serviceAnswer(defects), tokenOptions)).toMatchObject(told)
  })

  it('refuses another device’s token, a further one, and one that is missing', () => {
    const [, devices] = serviceAnswer() as [unknown, Record<string, string>]
    const second = serviceToken({ eat_nonce: '06'.repeat(32) })
    for (const given of [
      { 'GPU-1': devices['GPU-0'] },
      { ...devices, 'GPU-1': second },
      { 'GPU-0': second },
    ]) {
      const checks = token({ devices: given as Record<string, string> })
      expect(failed(checks)).toContain('devices')
    }
    const digest = sha256Digest(new TextEncoder().encode(devices['GPU-0'])).slice(7)
    const named = (entry: unknown) => failed(token({ devices, overall: { submods: { 'GPU-0': entry } } }))
    expect(named(['DIGEST', ['SHA-256', digest]])).toEqual([])
    for (const entry of [
      digest,
      ['DIGEST', digest],
      ['DIGEST', ['SHA-256', digest, 0]],
      ['DIGEST', ['SHA-256', digest], 0],
      ['digest', ['SHA-256', digest]],
      ['DIGEST', ['SHA256', digest]],
      ['DIGEST', { 0: 'SHA-256', 1: digest, length: 2 }],
    ])
      expect([entry, named(entry)]).toEqual([entry, ['devices']])
    // However deep it is.
    const deep = `{"submods":{"GPU-0":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
    const { checks } = verifyNvidiaToken([['JWT', serviceToken(deep)], devices], { keys: serviceKeys, at })
    expect(checks.slice(0, 4).map((check) => check.result)).toEqual(['pass', 'fail', 'fail', 'fail'])
    const submods = { 'GPU-0': 0, 'GPU-1': 1 }
    expect(failed(token({ overall: { submods } }))).toEqual(['devices'])
    expect(failed(token({ overall: { submods: 'GPU-0' } }))).toEqual(['devices'])
  })

  it('refuses a changed byte of any token', () => {
    const [[, overall], { 'GPU-0': device }] = serviceAnswer() as [[string, string], Record<string, string>]
    for (const text of [overall, device ?? '']) {
      const cut = text.lastIndexOf('.') + 5
      const changed = `${text.slice(0, cut)}${text[cut] === 'A' ? 'B' : 'A'}${text.slice(cut + 1)}`
      const bundle = [
        ['JWT', text === overall ? changed : overall],
        { 'GPU-0': text === overall ? device : changed },
      ]
      expect(failed(verifyNvidiaToken(bundle, tokenOptions).checks)).toContain('signatures')
    }
  })

  const [jwt, tokens] = serviceAnswer() as [[string, string], Record<string, string>]
  const none = serviceToken({}, { alg: 'none', kid: 'key-1' })
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an object', {}],
    ['no devices', [jwt, {}]],
    ['devices as a list', [jwt, ['a']]],
    ['devices that are null', [jwt, null]],
    ['a device’s name that drives a terminal', [jwt, { '\u001b[2J': tokens['GPU-0'] }]],
    ['a device without a name', [jwt, { '': tokens['GPU-0'] }]],
    ['a third part', [jwt, tokens, 1]],
    ['a token of another kind', [['CWT', jwt[1]], tokens]],
    ['a kind with three parts', [[...jwt, 1], tokens]],
    ['a token that is a number', [['JWT', 7], tokens]],
    ['a token of two parts', [['JWT', 'e30.e30'], tokens]],
    ['a token of four parts', [['JWT', `${jwt[1]}.e30`], tokens]],
    ['a token that is no JSON', [['JWT', 'AA.AA.AA'], tokens]],
    ['a token that is a list', [['JWT', 'W10.W10.AA'], tokens]],
    ['a signature that is no base64url', [['JWT', `${jwt[1]}=`], tokens]],
    ['the algorithm none', [['JWT', none], tokens]],
    ['HS256', [['JWT', serviceToken({}, { alg: 'HS256', kid: 'key-1' })], tokens]],
    ['a critical header', [['JWT', serviceToken({}, { alg: 'ES384', kid: 'key-1', crit: ['b64'] })], tokens]],
    ['65 devices', [jwt, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`GPU-${i}`, jwt[1]]))]],
    ['a token of more than a megabyte', [['JWT', 'A'.repeat((1 << 20) + 1)], tokens]],
  ])('gives a typed error for %s', (_, bundle) => {
    expect(() => verifyNvidiaToken(bundle, tokenOptions)).toThrow(
      expect.objectContaining({ name: 'AttestError', code: 'BAD_EVIDENCE' }),
    )
  })
})
