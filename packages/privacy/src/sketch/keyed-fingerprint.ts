import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'

/** Shortest acceptable key, in bytes. */
const SHORTEST_KEY = 32

/** What a fingerprint is made under. */
export interface FingerprintDomain {
  /** At least 32 secret bytes. */
  readonly key: Uint8Array
  /** What the fingerprint is for, for example `content`; not empty. */
  readonly domain: string
}

/**
 * Fingerprint of content under a pool's secret key: equal content, equal fingerprint; without the key nobody
 * can test whether a given content is in the pool. HMAC-SHA-256 over the domain and the data, each behind its
 * length, so that no two (domain, data) pairs share an input. For many contents of one domain, see
 * {@link createKeyedFingerprint}.
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
export function keyedFingerprint(
  options: FingerprintDomain & { readonly data: Uint8Array | string },
): string {
  return finish(begin(options), options.data)
}

/**
 * {@link keyedFingerprint} for many contents of one domain: key and domain are absorbed once.
 *
 * @param options - `key`: at least 32 secret bytes; `domain`: what the fingerprints are for. What HMAC makes of the key stays in memory as
 *   long as the function, and is worth the key in this domain.
 * @returns a function from bytes or text (taken as UTF-8) to 64 lower-case hexadecimal digits.
 * @throws PrivacyError `PARAMETER_INVALID` for a short key or an empty domain.
 * @example
 * ```ts
 * import { createKeyedFingerprint, keyedFingerprint } from '@sealpool/privacy'
 * const key = new Uint8Array(32).fill(7)
 * const printOf = createKeyedFingerprint({ key, domain: 'row' })
 * console.assert(printOf('hello') === keyedFingerprint({ key, domain: 'row', data: 'hello' }))
 * ```
 */
export function createKeyedFingerprint(options: FingerprintDomain): (data: Uint8Array | string) => string {
  const begun = begin(options)
  return (data) => finish(begun.clone(), data)
}

/** Key and domain. */
function begin(options: FingerprintDomain) {
  const { key, domain } = options
  if (key.length < SHORTEST_KEY) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'key',
      `A fingerprint key needs at least ${SHORTEST_KEY} bytes; derive one from the pool's root.`,
    )
  }
  if (domain === '') {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'domain',
      'A fingerprint needs a domain, so that fingerprints for different ends cannot be matched.',
    )
  }
  const mac = hmac.create(sha256, key)
  for (const part of [utf8ToBytes('sealpool/fingerprint/1'), utf8ToBytes(domain)]) {
    mac.update(lengthOf(part)).update(part)
  }
  return mac
}

/** `digest` overwrites what the key has become in it. */
function finish(
  mac: { update(part: Uint8Array): unknown; digest(): Uint8Array },
  data: Uint8Array | string,
): string {
  const bytes = typeof data === 'string' ? utf8ToBytes(data) : data
  mac.update(lengthOf(bytes))
  mac.update(bytes)
  return bytesToHex(mac.digest())
}

/** 64 bits, big-endian. */
function lengthOf(part: Uint8Array): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(part.length))
  return length
}
