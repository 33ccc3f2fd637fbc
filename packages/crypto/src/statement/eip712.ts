import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, parseAddress } from '../encoding/address.js'
import { bigEndian, concatBytes } from '../encoding/bytes.js'
import { decodeHex } from '../encoding/hex.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'

/**
 * Keccak-256, the hash of the EVM (not SHA3-256: the padding differs).
 *
 * @param bytes - any bytes
 * @returns 32 bytes
 */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}

/**
 * Keccak-256 of a text's UTF-8 bytes, as EIP-712 hashes its strings and type names.
 *
 * @param text - any text
 * @returns 32 bytes
 */
export function keccakOfText(text: string): Uint8Array {
  return keccak_256(utf8(text))
}

/**
 * An address as a 32-byte word: twelve zero bytes, then the address (ABI specification, uint160).
 *
 * @param address - the address
 * @param place - named in the error
 * @returns 32 bytes
 * @throws CryptoError `ADDRESS_INVALID`
 */
export function addressWord(address: Address, place: string): Uint8Array {
  return concatBytes(new Uint8Array(12), decodeHex(parseAddress(address, place)))
}

/**
 * A chain id as a 32-byte word.
 *
 * @param chainId - 1 to 2^53 - 1
 * @param place - named in the error
 * @returns 32 bytes
 * @throws CryptoError `STATEMENT_INVALID` when it is no positive whole number
 */
export function chainIdWord(chainId: unknown, place: string): Uint8Array {
  if (!isWhole(chainId, 1)) {
    throw new CryptoError('STATEMENT_INVALID', place, 'a chain id is a positive whole number')
  }
  return bigEndian(chainId, 32)
}

/**
 * The digest that is signed: `keccak256(0x1901 || domainSeparator || structHash)` (EIP-712).
 *
 * @param domainSeparator - 32 bytes
 * @param structHash - 32 bytes
 * @returns 32 bytes
 */
export function typedDataDigest(domainSeparator: Uint8Array, structHash: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(new Uint8Array([0x19, 0x01]), domainSeparator, structHash))
}
