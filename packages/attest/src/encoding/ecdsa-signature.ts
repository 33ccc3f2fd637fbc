import { AttestError } from '../errors.js'
import { derTag, parseDer } from './der.js'

/**
 * Reads an `Ecdsa-Sig-Value` (RFC 3279 2.2.3: SEQUENCE of two positive INTEGERs) of a 256-bit curve as r || s.
 *
 * @param bytes DER bytes
 * @returns 64 bytes, r || s big-endian
 * @throws AttestError `BAD_DER` for anything but two positive integers of at most 256 bits
 */
export function ecdsaSignature(bytes: Uint8Array): Uint8Array {
  const root = parseDer(bytes)
  const [r, s] = root.children
  if (root.tag !== derTag.sequence || root.children.length !== 2 || r === undefined || s === undefined) {
    throw new AttestError('BAD_DER', 'signature', 'An ECDSA signature must be a SEQUENCE of two INTEGERs')
  }
  const out = new Uint8Array(64)
  for (const [index, integer] of [r, s].entries()) {
    const value = integer.content[0] === 0 ? integer.content.subarray(1) : integer.content
    const negative = ((integer.content[0] ?? 0) & 0x80) !== 0
    if (integer.tag !== derTag.integer || negative || value.length === 0 || value.length > 32) {
      throw new AttestError('BAD_DER', 'signature', 'An ECDSA signature has an integer out of range')
    }
    out.set(value, 32 * (index + 1) - value.length)
  }
  return out
}
