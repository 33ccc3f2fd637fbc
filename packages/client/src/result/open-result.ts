import { AttestError, type ResultView, readResultView } from '@sealpool/attest'
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
  /** What the job released, or the part of it that the recipient's view shows. */
  readonly value: JsonValue
  /** The opened bytes, canonical JSON: what a receipt is verified with. */
  readonly bytes: Uint8Array
  /** Of the result, as the receipt names it: one for all its views. */
  readonly digest: Digest
  /** Which view of the result it is; absent where the job's manifest has no views, and the consumer alone got the whole. */
  readonly view?: ResultView
}

/**
 * Opens a result that was sealed to the consumer, or a view of it that was sealed to a recipient. A view is held against the one digest
 * under which the node committed to all of them; whoever has the whole sees every other recipient's view checked as well.
 *
 * @param options - the sealed result, and what it is opened and compared with
 * @param options.sealed the sealed bytes, as the node or a blob store gave them
 * @param options.privateKey the X25519 private key behind the manifest's `resultKey`, 32 bytes
 * @param options.expectedDigest the digest that the receipt names; compared when given. Views are opened with it only
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
  const { expectedDigest = digest } = options
  if (expectedDigest !== digest) return openView(plaintext, expectedDigest)
  let value: JsonValue
  try {
    value = parseCanonical(plaintext)
  } catch (cause) {
    throw new ClientError('RESULT_INVALID', 'result', 'it is not canonical JSON', { cause })
  }
  // What all views are committed to under has the digest of the result as well, and whoever got a view can seal it to anybody.
  if (formatOf(value)?.startsWith('sealpool/result-view') === true) {
    const why = 'it is a view, or the list of all views; give the digest that the receipt names'
    throw new ClientError('RESULT_INVALID', 'result', why)
  }
  return { value, bytes: canonicalBytes(value), digest }
}

function formatOf(value: JsonValue): string | undefined {
  if (typeof value !== 'object' || value === null || !('format' in value)) return undefined
  const { format } = value
  return typeof format === 'string' ? format : undefined
}

function openView(bytes: Uint8Array, digest: Digest): OpenedResult {
  try {
    return { ...readResultView(bytes, digest), bytes, digest }
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause
    throw new ClientError(
      'RESULT_INVALID',
      'result',
      'it is neither the result that the receipt names nor a view of it',
      { cause },
    )
  }
}
