import { CryptoError } from '../errors.js'
import { decodeBase64Url, encodeBase64Url } from './base64url.js'

/**
 * Writes bytes in the standard base64 alphabet without padding (RFC 4648 section 4).
 *
 * @param bytes - any bytes
 * @returns the text, four characters for every three bytes
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes
 */
export function encodeBase64(bytes: Uint8Array): string {
  return encodeBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/')
}

/**
 * Reads unpadded standard base64, and only the one text that {@link encodeBase64} writes for these bytes.
 *
 * @param text - the encoded text
 * @returns the bytes
 * @throws CryptoError `ENCODING_INVALID` for anything else
 */
export function decodeBase64(text: string): Uint8Array {
  if (/[-_]/.test(text)) throw new CryptoError('ENCODING_INVALID', 'base64', 'expected + and /, not - and _')
  return decodeBase64Url(text.replaceAll('+', '-').replaceAll('/', '_'))
}
