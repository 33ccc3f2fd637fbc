import { hexToBytes } from '@noble/hashes/utils.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { type RsaPublicKey, rsaEncodedMessage } from './rsa-pss.js'
import { sha256 } from './sha2.js'

/** DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2). */
const digestInfo = '3031300d060960864801650304020105000420'

/**
 * Verifies RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2) by building the one right encoding and comparing, as the standard
 * demands; nothing of the padding is parsed.
 *
 * @returns true only for a valid signature; never throws
 */
export function verifyRsaPkcs1Sha256(key: RsaPublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const encoded = rsaEncodedMessage(key, signature)
  const info = hexToBytes(digestInfo)
  const expected = new Uint8Array(key.size).fill(0xff)
  expected.set([0, 1])
  expected[key.size - info.length - 33] = 0
  expected.set(info, key.size - info.length - 32)
  expected.set(sha256(message), key.size - 32)
  return encoded !== undefined && sameBytes(encoded, expected)
}
