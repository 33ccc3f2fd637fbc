import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'

/** Shortest acceptable key, in bytes. */
const SHORTEST_KEY = 32

/**
 * Fingerprint of content under a pool's secret key: equal content, equal fingerprint; without the key nobody
 * can test whether a given content is in the pool. HMAC-SHA-256 over the domain and the data, each behind its
 * length, so that no two (domain, data) pairs share an input.
 *
 * @param options - `key`: at least 32 secret bytes; `domain`: what the fingerprint is for, for example
 *   `content`; `data`: bytes or text (taken as UTF-8).
 * @returns 64 lower-case hexadecimal digits.
 * @throws PrivacyError `PARAMETER_INVALID` for a short key or an empty domain.
 * @example
 * ```ts
 * import { keyedFingerprint } from '@sealpool/privacy'
 * const key = new Uint8Array(32).fill(7)
 * const print = keyedFingerprint({ key, domain: 'content', data: 'hello' })
 * console.assert(print === keyedFingerprint({ key, domain: 'content', data: 'hello' }))
 * ```
 */
export function keyedFingerprint(options: {
  readonly key: Uint8Array
  readonly domain: string
  readonly data: Uint8Array | string
}): string {
  if (options.key.length < SHORTEST_KEY) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'key',
      `A fingerprint key needs at least ${SHORTEST_KEY} bytes; derive one from the pool's root.`,
    )
  }
  if (options.domain === '') {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'domain',
      'A fingerprint needs a domain, so that fingerprints for different ends cannot be matched.',
    )
  }
  const data = typeof options.data === 'string' ? utf8ToBytes(options.data) : options.data
  const mac = hmac.create(sha256, options.key)
  for (const part of [utf8ToBytes('sealpool/fingerprint/1'), utf8ToBytes(options.domain), data]) {
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(part.length))
    mac.update(length).update(part)
  }
  return bytesToHex(mac.digest())
}
