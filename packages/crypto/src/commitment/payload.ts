import { concatBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'

/** Bytes of the salt at the head of a committed payload. */
export const payloadSaltBytes = 32

/**
 * What a contributor seals: the commitment's salt, then the export. The salt travels inside the seal because whoever
 * holds it can test guesses of the content against the public commitment.
 *
 * @param salt - 32 secret random bytes, the ones given to `commitPlaintext`
 * @param bytes - the export
 * @returns salt and export in one
 * @throws CryptoError `COMMITMENT_INVALID` for a salt of another length
 */
export function joinPayload(salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (salt.length !== payloadSaltBytes) {
    throw new CryptoError('COMMITMENT_INVALID', 'salt', `a salt has ${payloadSaltBytes} bytes`)
  }
  return concatBytes(salt, bytes)
}

/**
 * Takes a payload apart again.
 *
 * @param payload - what was opened; anything
 * @returns salt and export as views into `payload`
 * @throws CryptoError `COMMITMENT_INVALID` when it is too short to hold a salt
 */
export function splitPayload(payload: Uint8Array): {
  readonly salt: Uint8Array
  readonly bytes: Uint8Array
} {
  if (payload.length < payloadSaltBytes) {
    throw new CryptoError(
      'COMMITMENT_INVALID',
      'payload',
      `a payload starts with ${payloadSaltBytes} bytes of salt`,
    )
  }
  return { salt: payload.subarray(0, payloadSaltBytes), bytes: payload.subarray(payloadSaltBytes) }
}
