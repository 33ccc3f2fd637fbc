/**
 * Seals an answer to its consumer: the canonical JSON of the answer under HPKE, bound to the job it answers.
 * @module
 */
import {
  type Address,
  canonicalBytes,
  type Digest,
  decodeBase64Url,
  hpkeSeal,
  type JsonValue,
  sha256Digest,
} from '@sealpool/crypto'

/** Media type of an opened result. */
export const resultMediaType = 'application/json'

/** What a result belongs to; the consumer gives the same to open it. */
export interface ResultScope {
  readonly chainId: number
  /** NodeRegistry. */
  readonly registry: Address
  readonly job: string
  readonly manifest: Digest
}

/**
 * HPKE info and associated data of a sealed result.
 * @param scope the job
 */
export function resultSealContext(scope: ResultScope): {
  readonly info: Uint8Array
  readonly aad: Uint8Array
} {
  return {
    info: new TextEncoder().encode('sealpool/result/1'),
    aad: canonicalBytes({
      chainId: scope.chainId,
      registry: scope.registry,
      job: scope.job,
      manifest: scope.manifest,
    }),
  }
}

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
