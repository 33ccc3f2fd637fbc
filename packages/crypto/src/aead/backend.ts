import { CryptoError } from '../errors.js'

/**
 * Where ciphers and key agreement are computed: `native` is WebCrypto, `pure` is noble's JavaScript, `auto` is
 * native when the platform has it. The bytes are the same; speed and protection against timing attacks differ
 * (native is better in both).
 */
export type Backend = 'auto' | 'native' | 'pure'

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
  if (backend !== 'auto' && backend !== 'native') {
    throw new CryptoError('OPTION_INVALID', 'backend', 'expected auto, native or pure')
  }
  // Typed as always present, but absent in insecure contexts.
  const subtle = (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle
  if (subtle === undefined && backend === 'native') {
    throw new CryptoError(
      'NATIVE_CRYPTO_MISSING',
      'backend',
      'this platform has no WebCrypto; use backend auto',
    )
  }
  return subtle
}
