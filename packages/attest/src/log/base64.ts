import { AttestError } from '../errors.js'

/** Bytes as standard base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const octet of bytes) binary += String.fromCharCode(octet)
  return btoa(binary)
}

/**
 * Reads standard base64 in its one form: padded, no spaces, unused bits zero.
 *
 * @throws AttestError `BAD_LOG`
 */
export function decodeBase64(text: string, place: string): Uint8Array {
  let bytes: Uint8Array | undefined
  try {
    bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  } catch {}
  if (bytes === undefined || encodeBase64(bytes) !== text) {
    throw new AttestError('BAD_LOG', place, 'Not base64 in its one form')
  }
  return bytes
}
