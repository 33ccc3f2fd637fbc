/** What one check of an authenticity source came to. */
export interface AuthenticityCheck {
  /** Name within the source, for example `body-hash`. */
  readonly name: string
  /** `not-checked` says that nobody looked, and counts for nothing. */
  readonly result: 'pass' | 'fail' | 'not-checked'
  /** Why, in upper case; `OK` when it passed. Never a value of the file. */
  readonly reason: string
  /** Without this check passing nothing is authentic. What nobody can check offline (revocation, say) is not essential. */
  readonly essential: boolean
}

/** Sources of authenticity that this package verifies. */
export type SourceKind =
  | 'dkim'
  | 'jws'
  | 'vc-jwt'
  | 'data-integrity'
  | 'sd-jwt'
  | 'status-list'
  | 'platform-signature'
  | 'device-record'
  | 'reclaim'
  | 'tlsnotary'
  | 'c2pa'
  | 'oauth-read-back'

/** What a source says about one file, or about one part of it. */
export interface AuthenticityFinding {
  readonly kind: SourceKind
  /** True only when every essential check passed and none failed. */
  readonly authentic: boolean
  readonly checks: readonly AuthenticityCheck[]
  /** Name of the trusted key that signed, as the trusting side wrote it; null when none did. */
  readonly signer: string | null
}

export const passed = (name: string): AuthenticityCheck => ({
  name,
  result: 'pass',
  reason: 'OK',
  essential: true,
})

export const failed = (name: string, reason: string): AuthenticityCheck => ({
  name,
  result: 'fail',
  reason,
  essential: true,
})

export const verdictOf = (name: string, holds: boolean, reason: string): AuthenticityCheck =>
  holds ? passed(name) : failed(name, reason)

/** A check that could be made and was not: what it needs was not given. */
export const notChecked = (name: string, reason: string): AuthenticityCheck => ({
  name,
  result: 'not-checked',
  reason,
  essential: true,
})

/** A check that nobody can make from the file alone; told, so that nobody takes it for made. */
export const beyondReach = (name: string, reason: string): AuthenticityCheck => ({
  name,
  result: 'not-checked',
  reason,
  essential: false,
})

/**
 * Puts checks together.
 *
 * @param kind of source
 * @param checks in the order they were made
 * @param signer name of the trusted key, kept only when the whole is authentic
 */
export function finding(
  kind: SourceKind,
  checks: readonly AuthenticityCheck[],
  signer: string | null,
): AuthenticityFinding {
  const authentic =
    checks.some(({ essential }) => essential) &&
    checks.every(({ result, essential }) => result === 'pass' || (result === 'not-checked' && !essential))
  return { kind, authentic, checks, signer: authentic ? signer : null }
}

/**
 * Checks a span of validity against the time that the caller gives; without one, nothing is known.
 *
 * @param at Unix seconds, undefined when the caller has no clock to trust
 * @param from first second of validity, undefined when it has always begun
 * @param until last second of validity, undefined when it never ends
 */
export function validityCheck(
  at: number | undefined,
  from: number | undefined,
  until: number | undefined,
): AuthenticityCheck {
  if (from === undefined && until === undefined) return passed('validity')
  if (at === undefined) return notChecked('validity', 'NO_TIME_GIVEN')
  if (from !== undefined && !(at >= from)) return failed('validity', 'NOT_YET_VALID')
  return verdictOf('validity', until === undefined || at <= until, 'EXPIRED')
}
