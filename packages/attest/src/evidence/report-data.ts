import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { decodeHex, digestToBytes, type Hex, type KeySet, keySetDigest } from '@sealpool/crypto'
import type { SnpClaims } from '../amd/claims.js'
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
 * One number for what a guest runs, as the node registry on chain lists it: SHA-256 of MRTD and RTMR0 to RTMR3 one after the
 * other (TDX), or of MEASUREMENT and HOST_DATA (SEV-SNP). The lengths differ, so one cannot stand for the other.
 *
 * @param claims of a TDX or SEV-SNP verdict
 * @returns 32 bytes as hex
 * @throws AttestError `BAD_ARGUMENT` when a value has another length
 */
export function measurementDigest(
  claims: Pick<TdxClaims, 'mrTd' | 'rtmrs'> | Pick<SnpClaims, 'measurement' | 'hostData'>,
): Hex {
  const tdx = 'mrTd' in claims
  const values = tdx ? [claims.mrTd, ...claims.rtmrs] : [claims.measurement, claims.hostData]
  const lengths = tdx ? [48, 48, 48, 48, 48] : [48, 32]
  const fits = (value: string, i: number) =>
    new RegExp(`^0x[0-9a-fA-F]{${2 * (lengths[i] ?? 0)}}$`).test(value)
  if (values.length !== lengths.length || !values.every(fits)) {
    const text = tdx
      ? 'MRTD and four RTMRs of 48 bytes each are expected'
      : 'MEASUREMENT and HOST_DATA are expected'
    throw new AttestError('BAD_ARGUMENT', 'claims', text)
  }
  return `0x${bytesToHex(sha256(concatBytes(...values.map((value) => decodeHex(value)))))}`
}
