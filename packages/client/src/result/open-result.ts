import { type Digest, hpkeOpen, type JsonValue, parseCanonical, sha256Digest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { type ResultScope, resultSealContext } from './result-scope.js'

/** A result as its consumer reads it. */
export interface OpenedResult {
  /** The job's answer: a query's rows or a computation's figures. */
  readonly value: JsonValue
  /** The opened bytes, canonical JSON: the answer with its job. The receipt names their digest. */
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/**
 * Opens a result that was sealed to the consumer.
 *
 * @param options.sealed the sealed bytes, as the node or a blob store gave them
 * @param options.scope the job that it answers
 * @param options.privateKey the X25519 private key behind the manifest's `resultKey`, 32 bytes
 * @param options.expectedDigest the digest that the receipt names; compared when given
 * @returns the result
 * @throws CryptoError when it was sealed to somebody else or was changed; ClientError `RESULT_INVALID` when it is not
 *   canonical JSON or not the result that the receipt names
 */
export async function openResult(options: {
  readonly sealed: Uint8Array
  readonly scope: ResultScope
  readonly privateKey: Uint8Array
  readonly expectedDigest?: Digest
}): Promise<OpenedResult> {
  const plaintext = await hpkeOpen({
    privateKey: options.privateKey,
    ...resultSealContext(options.scope),
    message: options.sealed,
  })
  const digest = sha256Digest(plaintext)
  if (options.expectedDigest !== undefined && options.expectedDigest !== digest) {
    throw new ClientError('RESULT_INVALID', 'result', 'it is not the result that the receipt names')
  }
  try {
    const value = parseCanonical(plaintext)
    return { value: answerOf(value), bytes: plaintext, digest }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError('RESULT_INVALID', 'result', 'it is not canonical JSON', { cause })
  }
}

function answerOf(value: JsonValue): JsonValue {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = value as Readonly<Record<string, JsonValue>>
    if (fields['format'] === 'sealpool/job-result' && fields['answer'] !== undefined) return fields['answer']
  }
  throw new ClientError('RESULT_INVALID', 'result', 'it is not a job result')
}
