import { derTag, parseDer } from '../encoding/der.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { bigEndian } from './ecdsa.js'
import { sha384 } from './sha2.js'

/** An RSA public key (RFC 8017, A.1.1). */
export interface RsaPublicKey {
  readonly modulus: bigint
  /** Length of the modulus in bytes; 256 to 512. */
  readonly size: number
}

const exponent = 65_537n

/**
 * Reads `RSAPublicKey`.
 *
 * @param der `SEQUENCE { modulus INTEGER, publicExponent INTEGER }`
 * @throws AttestError `BAD_DER` for anything else than a modulus of 2048 to 4096 bits in whole bytes and the exponent 65537
 */
export function parseRsaPublicKey(der: Uint8Array): RsaPublicKey {
  const root = parseDer(der)
  const [modulus, e] = root.children
  const good =
    root.tag === derTag.sequence &&
    root.children.length === 2 &&
    modulus?.tag === derTag.integer &&
    modulus.content[0] === 0 &&
    e?.tag === derTag.integer &&
    bigEndian(e.content) === exponent
  const size = (modulus?.content.length ?? 1) - 1
  if (!good || size < 256 || size > 512) {
    const text = 'An RSA key must have a modulus of 2048 to 4096 bits and the exponent 65537'
    throw new AttestError('BAD_DER', 'rsaPublicKey', text)
  }
  return { modulus: bigEndian(modulus.content), size }
}

/** signature^65537 mod modulus, as bytes; undefined when the signature is out of range. */
export function rsaEncodedMessage(key: RsaPublicKey, signature: Uint8Array): Uint8Array | undefined {
  const s = bigEndian(signature)
  if (signature.length !== key.size || s >= key.modulus) return undefined
  let power = s
  for (let i = 0; i < 16; i += 1) power = (power * power) % key.modulus
  const hex = ((power * s) % key.modulus).toString(16).padStart(2 * key.size, '0')
  return Uint8Array.from({ length: key.size }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

const hashLength = 48
const saltLength = 48

/**
 * Verifies RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes (RFC 8017, 8.1.2 and 9.1.2), as AMD signs.
 *
 * @param publicKey DER of `RSAPublicKey`
 * @returns true only for a valid signature; never throws
 */
export function verifyRsaPss384(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  let encoded: Uint8Array | undefined
  try {
    encoded = rsaEncodedMessage(parseRsaPublicKey(publicKey), signature)
  } catch {
    return false
  }
  // The modulus has its top bit set (whole bytes), so the encoded message is one bit shorter than it.
  if (encoded === undefined || (encoded[0] ?? 0x80) > 0x7f || encoded[encoded.length - 1] !== 0xbc)
    return false
  const split = encoded.length - hashLength - 1
  const digest = encoded.subarray(split, split + hashLength)
  const block = new Uint8Array(Math.ceil(split / hashLength) * hashLength)
  const seed = new Uint8Array(hashLength + 4)
  seed.set(digest)
  for (let i = 0; i * hashLength < split; i += 1) {
    seed[hashLength + 3] = i
    block.set(sha384(seed), i * hashLength)
  }
  for (let i = 0; i < split; i += 1) block[i] = (block[i] ?? 0) ^ (encoded[i] ?? 0)
  block[0] = (block[0] ?? 0) & 0x7f
  const saltStart = split - saltLength
  for (let i = 0; i < saltStart; i += 1) if (block[i] !== (i === saltStart - 1 ? 1 : 0)) return false
  const padded = new Uint8Array(8 + hashLength + saltLength)
  padded.set(sha384(message), 8)
  padded.set(block.subarray(saltStart, split), 8 + hashLength)
  return sameBytes(sha384(padded), digest)
}
