import { decodeBase64Url } from '@sealpool/crypto'
import { bytesToInteger, derBitString, derInteger, derObjectId, readDer, readDerAll } from './der.js'
import { isSoundRsaKey, type RsaKey } from './rsa.js'

/** A public key, by what it is for. */
export type PublicKey =
  | { readonly type: 'ed25519'; readonly bytes: Uint8Array }
  | { readonly type: 'p256' | 'p384' | 'secp256k1'; readonly bytes: Uint8Array }
  | { readonly type: 'rsa'; readonly rsa: RsaKey }

/** A public key as a JSON Web Key (RFC 7517); other members are ignored. */
export interface Jwk {
  readonly kty: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

const curves: Readonly<Record<string, readonly ['p256' | 'p384' | 'secp256k1', number]>> = {
  'P-256': ['p256', 32],
  'P-384': ['p384', 48],
  secp256k1: ['secp256k1', 32],
}

/**
 * Reads a public key from a JSON Web Key.
 *
 * @param jwk OKP with Ed25519, EC with P-256, P-384 or secp256k1, or RSA
 * @returns the key, or undefined when it is another kind or malformed
 */
export function keyFromJwk(jwk: Jwk): PublicKey | undefined {
  const bytes = (text: string | undefined): Uint8Array | undefined => {
    try {
      return typeof text === 'string' ? decodeBase64Url(text) : undefined
    } catch {
      return undefined
    }
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const x = bytes(jwk.x)
    return x?.length === 32 ? { type: 'ed25519', bytes: x } : undefined
  }
  if (jwk.kty === 'EC' && Object.hasOwn(curves, jwk.crv ?? '')) {
    const [type, size] = curves[jwk.crv ?? ''] ?? []
    const x = bytes(jwk.x)
    const y = bytes(jwk.y)
    if (type === undefined || x === undefined || y === undefined) return undefined
    if (x.length !== size || y.length !== size) return undefined
    return { type, bytes: Uint8Array.of(4, ...x, ...y) }
  }
  if (jwk.kty === 'RSA') {
    const n = bytes(jwk.n)
    const e = bytes(jwk.e)
    if (n === undefined || e === undefined) return undefined
    return rsaKey({ modulus: bytesToInteger(n), exponent: bytesToInteger(e) })
  }
  return undefined
}

/**
 * Reads a public key from a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
 *
 * @param der bytes of exactly one
 * @param leastRsaBits smallest RSA key that is taken
 * @returns the key, or undefined
 */
export function keyFromSpki(der: Uint8Array, leastRsaBits = 2048): PublicKey | undefined {
  const outer = readDer(der)
  if (outer?.tag !== 0x30 || outer.whole.length !== der.length) return undefined
  const [algorithm, bits] = readDerAll(outer.content) ?? []
  const bytes = derBitString(bits)
  const [id, parameters] = algorithm?.tag === 0x30 ? (readDerAll(algorithm.content) ?? []) : []
  if (bytes === undefined) return undefined
  switch (derObjectId(id)) {
    case '1.3.101.112':
      return bytes.length === 32 ? { type: 'ed25519', bytes } : undefined
    case '1.2.840.10045.2.1': {
      const curve = derObjectId(parameters)
      if (curve === '1.2.840.10045.3.1.7') return { type: 'p256', bytes }
      if (curve === '1.3.132.0.34') return { type: 'p384', bytes }
      return curve === '1.3.132.0.10' ? { type: 'secp256k1', bytes } : undefined
    }
    case '1.2.840.113549.1.1.1':
      return rsaFromPkcs1(bytes, leastRsaBits)
    default:
      return undefined
  }
}

/** RSAPublicKey (RFC 8017 appendix A.1.1). */
export function rsaFromPkcs1(der: Uint8Array, leastBits = 2048): PublicKey | undefined {
  const outer = readDer(der)
  if (outer?.tag !== 0x30 || outer.whole.length !== der.length) return undefined
  const [first, second, ...others] = readDerAll(outer.content) ?? []
  const modulus = derInteger(first)
  const exponent = derInteger(second)
  if (modulus === undefined || exponent === undefined || others.length > 0) return undefined
  return rsaKey({ modulus, exponent }, leastBits)
}

function rsaKey(rsa: RsaKey, leastBits = 2048): PublicKey | undefined {
  return isSoundRsaKey(rsa, leastBits) ? { type: 'rsa', rsa } : undefined
}
