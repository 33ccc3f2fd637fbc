import type { Random } from './encoding/bytes.js'

// WebCrypto fills at most this many bytes in one call (Web Cryptography API, getRandomValues).
const callLimit = 65_536

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let offset = 0; offset < length; offset += callLimit) {
    globalThis.crypto.getRandomValues(bytes.subarray(offset, Math.min(length, offset + callLimit)))
  }
  return bytes
}

/**
 * The platform's cryptographically secure random bytes; the default of every `random` option of this package.
 *
 * @param length - how many bytes
 * @returns that many random bytes
 */
export const platformRandom: Random = /* @__PURE__ */ Object.assign(randomBytes, {
  generateX25519: async (): Promise<CryptoKeyPair> =>
    (await globalThis.crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair,
})
