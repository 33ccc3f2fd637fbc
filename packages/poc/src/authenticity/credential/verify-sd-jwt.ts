import { sha256 } from '@noble/hashes/sha2.js'
import { canonicalBytes, encodeBase64Url, type JsonObject, type JsonValue } from '@sealpool/crypto'
import {
  type AuthenticityCheck,
  type AuthenticityFinding,
  failed,
  finding,
  passed,
  verdictOf,
} from '../finding.js'
import { type TrustedKey, verifyJws } from '../jose/verify-jws.js'
import { isObject } from '../json-object.js'
import type { WorkMeter } from '../verification-budget.js'
import { discloseClaims } from './disclosed-claims.js'

/** What the holder's signature must name, so that a presentation is for one verifier and for one time. */
export interface ExpectedBinding {
  /** Whom it is for. */
  readonly audience: string
  /** What the verifier gave out for it. */
  readonly nonce: string
  /** Seconds that it may be old. */
  readonly maximumAge: number
}

/** A finding, and the claims for who judges them; they are private. */
export interface SdJwtFinding extends AuthenticityFinding {
  /** What the issuer signed and the holder disclosed. */
  readonly claims: JsonObject | undefined
  /** Lists in the claims, the very ones, from which the holder left items out: the others have moved up. */
  readonly shortened: ReadonlySet<JsonValue>
  /** When the holder signed the presentation, Unix seconds. */
  readonly boundAt: number | undefined
  /** The holder's key by its thumbprint (RFC 7638): who presents another credential of the same key has the same. */
  readonly holder: string | undefined
}

/** Longest presentation in characters. */
const maximumPresentation = 65_536
/** Seconds by which another clock may be ahead. */
export const clockTolerance = 60

/** They are signed in the open, or not at all: the holder must not be able to leave an end or a status out. */
const openClaims = ['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'status', 'aud'] as const

/**
 * Verifies an SD-JWT with key binding (RFC 9901 section 7.3): the issuer's signature, the disclosures' digests, and the holder's signature
 * over the presentation for this verifier.
 *
 * @param options `presentation`: compact serialisation; `keys` of the issuer; `types`: values of `typ`, for example `dc+sd-jwt`;
 *   `issuer`: `iss`; `binding`: what the holder's signature must name; `at`: Unix seconds; `work`: what it costs is taken off
 * @returns the finding and, when authentic, the claims. It says nothing of a status: see `verifyStatus`
 */
export function verifySdJwt(options: {
  readonly presentation: string
  readonly keys: readonly TrustedKey[]
  readonly types: readonly string[]
  readonly issuer?: string
  readonly binding: ExpectedBinding
  readonly at: number
  readonly work?: WorkMeter
}): SdJwtFinding {
  const { presentation, keys, types, issuer, binding, at, work } = options
  const stop = (checks: readonly AuthenticityCheck[]): SdJwtFinding => ({
    ...finding('sd-jwt', checks, null),
    claims: undefined,
    shortened: new Set(),
    boundAt: undefined,
    holder: undefined,
  })
  // Nothing but its letters: not even white space, over which the holder would have signed as well.
  if (presentation.length > maximumPresentation || !/^[A-Za-z0-9_.~-]+$/.test(presentation)) {
    return stop([failed('syntax', 'MALFORMED_TOKEN')])
  }
  const [token = '', ...others] = presentation.split('~')
  const proof = others.pop()
  if (proof === undefined) return stop([failed('syntax', 'MALFORMED_TOKEN')])
  if (proof === '') return stop([failed('binding', 'NOT_BOUND')])
  const expect = { types, ...(issuer === undefined ? {} : { issuer }) }
  const signed = verifyJws({ token, keys, expect, at, kind: 'sd-jwt', work })
  if (signed.claims === undefined) return stop(signed.checks)
  const payload = signed.claims
  work?.({ bytes: presentation.length })
  const opened = discloseClaims(payload, others)
  if ('problem' in opened) return stop([...signed.checks, failed('disclosures', opened.problem)])
  const { claims, shortened } = opened
  const hidden = openClaims.some((name) => Object.hasOwn(claims, name) && !Object.hasOwn(payload, name))
  const bound = verifyBinding({ presentation, proof, payload, binding, at, work })
  const result = finding(
    'sd-jwt',
    [
      ...signed.checks,
      verdictOf('disclosures', !hidden, 'CLAIM_NOT_OPEN'),
      // One that names verifiers is for these alone.
      verdictOf('audience', audienceHolds(claims, binding.audience), 'WRONG_AUDIENCE'),
      issuedCheck(claims, at),
      ...bound.checks,
    ],
    signed.signer,
  )
  return {
    ...result,
    claims: result.authentic ? claims : undefined,
    shortened,
    boundAt: result.authentic ? bound.boundAt : undefined,
    holder: result.authentic ? bound.holder : undefined,
  }
}

/** The holder's key is the one that the issuer has signed; no other counts. */
function verifyBinding(options: {
  readonly presentation: string
  readonly proof: string
  readonly payload: JsonObject
  readonly binding: ExpectedBinding
  readonly at: number
  readonly work: WorkMeter | undefined
}): {
  readonly checks: readonly AuthenticityCheck[]
  readonly boundAt?: number | undefined
  readonly holder?: string
} {
  const { presentation, proof, payload, binding, at, work } = options
  const key = holderKey(payload['cnf'])
  if (key === undefined) return { checks: [failed('binding-key', 'NO_HOLDER_KEY')] }
  const found = verifyJws({
    token: proof,
    keys: [key],
    expect: { types: ['kb+jwt'] },
    at,
    kind: 'sd-jwt',
    work,
  })
  const checks = found.checks.map((check) => ({ ...check, name: `binding-${check.name}` }))
  if (found.claims === undefined) return { checks }
  const { aud, nonce, iat, sd_hash: hash } = found.claims
  const presented = presentation.slice(0, presentation.length - proof.length)
  const expected = encodeBase64Url(sha256(new TextEncoder().encode(presented)))
  const fresh = typeof iat === 'number' && iat <= at + clockTolerance && iat > at - binding.maximumAge
  return {
    checks: [
      ...checks,
      verdictOf('binding-audience', aud === binding.audience, 'BOUND_TO_ANOTHER_VERIFIER'),
      verdictOf('binding-nonce', nonce === binding.nonce, 'BOUND_TO_ANOTHER_NONCE'),
      verdictOf('binding-hash', hash === expected, 'BOUND_TO_ANOTHER_PRESENTATION'),
      verdictOf('binding-time', fresh, 'BOUND_AT_ANOTHER_TIME'),
    ],
    boundAt: typeof iat === 'number' ? iat : undefined,
    holder: encodeBase64Url(sha256(canonicalBytes({ ...key.jwk }))),
  }
}

/** `cnf` with a key (RFC 7800 section 3.2); its algorithm follows from its kind. */
function holderKey(confirmation: JsonObject[string] | undefined): TrustedKey | undefined {
  const jwk = isObject(confirmation) ? confirmation['jwk'] : undefined
  if (!isObject(jwk)) return undefined
  const { kty, crv, x, y } = jwk
  if (typeof x !== 'string') return undefined
  if (kty === 'OKP' && crv === 'Ed25519') return { name: 'holder', algorithm: 'EdDSA', jwk: { kty, crv, x } }
  if (kty === 'EC' && crv === 'P-256' && typeof y === 'string')
    return { name: 'holder', algorithm: 'ES256', jwk: { kty, crv, x, y } }
  return undefined
}

function audienceHolds({ aud }: JsonObject, audience: string): boolean {
  return aud === undefined || (Array.isArray(aud) ? aud : [aud]).includes(audience)
}

function issuedCheck({ iat }: JsonObject, at: number): AuthenticityCheck {
  if (iat === undefined) return passed('issued')
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return failed('issued', 'MALFORMED_DATES')
  return verdictOf('issued', iat <= at + clockTolerance, 'NOT_YET_VALID')
}
