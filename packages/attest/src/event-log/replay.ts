import { sha384 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { needBytesList } from '../encoding/argument.js'

/**
 * What a measurement register holds after these digests were extended into it, starting from zero.
 *
 * @param digests 48 bytes each; shorter ones are padded with zeros as the TDX module's callers do
 * @returns 48 bytes
 */
export function replayRegister(digests: readonly Uint8Array[]): Uint8Array {
  needBytesList(digests, 'digests')
  let register: Uint8Array = new Uint8Array(48)
  for (const digest of digests) {
    const padded = new Uint8Array(48)
    padded.set(digest.subarray(0, 48))
    register = sha384(concatBytes(register, padded))
  }
  return register
}
