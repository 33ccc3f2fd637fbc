import { CryptoError } from '../errors.js'
import { requireByteString } from './bytes.js'

/** `0x` followed by an even number of hexadecimal digits. */
export type Hex = `0x${string}`

/**
 * Writes bytes as `0x` and lower-case hexadecimal digits.
 *
 * @param bytes - any bytes
 * @returns `0x` and two digits for each byte
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes
 */
export function encodeHex(bytes: Uint8Array): Hex {
  requireByteString(bytes, 'bytes')
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return `0x${text}`
}

/**
 * Reads `0x`-prefixed hexadecimal digits of either case.
 *
 * @param text - `0x` and an even number of digits
 * @param place - named in the error
 * @returns the bytes
 * @throws CryptoError `ENCODING_INVALID` when the prefix is missing, the count is odd or a character is no digit
 */
export function decodeHex(text: string, place = 'hex'): Uint8Array {
  if (typeof text !== 'string' || !/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) {
    throw new CryptoError('ENCODING_INVALID', place, 'expected 0x and an even number of hexadecimal digits')
  }
  const bytes = new Uint8Array(text.length / 2 - 1)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = (digitAt(text, 2 * index + 2) << 4) | digitAt(text, 2 * index + 3)
  }
  return bytes
}

function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 58 ? code - 48 : (code | 32) - 87
}
