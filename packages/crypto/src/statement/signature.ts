import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Address } from '../encoding/address.js'
import { concatBytes, requireBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'

// A function, so that a bundle that signs nothing carries no curve.
const order = () => secp256k1.Point.Fn.ORDER

/**
 * The address of a secp256k1 private key: the last 20 bytes of the public key's Keccak-256.
 *
 * @param privateKey - 32 bytes, between 1 and the group order
 * @returns the address in lower case
 * @throws CryptoError `KEY_INVALID` when the key is out of range
 * @example
 * ```ts
 * import { addressOf, decodeHex } from '@sealpool/crypto'
 * const key = decodeHex('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
 * console.log(addressOf(key)) // 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266
 * ```
 */
export function addressOf(privateKey: Uint8Array): Address {
  return addressOfPublicKey(secp256k1.getPublicKey(requirePrivateKey(privateKey), false))
}

/**
 * Signs a 32-byte digest with a nonce from RFC 6979 and `s` in the lower half of the order (EIP-2).
 *
 * @param digest - 32 bytes
 * @param privateKey - 32 bytes
 * @returns `r || s || v` with `v` 27 or 28, 65 bytes as hex
 * @throws CryptoError `KEY_INVALID`
 */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Hex {
  const recovered = secp256k1.sign(digest, requirePrivateKey(privateKey), {
    prehash: false,
    lowS: true,
    format: 'recovered',
  })
  return encodeHex(concatBytes(recovered.subarray(1), new Uint8Array([27 + (recovered[0] ?? 0)])))
}

/**
 * The address whose key signed a digest. Each signature has one form: another length, `v` other than 27 or 28, and
 * `s` in the upper half of the order are refused, so nobody can turn a signature into a second valid one.
 *
 * @param digest - 32 bytes
 * @param signature - `r || s || v`, 65 bytes as hex
 * @param place - named in the error
 * @returns the signer's address in lower case
 * @throws CryptoError `SIGNATURE_INVALID`
 */
export function recoverAddress(digest: Uint8Array, signature: Hex, place = 'signature'): Address {
  const { r, s, v } = splitSignature(signature, place)
  if (v !== 27 && v !== 28) throw refuse(place, 'v must be 27 or 28')
  if (numberOf(s) > order() / 2n) throw refuse(place, 's lies in the upper half of the order (EIP-2)')
  try {
    const publicKey = secp256k1.recoverPublicKey(concatBytes(new Uint8Array([v - 27]), r, s), digest, {
      prehash: false,
    })
    return addressOfPublicKey(secp256k1.Point.fromBytes(publicKey).toBytes(false))
  } catch {
    throw refuse(place, 'no public key fits it')
  }
}

/**
 * Takes a 65-byte signature apart.
 *
 * @param signature - `r || s || v` as hex
 * @param place - named in the error
 * @returns `r` and `s` of 32 bytes each, and `v`
 * @throws CryptoError `SIGNATURE_INVALID` when it is no hex of 65 bytes
 */
export function splitSignature(
  signature: Hex,
  place: string,
): { readonly r: Uint8Array; readonly s: Uint8Array; readonly v: number } {
  if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw refuse(place, 'expected 65 bytes (r, s, v) as 0x and 130 hexadecimal digits')
  }
  const bytes = decodeHex(signature)
  return { r: bytes.subarray(0, 32), s: bytes.subarray(32, 64), v: bytes[64] ?? 0 }
}

/**
 * The lower of the two `s` values that are valid for one signature, for callers that accept both.
 *
 * @param s - 32 bytes
 * @param place - named in the error
 * @returns 32 bytes
 * @throws CryptoError `SIGNATURE_INVALID` when `s` is zero or not below the group order
 */
export function lowerS(s: Uint8Array, place: string): Uint8Array {
  const value = numberOf(s)
  if (value === 0n || value >= order()) throw refuse(place, 's is out of range')
  return value > order() / 2n ? decodeHex(`0x${(order() - value).toString(16).padStart(64, '0')}`) : s
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(encodeHex(bytes))
}

function requirePrivateKey(privateKey: Uint8Array): Uint8Array {
  requireBytes(privateKey, 32, 'privateKey')
  if (!secp256k1.utils.isValidSecretKey(privateKey)) {
    throw new CryptoError('KEY_INVALID', 'privateKey', 'not a secp256k1 private key; draw another one')
  }
  return privateKey
}

function addressOfPublicKey(uncompressed: Uint8Array): Address {
  return encodeHex(keccak_256(uncompressed.subarray(1)).subarray(12))
}

function refuse(place: string, why: string): CryptoError {
  return new CryptoError('SIGNATURE_INVALID', place, `the signature is refused: ${why}`)
}
