import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type CredentialCondition, claimHolds } from '@sealpool/contracts'
import { decodeBase64Url, encodeBase64Url, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { usage } from './arguments.js'

/** A credential as its holder keeps it: an SD-JWT with all its disclosures, and without a holder's signature. */
export interface HeldCredential {
  /** What the issuer has signed. */
  readonly token: string
  readonly claims: JsonObject
  /** What can be disclosed, by digest. */
  readonly disclosures: ReadonlyMap<string, { readonly text: string; readonly parts: readonly JsonValue[] }>
}

/** The node takes no longer one. */
const maximumLength = 65_536

/**
 * @param text compact serialisation (RFC 9901)
 * @param place the argument that named it
 * @throws ClientError `OPTION_INVALID`; it never quotes the credential
 */
export function readHeldCredential(text: string, place: string): HeldCredential {
  const wrong = (why: string) => usage(place, `expected an SD-JWT as its issuer gave it: ${why}`)
  const trimmed = text.trim()
  if (trimmed.length > maximumLength || !/^[A-Za-z0-9_.~-]+$/.test(trimmed))
    throw wrong('base64url with dots and tildes')
  const [token = '', ...texts] = trimmed.split('~')
  const last = texts.at(-1) ?? ''
  if (last.includes('.'))
    throw wrong('this one has a holder’s signature already, which was for somebody else')
  const [, body, , ...more] = token.split('.')
  const claims = jsonOf(body)
  if (!isObject(claims) || more.length > 0) throw wrong('its first part is no token')
  const disclosures = texts
    .filter((one) => one !== '')
    .map((one) => {
      const parts = jsonOf(one)
      if (!Array.isArray(parts)) throw wrong('a disclosure is none')
      return [digestOfText(one), { text: one, parts: parts as readonly JsonValue[] }] as const
    })
  return { token, claims, disclosures: new Map(disclosures) }
}

/**
 * Chooses what is shown: what the conditions look at, and nothing else.
 *
 * @param held the credential
 * @param conditions of the pool
 * @returns disclosures in the order of the file; undefined when the credential meets none of the conditions by issuer, type and claims
 */
export function askedDisclosures(
  held: HeldCredential,
  conditions: readonly CredentialCondition[],
): readonly string[] | undefined {
  const { iss, vct } = held.claims
  const met = conditions.flatMap(({ issuer, type, claims = [] }) => {
    if (issuer !== iss || type !== vct) return []
    const asked = claims.map((claim) => shownFor(held, claim))
    return asked.includes(undefined) ? [] : [asked.flatMap((texts) => texts ?? [])]
  })
  if (met.length === 0) return undefined
  const shown = new Set(met.flat())
  return [...held.disclosures.values()].flatMap(({ text }) => (shown.has(text) ? [text] : []))
}

/** A member or an item, and the disclosures without which it is not there. */
interface Reached {
  readonly value: JsonValue
  readonly shown: readonly string[]
}

/** Disclosures that lead to a value that meets a claim; of several ways the first. */
function shownFor(
  { claims, disclosures }: HeldCredential,
  claim: NonNullable<CredentialCondition['claims']>[number],
): readonly string[] | undefined {
  const hidden = (digest: JsonValue | undefined, length: number) => {
    const found = typeof digest === 'string' ? disclosures.get(digest) : undefined
    return found?.parts.length === length ? found : undefined
  }
  const member = (object: JsonObject, name: string): Reached | undefined => {
    if (Object.hasOwn(object, name)) return { value: object[name] ?? null, shown: [] }
    const { _sd: digests } = object
    for (const digest of Array.isArray(digests) ? (digests as readonly JsonValue[]) : []) {
      const found = hidden(digest, 3)
      if (found?.parts[1] === name) return { value: found.parts[2] ?? null, shown: [found.text] }
    }
    return undefined
  }
  const item = (value: JsonValue): Reached | undefined => {
    if (!isObject(value) || !Object.hasOwn(value, '...')) return { value, shown: [] }
    const found = hidden(value['...'], 2)
    return found && { value: found.parts[1] ?? null, shown: [found.text] }
  }
  const reach = (value: JsonValue, depth: number): readonly string[] | undefined => {
    if (depth === claim.path.length) return claimHolds(value, claim) ? [] : undefined
    const through = (next: Reached | undefined, beside: readonly string[] = []) => {
      const below = next && reach(next.value, depth + 1)
      return below && [...(next?.shown ?? []), ...beside, ...below]
    }
    const step = claim.path[depth]
    if (typeof step === 'string') return isObject(value) ? through(member(value, step)) : undefined
    if (!Array.isArray(value)) return undefined
    const items = (value as readonly JsonValue[]).map(item)
    if (typeof step !== 'number') return items.map((one) => through(one)).find((texts) => texts !== undefined)
    // A place counts only in a list of which nothing is left out.
    if (items.includes(undefined)) return undefined
    return through(
      items[step],
      items.flatMap((one) => one?.shown ?? []),
    )
  }
  return reach(claims, 0)
}

/**
 * Reads a holder's key.
 *
 * @param text a private JSON Web Key: Ed25519 or P-256
 * @param place the option that named it
 * @returns how the holder signs for a verifier
 * @throws ClientError `OPTION_INVALID`, also for a key that is not the one that the credential names; it never quotes the key
 */
export function holderOf(
  text: string,
  place: string,
  { claims }: HeldCredential,
): (shown: {
  readonly presented: string
  readonly nonce: string
  readonly audience: string
  readonly at: number
}) => string {
  const { key, alg } = readHolderKey(text, place)
  const { cnf } = claims
  const named = isObject(cnf) && isObject(cnf['jwk']) ? cnf['jwk'] : {}
  const own: Readonly<Record<string, unknown>> = { ...createPublicKey(key).export({ format: 'jwk' }) }
  if (!['kty', 'crv', 'x', 'y'].every((part) => named[part] === own[part]))
    throw usage(place, 'this is not the key that the credential names (cnf); its issuer bound it to another')
  return ({ presented, nonce, audience, at }) => {
    const part = (value: JsonObject) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)))
    const signed = `${part({ alg, typ: 'kb+jwt' })}.${part({
      iat: at,
      aud: audience,
      nonce,
      sd_hash: digestOfText(presented),
    })}`
    const message = Buffer.from(signed)
    const signature =
      alg === 'EdDSA' ? sign(null, message, key) : sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })
    return `${presented}${signed}.${signature.toString('base64url')}`
  }
}

function readHolderKey(
  text: string,
  place: string,
): { readonly key: KeyObject; readonly alg: 'EdDSA' | 'ES256' } {
  try {
    const key = createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
    if (key.asymmetricKeyType === 'ed25519') return { key, alg: 'EdDSA' }
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
      return { key, alg: 'ES256' }
  } catch {
    // Told below: an error of the parser may quote the key.
  }
  throw usage(place, 'expected a private JSON Web Key: OKP with Ed25519, or EC with P-256')
}

function digestOfText(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function jsonOf(text: string | undefined): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBase64Url(text ?? ''))) as JsonValue
  } catch {
    return undefined
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
