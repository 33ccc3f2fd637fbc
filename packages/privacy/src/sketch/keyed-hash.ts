import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { PrivacyError } from '../errors.js'

/**
 * A keyed hash of items: HMAC-SHA256 under a key that belongs to the pool and the use.
 *
 * @param options - `key`: the pool's, at least 32 secret bytes; `use`: what the hashes are for; sketches of different uses
 *   cannot be matched.
 * @returns Hashes an item (text is taken as UTF-8) to four 32-bit words.
 * @throws PrivacyError `PARAMETER_INVALID` for a short key or an empty use.
 */
export function keyedHash(options: {
  readonly key: Uint8Array
  readonly use: string
}): (item: string) => readonly [number, number, number, number] {
  if (options.key.length < 32) {
    throw new PrivacyError('PARAMETER_INVALID', 'key', 'A sketch key needs at least 32 bytes.')
  }
  if (options.use === '') {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'use',
      'A sketch needs a use, the name of a column for example.',
    )
  }
  const own = hmac(sha256, options.key, utf8ToBytes(`sealpool/sketch/1/${options.use}`))
  const keyed = hmac.create(sha256, own)
  return (item) => {
    const digest = keyed.clone().update(utf8ToBytes(item)).digest()
    const view = new DataView(digest.buffer, digest.byteOffset)
    return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)]
  }
}
