import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, decodeBase64Url, type JsonValue } from '@sealpool/crypto'
import type { Issuer, IssuerFact } from '../define/check.js'
import { PocError } from '../errors.js'

/**
 * Verifies a signed export: JSON text of exactly `{ payload, issuer, signature }`, where `issuer` is a known name and
 * `signature` is Ed25519 (RFC 8032, strict: canonical encodings, no small-order keys) over the RFC 8785 form of
 * `payload`, 64 bytes in base64url without padding. Other members are refused, so that an export cannot be varied
 * without breaking it.
 *
 * @param options `bytes`: the file; `issuers`: known issuers, several keys may share a name (rotation)
 * @returns whether it is valid, the issuer's own name from the list (never from the file), and else the reason
 * @throws PocError `KEY_INVALID` when an issuer's public key is not 32 bytes in base64url
 * @example
 * ```ts
 * import { verifyIssuerSignature } from '@sealpool/poc'
 * const bytes = new TextEncoder().encode('{"payload":{},"issuer":"Nobody","signature":""}')
 * console.log(verifyIssuerSignature({ bytes, issuers: [] }).reason) // UNKNOWN_ISSUER
 * ```
 */
export function verifyIssuerSignature(options: {
  readonly bytes: Uint8Array
  readonly issuers: readonly Issuer[]
}): IssuerFact {
  const keys = options.issuers.map(({ name, ed25519PublicKey }, index) => ({
    name,
    key: publicKeyOf(ed25519PublicKey, index),
  }))
  const file = readJson(options.bytes)
  if (file === undefined) return { name: 'unknown', valid: false, reason: 'NOT_JSON' }
  const signed = readSigned(file)
  if (signed === undefined) return { name: 'unknown', valid: false, reason: 'NOT_SIGNED' }
  const candidates = keys.filter(({ name }) => name === signed.issuer)
  const [first] = candidates
  if (first === undefined) return { name: 'unknown', valid: false, reason: 'UNKNOWN_ISSUER' }
  const { name } = first
  const valid = candidates.some(({ key }) => isSignature(signed, key))
  return valid ? { name, valid } : { name, valid, reason: 'SIGNATURE_INVALID' }
}

interface SignedExport {
  readonly payload: JsonValue
  readonly issuer: string
  readonly signature: string
}

function isSignature({ payload, signature }: SignedExport, key: Uint8Array): boolean {
  try {
    const bytes = decodeBase64Url(signature, 'signature')
    return bytes.length === 64 && ed25519.verify(bytes, canonicalBytes(payload), key, { zip215: false })
  } catch {
    // Not base64url, a payload without a canonical form (lone surrogates, too deep), or a point that is none.
    return false
  }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return value
  } catch {
    return undefined
  }
}

function readSigned(file: unknown): SignedExport | undefined {
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return undefined
  const { payload, issuer, signature, ...others } = file as Record<string, unknown>
  if (payload === undefined || typeof issuer !== 'string' || typeof signature !== 'string') return undefined
  return Object.keys(others).length === 0 ? { payload: payload as JsonValue, issuer, signature } : undefined
}

function publicKeyOf(text: string, index: number): Uint8Array {
  const place = `issuers[${index}].ed25519PublicKey`
  const remedy = 'expected an Ed25519 public key: 32 bytes in base64url without padding'
  let key: Uint8Array
  try {
    key = decodeBase64Url(text, place)
  } catch (cause) {
    throw new PocError('KEY_INVALID', place, remedy, { cause })
  }
  if (key.length !== 32) throw new PocError('KEY_INVALID', place, remedy)
  return key
}
