import type { JsonValue } from '../canonical-json/canonicalize.js'
import { decodeBase64Url } from '../encoding/base64url.js'
import { CryptoError } from '../errors.js'
import { encapsulatedKeyLength } from '../recipient/hpke.js'
import { type Stanza, wrappedKeyLength } from '../recipient/recipient.js'

/** Most recipients of one file. */
export const maximumStanzas = 10_000

const fieldsOfKind: Readonly<Record<string, readonly string[]>> = {
  hpke: ['type', 'kem', 'keyId', 'enc', 'wrapped'],
  wallet: ['type', 'kem', 'keyId', 'enc', 'wrapped', 'address'],
}

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
  if (!Array.isArray(value) || value.length === 0) throw invalid(place, 'a file has at least one recipient')
  if (value.length > maximumStanzas) throw invalid(place, `a file has at most ${maximumStanzas} recipients`)
  const seen = new Set<string>()
  return value.map((each: JsonValue, index) => {
    const at = `${place}[${index}]`
    const stanza = parseStanza(each, at)
    if (isKnown(stanza)) {
      // One stanza per key keeps the work of finding one's own bounded, and removal unambiguous.
      const name = nameOf(stanza)
      if (seen.has(name)) throw invalid(at, 'a second stanza for the same key')
      seen.add(name)
    }
    return stanza
  })
}

/**
 * Whether this version can read a stanza.
 *
 * @param stanza - the stanza
 * @returns true for `hpke` and `wallet` over X25519
 */
export function isKnown(stanza: Stanza): boolean {
  return Object.hasOwn(fieldsOfKind, stanza.type) && stanza['kem'] === 'x25519'
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
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(place, 'expected an object')
  const stanza = value as Stanza
  if (typeof stanza.type !== 'string' || !/^[a-z0-9][a-z0-9./-]{0,63}$/.test(stanza.type)) {
    throw invalid(`${place}.type`, 'expected a name of a-z 0-9 . / -')
  }
  if (isKnown(stanza)) return parseKnown(stanza, place)
  const critical = Object.hasOwn(stanza, 'critical') ? stanza['critical'] : false
  if (typeof critical !== 'boolean') throw invalid(`${place}.critical`, 'expected true or false')
  if (critical) {
    const message = 'a critical recipient of an unknown type; update this package to open the file'
    throw new CryptoError('RECIPIENT_UNSUPPORTED', place, message)
  }
  return stanza
}

function parseKnown(stanza: Stanza, place: string): Stanza {
  const names = fieldsOfKind[stanza.type] ?? []
  if (Object.keys(stanza).length !== names.length || !names.every((name) => Object.hasOwn(stanza, name))) {
    throw invalid(place, `expected exactly the fields ${names.join(', ')}`)
  }
  const { keyId, enc, wrapped, address } = stanza
  if (typeof keyId !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(keyId)) {
    throw invalid(`${place}.keyId`, 'expected 1 to 128 printable ASCII characters')
  }
  if (!hasLength(enc, encapsulatedKeyLength)) {
    throw invalid(`${place}.enc`, `expected ${encapsulatedKeyLength} bytes in base64url`)
  }
  if (!hasLength(wrapped, wrappedKeyLength)) {
    throw invalid(`${place}.wrapped`, `expected ${wrappedKeyLength} bytes in base64url`)
  }
  if (stanza.type === 'wallet' && (typeof address !== 'string' || !/^0x[0-9a-f]{40}$/.test(address))) {
    throw invalid(`${place}.address`, 'expected an address in lower case')
  }
  return stanza
}

function hasLength(value: unknown, length: number): boolean {
  try {
    return decodeBase64Url(value as string).length === length
  } catch {
    return false
  }
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('HEADER_INVALID', place, why)
}
