import { decodeBase64Url } from '@sealpool/crypto'

/**
 * Decodes base64 (RFC 4648 section 4), with or without its padding.
 *
 * @param text hostile text without white space
 * @returns the bytes, or undefined when a character is foreign or bits are left over
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (/[-_]/.test(text)) return undefined
  try {
    return decodeBase64Url(
      text
        .replace(/={1,2}$/, '')
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    )
  } catch {
    return undefined
  }
}

/** Decodes base64url without padding (RFC 4648 section 5); undefined when it is none. */
export function decodeUrlSafe(text: string): Uint8Array | undefined {
  try {
    return decodeBase64Url(text)
  } catch {
    return undefined
  }
}
