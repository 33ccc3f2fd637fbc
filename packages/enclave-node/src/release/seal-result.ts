/**
 * Seals an answer to its consumer: the canonical JSON of the answer as a sealed file with one recipient.
 * @module
 */
import {
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  hpkeRecipient,
  type JsonValue,
  type KeyScope,
  type Recipient,
  sealBytes,
  sha256Digest,
} from '@sealpool/crypto'

/** Media type of an opened result. */
export const resultMediaType = 'application/json'

/** A sealed answer with the digests that go into the receipt. */
export interface SealedResult {
  readonly sealed: Uint8Array
  /** Digest of the opened bytes. */
  readonly digest: Digest
  /** Digest of the sealed bytes. */
  readonly sealedDigest: Digest
}

/**
 * Seals an answer to `publicKey` (X25519, base64url), so that `openResult` of the client opens it.
 * @param options `scope`: first pool of the job, for the file's context; the receipt binds the file to the job
 */
export async function sealResult(options: {
  readonly answer: JsonValue
  readonly scope: KeyScope
  readonly publicKey: string
  readonly random: (length: number) => Uint8Array
}): Promise<SealedResult> {
  const plaintext = canonicalBytes(options.answer)
  const digest = sha256Digest(plaintext)
  const sealed = await sealDocument(plaintext, options).finally(() => plaintext.fill(0))
  return { sealed, digest, sealedDigest: sha256Digest(sealed) }
}

/**
 * @param publicKey X25519, base64url, as a manifest has it
 * @returns the recipient of that key
 * @throws CryptoError `ENCODING_INVALID`, `KEY_INVALID` for a key to which nothing can be sealed
 */
export function resultRecipient(publicKey: string): Recipient {
  return hpkeRecipient({ publicKey: decodeBase64Url(publicKey) })
}

/** Seals what one recipient is to open, as {@link sealResult} seals an answer. */
export function sealDocument(
  plaintext: Uint8Array,
  options: {
    readonly scope: KeyScope
    readonly publicKey: string
    readonly random: (length: number) => Uint8Array
  },
): Promise<Uint8Array> {
  return sealBytes(plaintext, {
    recipients: [resultRecipient(options.publicKey)],
    context: { ...options.scope, mediaType: resultMediaType },
    random: options.random,
  })
}
