/**
 * What an access condition asks of a verifiable credential (SD-JWT VC): whose word it is, of which type, and what it says. The keys stand
 * in the condition, so that nothing is fetched and whoever votes on it sees whom he trusts.
 * @module
 */
import { fields, invalid, items } from './json-field.js'

/** A public key of an issuer as a JSON Web Key: Ed25519 (signs EdDSA) or P-256 (signs ES256). */
export type CredentialKey =
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }

/** What one claim must be. It is met when one of the values to which the path leads is. */
export type ClaimCondition = {
  /**
   * Names of members, positions in lists (from 0), and null for every item of a list. A position leads nowhere in a list from which the
   * holder left something out: he would choose what stands there.
   */
  readonly path: readonly (string | number | null)[]
} & (
  | {
      /** The value is one of these, of the same type. */
      readonly oneOf: readonly (string | number | boolean)[]
    }
  | {
      /** The value is a number from here on, and up to there; one of the two at least. */
      readonly within: { readonly from?: number; readonly to?: number }
    }
)

/** A credential that the consumer must have presented to the node. */
export type CredentialCondition = {
  /** The credential's `iss`. */
  readonly issuer: string
  /** Keys of which one must have signed it. */
  readonly keys: readonly CredentialKey[]
  /** The credential's `vct`. */
  readonly type: string
  /** All of them must be met; absent: type and issuer are enough. */
  readonly claims?: readonly ClaimCondition[]
  /** Seconds since it was issued (`iat`); absent: any age, and then it must have an end (`exp`). */
  readonly issuedWithin?: number
  /** Seconds for which a presentation counts; afterwards it must be presented anew. */
  readonly presentedWithin: number
  /**
   * The credential is in a token status list, and the list says that it is valid. Absent: a credential that names a status is refused,
   * since nobody would look at it.
   */
  readonly status?: {
    /** Seconds since the list was issued. */
    readonly issuedWithin: number
    /** Keys of which one must have signed the list; absent: those of the credential. */
    readonly keys?: readonly CredentialKey[]
  }
}

const maximumKeys = 8
const maximumClaims = 16
const maximumValues = 100
const maximumPath = 8
const maximumText = 1_000
const minute = 60
const month = 30 * 86_400
const decade = 10 * 366 * 86_400

/**
 * Reads the condition of unknown origin.
 *
 * @param json - any value
 * @param place - what it is, for errors
 * @returns a fresh object without fields that are absent
 * @throws {ContractsError} `ARGUMENT_INVALID` with the first place that is wrong
 */
export function readCredential(json: unknown, place: string): CredentialCondition {
  const { issuer, keys, type, claims, issuedWithin, presentedWithin, status } = fields(
    json,
    place,
    ['issuer', 'keys', 'type', 'presentedWithin'],
    ['claims', 'issuedWithin', 'status'],
  )
  return {
    issuer: text(issuer, `${place}.issuer`),
    keys: readKeys(keys, `${place}.keys`),
    type: text(type, `${place}.type`),
    ...(claims === undefined
      ? {}
      : {
          claims: items(claims, `${place}.claims`, maximumClaims).map((one, index) =>
            readClaim(one, `${place}.claims[${index}]`),
          ),
        }),
    ...(issuedWithin === undefined
      ? {}
      : { issuedWithin: span(issuedWithin, `${place}.issuedWithin`, decade) }),
    presentedWithin: span(presentedWithin, `${place}.presentedWithin`, month),
    ...(status === undefined ? {} : { status: readStatus(status, `${place}.status`) }),
  }
}

/**
 * Looks at one value of a credential.
 *
 * @param value - to which a claim's path leads, of unknown origin
 * @param claim - parsed
 * @returns whether it is one of the values, of the same type, or a number within the bounds
 */
export function claimHolds(value: unknown, claim: ClaimCondition): boolean {
  if ('oneOf' in claim) return claim.oneOf.some((one) => one === value)
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = claim.within
  return typeof value === 'number' && from <= value && value <= to
}

function readStatus(json: unknown, place: string): NonNullable<CredentialCondition['status']> {
  const { issuedWithin, keys } = fields(json, place, ['issuedWithin'], ['keys'])
  return {
    issuedWithin: span(issuedWithin, `${place}.issuedWithin`, month),
    ...(keys === undefined ? {} : { keys: readKeys(keys, `${place}.keys`) }),
  }
}

function readKeys(json: unknown, place: string): readonly CredentialKey[] {
  return items(json, place, maximumKeys).map((one, index) => readKey(one, `${place}[${index}]`))
}

function readKey(json: unknown, place: string): CredentialKey {
  // A private key in a public policy is a mistake, and an algorithm or a use beside the key would be one that nobody looks at.
  const { kty, crv, x, y } = fields(json, place, ['kty', 'crv', 'x'], ['y'])
  if (kty === 'OKP' && crv === 'Ed25519' && y === undefined) {
    return { kty, crv, x: coordinate(x, `${place}.x`) }
  }
  if (kty === 'EC' && crv === 'P-256') {
    return { kty, crv, x: coordinate(x, `${place}.x`), y: coordinate(y, `${place}.y`) }
  }
  throw invalid(place, 'expected a JSON Web Key: OKP with Ed25519 and x, or EC with P-256, x and y')
}

function readClaim(json: unknown, place: string): ClaimCondition {
  const { path, oneOf, within } = fields(json, place, ['path'], ['oneOf', 'within'])
  if ((oneOf === undefined) === (within === undefined)) {
    throw invalid(place, 'expected either oneOf or within, and not both')
  }
  const steps = items(path, `${place}.path`, maximumPath).map((one, index) =>
    step(one, `${place}.path[${index}]`),
  )
  if (typeof steps[0] !== 'string') throw invalid(`${place}.path[0]`, 'expected the name of a claim')
  if (oneOf === undefined) return { path: steps, within: readWithin(within, `${place}.within`) }
  const values = items(oneOf, `${place}.oneOf`, maximumValues)
  return { path: steps, oneOf: values.map((one, index) => scalar(one, `${place}.oneOf[${index}]`)) }
}

function readWithin(json: unknown, place: string): { readonly from?: number; readonly to?: number } {
  const { from, to } = fields(json, place, [], ['from', 'to'])
  if (from === undefined && to === undefined) throw invalid(place, 'expected from, to or both')
  const within = {
    ...(from === undefined ? {} : { from: number(from, `${place}.from`) }),
    ...(to === undefined ? {} : { to: number(to, `${place}.to`) }),
  }
  if (within.from !== undefined && within.to !== undefined && within.from > within.to) {
    throw invalid(place, 'from must not be above to')
  }
  return within
}

function step(json: unknown, place: string): string | number | null {
  if (json === null || (Number.isSafeInteger(json) && (json as number) >= 0)) return json as number | null
  return text(json, place)
}

function scalar(json: unknown, place: string): string | number | boolean {
  if (typeof json === 'boolean') return json
  // The empty text is a value like others; a name of nothing is none.
  if (typeof json === 'string' && json.length <= maximumText && isWhole(json)) return json
  return number(json, place)
}

function number(json: unknown, place: string): number {
  if (!Number.isFinite(json)) throw invalid(place, 'expected a text, a finite number, true or false')
  return json as number
}

function text(json: unknown, place: string): string {
  if (typeof json !== 'string' || json.length === 0 || json.length > maximumText || !isWhole(json)) {
    throw invalid(place, `expected a text of 1 to ${maximumText} characters`)
  }
  return json
}

/** Half a pair of surrogates has no bytes, and so a policy with one no digest. */
function isWhole(value: string): boolean {
  return !/\p{Cs}/u.test(value)
}

function coordinate(json: unknown, place: string): string {
  // 32 bytes in base64url: of the last letter two bits are left over, and they are zero.
  if (typeof json !== 'string' || !/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(json)) {
    throw invalid(place, 'expected 32 bytes in base64url')
  }
  return json
}

function span(json: unknown, place: string, most: number): number {
  if (!Number.isSafeInteger(json) || (json as number) < minute || (json as number) > most) {
    throw invalid(place, `expected whole seconds, ${minute} to ${most}`)
  }
  return json as number
}
