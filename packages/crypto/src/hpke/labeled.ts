import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bigEndian, concatBytes, secretMoved } from '../encoding/bytes.js'
import { utf8 } from '../encoding/utf8.js'

const version = /* @__PURE__ */ utf8('HPKE-v1')

/**
 * LabeledExtract (RFC 9180 section 4) with HKDF-SHA-256.
 *
 * @param suite - the KEM's or the whole suite's id
 * @param salt - may be empty
 * @param label - separates uses
 * @param input - input key material
 * @returns 32 bytes
 */
export function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  input: Uint8Array,
): Uint8Array {
  const labeled = concatBytes(version, suite, utf8(label), input)
  const key = secretMoved(extract(sha256, labeled, salt))
  labeled.fill(0)
  return key
}

/**
 * LabeledExpand (RFC 9180 section 4) with HKDF-SHA-256.
 *
 * @param suite - the KEM's or the whole suite's id
 * @param key - 32 bytes, from {@link labeledExtract}
 * @param label - separates uses
 * @param info - bound context
 * @param length - bytes wanted, at most 8,160
 * @returns that many bytes
 */
export function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const labeled = concatBytes(bigEndian(length, 2), version, suite, utf8(label), info)
  return secretMoved(expand(sha256, key, labeled, length))
}

/**
 * The id of a KEM as it stands in labels (RFC 9180 section 4.1).
 *
 * @param kemId - 0 to 65,535
 * @returns `"KEM" || I2OSP(kemId, 2)`
 */
export function kemSuiteOf(kemId: number): Uint8Array {
  return concatBytes(utf8('KEM'), bigEndian(kemId, 2))
}

/**
 * The id of a whole suite as it stands in labels (RFC 9180 section 5.1).
 *
 * @param kemId - of the KEM
 * @param kdfId - of the KDF
 * @param aeadId - of the AEAD
 * @returns `"HPKE" || I2OSP(kemId, 2) || I2OSP(kdfId, 2) || I2OSP(aeadId, 2)`
 */
export function hpkeSuiteOf(kemId: number, kdfId: number, aeadId: number): Uint8Array {
  return concatBytes(utf8('HPKE'), bigEndian(kemId, 2), bigEndian(kdfId, 2), bigEndian(aeadId, 2))
}
