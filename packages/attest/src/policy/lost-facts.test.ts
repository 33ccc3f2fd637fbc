import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { appraisePlatform, type PlatformPolicy, type PlatformVerdicts } from '../platform-evidence/index.js'
import { changed, claims, hex, minimum, snp, tdx } from '../testing/appraisal-table.js'
import { trust } from '../testing/fixture.js'
import { all, app, dstack, guestPolicy, policy, snpGuest } from '../testing/platform-appraisal-table.js'
import type { SgxClaims, Verdict } from '../verdict/verdict.js'
import { appraise } from './appraise.js'
import type { AttestationPolicy } from './policy.js'

// Verdicts are kept as JSON, copied by other programs and written by older versions. Under policies that use every rule, each fact of
// a verdict is taken away or made something else in turn: the answer must never be `allowed`, and never an error without a code,
// but for the facts that no rule asks for, which are listed.

/** Every place of a value, objects inside objects and the first entry of lists. */
function places(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value) ? Object.entries(value).slice(0, 1) : Object.entries(value)
  return entries.flatMap(([name, inside]) => {
    const place = [...at, name]
    // A check that is lost, or its answer, is another test's.
    return [place, ...(name === 'checks' ? [] : places(inside, place))]
  })
}
/** A copy without one place, or with something else there. */
function without(value: unknown, [name = '', ...rest]: readonly string[], instead: unknown[]): unknown {
  if (Array.isArray(value))
    return value.map((one, i) =>
      String(i) === name ? (rest.length > 0 ? without(one, rest, instead) : instead[0]) : one,
    )
  const entries = Object.entries(value as object).flatMap(([key, inside]) => {
    if (key !== name) return [[key, inside]]
    if (rest.length > 0) return [[key, without(inside, rest, instead)]]
    return instead.map((one) => [key, one])
  })
  return Object.fromEntries(entries)
}
/** Places that may be lost, since no rule of the policy asks for them; anything else must be refused, whatever stands there. */
function unasked(verdict: unknown, ask: (verdict: unknown) => { readonly answer: string }): string[] {
  expect(ask(verdict).answer).toBe('allowed')
  return places(verdict).flatMap((place) => {
    const answers = [[], [undefined], [7.5], [Number.NaN]].map((instead) => {
      try {
        return ask(without(verdict, place, instead)).answer
      } catch (error) {
        if (error instanceof AttestError && error.code === 'BAD_ARGUMENT') return error.code
        throw new Error(`${place.join('.')}: an error without a code`, { cause: error })
      }
    })
    return answers.includes('allowed') ? [place.join('.')] : []
  })
}

const { root } = claims
if (root === null || snp.claims.tee !== 'sev-snp' || snp.claims.root === null) throw new Error('no fixture')
const none = { mask: hex(0, 8), value: hex(0, 8) }
const numbers = { minimumTcbEvaluationDataNumber: 1 }
const strict: AttestationPolicy = {
  ...trust,
  allowSimulator: false,
  roots: [root.certificate, snp.claims.root.certificate],
  acceptedTcbStatuses: ['OutOfDate'],
  acceptedAdvisories: [],
  graceForAdvisories: [{ advisory: 'A', until: '2099-01-01' }],
  minimumTcbDate: '2000-01-01',
}
const stale = { simulated: false, tcbStatus: 'OutOfDate', advisories: ['A'] } as const
const sgxClaims: SgxClaims = {
  tee: 'sgx',
  quoteVersion: 3,
  debug: false,
  reportData: claims.reportData,
  platform: claims.platform,
  collateral: claims.collateral,
  root,
  mrEnclave: hex(1, 32),
  mrSigner: hex(2, 32),
  isvProdId: 5,
  isvSvn: 7,
  attributes: hex(0, 16),
}
const sgx: Verdict = {
  ...tdx,
  ...stale,
  tee: 'sgx',
  checks: tdx.checks.filter(({ id }) => id !== 'tdx-module'),
  claims: sgxClaims,
}
const { mrTd, rtmrs, mrConfigId, mrOwner, mrOwnerConfig } = claims
const wholeTd = { name: 'i', mrTd, rtmrs: [...rtmrs], mrConfigId, mrOwner, mrOwnerConfig }
const { measurement, hostData, idKeyDigest, authorKeyDigest, chipId, familyId, imageId } = snp.claims

const ofTdx = { ...strict, measurements: [wholeTd] }

// What no rule asks for.
const informative = [
  'quoteVersion',
  'platform.fmspc',
  'platform.pceId',
  'platform.pckSerial',
  'collateral.nextUpdate',
]
const informativeSnp = [
  'reportVersion',
  'productName',
  'reportId',
  'reportIdMigrationAgent',
  ...['raw', 'abiMajor', 'abiMinor', 'debug'].map((name) => `guestPolicy.${name}`),
  ...['raw', 'tsme', 'ecc', 'raplDisabled', 'ciphertextHiding', 'tio'].map((name) => `platformInfo.${name}`),
  'authorKeyEnabled',
  'chipKeyMasked',
  'tcb.launch',
  ...['fmc', 'bootloader', 'tee', 'snp', 'microcode'].map((name) => `tcb.launch.${name}`),
  'crlNextUpdate',
]

describe('a verdict that has lost a fact', () => {
  it.each<[string, Verdict, AttestationPolicy, readonly string[]]>([
    [
      'TDX',
      changed(tdx, { verdict: stale, claims: { mrServiceTd: hex(0, 48) } }),
      {
        ...ofTdx,
        reportData: claims.reportData.slice(0, 66) as typeof claims.reportData,
        tdx: { ...numbers, mrSeams: [claims.mrSeam], attributes: none, xfam: none },
      },
      [...informative, 'mrSignerSeam', 'seamAttributes', 'teeTcbSvn', 'teeTcbSvn2'],
    ],
    [
      'SGX',
      sgx,
      {
        ...strict,
        measurements: [{ name: 's', mrSigner: hex(2, 32), isvProdId: 5, minimumIsvSvn: 7 }],
        sgx: { ...numbers, attributes: { mask: hex(0, 16), value: hex(0, 16) } },
      },
      informative,
    ],
    [
      'SEV-SNP',
      changed(snp, { verdict: { simulated: false } }),
      {
        ...strict,
        measurements: [{ name: 'i', measurement, hostData, idKeyDigest, authorKeyDigest }],
        snp: {
          minimumTcb: { Turin: minimum },
          minimumFirmware: [0, 0, 1],
          minimumGuestSvn: 0,
          allowSmt: true,
          signingKeys: ['vcek'],
          chipIds: [chipId ?? hex(0, 8)],
          familyIds: [familyId],
          imageIds: [imageId],
          requiredMitigations: hex(0, 8),
        },
      },
      informativeSnp,
    ],
  ])('of %s is never allowed', (_, verdict, rules, expected) => {
    expect(unasked(verdict, (given) => appraise(given as Verdict, rules))).toEqual(
      expected.map((name) => `claims.${name}`),
    )
  })

  const format = { format: policy.format, version: policy.version } as const
  const nonce = hex(6, 32)
  const { azure, nitro, nvidia, nvidiaToken } = all
  if (azure === undefined || nitro === undefined) throw new Error('no fixture')
  const azureRules = policy.azure ?? { hardware: strict, images: [] }
  // The policy's image names registers 4 and 23.
  const uncovered = Object.keys(azure.registers).filter((index) => index !== '4' && index !== '23')
  const apps = [{ ...app, appId: hex(0x0b, 20) }]
  const keyProviders = [{ name: 'kms' }]
  const pcrs = { ...nitro.claims.pcrs, 8: hex(8, 48) }
  const enclave = Object.fromEntries(Object.entries(pcrs))
  it.each<[string, PlatformVerdicts, Omit<PlatformPolicy, 'format' | 'version'>, readonly string[]]>([
    [
      'dstack',
      { dstack },
      {
        dstack: {
          hardware: policy.dstack?.hardware ?? strict,
          apps,
          keyProviders,
          osImageHashes: [hex(0x0c, 32)],
          allowAppEvents: true,
        },
      },
      ['dstack.facts.instanceId', 'dstack.facts.appEvents.0.name', 'dstack.facts.appEvents.0.payload'],
    ],
    [
      'dstack on SEV-SNP',
      { dstack: snpGuest },
      { dstack: { hardware: guestPolicy, apps, keyProviders } },
      // It is not ok: the policy's compose hash answers for the text that was not given.
      ['dstack.ok', 'dstack.facts.instanceId'],
    ],
    [
      'Azure',
      { azure },
      { azure: { ...azureRules, attestationKeys: [azure.attestationKey], nonce: azure.nonce } },
      [...uncovered.map((index) => `azure.registers.${index}`), 'azure.runtimeData'],
    ],
    [
      'Nitro',
      { nitro: { ...nitro, claims: { ...nitro.claims, pcrs, nonce } } },
      {
        nitro: {
          images: [{ name: 'e', registers: enclave }],
          moduleIds: [nitro.claims.moduleId],
          nonce,
          maximumAgeSeconds: 60,
        },
      },
      ['nitro.claims.publicKey', 'nitro.claims.userData'],
    ],
    [
      'NVIDIA',
      { ...(nvidia && { nvidia }) },
      {
        nvidia: {
          images: [{ name: 'd', registers: { '1': hex(1, 48), '2': hex(2, 48) } }],
          devices: [hex(7, 32)],
          deviceTypes: ['GH100'],
          nonce,
        },
      },
      ['nvidia.authentic', 'nvidia.attestationKey'],
    ],
    [
      'NVIDIA’s service',
      { ...(nvidiaToken && { nvidiaToken }) },
      {
        nvidiaToken: {
          hardwareModels: ['GH100 A01 GSP BROM'],
          driverVersions: ['550.90.07'],
          vbiosVersions: ['96.00.9F.00.01'],
          nonce,
          maximumAgeSeconds: 60,
        },
      },
      ['nvidiaToken.devices.0.ueid'],
    ],
  ])('of %s is never allowed', (_, verdicts, rules, expected) => {
    const lost = unasked(verdicts, (given) =>
      appraisePlatform(given as PlatformVerdicts, { ...format, ...rules }),
    )
    expect(lost.filter((place) => !place.includes('.hardware.'))).toEqual(expected)
  })
})
