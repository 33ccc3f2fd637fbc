import { curveP256, verifyEcdsa } from './ecdsa.js'
import type { VerifySignature } from './port.js'

/**
 * Port for ECDSA P-256 with SHA-256; kept as a name of its own for callers of `verifyQuote`, which asks for nothing else.
 *
 * @param publicKey 65 bytes, uncompressed SEC1 point (04 || x || y)
 * @param message the signed bytes (not their hash)
 * @param signature 64 bytes, r || s big-endian
 * @returns true only for a valid signature; never throws
 */
export type VerifyP256 = VerifySignature

/** The portable {@link VerifyP256}: plain JavaScript, for platforms without a native implementation. */
export const verifyP256: VerifyP256 = (publicKey, message, signature) =>
  verifyEcdsa(curveP256, publicKey, message, signature)
