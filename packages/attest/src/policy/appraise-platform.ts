import type { AzureVerdict } from '../azure/verify.js'
import type { DstackVerdict } from '../dstack/event-log.js'
import type { NitroVerdict } from '../nitro/verify.js'
import type { NvidiaTokenVerdict } from '../nvidia/token.js'
import type { NvidiaVerdict } from '../nvidia/verify.js'
import type { Check } from '../verdict/check-list.js'
import type { Hex, Verdict } from '../verdict/verdict.js'
import { type Appraisal, answerOf, appraise } from './appraise.js'
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
import { refusalsAbout } from './refusal.js'

/** What was verified of one machine; each kind that the policy names must be there, and no other. */
export interface PlatformVerdicts {
  /** From `verifyDstackCertificate`, or from `verifyDstackEventLog` with the verdict on the quote beside it. */
  readonly dstack?: DstackVerdict & { readonly hardware: Verdict | null }
  readonly azure?: AzureVerdict
  readonly nitro?: NitroVerdict
  readonly nvidia?: NvidiaVerdict
  readonly nvidiaToken?: NvidiaTokenVerdict
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
 * @returns the answer with all reasons, worst first
 * @throws AttestError `BAD_POLICY` when the policy is none
 *
 * @example
 * ```ts no-run
 * const dstack = verifyDstackCertificate(der, { at, collateral })
 * const { answer, reasons } = appraisePlatform({ dstack }, policy)
 * ```
 */
export function appraisePlatform(verdicts: PlatformVerdicts, policy: PlatformPolicy): Appraisal {
  const rules = parsePlatformPolicy(policy)
  const parts = [
    ...part('dstack', verdicts.dstack, rules.dstack, dstackParts),
    ...part('Azure', verdicts.azure, rules.azure, azureParts),
    ...part('Nitro', verdicts.nitro, rules.nitro, nitroParts),
    ...part('NVIDIA', verdicts.nvidia, rules.nvidia, nvidiaParts),
    ...part('NVIDIA token', verdicts.nvidiaToken, rules.nvidiaToken, tokenParts),
  ]
  if (parts.length === 0)
    return { answer: 'not-proved', reasons: ['There is no evidence, and the policy asks for none.'] }
  const rank = ({ answer }: Appraisal) => severity.indexOf(answer)
  const sorted = [...parts].sort((a, b) => rank(a) - rank(b))
  return { answer: sorted[0]?.answer ?? 'not-proved', reasons: sorted.flatMap(({ reasons }) => reasons) }
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

/** The answer about the checks that count, with the policy's own reasons. */
function own(checks: readonly Check[], reasons: readonly string[]): Appraisal {
  const ok = checks.every(({ result }) => result === 'pass')
  const { answer, reasons: all } = answerOf({ ok, checks }, refusalsAbout('configuration', reasons), {
    policys: () => false,
    verifiersOwn: (id) => calendar.has(id),
  })
  return { answer, reasons: all }
}

function hardwareAnswer(hardware: Verdict | null, policy: DstackRules['hardware']): Appraisal {
  if (hardware !== null) return appraise(hardware, policy)
  return { answer: 'not-proved', reasons: ['The hardware under it was not verified.'] }
}

/** Whether one of the images has these values in every register that it names. */
function imageReasons(images: readonly PlatformImage[], registers: Readonly<Record<number, Hex>>): string[] {
  const fits = images.some((image) =>
    Object.entries(image.registers).every(([index, value]) => registers[Number(index)] === value),
  )
  return fits ? [] : ['The policy allows no image with these registers.']
}

const without = (checks: readonly Check[], ...ids: string[]) => checks.filter(({ id }) => !ids.includes(id))
/** Checks without one that was not made, where the policy's own rule answers its question. A failure always counts. */
const answeredElsewhere = (checks: readonly Check[], id: string) =>
  checks.filter((check) => check.id !== id || check.result !== 'not-checked')

function dstackParts(
  { checks, facts, hardware }: NonNullable<PlatformVerdicts['dstack']>,
  rules: DstackRules,
): Appraisal[] {
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
  if (rules.allowAppEvents === false && facts.appEvents.length > 0)
    reasons.push('The app has written events of its own after the boot.')
  return [
    hardwareAnswer(hardware, rules.hardware),
    // The policy names the compose hash, so that nobody needs the text.
    own(answeredElsewhere(without(checks, 'quote'), 'compose-hash'), reasons),
  ]
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
  const reasons = imageReasons(rules.images, verdict.registers)
  if (attestationKeys !== undefined && !attestationKeys.includes(verdict.attestationKey))
    reasons.push('The policy does not name its vTPM’s key.')
  return [hardwareAnswer(verdict.hardware, rules.hardware), own(without(verdict.checks, 'hardware'), reasons)]
}

function nitroParts({ checks, claims }: NitroVerdict, rules: NitroRules): Appraisal[] {
  const reasons = imageReasons(rules.images, claims.pcrs)
  if (claims.debug) reasons.push('It runs in debug mode, so its host reads its console.')
  if (rules.moduleIds !== undefined && !rules.moduleIds.includes(claims.moduleId))
    reasons.push('The policy does not name this module.')
  return [own(without(checks, 'debug'), reasons)]
}

function nvidiaParts(verdict: NvidiaVerdict, rules: NvidiaRules): Appraisal[] {
  const offline = rules.allowOfflineOnly === true
  let { checks } = verdict
  if (offline) checks = answeredElsewhere(checks, 'not-revoked')
  if (offline || rules.images !== undefined) checks = answeredElsewhere(checks, 'measurements')
  const reasons = rules.images === undefined ? [] : imageReasons(rules.images, verdict.measurements)
  if (rules.devices !== undefined && !rules.devices.includes(verdict.device))
    reasons.push('The policy does not name this device.')
  return [own(checks, reasons)]
}

function tokenParts({ checks, devices }: NvidiaTokenVerdict, rules: NvidiaTokenRules): Appraisal[] {
  const reasons: string[] = []
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
  return [own(checks, reasons)]
}
