import { snpCheckTitles } from '../amd/parts.js'
import { quoteTitles } from '../intel/parts.js'
import { type Check, unanswered } from '../verdict/check-list.js'
import type { IntelClaims, SgxClaims, TdxClaims, Verdict } from '../verdict/verdict.js'
import { snpRefusals } from './appraise-snp.js'
import { type AttestationPolicy, parseAttestationPolicy, type SgxRules, type TdxRules } from './policy.js'
import { type Refusal, refusalsAbout } from './refusal.js'
import { verdictSchema } from './verdict-form.js'

/**
 * The answer of a policy.
 *
 * - `allowed`: proved, and the policy accepts it
 * - `false`: the evidence is proved to be wrong (a signature fails, a certificate is revoked, a value contradicts another)
 * - `not-proved`: nothing speaks against it, but something that is needed was not checked, is out of date, or is about another
 *   platform (collateral that the verifier holds)
 * - `not-allowed`: proved, but the policy does not accept it
 */
export interface Appraisal {
  readonly answer: 'allowed' | 'false' | 'not-proved' | 'not-allowed'
  /** Every reason found, in plain words; empty only for `allowed`. */
  readonly reasons: readonly string[]
}

/** Checks that fail because of the calendar: the evidence may well be true, newer collateral would show it. */
const calendar = new Set(['certificate-dates', 'crl-dates', 'collateral-dates'])
/**
 * Checks about what the verifier brings along (collateral, certificates, lists): when they fail, it holds the wrong ones, and
 * the evidence may well be true.
 */
const verifiersOwn = {
  intel: new Set([
    'collateral',
    'platform-match',
    'collateral-chains',
    'root-crl',
    'pck-crl',
    'tcb-info-signature',
    'qe-identity-signature',
  ]),
  'sev-snp': new Set(['certificates', 'crl']),
}
/** Which roots are trusted is the policy's question, so a root nobody named is not a contradiction. */
const trust = 'root-trusted'
/** A TCB level that Intel revoked or never listed is authentic news about a real platform, and no forgery. */
const level = 'tcb-level'

/**
 * Holds a verdict against a policy. Verification and appraisal are separate on purpose: the same proof may be good enough for
 * one purpose and not for another, and "false", "not proved" and "not allowed" call for different remedies.
 *
 * @param verdict from `verifyQuote`
 * @param policy which evidence is good enough
 * @returns the answer with all reasons
 * @throws AttestError `BAD_POLICY` when the policy is none; `BAD_ARGUMENT` when the verdict is none, or has lost a fact that policies
 *   ask for
 *
 * @example
 * ```ts no-run
 * const { answer, reasons } = appraise(verdict, { ...defaultAttestationPolicy, measurements: [{ name: 'v1', mrTd }] })
 * if (answer !== 'allowed') throw new Error(reasons.join('; '))
 * ```
 */
export function appraise(verdict: Verdict, policy: AttestationPolicy): Appraisal {
  const { answer, reasons } = appraiseWithRefusals(verdict, policy)
  return { answer, reasons }
}

/**
 * The same, with what each refusal is about.
 *
 * @param verdict as for {@link appraise}
 * @param policy as for {@link appraise}
 * @returns the answer, its reasons, and the refusals among them
 */
export function appraiseWithRefusals(
  verdict: Verdict,
  policy: AttestationPolicy,
): Appraisal & { readonly refusals: readonly Refusal[] } {
  // Callers without types give anything: a rule that is misspelt or missing must be an error, and no silent yes.
  const rules = parseAttestationPolicy(policy)
  verdictSchema.parse(verdict)
  const refusals = refusalsOf(verdict, rules)
  const { tee } = verdict.claims
  const titles = tee === 'sev-snp' ? snpCheckTitles : quoteTitles({ tee })
  const open = unanswered(verdict.checks, titles)
  return answerOf({ ok: verdict.ok, checks: [...verdict.checks, ...open] }, refusals, {
    // The policy answers what was asked with another answer, not what nobody asked.
    policys: (id) => (id === trust || id === level) && open.every((one) => one.id !== id),
    verifiersOwn: (id) => calendar.has(id) || isVerifiersOwn(id, verdict),
  })
}

/**
 * The one answer that checks and refusals give: what is wrong goes before what is open, and that before what is refused.
 *
 * @param verdict its checks, and whether it is ok
 * @param refusals of the policy
 * @param kinds of checks
 * @param kinds.policys checks that are the policy's question, which its refusals answer
 * @param kinds.verifiersOwn checks that fail because the verifier holds the wrong or old things, so that nothing is proved
 * @returns the answer, its reasons, and the refusals among them
 */
export function answerOf(
  verdict: { readonly ok: boolean; readonly checks: readonly Check[] },
  refusals: readonly Refusal[],
  kinds: { readonly policys: (id: string) => boolean; readonly verifiersOwn: (id: string) => boolean },
): Appraisal & { readonly refusals: readonly Refusal[] } {
  const wrong: string[] = []
  const unproved: string[] = []
  for (const check of verdict.checks) {
    if (check.result === 'pass' || kinds.policys(check.id)) continue
    const reason = `${check.title}: ${check.detail}`
    if (check.result === 'fail' && !kinds.verifiersOwn(check.id)) wrong.push(reason)
    else unproved.push(reason)
  }
  const refused = refusals.map(({ reason }) => reason)
  if (wrong.length > 0) return { answer: 'false', reasons: [...wrong, ...unproved, ...refused], refusals }
  if (unproved.length > 0) return { answer: 'not-proved', reasons: [...unproved, ...refused], refusals }
  if (refused.length > 0) return { answer: 'not-allowed', reasons: refused, refusals }
  // Every check passed one by one and no rule refused; `ok` says the same, and is asked all the same.
  if (verdict.ok !== true) return { answer: 'not-proved', reasons: ['The verdict is not ok.'], refusals }
  return { answer: 'allowed', reasons: [], refusals }
}

function isVerifiersOwn(id: string, { claims, tcbStatus }: Verdict): boolean {
  if (claims.tee === 'sev-snp') return verifiersOwn['sev-snp'].has(id)
  // The quote's own certificates could be read: it was those of the collateral that could not.
  if (id === 'certificates') return claims.platform !== null
  // A module that the TCB info does not know yet, in contrast to one that differs from what it describes.
  if (id === 'tdx-module') return tcbStatus === 'TCB_NOT_SUPPORTED'
  return verifiersOwn.intel.has(id)
}

function refusalsOf(verdict: Verdict, policy: AttestationPolicy): Refusal[] {
  const { claims } = verdict
  const debug = claims.debug ? ['It runs under debug, so its host can read its memory.'] : []
  const reportData =
    policy.reportData === undefined || claims.reportData.startsWith(policy.reportData)
      ? []
      : ['Its report data is not the one that the policy asks for.']
  return [
    ...refusalsAbout('instance-identity', rootRefusals(verdict, policy)),
    ...refusalsAbout('runtime-opaque', debug),
    ...(claims.tee === 'sev-snp'
      ? snpRefusals(claims, policy.snp)
      : refusalsAbout('hardware', tcbRefusals(verdict, policy))),
    ...(claims.tee === 'tdx' ? tdxRefusals(claims, policy.tdx ?? {}) : []),
    ...(claims.tee === 'sgx' ? sgxRefusals(claims, policy.sgx ?? {}) : []),
    ...refusalsAbout('executables', measurementRefusals(verdict, policy)),
    ...refusalsAbout('configuration', reportData),
    ...refusalsAbout('hardware', ageRefusals(verdict, policy)),
  ]
}

function rootRefusals(verdict: Verdict, policy: AttestationPolicy): string[] {
  const { root } = verdict.claims
  const reasons: string[] = []
  if (verdict.simulated && !policy.allowSimulator) {
    reasons.push('It is SIMULATED: no hardware stands behind it, and the policy does not allow simulators.')
  }
  const named =
    root !== null &&
    ((root.vendor !== null && policy.roots.includes(root.vendor)) ||
      policy.roots.includes(root.certificate) ||
      policy.roots.includes(root.publicKey))
  if (!named) reasons.push(`The policy does not name its root “${root?.commonName ?? 'unknown'}”.`)
  return reasons
}

function tcbRefusals(verdict: Verdict, policy: AttestationPolicy): string[] {
  const { tcbStatus, tcbDate, advisories } = verdict
  if (tcbStatus === null) return ['Its TCB status is unknown.']
  const reasons: string[] = []
  if (!policy.acceptedTcbStatuses.includes(tcbStatus)) {
    const detail = verdict.checks.find((check) => check.id === level)?.detail ?? ''
    reasons.push(`The policy does not accept its TCB: ${detail}`)
  }
  // Since 2026 Intel lists advisories beside UpToDate as well: there they are mended, and no reason to refuse.
  const grace = (policy.graceForAdvisories ?? []).filter(
    ({ until }) => Date.parse(verdict.at) <= Date.parse(until),
  )
  const accepted = [...policy.acceptedAdvisories, ...grace.map(({ advisory }) => advisory)]
  const open = advisories.filter((advisory) => !accepted.includes(advisory))
  if (tcbStatus !== 'UpToDate' && open.length > 0) {
    reasons.push(`Advisories apply that the policy does not accept: ${open.join(', ')}.`)
  }
  const minimum = policy.minimumTcbDate
  if (minimum !== undefined && (tcbDate === null || Date.parse(tcbDate) < Date.parse(minimum))) {
    reasons.push(
      `Its TCB is of ${tcbDate?.slice(0, 10) ?? 'no date'}, the policy asks for ${minimum} or later.`,
    )
  }
  return reasons
}

function tdxRefusals(claims: TdxClaims, rules: TdxRules): Refusal[] {
  const refusals: Refusal[] = []
  const refuse = (about: Refusal['about'], reason: string) => refusals.push({ about, reason })
  const { mrSeam, mrServiceTd, tdAttributes, xfam } = claims
  if (rules.mrSeams !== undefined && !rules.mrSeams.includes(mrSeam)) {
    refuse('hardware', `The policy does not allow this TDX module (MRSEAM ${mrSeam.slice(0, 18)}…).`)
  }
  const bound = mrServiceTd !== null && !/^0x0+$/.test(mrServiceTd)
  if (bound && rules.mrServiceTds?.includes(mrServiceTd) !== true) {
    refuse('executables', 'A service TD is bound to it that the policy does not name (mrServiceTds).')
  }
  if (differs(tdAttributes, rules.attributes))
    refuse('configuration', `The policy does not allow its attributes ${tdAttributes}.`)
  if (differs(xfam, rules.xfam)) refuse('configuration', `The policy does not allow its XFAM ${xfam}.`)
  return [...refusals, ...numberRefusals(claims, rules.minimumTcbEvaluationDataNumber)]
}

function sgxRefusals(claims: SgxClaims, rules: SgxRules): Refusal[] {
  const attributes = differs(claims.attributes, rules.attributes)
    ? [`The policy does not allow its attributes ${claims.attributes}.`]
    : []
  return [
    ...refusalsAbout('configuration', attributes),
    ...numberRefusals(claims, rules.minimumTcbEvaluationDataNumber),
  ]
}

/** Whether a value differs from a rule's in the bits of its mask. */
function differs(value: string, rule: TdxRules['attributes']): boolean {
  return (
    rule !== undefined && (BigInt(value) & BigInt(rule.mask)) !== (BigInt(rule.value) & BigInt(rule.mask))
  )
}

function numberRefusals({ collateral }: IntelClaims, needs = 0): Refusal[] {
  // Intel's own number of a verification is the lower one of both documents: each is chosen by whoever shows it.
  const has =
    collateral === null
      ? 0
      : Math.min(collateral.tcbEvaluationDataNumber, collateral.qeTcbEvaluationDataNumber)
  if (has >= needs) return []
  const reason = `Its collateral has TCB evaluation data number ${has}, the policy asks for ${needs}.`
  return refusalsAbout('hardware', [reason])
}

/** Whether every field of `wanted` besides its name has the same value among the claims. */
function matches(claims: object, wanted: object): boolean {
  const values = new Map(Object.entries(claims))
  return Object.entries(wanted).every(([field, value]) => {
    if (field === 'name' || value === undefined) return true
    const actual: unknown = values.get(field)
    if (Array.isArray(value)) return Array.isArray(actual) && value.every((item, i) => actual[i] === item)
    return actual === value
  })
}

function measurementRefusals({ claims }: Verdict, policy: AttestationPolicy): string[] {
  const match = policy.measurements.some((wanted) => {
    if ('mrSigner' in wanted) {
      const { minimumIsvSvn, ...rest } = wanted
      return claims.tee === 'sgx' && matches(claims, rest) && claims.isvSvn >= minimumIsvSvn
    }
    const tee = 'mrTd' in wanted ? 'tdx' : 'measurement' in wanted ? 'sev-snp' : 'sgx'
    return claims.tee === tee && matches(claims, wanted)
  })
  if (match) return []
  const measured =
    claims.tee === 'tdx'
      ? `MRTD ${claims.mrTd.slice(0, 18)}…`
      : claims.tee === 'sgx'
        ? `MRENCLAVE ${claims.mrEnclave.slice(0, 18)}…`
        : `launch digest ${claims.measurement.slice(0, 18)}…`
  return [`The policy allows no measurement like this one (${measured}).`]
}

function ageRefusals({ claims, at }: Verdict, policy: AttestationPolicy): string[] {
  // AMD's certificates do not age; the revocation list has its own date, which is a check of the verdict.
  if (claims.tee === 'sev-snp') return []
  const issued = claims.collateral?.issueDate
  if (issued === undefined) return ['The age of its collateral is unknown.']
  const age = Math.floor((Date.parse(at) - Date.parse(issued)) / 1000)
  if (age <= policy.maximumAgeSeconds) return []
  return [`Its collateral is ${age} seconds old, the policy allows ${policy.maximumAgeSeconds}.`]
}
