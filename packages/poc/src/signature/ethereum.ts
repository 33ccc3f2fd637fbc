import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, concatBytes, decodeHex, encodeHex } from '@sealpool/crypto'

/**
 * Recovers the address that signed a 32-byte hash (Ethereum Yellow Paper, appendix F; EIP-2 refuses high `s`).
 *
 * @param hash 32 bytes
 * @param signature `r || s || v` in hexadecimal, `v` 27 or 28 (or 0 or 1, as some devices write it)
 * @returns the address in lower case, or undefined when no key fits
 */
export function recoverSigner(hash: Uint8Array, signature: unknown): Address | undefined {
  if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature)) return undefined
  const bytes = decodeHex(signature.toLowerCase())
  const v = bytes[64] ?? 255
  const recovery = v >= 27 ? v - 27 : v
  if (recovery > 1) return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(
      concatBytes(Uint8Array.of(recovery), bytes.subarray(0, 64)),
      'recovered',
    )
    if (parsed.hasHighS()) return undefined
    const point = parsed.recoverPublicKey(hash).toBytes(false)
    return encodeHex(keccak_256(point.subarray(1)).subarray(12))
  } catch {
    return undefined
  }
}

/**
 * The hash that `personal_sign` signs (EIP-191 version 0x45).
 *
 * @param message text or bytes
 */
export function personalMessageHash(message: string | Uint8Array): Uint8Array {
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message
  const prefix = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${bytes.length}`)
  return keccak_256(concatBytes(prefix, bytes))
}
