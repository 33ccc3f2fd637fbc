import { hexToBytes } from '@noble/hashes/utils.js'
import { digestOf } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { verifyDstackEventLog } from '../dstack/event-log.js'
import { AttestError } from '../errors.js'
import type { NitroVerdict } from '../nitro/verify.js'
import { nitroCheckTitles } from '../nitro/verify.js'
import { type NvidiaVerdict, nvidiaCheckTitles } from '../nvidia/verify.js'
import {
  appraisePlatform,
  type DstackRules,
  dstackSnpCheckTitles,
  type PlatformPolicy,
  type PlatformVerdicts,
  parsePlatformPolicy,
  platformPolicyDigest,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackSnpAttestation,
  verifyNvidiaToken,
} from '../platform-evidence/index.js'
import { at, simulator, trust } from '../testing/fixture.js'
import {
  amd,
  azureEvidence,
  azureNonce,
  compose,
  dstackLog,
  dstackSnpContainer,
  gpuNonce,
  raTlsCertificate,
  serviceAnswer,
  serviceKeys,
} from '../testing/platform-fixture.js'
import type { Check } from '../verdict/check-list.js'
import type { TdxClaims, Verdict } from '../verdict/verdict.js'
import { verifyQuote, verifySnpReport } from '../with-platform.js'
import type { AttestationPolicy } from './policy.js'

// One machine of each kind that passes, and a policy that allows it; each row changes one thing on either side.

const hex = (fill: number, length: number) =>
  `0x${fill.toString(16).padStart(2, '0').repeat(length)}` as const

const dstack = verifyDstackCertificate(raTlsCertificate(), {
  collateral: simulator.collateral(at),
  at,
  trustedRoots: [simulator.rootDigest],
  compose,
})
const tdClaims = dstack.hardware?.claims as TdxClaims
const tdxPolicy: AttestationPolicy = {
  ...trust,
  measurements: [{ name: 'dstack image', mrTd: tdClaims.mrTd, rtmrs: tdClaims.rtmrs.slice(0, 3) }],
}
const azure = verifyAzureEvidence(azureEvidence(), {
  snp: { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] },
  nonce: azureNonce,
})
const snpClaims = azure.hardware?.claims
if (snpClaims?.tee !== 'sev-snp' || snpClaims.tcb === null) throw new Error('the simulator gives SNP claims')
const snpPolicy: AttestationPolicy = {
  ...trust,
  roots: [amd.rootDigest],
  measurements: [{ name: 'paravisor', measurement: snpClaims.measurement }],
  snp: { minimumTcb: { Genoa: snpClaims.tcb.reported } },
}
const passing = (titles: Readonly<Record<string, string>>): Check[] =>
  Object.entries(titles).map(([id, title]) => ({ id, title, result: 'pass', detail: 'It holds.' }))
const nitro: NitroVerdict = {
  ok: true,
  at: at.toISOString(),
  checks: passing(nitroCheckTitles),
  claims: {
    moduleId: 'i-1',
    timestamp: at.toISOString(),
    pcrs: { 0: hex(1, 48), 1: hex(2, 48), 2: hex(3, 48) },
    debug: false,
    publicKey: null,
    userData: null,
    nonce: null,
  },
}
const nvidia: NvidiaVerdict = {
  ok: true,
  authentic: true,
  checks: passing(nvidiaCheckTitles),
  device: 'GH100',
  deviceKey: hex(7, 32),
  attestationKey: hex(8, 32),
  nonce: hex(6, 32),
  measurements: { 1: hex(1, 48), 2: hex(2, 48) },
}
const nvidiaToken = verifyNvidiaToken(serviceAnswer(), { keys: serviceKeys, at, nonce: gpuNonce })

const enclave = { '0': hex(1, 48), '1': hex(2, 48), '2': hex(3, 48) }
const policy: PlatformPolicy = {
  format: 'sealpool/platform-policy',
  version: 1,
  dstack: { hardware: tdxPolicy, apps: [{ name: 'app', composeHash: dstack.facts.composeHash ?? '0x' }] },
  azure: { hardware: snpPolicy, images: [{ name: 'vm', registers: { '4': hex(4, 32), '23': hex(23, 32) } }] },
  nitro: { images: [{ name: 'enclave', registers: enclave }] },
  nvidia: {},
  nvidiaToken: {},
}
const all: PlatformVerdicts = { dstack, azure, nitro, nvidia, nvidiaToken }
type Kind = keyof PlatformVerdicts
/** The verdict of one kind under its rules alone. */
const ask = <K extends Kind>(kind: K, verdict: PlatformVerdicts[K], rules: PlatformPolicy[K]) =>
  appraisePlatform(verdict === undefined ? {} : { [kind]: verdict }, {
    format: policy.format,
    version: 1,
    ...(rules === undefined ? {} : { [kind]: rules }),
  })

interface Row<K extends Kind> {
  /** What differs from the machine of the others in both verdicts. */
  readonly of?: object
  readonly rules?: Partial<NonNullable<PlatformPolicy[K]>>
  /** What differs from the passing verdict; none: the passing verdict itself fails under `failing`. */
  readonly change?: object
  readonly failing?: Partial<NonNullable<PlatformPolicy[K]>>
  readonly answer?: 'false' | 'not-proved' | 'not-allowed'
  readonly says: RegExp
}
function table<K extends Kind>(kind: K, rows: Readonly<Record<string, Row<K>>>): void {
  describe(`rules for ${kind}`, () => {
    it.each(Object.entries(rows))('%s', (_, { rules, of, change, failing, answer = 'not-allowed', says }) => {
      const allowing = { ...policy[kind], ...rules } as PlatformPolicy[K]
      const good = { ...all[kind], ...of } as PlatformVerdicts[K]
      expect(ask(kind, good, allowing)).toEqual({ answer: 'allowed', reasons: [] })
      const strict = failing === undefined ? allowing : ({ ...policy[kind], ...failing } as PlatformPolicy[K])
      const refused = ask(kind, { ...good, ...change } as PlatformVerdicts[K], strict)
      expect(refused.answer).toBe(answer)
      expect(refused.reasons).toHaveLength(1)
      expect(refused.reasons[0]).toMatch(says)
    })
  })
}
/** A Nitro document that was made so many seconds before the moment of its verdict. */
const aged = (by: number) => ({
  claims: { ...nitro.claims, timestamp: new Date(at.getTime() - 1000 * by).toISOString() },
})
const turned = (checks: readonly Check[], id: string, result: Check['result']) => ({
  checks: checks.map((check) => (check.id === id ? { ...check, result, detail: 'changed' } : check)),
})
const facts = (change: object) => ({ facts: { ...dstack.facts, ...change } })
const [app] = policy.dstack?.apps ?? []
if (app === undefined || dstack.hardware === null || azure.hardware === null) throw new Error('no fixture')

table('dstack', {
  'compose hash': { change: facts({ composeHash: hex(9, 32) }), says: /no app with this compose hash/ },
  'compose hash that is not recorded': { change: facts({ composeHash: null }), says: /no app with this/ },
  'app id': {
    rules: { apps: [{ ...app, appId: hex(0x0b, 20) }] },
    failing: { apps: [{ ...app, appId: hex(0x0d, 20) }] },
    says: /no app with this compose hash and app id/,
  },
  'no app': { failing: { apps: [] }, says: /no app/ },
  'key provider': {
    rules: { keyProviders: [{ name: 'kms', id: '0x3059' }] },
    failing: { keyProviders: [{ name: 'local-sgx' }] },
    says: /giver of its keys/,
  },
  'key provider’s id': {
    rules: { keyProviders: [{ name: 'kms' }] },
    failing: { keyProviders: [{ name: 'kms', id: '0x3058' }] },
    says: /giver of its keys/,
  },
  'key provider that is not recorded': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: null }),
    says: /giver of its keys/,
  },
  'key provider that is no JSON': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: 'kms' }),
    says: /giver of its keys/,
  },
  'key provider that is JSON null': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: 'null' }),
    says: /giver of its keys/,
  },
  'key provider that is a number': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: '7' }),
    says: /giver of its keys/,
  },
  'key provider without an id': {
    rules: { keyProviders: [{ name: 'kms' }] },
    change: facts({ keyProvider: '{"name":"kms"}' }),
    says: /giver of its keys/,
  },
  'os image': {
    rules: { osImageHashes: [hex(0x0c, 32)] },
    failing: { osImageHashes: [hex(0x0d, 32)] },
    says: /image that its key provider names/,
  },
  'os image that is not recorded': {
    rules: { osImageHashes: [hex(0x0c, 32)] },
    change: facts({ osImageHash: null }),
    says: /image that its key provider names/,
  },
  'events of the app': {
    rules: { allowAppEvents: true },
    failing: { allowAppEvents: false },
    says: /events of its own/,
  },
  hardware: { change: { hardware: null }, answer: 'not-proved', says: /hardware under it was not verified/ },
  'hardware that was lost': {
    change: { hardware: undefined },
    answer: 'not-proved',
    says: /hardware under it/,
  },
  'the hardware’s policy': {
    failing: { hardware: { ...tdxPolicy, measurements: [] } },
    says: /no measurement like this/,
  },
  'a check that fails': {
    change: turned(dstack.checks, 'rtmr3', 'fail'),
    answer: 'false',
    says: /replays to RTMR3/,
  },
  'a check that was not made': {
    change: turned(dstack.checks, 'key-binding', 'not-checked'),
    answer: 'not-proved',
    says: /vouches for the certificate’s key/,
  },
  'a certificate out of date': {
    change: turned(dstack.checks, 'certificate-dates', 'fail'),
    answer: 'not-proved',
    says: /in date/,
  },
  'debug, whatever the verifier allows': {
    change: { hardware: { ...dstack.hardware, claims: { ...tdClaims, debug: true } } },
    says: /runs under debug/,
  },
  'another compose text': {
    change: turned(dstack.checks, 'compose-hash', 'fail'),
    answer: 'false',
    says: /compose text/,
  },
})
const snpGuest = verifyDstackSnpAttestation(dstackSnpContainer(), {
  crl: amd.crl(at),
  at,
  trustedRoots: [amd.rootDigest],
})
const guestClaims = snpGuest.hardware.claims
if (guestClaims.tee !== 'sev-snp') throw new Error('the simulator gives SNP claims')
const guestPolicy = {
  ...snpPolicy,
  measurements: [{ name: 'dstack image', measurement: guestClaims.measurement }],
  reportData: guestClaims.reportData,
}
describe('rules for dstack on SEV-SNP', () => {
  const rules = { hardware: guestPolicy, apps: [app] }
  const answer = (verdict: object, change: Partial<DstackRules> = {}) =>
    ask('dstack', { ...snpGuest, ...verdict } as PlatformVerdicts['dstack'], { ...rules, ...change })

  it('allow a guest whose app, image and report data they name, without compose text and nonce', () => {
    expect(snpGuest.ok).toBe(false)
    expect(answer({})).toEqual({ answer: 'allowed', reasons: [] })
    const change = {
      keyProviders: [{ name: 'kms', id: '0x3059' as const }],
      apps: [{ ...app, appId: hex(0x0b, 20) }],
    }
    expect(answer({}, change).answer).toBe('allowed')
  })

  const { reportData: _, ...unasked } = guestPolicy
  const other = { ...snpGuest.hardware, claims: { ...guestClaims, hostData: hex(1, 32) } }
  it.each<[string, object, Partial<DstackRules>, string, RegExp]>([
    ['another app', {}, { apps: [{ ...app, composeHash: hex(1, 32) }] }, 'not-allowed', /no app/],
    ['another app id', {}, { apps: [{ ...app, appId: hex(1, 20) }] }, 'not-allowed', /no app/],
    ['another key provider', {}, { keyProviders: [{ name: 'local' }] }, 'not-allowed', /giver of its keys/],
    ['an image hash', {}, { osImageHashes: [hex(12, 32)] }, 'not-allowed', /key provider names/],
    ['no events of the app', {}, { allowAppEvents: false }, 'not-allowed', /no register of SEV-SNP/],
    [
      'another image',
      {},
      { hardware: { ...guestPolicy, measurements: [] } },
      'not-allowed',
      /no measurement/,
    ],
    [
      'other report data',
      {},
      { hardware: { ...guestPolicy, reportData: hex(1, 64) } },
      'not-allowed',
      /report data/,
    ],
    ['no report data', {}, { hardware: unasked }, 'not-proved', /data that were asked for/],
    ['another document', { hardware: other }, {}, 'not-proved', /another configuration document/],
    [
      'hardware of another kind',
      { hardware: dstack.hardware },
      { hardware: tdxPolicy },
      'not-proved',
      /another/,
    ],
    ['no hardware', { hardware: null }, {}, 'not-proved', /hardware under it was not verified/],
    ['hardware that was lost', { hardware: undefined }, {}, 'not-proved', /hardware under it/],
    [
      'a check that fails',
      turned(snpGuest.checks, 'mr-config', 'fail'),
      {},
      'false',
      /configuration document/,
    ],
    ['another compose text', turned(snpGuest.checks, 'compose-hash', 'fail'), {}, 'false', /compose text/],
    ['other data than asked', turned(snpGuest.checks, 'report-data', 'fail'), {}, 'false', /asked for/],
    ['no checks', { checks: [] }, {}, 'not-proved', /not one answer/],
    [
      'debug, whatever the verifier allows',
      { hardware: { ...snpGuest.hardware, claims: { ...guestClaims, debug: true } } },
      {},
      'not-allowed',
      /runs under debug/,
    ],
  ])('refuse %s', (_, verdict, change, expected, says) => {
    const given = answer(verdict, change)
    expect(given.answer).toBe(expected)
    expect(given.reasons[0]).toMatch(says)
  })

  it.each(Object.keys(dstackSnpCheckTitles))('ask for one answer to %s', (id) => {
    const others = snpGuest.checks.filter((check) => check.id !== id)
    expect(answer({ checks: others }).answer).toBe('not-proved')
    expect(
      answer({ checks: [...snpGuest.checks, ...snpGuest.checks.filter((check) => check.id === id)] }).answer,
    ).toBe('not-proved')
  })
})

table('azure', {
  'a register': { failing: { images: [{ name: 'vm', registers: { '4': hex(5, 32) } }] }, says: /no image/ },
  'a register that the quote does not cover': { change: { registers: { 4: hex(4, 32) } }, says: /no image/ },
  'no image': { failing: { images: [] }, says: /no image/ },
  'attestation key': {
    rules: { attestationKeys: [azure.attestationKey] },
    failing: { attestationKeys: [hex(1, 32)] },
    says: /vTPM’s key/,
  },
  hardware: { change: { hardware: null }, answer: 'not-proved', says: /hardware under it was not verified/ },
  'hardware that was lost': {
    change: { hardware: undefined },
    answer: 'not-proved',
    says: /hardware under it/,
  },
  'the hardware’s policy': {
    failing: { hardware: { ...snpPolicy, snp: { minimumTcb: {} } } },
    says: /no minimum TCB/,
  },
  'the hardware’s root': {
    failing: { hardware: { ...snpPolicy, roots: ['amd'] } },
    says: /does not name its root/,
  },
  'a check that fails': {
    change: turned(azure.checks, 'tpm-signature', 'fail'),
    answer: 'false',
    says: /attestation key/,
  },
  'the nonce of the policy': {
    rules: { nonce: azure.nonce },
    failing: { nonce: '0x06' },
    of: turned(azure.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'another nonce than the verifier’s': {
    rules: { nonce: azure.nonce },
    change: turned(azure.checks, 'nonce', 'fail'),
    answer: 'false',
    says: /made for the nonce/,
  },
  'debug, whatever the verifier allows': {
    change: { hardware: { ...azure.hardware, claims: { ...azure.hardware.claims, debug: true } } },
    says: /runs under debug/,
  },
  'a nonce that nobody asked for': {
    change: turned(azure.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
})
const signed = { claims: { ...nitro.claims, pcrs: { ...nitro.claims.pcrs, 8: hex(8, 48) } } }
const nitroImages = (registers: object) => ({
  images: [{ name: 'e', registers: { ...enclave, ...registers } }],
})
table('nitro', {
  PCR0: { failing: nitroImages({ '0': hex(9, 48) }), says: /no image/ },
  PCR1: { failing: nitroImages({ '1': hex(9, 48) }), says: /no image/ },
  PCR2: { failing: nitroImages({ '2': hex(9, 48) }), says: /no image/ },
  'a register that is not there': { failing: nitroImages({ '8': hex(9, 48) }), says: /no image/ },
  'a signer whom no image names': { change: signed, says: /names the signer \(PCR8\)/ },
  'another signer': { failing: nitroImages({ '8': hex(9, 48) }), change: signed, says: /no image/ },
  'a signer whom only another image names': {
    rules: {
      images: [...nitroImages({}).images, ...nitroImages({ '0': hex(9, 48), '8': hex(8, 48) }).images],
    },
    change: signed,
    says: /names the signer/,
  },
  'the nonce of the policy': {
    rules: { nonce: '0x06' },
    change: { claims: { ...nitro.claims, nonce: '0x07' } },
    says: /another nonce than the policy/,
    of: { claims: { ...nitro.claims, nonce: '0x06' } },
  },
  'no nonce, where the policy names one': { failing: { nonce: '0x06' }, says: /another nonce/ },
  'an age': {
    rules: { maximumAgeSeconds: 10 },
    failing: { maximumAgeSeconds: 9 },
    of: aged(10),
    says: /10 seconds old, the policy allows 9/,
  },
  'a moment after the verdict’s': {
    rules: { maximumAgeSeconds: 10 },
    of: aged(-60),
    change: aged(-61),
    says: /after the moment/,
  },
  'a verdict without its moment': {
    rules: { maximumAgeSeconds: 10 },
    change: { at: undefined },
    says: /does not tell when/,
  },
  debug: { change: { claims: { ...nitro.claims, debug: true } }, says: /debug mode/ },
  'module id': { rules: { moduleIds: ['i-1'] }, failing: { moduleIds: ['i-2'] }, says: /this module/ },
  'a document that is too old': {
    change: turned(nitro.checks, 'fresh', 'fail'),
    answer: 'not-proved',
    says: /not long before/,
  },
  'another root': {
    change: turned(nitro.checks, 'root-trusted', 'fail'),
    answer: 'false',
    says: /pinned root/,
  },
})
table('nvidia', {
  'a block': {
    rules: { images: [{ name: 'driver', registers: { '2': hex(2, 48) } }] },
    failing: { images: [{ name: 'driver', registers: { '2': hex(3, 48) } }] },
    says: /no image/,
  },
  'a block that the device did not measure': {
    rules: { images: [{ name: 'driver', registers: { '2': hex(2, 48) } }] },
    failing: { images: [{ name: 'driver', registers: { '3': hex(2, 48) } }] },
    says: /no image/,
  },
  device: {
    rules: { devices: [hex(7, 32)] },
    failing: { devices: [hex(8, 32)] },
    says: /this device/,
  },
  'a device that is not told': {
    rules: { devices: [hex(7, 32)] },
    change: { deviceKey: null },
    says: /this device/,
  },
  'type of device': {
    rules: { deviceTypes: ['GH100'] },
    failing: { deviceTypes: ['GB100'] },
    says: /this type of device/,
  },
  'the nonce of the policy': {
    rules: { nonce: hex(6, 32) },
    failing: { nonce: hex(7, 32) },
    of: turned(nvidia.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'a nonce that nobody asked for': {
    change: turned(nvidia.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
  'revocation that nobody asked for': {
    change: turned(nvidia.checks, 'not-revoked', 'not-checked'),
    answer: 'not-proved',
    says: /revoked or on hold/,
  },
  'a revoked device, offline or not': {
    rules: { allowOfflineOnly: true },
    change: turned(nvidia.checks, 'not-revoked', 'fail'),
    answer: 'false',
    says: /revoked or on hold/,
  },
  'measurements without reference values': {
    change: turned(nvidia.checks, 'measurements', 'not-checked'),
    answer: 'not-proved',
    says: /published/,
  },
  'other measurements than published, offline or not': {
    rules: { allowOfflineOnly: true },
    change: turned(nvidia.checks, 'measurements', 'fail'),
    answer: 'false',
    says: /published/,
  },
})
table('nvidiaToken', {
  model: {
    rules: { hardwareModels: ['GH100 A01 GSP BROM'] },
    failing: { hardwareModels: ['GB100'] },
    says: /model of GPU-0/,
  },
  driver: {
    rules: { driverVersions: ['550.90.07'] },
    failing: { driverVersions: ['1'] },
    says: /driver of GPU-0/,
  },
  VBIOS: {
    rules: { vbiosVersions: ['96.00.9F.00.01'] },
    failing: { vbiosVersions: [] },
    says: /VBIOS of GPU-0/,
  },
  'a model that is not told': {
    rules: { hardwareModels: ['GH100 A01 GSP BROM'] },
    change: { devices: nvidiaToken.devices.map((one) => ({ ...one, hardwareModel: null })) },
    says: /model of GPU-0/,
  },
  'the nonce of the policy': {
    rules: { nonce: hex(6, 32) },
    failing: { nonce: hex(7, 32) },
    of: turned(nvidiaToken.checks, 'nonce', 'not-checked'),
    says: /another nonce than the policy/,
  },
  'a nonce that nobody asked for': {
    change: turned(nvidiaToken.checks, 'nonce', 'not-checked'),
    answer: 'not-proved',
    says: /nonce/,
  },
  'an age': {
    rules: { maximumAgeSeconds: 60 },
    failing: { maximumAgeSeconds: 59 },
    says: /60 seconds old, the policy allows 59/,
  },
  'a time of issue that is not told': {
    rules: { maximumAgeSeconds: 60 },
    change: { issuedAt: null },
    says: /does not tell when/,
  },
  'a token that has ended': {
    change: turned(nvidiaToken.checks, 'token-dates', 'fail'),
    answer: 'not-proved',
    says: /valid at the moment/,
  },
  'a token that nobody signed': {
    change: turned(nvidiaToken.checks, 'signatures', 'fail'),
    answer: 'false',
    says: /signed by a key/,
  },
})

describe('appraisePlatform', () => {
  it('allows a machine whose every part the policy names', () => {
    expect(appraisePlatform(all, policy)).toEqual({ answer: 'allowed', reasons: [] })
  })

  it.each(Object.keys(all) as Kind[])(
    'demands %s when it is named, and refuses it when it is not',
    (kind) => {
      const { [kind]: _, ...others } = all
      expect(appraisePlatform(others, policy)).toMatchObject({
        answer: 'not-proved',
        reasons: [/none was given/],
      })
      const { [kind]: __, ...fewer } = policy
      expect(appraisePlatform(all, fewer)).toMatchObject({
        answer: 'not-allowed',
        reasons: [/has no rules for/],
      })
    },
  )

  it('gives the worst answer of all parts, and every reason, worst first', () => {
    const broken = { ...nitro, ...turned(nitro.checks, 'signature', 'fail') }
    const { nvidia: _, ...missing } = { ...all, nitro: broken }
    const rules = { ...policy, azure: { hardware: snpPolicy, images: [] } }
    const { answer, reasons } = appraisePlatform(missing, rules)
    expect(answer).toBe('false')
    expect(reasons).toEqual([
      expect.stringMatching(/signed by its certificate/),
      expect.stringMatching(/asks for NVIDIA/),
      expect.stringMatching(/no image/),
    ])
  })

  it('proves nothing of nothing', () => {
    const { format, version } = policy
    const { answer, reasons } = appraisePlatform({}, { format, version })
    expect([answer, reasons.length]).toEqual(['not-proved', 1])
  })

  it('takes an event log with the quote beside it, and needs no compose text when the policy names its hash', () => {
    const log = verifyDstackEventLog({ eventLog: dstackLog, claims: tdClaims })
    expect(log.ok).toBe(false)
    const verdicts = { dstack: { ...log, hardware: dstack.hardware } }
    expect(ask('dstack', verdicts.dstack, policy.dstack).answer).toBe('allowed')
  })

  it('proves nothing of an event log and a quote that do not belong together', () => {
    const quoted = (quote: Parameters<typeof simulator.quote>[0]) =>
      verifyQuote(simulator.quote(quote), {
        collateral: simulator.collateral(at),
        at,
        trustedRoots: [simulator.rootDigest],
      })
    const bytes = (value: string) => hexToBytes(value.slice(2))
    const rtmrs = tdClaims.rtmrs.map(bytes)
    const log = verifyDstackEventLog({ eventLog: dstackLog, claims: tdClaims, compose })
    expect(log.rtmrs).toEqual(tdClaims.rtmrs)
    const anyImage = { ...tdxPolicy, measurements: [{ name: 'image', mrTd: tdClaims.mrTd }] }
    const rules = { hardware: anyImage, apps: [app] }
    const answer = (verdict: object, hardware: Verdict | null) =>
      ask('dstack', { ...verdict, hardware } as PlatformVerdicts['dstack'], rules)
    const reportData = bytes(tdClaims.reportData)
    for (const index of [0, 1, 2, 3]) {
      const others = rtmrs.map((one, i) => (i === index ? new Uint8Array(48).fill(1) : one))
      for (const verdict of [log, dstack]) {
        const { answer: given, reasons } = answer(verdict, quoted({ reportData, rtmrs: others }))
        expect([given, reasons]).toEqual(['not-proved', [expect.stringMatching(/another quote/)]])
      }
    }
    // An event log alone vouches for no key; a certificate's key must be the one in the quote beside it.
    const otherKey = quoted({ reportData: new Uint8Array(64), rtmrs })
    expect(answer(log, otherKey).answer).toBe('allowed')
    const { publicKey: _, ...unnamed } = dstack
    for (const verdict of [dstack, unnamed, { ...dstack, publicKey: '0x' }, { ...dstack, publicKey: 7 }])
      expect(answer(verdict, otherKey)).toEqual({
        answer: 'not-proved',
        reasons: [expect.stringMatching(/vouches for another key/)],
      })
    expect(answer(unnamed, quoted({ reportData, rtmrs })).answer).toBe('not-proved')
    expect(answer({ ...dstack, publicKey: '0x00' }, dstack.hardware).answer).toBe('not-proved')
    expect(answer(dstack, quoted({ reportData, rtmrs })).answer).toBe('allowed')
    // Verdicts that tell no registers, and hardware of another kind.
    for (const none of [null, undefined, [], 'rtmrs'])
      expect(answer({ ...log, rtmrs: none }, dstack.hardware).reasons).toEqual([
        expect.stringMatching(/another quote/),
      ])
    const mixed = ask('dstack', { ...log, hardware: azure.hardware }, { hardware: snpPolicy, apps: [app] })
    expect(mixed).toEqual({ answer: 'not-proved', reasons: [expect.stringMatching(/no TDX guest/)] })
  })

  it('proves nothing of Azure’s evidence beside another machine’s hardware', () => {
    const other = verifySnpReport(amd.report({ reportData: new Uint8Array(64) }), {
      certificates: amd.certificates(),
      crl: amd.crl(at),
      at,
      trustedRoots: [amd.rootDigest],
    })
    expect(other.ok).toBe(true)
    expect(ask('azure', { ...azure, hardware: other }, policy.azure)).toEqual({
      answer: 'not-proved',
      reasons: [expect.stringMatching(/another machine/)],
    })
    const given = ask('azure', { ...azure, tee: 'tdx' }, policy.azure)
    expect([given.answer, given.reasons.length]).toEqual(['not-proved', 2])
  })

  it.each(Object.keys(all) as Kind[])('asks the verdict of %s for each of its questions once', (kind) => {
    const verdict = all[kind]
    if (verdict === undefined) throw new Error('no fixture')
    const answer = (change: object) =>
      ask(kind, { ...verdict, ...change } as PlatformVerdicts[Kind], policy[kind])
    expect(answer({}).answer).toBe('allowed')
    expect(answer({ ok: false, checks: [] }).answer).toBe('not-proved')
    expect(answer({ checks: [] }).answer).toBe('not-proved')
    expect(answer({ ok: false }).reasons).toEqual(['The verdict is not ok.'])
    expect(answer({ ok: 'yes' }).answer).toBe('not-proved')
    verdict.checks.forEach((check, i) => {
      const [title] = [check.title]
      const cut = answer({ checks: verdict.checks.filter((_, j) => i !== j) })
      expect([cut.answer, cut.reasons[0]?.startsWith(title)]).toEqual(['not-proved', true])
      expect(answer({ checks: [...verdict.checks, check] }).answer).toBe('not-proved')
    })
  })

  it.each([null, undefined, 'x', { nitro: null }, { dstack: 7 }, { azure: {} }])(
    'refuses %j as verdicts',
    (verdicts) => {
      expect(() => appraisePlatform(verdicts as PlatformVerdicts, policy)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      )
    },
  )

  it('offline alone is allowed by name only', () => {
    const open = {
      ...nvidia,
      checks: [
        ...turned(turned(nvidia.checks, 'not-revoked', 'not-checked').checks, 'measurements', 'not-checked')
          .checks,
      ],
    }
    const images = [{ name: 'driver', registers: { '1': hex(1, 48), '2': hex(2, 48) } }]
    const partly = [{ name: 'driver', registers: { '1': hex(1, 48) } }]
    const measured = { ...nvidia, ...turned(nvidia.checks, 'measurements', 'not-checked') }
    // A block that no image names may be anything, so that NVIDIA's values are still asked for.
    expect(ask('nvidia', measured, { images: partly }).answer).toBe('not-proved')
    const other = [{ name: 'other', registers: { '1': hex(1, 48), '2': hex(9, 48) } }]
    expect(ask('nvidia', measured, { images: [...partly, ...other] }).answer).toBe('not-proved')
    expect(ask('nvidia', measured, { images: partly, allowOfflineOnly: true }).answer).toBe('allowed')
    expect(ask('nvidia', measured, { images }).answer).toBe('allowed')
    expect(ask('nvidia', measured, {}).answer).toBe('not-proved')
    expect(ask('nvidia', open, {}).answer).toBe('not-proved')
    expect(ask('nvidia', open, { images }).answer).toBe('not-proved')
    expect(ask('nvidia', open, { allowOfflineOnly: true }).answer).toBe('allowed')
    expect(ask('nvidia', open, { images, allowOfflineOnly: true }).answer).toBe('allowed')
  })
})

describe('parsePlatformPolicy', () => {
  const place = (json: unknown) => {
    try {
      parsePlatformPolicy(json)
      return 'ok'
    } catch (error) {
      return error instanceof AttestError ? `${error.code} ${error.place}` : error
    }
  }
  const full: PlatformPolicy = {
    ...policy,
    dstack: {
      hardware: tdxPolicy,
      apps: [{ name: 'a', composeHash: hex(1, 32), appId: hex(2, 20) }],
      keyProviders: [{ name: 'kms', id: '0x' }],
      osImageHashes: [hex(3, 32)],
      allowAppEvents: false,
    },
    azure: { hardware: snpPolicy, images: [], attestationKeys: [hex(1, 32)], nonce: '0x00' },
    nitro: {
      images: [{ name: 'e', registers: { '3': hex(1, 48) } }],
      allowPartialImages: true,
      moduleIds: ['i'],
      nonce: '0x00',
      maximumAgeSeconds: 1,
    },
    nvidia: {
      images: [{ name: 'd', registers: { '255': '0x' } }],
      devices: [hex(7, 32)],
      deviceTypes: ['d'],
      nonce: '0x00',
      allowOfflineOnly: false,
    },
    nvidiaToken: {
      hardwareModels: ['h'],
      driverVersions: ['d'],
      vbiosVersions: ['v'],
      nonce: '0x00',
      maximumAgeSeconds: 1,
    },
  }

  it('reads every rule back as it was', () => {
    expect(parsePlatformPolicy(JSON.parse(JSON.stringify(full)))).toEqual(full)
    expect(platformPolicyDigest(full)).toBe(digestOf(full))
    expect(platformPolicyDigest(full)).not.toBe(platformPolicyDigest(policy))
    expect(() => platformPolicyDigest({} as PlatformPolicy)).toThrow(AttestError)
  })

  const image = (registers: unknown) => ({ images: [{ name: 'i', registers }] })
  it.each([
    ['policy', undefined],
    ['policy', { ...full, allowDebug: true }],
    ['policy.format', { ...full, format: 'sealpool/attestation-policy' }],
    ['policy.version', { ...full, version: 2 }],
    ['policy.dstack', { ...full, dstack: null }],
    ['policy.dstack.hardware', { ...full, dstack: { apps: [] } }],
    ['policy.dstack.hardware.roots', { ...full, dstack: { hardware: { ...tdxPolicy, roots: 1 }, apps: [] } }],
    ['policy.dstack.apps', { ...full, dstack: { hardware: tdxPolicy } }],
    ['policy.dstack.apps.0.composeHash', { ...full, dstack: { hardware: tdxPolicy, apps: [{ name: 'a' }] } }],
    ['policy.azure.images', { ...full, azure: { hardware: snpPolicy } }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({}) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image([hex(1, 48)]) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image(null) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '01': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '32': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers.0', { ...full, nitro: image({ '0': hex(1, 32) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '3': hex(0, 48) }) }],
    ['policy.nitro.images.0.registers.0', { ...full, nitro: image({ ...enclave, '0': undefined }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '1': hex(1, 48), '2': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '0': hex(1, 48), '2': hex(1, 48) }) }],
    ['policy.nitro.images.0.registers', { ...full, nitro: image({ '0': hex(1, 48), '1': hex(1, 48) }) }],
    [
      'policy.nitro.images.0.registers',
      { ...full, nitro: { ...image({ '0': hex(1, 48) }), allowPartialImages: false } },
    ],
    ['policy.nitro.maximumAgeSeconds', { ...full, nitro: { images: [], maximumAgeSeconds: 0 } }],
    ['policy.nvidiaToken.maximumAgeSeconds', { ...full, nvidiaToken: { maximumAgeSeconds: 1.5 } }],
    ['policy.nvidia', { ...full, nvidia: { maximumAgeSeconds: 1 } }],
    ['policy.azure', { ...full, azure: { hardware: snpPolicy, images: [], maximumAgeSeconds: 1 } }],
    ['policy.azure.nonce', { ...full, azure: { hardware: snpPolicy, images: [], nonce: '0x' } }],
    ['policy.nvidia.nonce', { ...full, nvidia: { nonce: '06' } }],
    ['policy.nvidia', { ...full, nvidia: { allowDebug: true } }],
    ['policy.nvidia.devices', { ...full, nvidia: { devices: 'GH100' } }],
    ['policy.nvidiaToken.driverVersions.0', { ...full, nvidiaToken: { driverVersions: new Array(1) } }],
  ])('names the place: %s', (where, json) => {
    expect(place(json)).toBe(`BAD_POLICY ${where}`)
    expect(() => appraisePlatform(all, json as PlatformPolicy)).toThrow(AttestError)
  })
})
