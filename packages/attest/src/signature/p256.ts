import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'

/**
 * Port for ECDSA P-256 with SHA-256, so that a caller can put a native implementation in the place of the portable one.
 *
 * @param publicKey 65 bytes, uncompressed SEC1 point (04 || x || y)
 * @param message the signed bytes (not their hash)
 * @param signature 64 bytes, r || s big-endian
 * @returns true only for a valid signature; never throws
 */
export type VerifyP256 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/**
 * The portable {@link VerifyP256}, from `@noble/curves`. High-s signatures are valid: Intel's and X.509's ECDSA have no
 * low-s rule.
 */
export const verifyP256: VerifyP256 = (publicKey, message, signature) => {
  if (publicKey.length !== 65 || publicKey[0] !== 4 || signature.length !== 64) return false
  try {
    return p256.verify(signature, message, publicKey, { lowS: false, prehash: true, format: 'compact' })
  } catch {
    return false
  }
}

/**
 * Remembers answers within one verification, because one certificate appears in several of Intel's chains and the same
 * signature would be checked again and again.
 *
 * @param verify the implementation that does the work
 * @returns the same answers, each computed once
 */
export function rememberingP256(verify: VerifyP256): VerifyP256 {
  const answers = new Map<string, boolean>()
  return (publicKey, message, signature) => {
    if (publicKey.length !== 65 || signature.length !== 64) return false
    // Key and signature have fixed lengths, so their concatenation with the message is unambiguous.
    const key = bytesToHex(sha256(concatBytes(publicKey, signature, message)))
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = verify(publicKey, message, signature)
    answers.set(key, answer)
    return answer
  }
}
