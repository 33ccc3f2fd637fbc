import { isBytes } from '../encoding/is-bytes.js'
import { AttestError } from '../errors.js'

/**
 * The nonce that evidence is asked to carry.
 *
 * @param nonce as the caller gave it
 * @returns its bytes; undefined when none was asked for
 * @throws AttestError `BAD_ARGUMENT` when it is no bytes, a text for example
 */
export function askedNonce(nonce: Uint8Array | undefined): Uint8Array | undefined {
  // Callers without types may give anything.
  if (nonce !== undefined && !isBytes(nonce))
    throw new AttestError('BAD_ARGUMENT', 'options.nonce', 'The nonce is expected as bytes')
  return nonce
}
