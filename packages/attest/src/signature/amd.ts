import { curveP384, verifyEcdsa } from './ecdsa.js'
import { keyAlgorithm } from './port.js'
import { verifyRsaPss384 } from './rsa-pss.js'

/**
 * The portable port for AMD's chains: RSASSA-PSS for certificates and lists, ECDSA P-384 for reports.
 *
 * @param publicKey in a form of the port's
 * @param message the signed bytes
 * @param signature big-endian
 * @returns true only for a valid signature
 */
export function verifyAmdSignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return keyAlgorithm(publicKey) === 'rsa'
    ? verifyRsaPss384(publicKey, message, signature)
    : verifyEcdsa(curveP384, publicKey, message, signature)
}
