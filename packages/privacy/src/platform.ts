import type { RandomBytes } from './mechanism/random.js'

/** Largest request that Web Crypto answers in one call. */
const LARGEST_REQUEST = 65_536

/**
 * The platform's cryptographically secure generator (Web Crypto), in browsers and in Node.
 *
 * @param length - Number of bytes.
 * @returns That many fresh random bytes.
 */
export const platformRandom: RandomBytes = (length) => {
  const bytes = new Uint8Array(length)
  for (let offset = 0; offset < length; offset += LARGEST_REQUEST) {
    globalThis.crypto.getRandomValues(bytes.subarray(offset, Math.min(length, offset + LARGEST_REQUEST)))
  }
  return bytes
}
