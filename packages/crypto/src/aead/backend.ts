import { CryptoError } from '../errors.js'

/**
 * Where ciphers and key agreement are computed: `native` is what the platform has (WebCrypto; in Node also its OpenSSL,
 * which needs no way to another thread and back for every chunk), `webcrypto` is WebCrypto alone, `pure` is noble's
 * JavaScript (also with `native` and `webcrypto` for the ChaCha20 ciphers where the platform has none: WebCrypto never has), `auto` is native when the platform has it. The bytes are the same; speed and protection against timing
 * attacks differ (native is better in both).
 */
export type Backend = 'auto' | 'native' | 'webcrypto' | 'pure'

/**
 * The platform's WebCrypto, as a computation: no randomness is drawn through it.
 *
 * @param backend - what the caller wants
 * @returns `subtle`, or undefined when JavaScript is to be used
 * @throws CryptoError `NATIVE_CRYPTO_MISSING` when native is demanded and absent (a page without TLS, for one);
 *   `OPTION_INVALID` for an unknown backend
 */
export function subtleFor(backend: Backend): SubtleCrypto | undefined {
  if (backend === 'pure') return undefined
  if (backend !== 'auto' && backend !== 'native' && backend !== 'webcrypto') {
    throw new CryptoError('OPTION_INVALID', 'backend', 'expected auto, native, webcrypto, pure')
  }
  // Typed as always present, but absent in insecure contexts.
  const subtle = (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle
  if (subtle === undefined && backend !== 'auto') {
    throw new CryptoError('NATIVE_CRYPTO_MISSING', 'backend', 'there is no WebCrypto here; use auto')
  }
  return subtle
}
