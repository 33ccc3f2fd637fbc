import { type AzureVerdict, azureCheckTitles } from '../azure/verify.js'
import { dstackCertificateCheckTitles } from '../dstack/certificate.js'
import { type DstackFacts, type DstackVerdict, dstackCheckTitles } from '../dstack/event-log.js'
import { raTlsReportData } from '../dstack/ra-tls.js'
import { type DstackSnpVerdict, dstackSnpCheckTitles } from '../dstack/snp-attestation.js'
import { gpuLimits } from '../gpu/gpu-limits.js'
import { gpuModeEventName } from '../gpu/gpu-mode.js'
import { type NitroVerdict, nitroCheckTitles } from '../nitro/verify.js'
import { type NvidiaTokenVerdict, nvidiaTokenCheckTitles } from '../nvidia/token.js'
import { type NvidiaVerdict, nvidiaCheckTitles } from '../nvidia/verify.js'
import { type Check, unanswered } from '../verdict/check-list.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import { type Appraisal, answerOf, appraise } from './appraise.js'
import { gpuParts } from './appraise-gpu.js'
import {
  type AzureRules,
  type DstackRules,
  type NitroRules,
  type NvidiaRules,
  type NvidiaTokenRules,
  type PlatformImage,
  type PlatformPolicy,
  parsePlatformPolicy,
} from './platform-policy.js'
import { platformVerdictsSchema } from './platform-verdict-form.js'
import { refusalsAbout } from './refusal.js'

/** What was verified of one machine; each kind that the policy names must be there, and no other. */
export interface PlatformVerdicts {
  /**
   * From `verifyDstackCertificate`, or from `verifyDstackEventLog` with the verdict on the quote beside it. The log must have been
   * held against the registers of that very quote, and a certificate's key must be the one in its report data. From
   * `verifyDstackSnpAttestation` for a guest of SEV-SNP; the report's host data must name its document.
   */
  readonly dstack?: DstackTdxVerdict | DstackSnpVerdict
  readonly azure?: AzureVerdict
  readonly nitro?: NitroVerdict
  readonly nvidia?: NvidiaVerdict
  readonly nvidiaToken?: NvidiaTokenVerdict
}

/** A verdict on dstack's event log with that on the quote, and the key of an RA-TLS certificate where there is one. */
type DstackTdxVerdict = DstackVerdict & { readonly hardware: Verdict | null; readonly publicKey?: Hex }

/** Answer of {@link appraisePlatform}. */
export interface PlatformAppraisal extends Appraisal {
  /** What evidence of this kind cannot prove, in plain words, whatever the answer is: to be shown beside it. Of GPUs only so far. */
  readonly limits: readonly string[]
}

/** Worst first: what is proved wrong outweighs what is open, and that what is refused. */
const severity = ['false', 'not-proved', 'not-allowed', 'allowed'] as const
/** Evidence that is too old, or certificates out of date: nothing is proved, and nothing is proved wrong. */
const calendar = new Set(['certificate-dates', 'fresh', 'token-dates'])

/**
 * Holds what was verified of a platform above TDX and SEV-SNP against a policy: its hardware by the same rules as `appraise`,
 * and its own facts. The answers are those of `appraise`, the worst one of all parts.
 *
 * @param verdicts of one machine, by kind
 * @param policy which of them are good enough; a kind that it does not name is refused, one that is missing is not proved
 * @returns the answer with all reasons, worst first, and what such evidence cannot prove at all
 * @throws AttestError `BAD_POLICY` when the policy is none; `BAD_ARGUMENT` when a verdict is none, or has lost a fact that
 *   policies ask for
 *
 * @example
 * ```ts no-run
 * const dstack = verifyDstackCertificate(der, { at, collateral })
 * const { answer, reasons } = appraisePlatform({ dstack }, policy)
 * ```
 */
export function appraisePlatform(verdicts: PlatformVerdicts, policy: PlatformPolicy): PlatformAppraisal {
  const rules = parsePlatformPolicy(policy)
  platformVerdictsSchema.parse(verdicts)
  const parts = [
    ...part('dstack', verdicts.dstack, rules.dstack, (verdict, own) =>
      dstackParts(verdict, own, rules.gpu === undefined ? [] : [gpuModeEventName]),
    ),
    ...part('Azure', verdicts.azure, rules.azure, azureParts),
    ...part('Nitro', verdicts.nitro, rules.nitro, nitroParts),
    ...part('NVIDIA', verdicts.nvidia, rules.nvidia, nvidiaParts),
    ...part('NVIDIA token', verdicts.nvidiaToken, rules.nvidiaToken, tokenParts),
    ...(rules.gpu === undefined
      ? []
      : gpuParts(
          { guest: verdicts.dstack, report: verdicts.nvidia, token: verdicts.nvidiaToken },
          rules.gpu,
        )),
  ]
  const shown = verdicts.nvidia !== undefined || verdicts.nvidiaToken !== undefined
  const limits = shown || rules.gpu !== undefined ? gpuLimits : []
  if (parts.length === 0)
    return { answer: 'not-proved', reasons: ['There is no evidence, and the policy asks for none.'], limits }
  const rank = ({ answer }: Appraisal) => severity.indexOf(answer)
  const sorted = [...parts].sort((a, b) => rank(a) - rank(b))
  return {
    answer: sorted[0]?.answer ?? 'not-proved',
    reasons: sorted.flatMap(({ reasons }) => reasons),
    limits,
  }
}

function part<V, R>(
  kind: string,
  verdict: V | undefined,
  rules: R | undefined,
  ask: (verdict: V, rules: R) => Appraisal[],
): Appraisal[] {
  if (verdict !== undefined && rules !== undefined) return ask(verdict, rules)
  if (verdict !== undefined)
    return [{ answer: 'not-allowed', reasons: [`The policy has no rules for ${kind} evidence.`] }]
  if (rules === undefined) return []
  return [{ answer: 'not-proved', reasons: [`The policy asks for ${kind} evidence, and none was given.`] }]
}

/** The answer about the checks that count, with the policy's own reasons; each question of the kind must be answered once. */
function own(
  verdict: { readonly ok: boolean; readonly checks: readonly Check[] },
  titles: Readonly<Record<string, string>>,
  answeredElsewhere: (check: Check) => boolean,
  reasons: readonly string[],
): Appraisal {
  const counted = verdict.checks.filter((check) => !answeredElsewhere(check))
  // A verdict is not ok for the sake of a check whose question the policy answers; for any other reason it must be.
  const excused = verdict.checks.some((check) => answeredElsewhere(check) && check.result !== 'pass')
  const { answer, reasons: all } = answerOf(
    { ok: verdict.ok === true || excused, checks: [...counted, ...unanswered(verdict.checks, titles)] },
    refusalsAbout('configuration', reasons),
    { policys: () => false, verifiersOwn: (id) => calendar.has(id) },
  )
  return { answer, reasons: all }
}

/** What is open when a verdict and the hardware's beside it are not of one machine; nothing when they are. */
function untied(problem: string | undefined): Appraisal[] {
  return problem === undefined ? [] : [{ answer: 'not-proved', reasons: [problem] }]
}

function hardwareAnswer(hardware: Verdict | null | undefined, policy: DstackRules['hardware']): Appraisal {
  if (hardware !== null && hardware !== undefined) return appraise(hardware, policy)
  return { answer: 'not-proved', reasons: ['The hardware under it was not verified.'] }
}

/** Whether one of the images has these values in every register that it names. */
function imageReasons(images: readonly PlatformImage[], registers: Readonly<Record<number, Hex>>): string[] {
  const fits = images.some((image) =>
    Object.entries(image.registers).every(([index, value]) => registers[Number(index)] === value),
  )
  return fits ? [] : ['The policy allows no image with these registers.']
}

/** What a verdict's nonce is refused for, and whether the policy answers for a verifier that was given none. */
function nonceRule(
  wanted: Hex | undefined,
  carried: Hex | null,
): { readonly reasons: string[]; readonly answers: (check: Check) => boolean } {
  return {
    reasons:
      wanted === undefined || wanted === carried ? [] : ['It was made for another nonce than the policy’s.'],
    answers: ({ id, result }) => id === 'nonce' && result === 'not-checked' && wanted !== undefined,
  }
}

/** A clock may run ahead by a minute, as for the verifiers. */
const clockSkewSeconds = 60

function ageReasons(limit: number | undefined, at: string, made: string | null): string[] {
  if (limit === undefined) return []
  const age = Math.floor((Date.parse(at) - Date.parse(made ?? '')) / 1000)
  if (!Number.isFinite(age)) return ['It does not tell when it was made, and the policy limits its age.']
  if (age < -clockSkewSeconds) return ['It was made after the moment that was asked for.']
  return age <= limit ? [] : [`It is ${age} seconds old, the policy allows ${limit}.`]
}

/** Why a dstack verdict is not about the machine that the hardware's verdict is about. */
function dstackTieProblem({ checks, rtmrs, hardware, publicKey }: DstackTdxVerdict): string | undefined {
  // A verdict that was kept may have lost it.
  if (!hardware) return undefined
  const { claims } = hardware
  if (claims.tee !== 'tdx') return 'The hardware’s verdict is about no TDX guest.'
  if (!Array.isArray(rtmrs) || ![0, 1, 2, 3].every((index) => rtmrs[index] === claims.rtmrs[index]))
    return 'The event log was held against the registers of another quote than the hardware’s.'
  const certificate = publicKey !== undefined || checks.some(({ id }) => id === 'key-binding')
  if (certificate && raTlsReportData(publicKey) !== claims.reportData)
    return 'The hardware’s quote vouches for another key than the certificate’s.'
  return undefined
}

/** @param asked names of events that another part of the policy asks the app for */
function dstackParts(
  verdict: NonNullable<PlatformVerdicts['dstack']>,
  rules: DstackRules,
  asked: readonly string[],
): Appraisal[] {
  if (isSnp(verdict)) return dstackSnpParts(verdict, rules)
  const { checks, facts, hardware, publicKey } = verdict
  const reasons = dstackReasons(facts, rules)
  if (rules.allowAppEvents === false && facts.appEvents.some(({ name }) => !asked.includes(name)))
    reasons.push('The app has written events of its own after the boot.')
  const fromLog = publicKey === undefined && checks.every(({ id }) => Object.hasOwn(dstackCheckTitles, id))
  return [
    hardwareAnswer(hardware, rules.hardware),
    ...untied(dstackTieProblem(verdict)),
    own(
      verdict,
      fromLog ? dstackCheckTitles : dstackCertificateCheckTitles,
      // The hardware's own policy judges the quote; this one names the compose hash, so that nobody needs the text.
      ({ id, result }) =>
        id === 'quote' || id === 'debug' || (id === 'compose-hash' && result === 'not-checked'),
      reasons,
    ),
  ]
}

function isSnp(verdict: DstackTdxVerdict | DstackSnpVerdict): verdict is DstackSnpVerdict {
  return 'mrConfig' in verdict && verdict.mrConfig !== undefined
}

function dstackSnpParts(verdict: DstackSnpVerdict, rules: DstackRules): Appraisal[] {
  const { facts, hardware, mrConfig } = verdict
  const reasons = dstackReasons(facts, rules)
  if (rules.allowAppEvents === false)
    reasons.push('Whether its app has written events of its own, no register of SEV-SNP can tell.')
  // A verdict that was kept may have lost it.
  const claims = (hardware as Verdict | null | undefined)?.claims
  const tied = claims === undefined || (claims.tee === 'sev-snp' && claims.hostData === mrConfig)
  return [
    hardwareAnswer(hardware, rules.hardware),
    ...untied(tied ? undefined : 'The hardware’s report names another configuration document.'),
    own(
      verdict,
      dstackSnpCheckTitles,
      // As above; what was asked for is the hardware policy's `reportData`.
      ({ id, result }) =>
        id === 'report' ||
        id === 'debug' ||
        (id === 'compose-hash' && result === 'not-checked') ||
        (id === 'report-data' && result === 'not-checked' && rules.hardware.reportData !== undefined),
      reasons,
    ),
  ]
}

function dstackReasons(facts: DstackFacts, rules: DstackRules): string[] {
  const reasons: string[] = []
  const app = rules.apps.some(
    ({ composeHash, appId }) =>
      composeHash === facts.composeHash && (appId === undefined || appId === facts.appId),
  )
  if (!app) reasons.push('The policy allows no app with this compose hash and app id.')
  if (rules.keyProviders !== undefined) {
    const given = keyProvider(facts.keyProvider)
    const named = rules.keyProviders.some(
      ({ name, id }) => name === given?.name && (id === undefined || id === given.id),
    )
    if (!named) reasons.push('The policy does not allow the giver of its keys.')
  }
  const image = facts.osImageHash
  if (rules.osImageHashes !== undefined && (image === null || !rules.osImageHashes.includes(image)))
    reasons.push('The policy does not allow the image that its key provider names.')
  return reasons
}

function keyProvider(text: string | null): { readonly name: string; readonly id: string } | undefined {
  try {
    // What is no object has no name; null is caught below.
    const { name, id } = JSON.parse(text ?? '') as Record<string, unknown>
    return typeof name === 'string' && typeof id === 'string' ? { name, id: `0x${id}` } : undefined
  } catch {
    return undefined
  }
}

function azureParts(verdict: AzureVerdict, rules: AzureRules): Appraisal[] {
  const { attestationKeys } = rules
  const nonce = nonceRule(rules.nonce, verdict.nonce)
  const reasons = [...imageReasons(rules.images, verdict.registers), ...nonce.reasons]
  if (attestationKeys !== undefined && !attestationKeys.includes(verdict.attestationKey))
    reasons.push('The policy does not name its vTPM’s key.')
  const { 'td-report': _, ...snpTitles } = azureCheckTitles
  return [
    hardwareAnswer(verdict.hardware, rules.hardware),
    ...untied(azureTieProblem(verdict)),
    own(
      verdict,
      verdict.tee === 'tdx' ? azureCheckTitles : snpTitles,
      // The hardware's own policy judges its evidence, and never allows debug.
      (check) => check.id === 'hardware' || check.id === 'debug' || nonce.answers(check),
      reasons,
    ),
  ]
}

function azureTieProblem({ tee, hardware, reportData }: AzureVerdict): string | undefined {
  // A verdict that was kept may have lost it.
  if (!hardware) return undefined
  return hardware.claims.tee === tee && hardware.claims.reportData === reportData
    ? undefined
    : 'The HCL report was made on another machine than the hardware’s verdict is about.'
}

function nitroParts(verdict: NitroVerdict, rules: NitroRules): Appraisal[] {
  const { claims, at } = verdict
  const nonce = nonceRule(rules.nonce, claims.nonce)
  const reasons = [
    ...nitroImageReasons(rules, claims.pcrs),
    ...nonce.reasons,
    ...ageReasons(rules.maximumAgeSeconds, at, claims.timestamp),
  ]
  if (claims.debug) reasons.push('It runs in debug mode, so its host reads its console.')
  if (rules.moduleIds !== undefined && !rules.moduleIds.includes(claims.moduleId))
    reasons.push('The policy does not name this module.')
  return [own(verdict, nitroCheckTitles, (check) => check.id === 'debug' || nonce.answers(check), reasons)]
}

/** An enclave of a signed image fits only an image that says who signed it. */
function nitroImageReasons(
  { images, allowPartialImages }: NitroRules,
  pcrs: NitroVerdict['claims']['pcrs'],
): string[] {
  const reasons = imageReasons(images, pcrs)
  // One that was lost tells nothing: documents carry it, with zeros where nobody signed.
  const signed = !/^0x0+$/.test(pcrs[8] ?? '')
  if (reasons.length > 0 || !signed || allowPartialImages === true) return reasons
  const naming = images.filter(({ registers }) => registers['8'] !== undefined)
  return imageReasons(naming, pcrs).length === 0
    ? []
    : [
        'Its image is signed (or PCR8 is missing), and no image of the policy that fits names the signer (PCR8).',
      ]
}

function nvidiaParts(verdict: NvidiaVerdict, rules: NvidiaRules): Appraisal[] {
  const offline = rules.allowOfflineOnly === true
  const blocks = Object.keys(verdict.measurements)
  // An image that leaves a block out says nothing of it, so that NVIDIA's own values are still asked for.
  const whole = rules.images?.some(
    (image) =>
      imageReasons([image], verdict.measurements).length === 0 &&
      blocks.every((index) => Object.hasOwn(image.registers, index)),
  )
  const nonce = nonceRule(rules.nonce, verdict.nonce)
  const reasons = [
    ...(rules.images === undefined ? [] : imageReasons(rules.images, verdict.measurements)),
    ...nonce.reasons,
  ]
  if (rules.devices !== undefined && !rules.devices.includes(verdict.deviceKey ?? '0x'))
    reasons.push('The policy does not name this device.')
  if (rules.deviceTypes !== undefined && !rules.deviceTypes.includes(verdict.device))
    reasons.push('The policy does not name this type of device.')
  const open = (id: string) =>
    (id === 'not-revoked' && offline) || (id === 'measurements' && (offline || whole === true))
  return [
    own(
      verdict,
      nvidiaCheckTitles,
      (check) => (check.result === 'not-checked' && open(check.id)) || nonce.answers(check),
      reasons,
    ),
  ]
}

function tokenParts(verdict: NvidiaTokenVerdict, rules: NvidiaTokenRules): Appraisal[] {
  const { devices } = verdict
  const nonce = nonceRule(rules.nonce, verdict.nonce)
  const reasons = [...nonce.reasons, ...ageReasons(rules.maximumAgeSeconds, verdict.at, verdict.issuedAt)]
  const outside = (allowed: readonly string[] | undefined, value: string | null) =>
    allowed !== undefined && (value === null || !allowed.includes(value))
  for (const { name, hardwareModel, driverVersion, vbiosVersion } of devices) {
    if (outside(rules.hardwareModels, hardwareModel))
      reasons.push(`The policy does not allow the model of ${name}.`)
    if (outside(rules.driverVersions, driverVersion))
      reasons.push(`The policy does not allow the driver of ${name}.`)
    if (outside(rules.vbiosVersions, vbiosVersion))
      reasons.push(`The policy does not allow the VBIOS of ${name}.`)
  }
  return [own(verdict, nvidiaTokenCheckTitles, nonce.answers, reasons)]
}
