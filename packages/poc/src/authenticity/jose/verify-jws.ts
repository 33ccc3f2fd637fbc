import type { JsonObject } from '@sealpool/crypto'
import { type Jwk, keyFromJwk } from '../../signature/public-key.js'
import { type SignatureAlgorithm, verifySignature } from '../../signature/verify-signature.js'
import { decodeUrlSafe } from '../base64.js'
import {
  type AuthenticityCheck,
  failed,
  finding,
  passed,
  type SourceKind,
  validityCheck,
  verdictOf,
} from '../finding.js'
import { parseObject } from '../json-object.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'

/** A key whose signatures count. Its algorithm is fixed here and never taken from what is verified (RFC 8725 section 3.1). */
export interface TrustedKey {
  /** How a verdict names it. */
  readonly name: string
  readonly algorithm: SignatureAlgorithm
  readonly jwk: Jwk
  /** When present, only tokens with this `kid` are verified with it. */
  readonly keyId?: string
}

/** What a token must say beside being signed. */
export interface JwsExpectation {
  readonly issuer?: string
  readonly audience?: string
  /** Values of `typ` in its header of which it must have one, for example `kb+jwt`: a token is taken for what it was made for. */
  readonly types?: readonly string[]
}

/** A verified token's claims go to the code that judges; they are private. */
export interface JwsFinding<Key extends TrustedKey = TrustedKey> extends SignedFinding {
  readonly claims: JsonObject | undefined
  /** The very key that verified, of several of one name; undefined when the token is not authentic. */
  readonly key: Key | undefined
}

/**
 * Verifies a compact JWS (RFC 7515) whose payload is a JSON object, and its registered claims when it is a JWT (RFC 7519).
 *
 * @param options `token`: compact serialisation; `keys`; `expect`: issuer and audience; `at`: Unix seconds; `kind` of finding;
 *   `work`: what it costs is taken off
 * @returns the finding and, when authentic, the claims and the key; a member that stands twice in header or claims is refused
 */
export function verifyJws<Key extends TrustedKey>(options: {
  readonly token: string
  readonly keys: readonly Key[]
  readonly expect?: JwsExpectation | undefined
  readonly at?: number | undefined
  readonly kind?: SourceKind
  readonly work?: WorkMeter | undefined
}): JwsFinding<Key> {
  const { kind = 'jws', work } = options
  work?.({ bytes: options.token.length })
  const stop = (check: AuthenticityCheck): JwsFinding<Key> => ({
    ...finding(kind, [check], null),
    signedContent: undefined,
    claims: undefined,
    key: undefined,
  })
  const parts = options.token.trim().split('.', 4)
  const [head = '', body = '', mark = ''] = parts
  const header = parseObject(decodeUrlSafe(head))
  const payload = parseObject(decodeUrlSafe(body))
  const signature = decodeUrlSafe(mark)
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    return stop(failed('syntax', 'MALFORMED_TOKEN'))
  }
  // A critical extension is one that must be understood; none is.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) {
    return stop(failed('syntax', 'CRITICAL_EXTENSION'))
  }
  // RFC 9864 names the curve. Of keys for EdDSA only Ed25519's are read here.
  const alg = header['alg'] === 'Ed25519' ? 'EdDSA' : header['alg']
  const candidates = options.keys.filter(
    ({ algorithm, keyId }) => algorithm === alg && (keyId === undefined || keyId === header['kid']),
  )
  if (candidates.length === 0) return stop(failed('key', 'UNKNOWN_KEY'))
  const message = new TextEncoder().encode(`${head}.${body}`)
  const signer = candidates.find(({ algorithm, jwk }) => {
    const key = keyFromJwk(jwk)
    work?.({ signatures: 1, bytes: message.length })
    return key !== undefined && verifySignature({ algorithm, key, message, signature })
  })
  const result = finding(
    kind,
    [
      passed('syntax'),
      passed('key'),
      verdictOf('signature', signer !== undefined, 'SIGNATURE_INVALID'),
      ...typeCheck(header, options.expect?.types),
      ...claimChecks(payload, options.expect ?? {}),
      numericDates(payload)
        ? validityCheck(
            options.at,
            payload['nbf'] as number | undefined,
            lastSecond(payload['exp'] as number | undefined),
          )
        : failed('validity', 'MALFORMED_DATES'),
    ],
    signer?.name ?? null,
  )
  const found = withSignedContent(result, () => [decodeUrlSafe(body) ?? new Uint8Array()])
  return {
    ...found,
    claims: result.authentic ? payload : undefined,
    key: result.authentic ? signer : undefined,
  }
}

function typeCheck(header: JsonObject, types: readonly string[] | undefined): AuthenticityCheck[] {
  if (types === undefined) return []
  const { typ } = header
  return [verdictOf('type', typeof typ === 'string' && types.includes(typ), 'WRONG_TYPE')]
}

/** Nothing is valid on or after `exp` (RFC 7519 section 4.1.4). */
function lastSecond(exp: number | undefined): number | undefined {
  return exp === undefined ? undefined : Math.ceil(exp) - 1
}

function claimChecks(payload: JsonObject, expect: JwsExpectation): AuthenticityCheck[] {
  const { aud } = payload
  const audiences = Array.isArray(aud) ? aud : [aud]
  return [
    verdictOf('issuer', expect.issuer === undefined || payload['iss'] === expect.issuer, 'WRONG_ISSUER'),
    verdictOf(
      'audience',
      expect.audience === undefined || audiences.includes(expect.audience),
      'WRONG_AUDIENCE',
    ),
  ]
}

function numericDates(payload: JsonObject): boolean {
  return ['nbf', 'exp'].every((name) => {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined
    return value === undefined || (typeof value === 'number' && Number.isFinite(value))
  })
}
