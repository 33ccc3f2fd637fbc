import { PrivacyError } from '../errors.js'
import { keyedFingerprint } from './keyed-fingerprint.js'

/**
 * A contributor's stable name inside one pool. Different pools (keys) give unrelated names to one wallet.
 *
 * @param options - `key`: at least 32 secret bytes of the pool; `address`: 0x and 40 hexadecimal digits in
 *   either case (checksummed or not, it is the same wallet).
 * @returns 64 lower-case hexadecimal digits.
 * @throws PrivacyError `PARAMETER_INVALID` for a short key or something that is not an address.
 */
export function contributorPseudonym(options: {
  readonly key: Uint8Array
  readonly address: string
}): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(options.address)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'address',
      'Expected an address: 0x and 40 hexadecimal digits.',
    )
  }
  return keyedFingerprint({ key: options.key, domain: 'contributor', data: options.address.toLowerCase() })
}
