import { AttestError } from '../errors.js'
import { derTag, parseDer } from './der.js'

/**
 * Reads an `Ecdsa-Sig-Value` (RFC 3279 2.2.3: SEQUENCE of two positive INTEGERs) as r || s.
 *
 * @param bytes DER bytes
 * @param size length of r and of s in bytes: 32 for P-256, 48 for P-384
 * @returns r || s, big-endian, each of that size
 * @throws AttestError `BAD_DER` for anything but two positive integers of at most that size
 */
export function ecdsaSignature(bytes: Uint8Array, size: number): Uint8Array {
  const root = parseDer(bytes)
  const [r, s] = root.children
  if (root.tag !== derTag.sequence || root.children.length !== 2 || r === undefined || s === undefined) {
    throw new AttestError('BAD_DER', 'signature', 'An ECDSA signature must be a SEQUENCE of two INTEGERs')
  }
  const out = new Uint8Array(2 * size)
  for (const [index, integer] of [r, s].entries()) {
    const value = integer.content[0] === 0 ? integer.content.subarray(1) : integer.content
    const negative = ((integer.content[0] ?? 0) & 0x80) !== 0
    if (integer.tag !== derTag.integer || negative || value.length === 0 || value.length > size) {
      throw new AttestError('BAD_DER', 'signature', 'An ECDSA signature has an integer out of range')
    }
    out.set(value, size * (index + 1) - value.length)
  }
  return out
}
