import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes, 64 lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)))
}

/** Keccak-256 as Ethereum has it, of a text's UTF-8 bytes, 64 lower-case hexadecimal digits. */
export function keccakHex(text: string): string {
  return bytesToHex(keccak_256(utf8ToBytes(text)))
}
