import { sha256 } from '@noble/hashes/sha2.js'
import { requireByteString } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'

/** A SHA-256 digest as it is written in JSON: `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`

/**
 * Reads a digest.
 *
 * @param value - what the caller gave
 * @param place - named in the error
 * @returns the same digest, typed
 * @throws CryptoError `DIGEST_INVALID` when it is not `sha256:` and 64 lower-case hexadecimal digits
 */
export function parseDigest(value: unknown, place = 'digest'): Digest {
  if (typeof value !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(value)) {
    throw new CryptoError('DIGEST_INVALID', place, 'expected sha256: and 64 lower-case hexadecimal digits')
  }
  return value as Digest
}

/**
 * The SHA-256 of bytes, written as a digest.
 *
 * @param bytes - any bytes
 * @returns `sha256:` and 64 hexadecimal digits
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes
 */
export function sha256Digest(bytes: Uint8Array): Digest {
  requireByteString(bytes, 'bytes')
  return `sha256:${encodeHex(sha256(bytes)).slice(2)}`
}

/**
 * A digest as Solidity's `bytes32`.
 *
 * @param digest - `sha256:` and 64 digits
 * @returns `0x` and the same digits
 * @throws CryptoError `DIGEST_INVALID`
 */
export function digestToHex(digest: Digest): Hex {
  return `0x${parseDigest(digest).slice(7)}`
}

/**
 * A `bytes32` as a digest.
 *
 * @param hex - `0x` and 64 digits of either case
 * @returns `sha256:` and the digits in lower case
 * @throws CryptoError `DIGEST_INVALID`
 */
export function hexToDigest(hex: Hex): Digest {
  if (typeof hex !== 'string' || !hex.startsWith('0x')) {
    throw new CryptoError('DIGEST_INVALID', 'digest', 'expected 0x and 64 hexadecimal digits')
  }
  return parseDigest(`sha256:${hex.slice(2).toLowerCase()}`)
}

/**
 * The 32 bytes of a digest.
 *
 * @param digest - `sha256:` and 64 digits
 * @returns 32 bytes
 * @throws CryptoError `DIGEST_INVALID`
 */
export function digestToBytes(digest: Digest): Uint8Array {
  return decodeHex(digestToHex(digest))
}

/**
 * 32 bytes as a digest, without hashing them again (a Merkle root, for one).
 *
 * @param bytes - 32 bytes
 * @returns `sha256:` and 64 digits
 * @throws CryptoError `DIGEST_INVALID` when there are not 32
 */
export function bytesToDigest(bytes: Uint8Array): Digest {
  return hexToDigest(encodeHex(bytes))
}
