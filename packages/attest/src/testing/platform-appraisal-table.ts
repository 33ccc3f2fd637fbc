import { describe, expect, it } from 'vitest'
import type { NitroVerdict } from '../nitro/verify.js'
import { nitroCheckTitles } from '../nitro/verify.js'
import { type NvidiaVerdict, nvidiaCheckTitles } from '../nvidia/verify.js'
import {
  appraisePlatform,
  type PlatformPolicy,
  type PlatformVerdicts,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackSnpAttestation,
  verifyNvidiaToken,
} from '../platform-evidence/index.js'
import type { AttestationPolicy } from '../policy/policy.js'
import type { Check } from '../verdict/check-list.js'
import type { TdxClaims } from '../verdict/verdict.js'
import { at, simulator, trust } from './fixture.js'
import {
  amd,
  azureEvidence,
  azureNonce,
  compose,
  dstackSnpContainer,
  gpuNonce,
  raTlsCertificate,
  serviceAnswer,
  serviceKeys,
} from './platform-fixture.js'

// One machine of each kind that passes, and a policy that allows it; each row changes one thing on either side.

export const hex = (fill: number, length: number) =>
  `0x${fill.toString(16).padStart(2, '0').repeat(length)}` as const

export const dstack = verifyDstackCertificate(raTlsCertificate(), {
  collateral: simulator.collateral(at),
  at,
  trustedRoots: [simulator.rootDigest],
  compose,
})
export const tdClaims = dstack.hardware?.claims as TdxClaims
export const tdxPolicy: AttestationPolicy = {
  ...trust,
  measurements: [{ name: 'dstack image', mrTd: tdClaims.mrTd, rtmrs: tdClaims.rtmrs.slice(0, 3) }],
}
export const azure = verifyAzureEvidence(azureEvidence(), {
  snp: { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] },
  nonce: azureNonce,
})
export const snpClaims = azure.hardware?.claims
if (snpClaims?.tee !== 'sev-snp' || snpClaims.tcb === null) throw new Error('the simulator gives SNP claims')
export const snpPolicy: AttestationPolicy = {
  ...trust,
  roots: [amd.rootDigest],
  measurements: [{ name: 'paravisor', measurement: snpClaims.measurement }],
  snp: { minimumTcb: { Genoa: snpClaims.tcb.reported } },
}
export const passing = (titles: Readonly<Record<string, string>>): Check[] =>
  Object.entries(titles).map(([id, title]) => ({ id, title, result: 'pass', detail: 'It holds.' }))
export const nitro: NitroVerdict = {
  ok: true,
  at: at.toISOString(),
  checks: passing(nitroCheckTitles),
  claims: {
    moduleId: 'i-1',
    timestamp: at.toISOString(),
    pcrs: { 0: hex(1, 48), 1: hex(2, 48), 2: hex(3, 48), 8: hex(0, 48) },
    debug: false,
    publicKey: null,
    userData: null,
    nonce: null,
  },
}
export const nvidia: NvidiaVerdict = {
  ok: true,
  authentic: true,
  checks: passing(nvidiaCheckTitles),
  device: 'GH100',
  deviceKey: hex(7, 32),
  attestationKey: hex(8, 32),
  nonce: hex(6, 32),
  measurements: { 1: hex(1, 48), 2: hex(2, 48) },
}
export const nvidiaToken = verifyNvidiaToken(serviceAnswer(), { keys: serviceKeys, at, nonce: gpuNonce })

export const enclave = { '0': hex(1, 48), '1': hex(2, 48), '2': hex(3, 48) }
export const policy: PlatformPolicy = {
  format: 'sealpool/platform-policy',
  version: 1,
  dstack: { hardware: tdxPolicy, apps: [{ name: 'app', composeHash: dstack.facts.composeHash ?? '0x' }] },
  azure: { hardware: snpPolicy, images: [{ name: 'vm', registers: { '4': hex(4, 32), '23': hex(23, 32) } }] },
  nitro: { images: [{ name: 'enclave', registers: enclave }] },
  nvidia: {},
  nvidiaToken: {},
}
export const all: PlatformVerdicts = { dstack, azure, nitro, nvidia, nvidiaToken }
export type Kind = keyof PlatformVerdicts
/** The verdict of one kind under its rules alone. */
export const ask = <K extends Kind>(kind: K, verdict: PlatformVerdicts[K], rules: PlatformPolicy[K]) =>
  appraisePlatform(verdict === undefined ? {} : { [kind]: verdict }, {
    format: policy.format,
    version: 1,
    ...(rules === undefined ? {} : { [kind]: rules }),
  })

export interface Row<K extends Kind> {
  /** What differs from the machine of the others in both verdicts. */
  readonly of?: object
  readonly rules?: Partial<NonNullable<PlatformPolicy[K]>>
  /** What differs from the passing verdict; none: the passing verdict itself fails under `failing`. */
  readonly change?: object
  readonly failing?: Partial<NonNullable<PlatformPolicy[K]>>
  readonly answer?: 'false' | 'not-proved' | 'not-allowed'
  readonly says: RegExp
}
export function table<K extends Kind>(kind: K, rows: Readonly<Record<string, Row<K>>>): void {
  describe(`rules for ${kind}`, () => {
    it.each(Object.entries(rows))('%s', (_, { rules, of, change, failing, answer = 'not-allowed', says }) => {
      const allowing = { ...policy[kind], ...rules } as PlatformPolicy[K]
      const good = { ...all[kind], ...of } as PlatformVerdicts[K]
      expect(ask(kind, good, allowing)).toMatchObject({ answer: 'allowed', reasons: [] })
      const strict = failing === undefined ? allowing : ({ ...policy[kind], ...failing } as PlatformPolicy[K])
      const refused = ask(kind, { ...good, ...change } as PlatformVerdicts[K], strict)
      expect(refused.answer).toBe(answer)
      expect(refused.reasons).toHaveLength(1)
      expect(refused.reasons[0]).toMatch(says)
    })
  })
}
/** A Nitro document that was made so many seconds before the moment of its verdict. */
export const aged = (by: number) => ({
  claims: { ...nitro.claims, timestamp: new Date(at.getTime() - 1000 * by).toISOString() },
})
export const turned = (checks: readonly Check[], id: string, result: Check['result']) => ({
  checks: checks.map((check) => (check.id === id ? { ...check, result, detail: 'changed' } : check)),
})
export const facts = (change: object) => ({ facts: { ...dstack.facts, ...change } })
const [first] = policy.dstack?.apps ?? []
if (first === undefined || dstack.hardware === null || azure.hardware === null) throw new Error('no fixture')
export const app = first
export const azureHardware = azure.hardware

export const snpGuest = verifyDstackSnpAttestation(dstackSnpContainer(), {
  crl: amd.crl(at),
  at,
  trustedRoots: [amd.rootDigest],
})
export const guestClaims = snpGuest.hardware.claims
if (guestClaims.tee !== 'sev-snp') throw new Error('the simulator gives SNP claims')
export const guestPolicy = {
  ...snpPolicy,
  measurements: [{ name: 'dstack image', measurement: guestClaims.measurement }],
  reportData: guestClaims.reportData,
}
