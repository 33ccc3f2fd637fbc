/**
 * Judges a presentation of a verifiable credential by what an access condition asks for. What it says stays in here: what comes out is
 * until when it counts, or a word why it does not.
 * @module
 */
import type { CredentialCondition, CredentialKey } from '@sealpool/contracts'
import {
  type AuthenticityFinding,
  type TrustedKey,
  verifySdJwt,
  verifyStatus,
} from '@sealpool/poc/authenticity'
import { claimsMet } from './claims-met.js'

/** What the consumer hands in. */
export interface Presentation {
  /** SD-JWT with key binding, compact. */
  readonly presentation: string
  /** Token status list in which the credential is; null: none. */
  readonly statusList: string | null
}

/** Whom and what the holder's signature must name. */
export interface PresentedTo {
  readonly audience: string
  readonly nonce: string
  /** Seconds that it may be old. */
  readonly maximumAge: number
}

/** What a presentation comes to for one condition. */
export type PresentationOutcome =
  | {
      readonly until: number
      readonly reason: null
      /** Thumbprint of the holder's key. */
      readonly holder: string
    }
  | {
      readonly until: null
      /** In upper case; never a value of the credential. */
      readonly reason: string
    }

/** SD-JWT VC's media type, and the one that it had before. */
const credentialTypes = ['dc+sd-jwt', 'vc+sd-jwt']

/**
 * @param condition parsed
 * @param given hostile
 * @param expected for whom it must be; `at`: unix seconds
 * @returns until when it counts (unix seconds), or why it does not
 */
export async function judgePresentation(
  condition: CredentialCondition,
  given: Presentation,
  expected: PresentedTo & { readonly at: number },
): Promise<PresentationOutcome> {
  const { at, ...binding } = expected
  const keys = trustedKeys(condition.keys)
  const { issuer } = condition
  const { presentation } = given
  const found = verifySdJwt({ presentation, keys, types: credentialTypes, issuer, binding, at })
  const { claims, shortened, boundAt, holder } = found
  if (claims === undefined || boundAt === undefined || holder === undefined)
    return refused(firstFailure(found))
  if (claims['vct'] !== condition.type) return refused('WRONG_CREDENTIAL_TYPE')
  const ends = [
    boundAt + condition.presentedWithin,
    at + condition.presentedWithin,
    // The verifier has seen to it that dates are numbers.
    ...(typeof claims['exp'] === 'number' ? [claims['exp']] : []),
  ]
  if (condition.issuedWithin !== undefined) {
    if (typeof claims['iat'] !== 'number') return refused('NOT_DATED')
    const old = claims['iat'] + condition.issuedWithin
    if (old <= at) return refused('ISSUED_TOO_LONG_AGO')
    ends.push(old)
  } else if (claims['exp'] === undefined) return refused('NO_END')
  if (!claimsMet(claims, condition.claims ?? [], shortened)) return refused('CLAIMS_NOT_MET')
  if (condition.status === undefined) {
    if (Object.hasOwn(claims, 'status')) return refused('STATUS_NOT_EXPECTED')
  } else {
    const { issuedWithin, keys: own } = condition.status
    const status = await verifyStatus({
      claims,
      list: given.statusList,
      keys: own === undefined ? keys : trustedKeys(own),
      maximumAge: issuedWithin,
      at,
    })
    if (status.until === undefined) return refused(firstFailure(status))
    ends.push(status.until)
  }
  const until = Math.floor(Math.min(...ends))
  return until > at ? { until, reason: null, holder } : refused('EXPIRED')
}

function refused(reason: string): PresentationOutcome {
  return { until: null, reason }
}

function firstFailure({ checks }: AuthenticityFinding): string {
  return checks.find(({ result }) => result !== 'pass')?.reason ?? 'NOT_AUTHENTIC'
}

function trustedKeys(keys: readonly CredentialKey[]): readonly TrustedKey[] {
  return keys.map((jwk) => ({ name: 'issuer', algorithm: jwk.kty === 'OKP' ? 'EdDSA' : 'ES256', jwk }))
}
