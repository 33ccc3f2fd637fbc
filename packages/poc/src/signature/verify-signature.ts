import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { PublicKey } from './public-key.js'
import { verifyRsaPkcs1, verifyRsaPss } from './rsa.js'

/** Signature algorithms, named as JSON Web Algorithms names them (RFC 7518, RFC 8037, RFC 8812). */
export type SignatureAlgorithm =
  | 'EdDSA'
  | 'ES256'
  | 'ES256K'
  | 'ES384'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'

export const signatureAlgorithms: readonly SignatureAlgorithm[] = [
  'EdDSA',
  'ES256',
  'ES256K',
  'ES384',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]

/**
 * Verifies one signature. An algorithm that does not belong to the key is no signature of it, so a key is never used for
 * something else than it was made for.
 *
 * @param options `signature`: raw `r || s` for ECDSA unless `format` is `der`; Ed25519 is strict (RFC 8032 section 5.1.7)
 * @returns true only when it verifies; malformed keys and signatures give false
 */
export function verifySignature(options: {
  readonly algorithm: SignatureAlgorithm
  readonly key: PublicKey
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly format?: 'compact' | 'der'
}): boolean {
  const { algorithm, key, message, signature, format = 'compact' } = options
  try {
    if (key.type === 'rsa') {
      const hash = `sha${algorithm.slice(2)}` as 'sha256' | 'sha384' | 'sha512'
      const own = { key: key.rsa, hash, message, signature }
      if (/^RS(256|384|512)$/.test(algorithm)) return verifyRsaPkcs1(own)
      return /^PS(256|384|512)$/.test(algorithm) && verifyRsaPss(own)
    }
    if (key.type === 'ed25519') {
      return algorithm === 'EdDSA' && ed25519.verify(signature, message, key.bytes, { zip215: false })
    }
    const expected = { p256: 'ES256', p384: 'ES384', secp256k1: 'ES256K' }[key.type]
    if (algorithm !== expected) return false
    const curve = { p256, p384, secp256k1 }[key.type]
    // Half of what others sign has a high s (WebCrypto, OpenSSL). So a signature has a twin that anyone can make, and what counts
    // contributions must look at what is signed and not at the signature: see `signedContent`.
    return curve.verify(signature, message, key.bytes, { lowS: false, prehash: true, format })
  } catch {
    return false
  }
}
