/**
 * Seals an answer to its consumer: the canonical JSON of the answer under HPKE, bound to the job it answers.
 * @module
 */
import { type ResultScope, resultSealContext } from '@sealpool/client'
import {
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  hpkeSeal,
  type JsonValue,
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

/** Seals an answer to `publicKey` (X25519, base64url). */
export async function sealResult(options: {
  readonly answer: JsonValue
  readonly kind: 'query' | 'compute'
  readonly scope: ResultScope
  readonly publicKey: string
  readonly random: (length: number) => Uint8Array
}): Promise<SealedResult> {
  const { answer, kind, scope, random } = options
  const plaintext = canonicalBytes({
    format: 'sealpool/job-result',
    version: 1,
    job: scope.job,
    manifest: scope.manifest,
    kind,
    answer,
  })
  const sealed = await hpkeSeal({
    publicKey: decodeBase64Url(options.publicKey),
    ...resultSealContext(scope),
    plaintext,
    random,
  })
  return { sealed, digest: sha256Digest(plaintext), sealedDigest: sha256Digest(sealed) }
}
