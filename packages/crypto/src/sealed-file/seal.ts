import { aeadTagLength } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { commitPlaintextOn } from '../commitment/salted.js'
import type { Digest } from '../digest/digest.js'
import {
  concatBytes,
  drawRandom,
  isBytes,
  type Random,
  requireByteString,
  requireNonZero,
  requireUnmoved,
} from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { chunksAtOnce, createPipeline, inOrder, type Pipeline } from '../pipeline/pipeline.js'
import type { Recipient } from '../recipient/recipient.js'
import { type ChunkSplitter, createChunkSplitter } from './chunk-splitter.js'
import { parseContext, type SealContext } from './context.js'
import {
  bindingOf,
  commitmentSaltOf,
  fileKeyLength,
  headerMac,
  payloadCipherOf,
  wrapFor,
} from './file-key.js'
import {
  encodeHeader,
  macLength,
  parseChunkSize,
  parseSuite,
  type SealedHeader,
  type SealSuite,
  saltLength,
} from './header.js'
import { layoutOfPlaintext, maximumChunks, type PayloadCipher } from './payload.js'
import { parseStanzas } from './stanza.js'

/** Plaintext bytes per chunk when none are asked for. */
const defaultChunkSize = 262_144

/** What sealing takes. */
export interface SealOptions {
  /** 1 to 10,000, no key twice; the header holds about 2,400 over X-Wing. */
  readonly recipients: readonly Recipient[]
  readonly context: SealContext
  readonly random: Random
  /** Payload cipher; AES-256-GCM by default, which WebCrypto computes natively. */
  readonly suite?: SealSuite | undefined
  /** Plaintext bytes per chunk, 64 to 4,194,304; 262,144 by default. */
  readonly chunkSize?: number | undefined
  readonly backend?: Backend | undefined
}

/** What sealing whole bytes takes: the commitment may be left out, and is then made and bound here. */
export interface SealBytesOptions extends Omit<SealOptions, 'context'> {
  readonly context: Omit<SealContext, 'commitment'> & { readonly commitment?: Digest | undefined }
}

interface Sealing {
  /** Magic, version, length, JSON and MAC. */
  readonly header: Uint8Array
  readonly chunkSize: number
  readonly cipher: PayloadCipher
}

async function beginSealing(
  options: SealBytesOptions,
  commit: (salt: Uint8Array) => Promise<Digest>,
): Promise<Sealing> {
  const { random, backend = 'auto' } = options
  // Copies before the first wait: the caller may go on with its list, and with its context for the next file.
  const recipients = requireRecipients(options.recipients)
  const context = ownContext(options.context)
  const fileKey = requireNonZero(drawRandom(random, fileKeyLength), 'RANDOM_INVALID', 'random')
  const salt = drawRandom(random, saltLength)
  const commitmentSalt = commitmentSaltOf(fileKey, salt)
  const commitment = context.commitment ?? (await commit(commitmentSalt))
  commitmentSalt.fill(0)
  const core = coreOf({ ...options, context }, salt, commitment)
  const binding = bindingOf(core)
  // Before any recipient is asked: what it does can change neither.
  const cipher = await payloadCipherOf(core, fileKey, backend)
  const mac = headerMac(core, fileKey)
  const request = { fileKey, binding, context: core.context, random, backend }
  const wraps = recipients.map((recipient) => wrapFor(recipient, request))
  fileKey.fill(0)
  const encoded = encodeHeader({ ...core, recipients: parseStanzas(await Promise.all(wraps)) })
  return { header: concatBytes(encoded, mac(encoded)), chunkSize: core.chunkSize, cipher }
}

function coreOf(
  options: Pick<SealBytesOptions, 'context' | 'suite' | 'chunkSize'>,
  salt: Uint8Array,
  commitment: Digest,
): Omit<SealedHeader, 'recipients'> {
  return {
    suite: parseSuite(options.suite ?? 'aes-256-gcm'),
    chunkSize: parseChunkSize(options.chunkSize ?? defaultChunkSize),
    salt,
    context: parseContext({ ...options.context, commitment }),
  }
}

function ownContext<Context>(context: Context): Context {
  return { ...requireOptions(context, '$.context', 'CONTEXT_INVALID') }
}

function requireRecipients(recipients: readonly Recipient[]): readonly Recipient[] {
  try {
    const own = recipients.slice()
    parseStanzas(own.map(({ template, wrap }) => typeof wrap === 'function' && template))
    return own
  } catch (error) {
    const why = 'expected 1 to 10000, none twice'
    throw new CryptoError('RECIPIENT_INVALID', 'recipients', why, { cause: error })
  }
}

/**
 * Seals bytes: every recipient can open the result, and nobody else. A fresh random file key is drawn for each
 * file. When the context has no commitment, one is made with {@link commitPlaintext} (default chunk size) under a
 * salt that recipients get back from `openBytes`.
 *
 * @param plaintext - any bytes, also none; not changed by anyone until the promise settles: the commitment and the chunks are
 *   made of two readings
 * @param options - see {@link SealBytesOptions}
 * @returns the sealed file
 * @throws CryptoError `RECIPIENT_INVALID`, `CONTEXT_INVALID`, `HEADER_INVALID` (suite, chunk size),
 *   `HEADER_TOO_LARGE`, `RANDOM_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function sealBytes(plaintext: Uint8Array, options: SealBytesOptions): Promise<Uint8Array> {
  requireByteString(plaintext, 'plaintext')
  const { length } = plaintext
  const { header, chunkSize, cipher } = await beginSealing(
    options,
    async (salt) => (await commitPlaintextOn(plaintext, { salt, backend: options.backend ?? 'auto' })).root,
  )
  const { chunks, payloadLength } = layoutOfPlaintext(length, chunkSize)
  const sealed = new Uint8Array(header.length + payloadLength)
  sealed.set(header)
  await inOrder({
    count: chunks,
    limit: chunksAtOnce(chunkSize),
    start(index) {
      requireUnmoved(plaintext, length, 'plaintext')
      const chunk = plaintext.subarray(index * chunkSize, (index + 1) * chunkSize)
      const offset = header.length + index * (chunkSize + aeadTagLength)
      const into = sealed.subarray(offset, offset + chunk.length + aeadTagLength)
      return cipher.seal(index, index === chunks - 1, chunk, into)
    },
    deliver: () => undefined,
  }).finally(() => cipher.forget())
  return sealed
}

/**
 * Seals a stream in bounded memory (some megabytes). A piece that is written is read until its write settles, as the streams
 * standard has it, and not copied. A source that fills one buffer again and again must therefore wait for each write, and nothing
 * may read ahead of it: in `pipeThrough` that is a source with `highWaterMark: 0` and no other transform between, since what waits in
 * a queue is overwritten there, which nobody can notice. Where that is not sure, give every piece a buffer of its own.
 *
 * @param options - see {@link SealOptions}; the context needs its commitment, since it precedes the payload
 * @returns a transform from plaintext to sealed file, in pieces of any size; errors of {@link sealBytes} come out of
 *   the stream, and `OPTION_INVALID` for a piece that was transferred or changed its length before its write settled
 */
export function seal(options: SealOptions): TransformStream<Uint8Array, Uint8Array> {
  let index = 0
  // Set by `start`, before which a stream calls neither of the others.
  let sealing: Sealing & { readonly splitter: ChunkSplitter; readonly pipeline: Pipeline<Uint8Array> }
  return new TransformStream<Uint8Array, Uint8Array>({
    async start(controller) {
      const begun = await beginSealing(options, async () => {
        throw new CryptoError(
          'CONTEXT_INVALID',
          '$.context.commitment',
          'a stream needs its commitment beforehand',
        )
      })
      controller.enqueue(begun.header)
      const pipeline = createPipeline<Uint8Array>({
        limit: chunksAtOnce(begun.chunkSize),
        deliver: (chunk) => controller.enqueue(chunk),
        fail: (error) => controller.error(error),
      })
      sealing = { ...begun, pipeline, splitter: createChunkSplitter(begun.chunkSize) }
    },
    async transform(bytes) {
      if (!isBytes(bytes)) {
        throw new CryptoError('OPTION_INVALID', 'stream', 'a plaintext stream carries Uint8Arrays')
      }
      const { splitter, cipher, pipeline } = sealing
      for (const chunk of splitter.split(bytes)) {
        const at = index++
        await pipeline.push(() => cipher.seal(at, false, chunk))
      }
    },
    async flush() {
      const { splitter, cipher, pipeline } = sealing
      await pipeline.push(() => cipher.seal(index, true, splitter.rest))
      await pipeline.drain()
      cipher.forget()
    },
  })
}

/**
 * The exact length of a sealed file, without sealing it.
 *
 * @param plaintextLength - in bytes
 * @param options - as for sealing
 * @returns length in bytes
 * @throws CryptoError `OPTION_INVALID` for an impossible length, else as {@link sealBytes}
 */
export function sealedSize(
  plaintextLength: number,
  options: Pick<SealBytesOptions, 'recipients' | 'context' | 'suite' | 'chunkSize'>,
): number {
  if (!Number.isSafeInteger(plaintextLength) || plaintextLength < 0) {
    throw new CryptoError('OPTION_INVALID', 'plaintextLength', 'a length is a whole number of bytes')
  }
  requireOptions(options)
  const recipients = requireRecipients(options.recipients)
  const commitment: Digest = ownContext(options.context).commitment ?? `sha256:${'0'.repeat(64)}`
  const core = coreOf(options, new Uint8Array(saltLength), commitment)
  const stanzas = recipients.map((recipient) => recipient.template)
  const encoded = encodeHeader({ ...core, recipients: stanzas })
  const { chunks, payloadLength } = layoutOfPlaintext(plaintextLength, core.chunkSize)
  const size = encoded.length + macLength + payloadLength
  if (chunks > maximumChunks || !Number.isSafeInteger(size)) {
    throw new CryptoError(
      'OPTION_INVALID',
      'plaintextLength',
      'a file has at most 2^40 chunks (take larger ones) and less than 2^53 bytes',
    )
  }
  return size
}
