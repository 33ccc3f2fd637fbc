import { CryptoError } from '../errors.js'
import type { Hex } from './hex.js'

/** An EVM account or contract: `0x` and 40 hexadecimal digits. */
export type Address = Hex

/**
 * Reads an address of any letter case and gives it in lower case, the only form this package writes. The EIP-55
 * checksum in the letter case is not judged.
 *
 * @param value - what the caller gave
 * @param place - named in the error
 * @returns the address in lower case
 * @throws CryptoError `ADDRESS_INVALID` when it is no `0x` and 40 hexadecimal digits
 */
export function parseAddress(value: unknown, place = 'address'): Address {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) {
    throw new CryptoError('ADDRESS_INVALID', place, 'expected 0x and 40 hexadecimal digits')
  }
  return value.toLowerCase() as Address
}
