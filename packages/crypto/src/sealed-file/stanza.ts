import type { JsonValue } from '../canonical-json/canonicalize.js'
import { decodeBase64Url } from '../encoding/base64url.js'
import { exactly } from '../encoding/exact-object.js'
import { CryptoError } from '../errors.js'
import { encapsulatedKeyLength } from '../hpke/x25519-kem.js'
import { requireKeyId, type Stanza, wrappedKeyLength } from '../recipient/recipient.js'
import { maximumEnvelopeLength } from '../recipient/threshold-recipient.js'

/** Most recipients of one file. */
export const maximumStanzas = 10_000

const wrapFields = ['type', 'kem', 'keyId', 'enc', 'wrapped']
const fieldsOfType: Readonly<Record<string, readonly string[]>> = {
  hpke: wrapFields,
  wallet: [...wrapFields, 'address'],
  threshold: ['type', 'scheme', 'keyId', 'envelope'],
}
// Lengths of encapsulated keys; the numbers stand here so that a reader of headers carries no lattice.
const encLengths: Readonly<Record<string, number>> = { x25519: encapsulatedKeyLength, xwing: 1120 }

/**
 * Reads the recipients of a header. Stanzas of a type or KEM that is unknown here are kept as they are, so that a
 * later version's recipients survive a rewrite; those that say `"critical": true` make the file unreadable instead.
 *
 * @param value - the header's `recipients`
 * @returns the stanzas in order
 * @throws CryptoError `HEADER_INVALID` for a malformed or duplicate stanza, none at all or more than 10,000;
 *   `RECIPIENT_UNSUPPORTED` for an unknown critical one
 */
export function parseStanzas(value: JsonValue | undefined): readonly Stanza[] {
  const place = '$.recipients'
  if (!Array.isArray(value) || value.length === 0 || value.length > maximumStanzas) {
    throw invalid(place, `a file has 1 to ${maximumStanzas} recipients`)
  }
  const seen = new Set<string>()
  return value.map((each: JsonValue, index) => {
    const at = `${place}[${index}]`
    const stanza = parseStanza(each, at)
    if (isKnown(stanza)) {
      // One stanza per key keeps the work of finding one's own bounded, and removal unambiguous.
      const name = nameOf(stanza)
      if (seen.has(name)) throw invalid(at, 'two stanzas for one key')
      seen.add(name)
    }
    return stanza
  })
}

/**
 * Whether this version can read a stanza.
 *
 * @param stanza - the stanza
 * @returns true for `threshold`, and for `hpke` and `wallet` over X25519 or X-Wing
 */
export function isKnown(stanza: Stanza): boolean {
  if (!Object.hasOwn(fieldsOfType, stanza.type)) return false
  return stanza.type === 'threshold' || kemOf(stanza) !== undefined
}

function kemOf(stanza: Stanza): string | undefined {
  const kem = stanza['kem']
  return typeof kem === 'string' && Object.hasOwn(encLengths, kem) ? kem : undefined
}

/**
 * What tells known stanzas apart: type and key id.
 *
 * @param stanza - type and keyId are read
 * @returns a name that no other stanza of the header has
 */
export function nameOf(stanza: { readonly type: string; readonly keyId?: unknown }): string {
  return `${stanza.type} ${String(stanza.keyId)}`
}

function parseStanza(value: JsonValue, place: string): Stanza {
  const stanza = value as Stanza
  // What is no object has no type either.
  requireName((value as Stanza | null)?.type, `${place}.type`)
  if (isKnown(stanza)) return parseKnown(stanza, place)
  if (Object.hasOwn(fieldsOfType, stanza.type) && typeof stanza['kem'] !== 'string') {
    throw notName(`${place}.kem`)
  }
  const critical = Object.hasOwn(stanza, 'critical') ? stanza['critical'] : false
  if (typeof critical !== 'boolean') throw invalid(`${place}.critical`, 'expected a boolean')
  if (critical) {
    throw new CryptoError('RECIPIENT_UNSUPPORTED', place, 'critical; update this package')
  }
  return stanza
}

function parseKnown(stanza: Stanza, place: string): Stanza {
  const names = fieldsOfType[stanza.type] ?? []
  exactly(stanza, names, 'HEADER_INVALID', place)
  const { keyId, address, scheme, envelope } = stanza
  requireKeyId(keyId, 'HEADER_INVALID', `${place}.keyId`)
  if (stanza.type === 'threshold') {
    requireName(scheme, `${place}.scheme`)
    const length = lengthOf(envelope)
    if (length < 1 || length > maximumEnvelopeLength) {
      throw invalid(`${place}.envelope`, `expected 1 to ${maximumEnvelopeLength} bytes in base64url`)
    }
    return stanza
  }
  const lengths = { enc: encLengths[kemOf(stanza) ?? ''], wrapped: wrappedKeyLength }
  for (const [name, length] of Object.entries(lengths)) {
    if (lengthOf(stanza[name]) !== length) {
      throw invalid(`${place}.${name}`, `expected ${length} bytes in base64url`)
    }
  }
  if (stanza.type === 'wallet' && (typeof address !== 'string' || !/^0x[0-9a-f]{40}$/.test(address))) {
    throw invalid(`${place}.address`, 'expected an address in lower case')
  }
  return stanza
}

function lengthOf(value: unknown): number {
  try {
    return decodeBase64Url(value as string).length
  } catch {
    return -1
  }
}

function requireName(value: unknown, place: string): void {
  if (typeof value !== 'string' || !/^[a-z0-9][a-z0-9./-]{0,63}$/.test(value)) throw notName(place)
}

function notName(place: string): CryptoError {
  return invalid(place, 'expected a name of a-z 0-9 . / -')
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('HEADER_INVALID', place, why)
}
