import { curveP384, verifyEcdsa } from './ecdsa.js'
import { keyAlgorithm, type VerifySignature } from './port.js'
import { verifyRsaPss384 } from './rsa-pss.js'

/** The portable port for AMD's chains: RSASSA-PSS for certificates and lists, ECDSA P-384 for reports. */
export function verifyAmdSignature(...[publicKey, message, signature]: Parameters<VerifySignature>): boolean {
  return keyAlgorithm(publicKey) === 'rsa'
    ? verifyRsaPss384(publicKey, message, signature)
    : verifyEcdsa(curveP384, publicKey, message, signature)
}
