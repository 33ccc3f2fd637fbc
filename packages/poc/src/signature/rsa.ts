import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '@sealpool/crypto'
import { bytesToInteger } from './der.js'

/** An RSA public key. */
export interface RsaKey {
  readonly modulus: bigint
  readonly exponent: bigint
}

/** Hashes that signatures are made with. */
export type HashName = 'sha256' | 'sha384' | 'sha512'

export const hashes = { sha256, sha384, sha512 } as const

/** DigestInfo up to the hash (RFC 8017 section 9.2, note 1). */
const digestInfo: Readonly<Record<HashName, readonly number[]>> = {
  sha256: [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
  ],
  sha384: [
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
    0x04, 0x30,
  ],
  sha512: [
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
    0x04, 0x40,
  ],
}

/**
 * Whether a key is one that is verified with: 1,024 to 8,192 bits, an odd exponent from 3 to 2^32. Keys below 2,048 bits are for
 * old DKIM selectors alone (RFC 8301 section 3.2).
 */
export function isSoundRsaKey({ modulus, exponent }: RsaKey, leastBits = 2048): boolean {
  const bits = modulus.toString(2).length
  return (
    bits >= leastBits &&
    bits <= 8192 &&
    (modulus & 1n) === 1n &&
    (exponent & 1n) === 1n &&
    exponent >= 3n &&
    exponent <= 2n ** 32n
  )
}

/**
 * RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2): the encoded message is built and compared whole, so nothing in it is parsed.
 *
 * @param options key, hash, message and signature
 */
export function verifyRsaPkcs1(options: {
  readonly key: RsaKey
  readonly hash: HashName
  readonly message: Uint8Array
  readonly signature: Uint8Array
}): boolean {
  const encoded = recoverEncoded(options.key, options.signature)
  if (encoded === undefined) return false
  const tail = concatBytes(Uint8Array.from(digestInfo[options.hash]), hashes[options.hash](options.message))
  const padding = encoded.length - tail.length - 3
  if (padding < 8) return false
  const expected = concatBytes(
    Uint8Array.of(0, 1),
    new Uint8Array(padding).fill(0xff),
    Uint8Array.of(0),
    tail,
  )
  return equalBytes(encoded, expected)
}

/**
 * RSASSA-PSS (RFC 8017 section 8.1.2) with MGF1 of the same hash and a salt as long as the hash.
 *
 * @param options key, hash, message and signature
 */
export function verifyRsaPss(options: {
  readonly key: RsaKey
  readonly hash: HashName
  readonly message: Uint8Array
  readonly signature: Uint8Array
}): boolean {
  const hash = hashes[options.hash]
  const recovered = recoverEncoded(options.key, options.signature)
  if (recovered === undefined) return false
  const bits = options.key.modulus.toString(2).length - 1
  const length = Math.ceil(bits / 8)
  const encoded = recovered.subarray(recovered.length - length)
  if (recovered.length > length && recovered[0] !== 0) return false
  const digest = hash(options.message)
  const size = digest.length
  if (length < 2 * size + 2 || encoded.at(-1) !== 0xbc) return false
  const masked = encoded.subarray(0, length - size - 1)
  const h = encoded.subarray(length - size - 1, length - 1)
  const unused = 8 * length - bits
  if (((masked[0] ?? 0) & ~(0xff >>> unused)) !== 0) return false
  const mask = mgf1(hash, h, masked.length)
  const block = masked.map((byte, index) => byte ^ (mask[index] ?? 0))
  block[0] = (block[0] ?? 0) & (0xff >>> unused)
  const zeros = masked.length - size - 1
  for (let index = 0; index < zeros; index++) if (block[index] !== 0) return false
  if (block[zeros] !== 1) return false
  return equalBytes(h, hash(concatBytes(new Uint8Array(8), digest, block.subarray(zeros + 1))))
}

function mgf1(hash: (typeof hashes)[HashName], seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0, made = 0; made < length; counter++) {
    const block = hash(
      concatBytes(seed, Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter)),
    )
    blocks.push(block)
    made += block.length
  }
  return concatBytes(...blocks)
}

/** The signature to the power of the exponent, as bytes of the modulus' length; undefined when it is none of that key. */
function recoverEncoded({ modulus, exponent }: RsaKey, signature: Uint8Array): Uint8Array | undefined {
  const length = Math.ceil(modulus.toString(16).length / 2)
  if (signature.length !== length) return undefined
  const value = bytesToInteger(signature)
  if (value >= modulus) return undefined
  let result = 1n
  let square = value
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  const hex = result.toString(16).padStart(length * 2, '0')
  return Uint8Array.from({ length }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16))
}
