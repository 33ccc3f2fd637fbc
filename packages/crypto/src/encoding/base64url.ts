import { CryptoError } from '../errors.js'
import { requireByteString } from './bytes.js'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const values = /* @__PURE__ */ valuesOf(alphabet)

function valuesOf(characters: string): Int8Array {
  const table = new Int8Array(128).fill(-1)
  for (let index = 0; index < characters.length; index++) table[characters.charCodeAt(index)] = index
  return table
}

/**
 * Writes bytes in the URL-safe base64 alphabet without padding (RFC 4648 section 5).
 *
 * @param bytes - any bytes
 * @returns the text, four characters for every three bytes
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes
 */
export function encodeBase64Url(bytes: Uint8Array): string {
  requireByteString(bytes, 'bytes')
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff
    for (bits += 8; bits >= 6; ) {
      bits -= 6
      text += alphabet.charAt((buffer >> bits) & 63)
    }
  }
  if (bits > 0) text += alphabet.charAt((buffer << (6 - bits)) & 63)
  return text
}

/**
 * Reads unpadded URL-safe base64, and only the one text that {@link encodeBase64Url} writes for these bytes:
 * padding, foreign characters, impossible lengths and set unused bits are refused, so that no two texts mean the
 * same bytes (RFC 4648 section 3.5).
 *
 * @param text - the encoded text
 * @param place - named in the error
 * @returns the bytes
 * @throws CryptoError `ENCODING_INVALID` for anything else
 */
export function decodeBase64Url(text: string, place = 'base64url'): Uint8Array {
  const refuse = (why: string) => new CryptoError('ENCODING_INVALID', place, `base64url ${why}`)
  if (typeof text !== 'string') throw refuse('must be a string')
  const rest = text.length % 4
  if (rest === 1) throw refuse('has a wrong length')
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let buffer = 0
  let bits = 0
  let offset = 0
  for (let index = 0; index < text.length; index++) {
    const value = values[text.charCodeAt(index)] ?? -1
    if (value < 0) throw refuse('has a character outside A-Z a-z 0-9 - _')
    buffer = ((buffer << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[offset++] = (buffer >> bits) & 0xff
    }
  }
  if ((buffer & ((1 << bits) - 1)) !== 0) throw refuse('has unused bits set')
  return bytes
}
