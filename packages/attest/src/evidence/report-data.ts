import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { decodeHex, digestToBytes, type Hex, type KeySet, keySetDigest } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import type { TdxClaims } from '../verdict/verdict.js'

/** The nonce of evidence that nobody asked for: 32 zero bytes. */
export const zeroNonce: Hex = `0x${'00'.repeat(32)}`

/**
 * The report data that binds a node's keys to its quote: SHA-256 of the key set's canonical JSON, then the nonce.
 *
 * @param keySet the node's public keys
 * @param nonce 32 bytes as hex, chosen by whoever asks for evidence; zero when nobody asks
 * @returns 64 bytes
 * @throws AttestError `BAD_ARGUMENT` when the nonce is not 32 bytes; CryptoError `KEY_SET_INVALID`
 */
export function nodeReportData(keySet: KeySet, nonce: Hex = zeroNonce): Uint8Array {
  if (!/^0x[0-9a-fA-F]{64}$/.test(nonce)) {
    throw new AttestError('BAD_ARGUMENT', 'nonce', 'A nonce is 32 bytes as 0x and 64 hexadecimal digits')
  }
  return concatBytes(digestToBytes(keySetDigest(keySet)), decodeHex(nonce))
}

/**
 * One number for what a TD runs, as the node registry on chain lists it: SHA-256 of MRTD and RTMR0 to RTMR3 one after the
 * other.
 *
 * @param claims of a TDX verdict
 * @returns 32 bytes as hex
 * @throws AttestError `BAD_ARGUMENT` when a register is not 48 bytes
 */
export function measurementDigest(claims: Pick<TdxClaims, 'mrTd' | 'rtmrs'>): Hex {
  const registers = [claims.mrTd, ...claims.rtmrs]
  if (registers.length !== 5 || !registers.every((value) => /^0x[0-9a-fA-F]{96}$/.test(value))) {
    throw new AttestError('BAD_ARGUMENT', 'claims', 'MRTD and four RTMRs of 48 bytes each are expected')
  }
  return `0x${bytesToHex(sha256(concatBytes(...registers.map((value) => decodeHex(value)))))}`
}
