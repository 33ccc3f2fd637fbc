import type { Verdict } from '../verdict/verdict.js'
import type { AttestationPolicy } from './policy.js'

/**
 * The answer of a policy.
 *
 * - `allowed`: proved, and the policy accepts it
 * - `false`: the evidence is proved to be wrong (a signature fails, a certificate is revoked, a value contradicts another)
 * - `not-proved`: nothing speaks against it, but something that is needed was not checked or is out of date
 * - `not-allowed`: proved, but the policy does not accept it
 */
export interface Appraisal {
  readonly answer: 'allowed' | 'false' | 'not-proved' | 'not-allowed'
  /** Every reason found, in plain words; empty only for `allowed`. */
  readonly reasons: readonly string[]
}

/** Checks that fail because of the calendar: the evidence may well be true, newer collateral would show it. */
const calendar = new Set(['certificate-dates', 'crl-dates', 'collateral-dates'])
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
 *
 * @example
 * ```ts no-run
 * const { answer, reasons } = appraise(verdict, { ...defaultAttestationPolicy, measurements: [{ name: 'v1', mrTd }] })
 * if (answer !== 'allowed') throw new Error(reasons.join('; '))
 * ```
 */
export function appraise(verdict: Verdict, policy: AttestationPolicy): Appraisal {
  const wrong: string[] = []
  const unproved: string[] = []
  for (const check of verdict.checks) {
    if (check.result === 'pass' || check.id === trust || check.id === level) continue
    const reason = `${check.title}: ${check.detail}`
    if (check.result === 'fail' && !calendar.has(check.id)) wrong.push(reason)
    else unproved.push(reason)
  }
  const refused = refusals(verdict, policy)
  if (wrong.length > 0) return { answer: 'false', reasons: [...wrong, ...unproved, ...refused] }
  if (unproved.length > 0) return { answer: 'not-proved', reasons: [...unproved, ...refused] }
  if (refused.length > 0) return { answer: 'not-allowed', reasons: refused }
  // Every check passed one by one and no rule refused; `ok` says the same, and is asked all the same.
  if (!verdict.ok) return { answer: 'not-proved', reasons: ['The verdict is not ok.'] }
  return { answer: 'allowed', reasons: [] }
}

function refusals(verdict: Verdict, policy: AttestationPolicy): string[] {
  const { claims } = verdict
  return [
    ...rootRefusals(verdict, policy),
    ...(claims.debug ? ['It runs under debug, so its host can read its memory.'] : []),
    ...tcbRefusals(verdict, policy),
    ...measurementRefusals(verdict, policy),
    ...ageRefusals(verdict, policy),
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
  const open = advisories.filter((advisory) => !policy.acceptedAdvisories.includes(advisory))
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

function measurementRefusals(verdict: Verdict, policy: AttestationPolicy): string[] {
  const { claims } = verdict
  const match = policy.measurements.some(
    ({ mrTd, rtmrs = [] }) =>
      claims.tee === 'tdx' && claims.mrTd === mrTd && rtmrs.every((value, i) => claims.rtmrs[i] === value),
  )
  if (match) return []
  const measured = claims.tee === 'tdx' ? `MRTD ${claims.mrTd.slice(0, 18)}…` : 'an SGX enclave'
  return [`The policy allows no measurement like this one (${measured}).`]
}

function ageRefusals(verdict: Verdict, policy: AttestationPolicy): string[] {
  const issued = verdict.claims.collateral?.issueDate
  if (issued === undefined) return ['The age of its collateral is unknown.']
  const age = Math.floor((Date.parse(verdict.at) - Date.parse(issued)) / 1000)
  if (age <= policy.maximumAgeSeconds) return []
  return [`Its collateral is ${age} seconds old, the policy allows ${policy.maximumAgeSeconds}.`]
}
