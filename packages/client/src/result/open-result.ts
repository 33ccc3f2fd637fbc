import {
  canonicalBytes,
  type Digest,
  hpkeIdentity,
  type JsonValue,
  openBytes,
  parseCanonical,
  sha256Digest,
} from '@sealpool/crypto'
import { ClientError } from '../errors.js'

/** A result as its consumer reads it. */
export interface OpenedResult {
  /** What the job released. */
  readonly value: JsonValue
  /** The opened bytes: the canonical JSON of `value`. The receipt names their digest. */
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/**
 * Opens a result that was sealed to the consumer.
 *
 * @param options - the sealed result, and what it is opened and compared with
 * @param options.sealed the sealed bytes, as the node or a blob store gave them
 * @param options.privateKey the X25519 private key behind the manifest's `resultKey`, 32 bytes
 * @param options.expectedDigest the digest that the receipt names; compared when given
 * @returns the result
 * @throws CryptoError when it was sealed to somebody else or was changed; ClientError `RESULT_INVALID` when it is not
 *   canonical JSON or not the result that the receipt names
 */
export async function openResult(options: {
  readonly sealed: Uint8Array
  readonly privateKey: Uint8Array
  readonly expectedDigest?: Digest
}): Promise<OpenedResult> {
  const { plaintext } = await openBytes(options.sealed, {
    identities: [hpkeIdentity({ privateKey: options.privateKey })],
  })
  const digest = sha256Digest(plaintext)
  if (options.expectedDigest !== undefined && options.expectedDigest !== digest) {
    throw new ClientError('RESULT_INVALID', 'result', 'it is not the result that the receipt names')
  }
  try {
    const value = parseCanonical(plaintext)
    return { value, bytes: canonicalBytes(value), digest }
  } catch (cause) {
    throw new ClientError('RESULT_INVALID', 'result', 'it is not canonical JSON', { cause })
  }
}
