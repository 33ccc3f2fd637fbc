import { type Digest, sha256Digest } from '../digest/digest.js'
import { equalBytes, requireByteString } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError } from '../errors.js'
import { canonicalize, type JsonValue } from './canonicalize.js'

/**
 * The UTF-8 bytes of a value's canonical text (RFC 8785).
 *
 * @param value - a JSON value
 * @returns the bytes that digests and signatures are taken over
 * @throws CryptoError as {@link canonicalize}
 */
export function canonicalBytes(value: JsonValue): Uint8Array<ArrayBuffer> {
  return utf8(canonicalize(value))
}

/**
 * The SHA-256 of a value's canonical bytes, the digest by which pools name policies, manifests and key sets.
 *
 * @param value - a JSON value
 * @returns `sha256:` and 64 hexadecimal digits
 * @throws CryptoError as {@link canonicalize}
 */
export function digestOf(value: JsonValue): Digest {
  return sha256Digest(canonicalBytes(value))
}

/**
 * Reads JSON that is already canonical, byte for byte: the value and its one text are then interchangeable, and
 * duplicate names, rounded numbers, white space and a byte order mark are all refused.
 *
 * @param input - UTF-8 bytes or text
 * @param place - named in errors
 * @returns the value
 * @throws CryptoError `JSON_INVALID` (no UTF-8, no JSON), `JSON_NOT_CANONICAL`, `JSON_TOO_DEEP`
 */
export function parseCanonical(input: Uint8Array | string, place = 'json'): JsonValue {
  const bytes = typeof input === 'string' ? utf8(input) : input
  requireByteString(bytes, place)
  let value: JsonValue
  try {
    const text =
      typeof input === 'string'
        ? input
        : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text) as JsonValue
  } catch {
    // The engine's own message quotes the input, which may be private; so it is no cause here.
    throw new CryptoError('JSON_INVALID', place, 'not UTF-8 encoded JSON')
  }
  if (!equalBytes(bytes, canonicalBytes(value))) {
    throw new CryptoError('JSON_NOT_CANONICAL', place, 'JSON is not in canonical form (RFC 8785); rewrite it')
  }
  return value
}
