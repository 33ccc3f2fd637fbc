import { aeadTagLength } from '../aead/aead.js'
import { isBytes, requireUnmoved } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { chunksAtOnce, createPipeline, inOrder, type Pipeline } from '../pipeline/pipeline.js'
import { createByteQueue } from './byte-queue.js'
import { type ChunkSplitter, createChunkSplitter } from './chunk-splitter.js'
import type { SealContext } from './context.js'
import {
  commitmentSaltOf,
  type OpenOptions,
  type OwnOpening,
  ownOpening,
  payloadCipherOf,
  requireOpening,
  unlockHeader,
} from './file-key.js'
import { macLength, type ParsedHeader, parseHeader, parsePrefix, prefixLength, truncated } from './header.js'
import { layoutOfPayload, type PayloadCipher } from './payload.js'

/** What was sealed. */
export interface OpenedFile {
  readonly plaintext: Uint8Array
  /** Authenticated. */
  readonly context: SealContext
  /**
   * The salt, 32 bytes, of the commitment that `sealBytes` makes when it is given none:
   * `verifyCommitment({ root: context.commitment, bytes: plaintext, salt: commitmentSalt })`.
   */
  readonly commitmentSalt: Uint8Array
}

/**
 * Opens a sealed file whole. Nothing is returned unless all of it is authentic.
 *
 * @param sealed - the sealed file, not changed by anyone meanwhile
 * @param options - see {@link OpenOptions}
 * @returns plaintext and context
 * @throws CryptoError as `parseHeader`, and `CONTEXT_MISMATCH`, `NO_MATCHING_IDENTITY`, `WRAP_REFUSED`,
 *   `HEADER_REFUSED`, `CHUNK_REFUSED`, `TRUNCATED`
 * @example
 * ```ts
 * import { hpkeIdentity, hpkeRecipient, derivePoolKey, openBytes, platformRandom, sealBytes } from '@sealpool/crypto'
 * const scope = {
 *   chainId: 31337,
 *   pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
 *   policyDigest: `sha256:${'ab'.repeat(32)}`,
 *   epoch: 1,
 * } as const
 * const key = derivePoolKey({ root: platformRandom(32), ...scope })
 * const sealed = await sealBytes(new TextEncoder().encode('wage,9.50'), {
 *   recipients: [hpkeRecipient(key)],
 *   context: { ...scope, mediaType: 'text/csv' },
 * })
 * const opened = await openBytes(sealed, { identities: [hpkeIdentity(key)], expect: scope })
 * console.log(new TextDecoder().decode(opened.plaintext)) // wage,9.50
 * ```
 */
export async function openBytes(sealed: Uint8Array, options: OpenOptions): Promise<OpenedFile> {
  const header = parseHeader(sealed)
  requireOpening(options)
  const { length } = sealed
  const { chunks, plaintextLength } = layoutOfPayload(length - header.payloadOffset, header.chunkSize)
  const { cipher, commitmentSalt } = await unlock(header, options)
  const plaintext = new Uint8Array(plaintextLength)
  const step = header.chunkSize + aeadTagLength
  await inOrder({
    count: chunks,
    limit: chunksAtOnce(header.chunkSize),
    start(index) {
      requireUnmoved(sealed, length, 'sealed')
      const offset = header.payloadOffset + index * step
      return cipher.open(index, index === chunks - 1, sealed.subarray(offset, offset + step))
    },
    deliver(chunk, index) {
      plaintext.set(chunk, index * header.chunkSize)
      chunk.fill(0)
    },
  }).finally(() => cipher.forget())
  return { plaintext, context: header.context, commitmentSalt }
}

/**
 * Authenticates a header and makes the payload's cipher.
 *
 * @param header - as parsed
 * @param options - who opens it
 * @returns the cipher, and the salt of the default commitment
 * @throws CryptoError as {@link unlockHeader}
 */
export async function unlock(
  header: ParsedHeader,
  options: OwnOpening,
): Promise<{ readonly cipher: PayloadCipher; readonly commitmentSalt: Uint8Array }> {
  const { backend = 'auto' } = requireOptions(options)
  const fileKey = await unlockHeader(header, options)
  const cipher = await payloadCipherOf(header, fileKey, backend)
  const commitmentSalt = commitmentSaltOf(fileKey, header.salt)
  fileKey.fill(0)
  return { cipher, commitmentSalt }
}

/** A transform from sealed file to plaintext; goes into `pipeThrough`. */
export interface OpenTransform {
  readonly writable: WritableStream<Uint8Array>
  readonly readable: ReadableStream<Uint8Array>
  /**
   * The context, as soon as the header was authenticated; rejects with the stream's error otherwise, also when the source
   * fails or is aborted and when the reader cancels before that.
   */
  readonly context: Promise<SealContext>
}

/** What is known once a stream's header was authenticated. */
interface Opening {
  readonly cipher: PayloadCipher
  readonly pipeline: Pipeline<Uint8Array>
  readonly splitter: ChunkSplitter
}

/**
 * Opens a stream in memory bounded by the header and some megabytes, beside the pieces that are written. Each chunk comes out as
 * soon as it and all before it are authentic; that nothing was cut off at the end is known only when the stream closes without an
 * error. A piece that is written is read until its write settles, and chunks that lie whole in it are not copied: see `seal`.
 *
 * @param options - see {@link OpenOptions}
 * @returns the transform, and the context as a promise; errors of {@link openBytes} come out of the stream
 */
export function openStream(options: OpenOptions): OpenTransform {
  // What is wrong with them comes out of the stream, like all else.
  const own = (async () => {
    requireOpening(options)
    return ownOpening(options)
  })()
  own.catch(() => undefined)
  let queue = createByteQueue()
  let headerLength: number | undefined
  let index = 0
  let opened: Opening | undefined
  let settle: { resolve(context: SealContext): void; reject(error: unknown): void } | undefined
  const context = new Promise<SealContext>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Whoever reads only the stream learns of the error there.
  context.catch(() => undefined)
  const guarded = async (work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      settle?.reject(error)
      throw error
    }
  }
  // Only the header is put aside: the rest of the piece in which it ends may be the whole file.
  const collect = (bytes: Uint8Array): Uint8Array | undefined => {
    let rest = bytes
    const upTo = (length: number): boolean => {
      const part = rest.subarray(0, Math.max(0, length - queue.length))
      queue.push(part)
      rest = rest.subarray(part.length)
      return queue.length >= length
    }
    if (!upTo(prefixLength)) return undefined
    headerLength ??= prefixLength + parsePrefix(queue.peek(prefixLength)) + macLength
    return upTo(headerLength) ? rest : undefined
  }
  const begin = async (controller: TransformStreamDefaultController<Uint8Array>) => {
    const header = parseHeader(queue.take(queue.length))
    const { cipher } = await unlock(header, await own)
    const pipeline = createPipeline<Uint8Array>({
      limit: chunksAtOnce(header.chunkSize),
      deliver(chunk) {
        if (chunk.length > 0) controller.enqueue(chunk)
      },
      fail: (error) => controller.error(error),
    })
    settle?.resolve(header.context)
    return { cipher, pipeline, splitter: createChunkSplitter(header.chunkSize + aeadTagLength) }
  }
  const transformer: Transformer<Uint8Array, Uint8Array> = {
    transform: (bytes, controller) =>
      guarded(async () => {
        if (!isBytes(bytes)) {
          throw new CryptoError('OPTION_INVALID', 'stream', 'a sealed stream carries Uint8Arrays')
        }
        let payload = bytes
        if (opened === undefined) {
          const rest = collect(bytes)
          if (rest === undefined) return
          opened = await begin(controller)
          queue = createByteQueue()
          payload = rest
        }
        const { splitter, cipher, pipeline } = opened
        for (const chunk of splitter.split(payload)) {
          const at = index++
          await pipeline.push(() => cipher.open(at, false, chunk))
        }
      }),
    flush: () =>
      guarded(async () => {
        if (opened === undefined) {
          parseHeader(queue.take(queue.length))
          throw truncated()
        }
        const { splitter, cipher, pipeline } = opened
        if (splitter.rest.length < aeadTagLength) throw truncated()
        await pipeline.push(() => cipher.open(index, true, splitter.rest))
        await pipeline.drain()
      }),
  }
  // One piece waits for its reader, so that the context settles although nobody reads yet.
  const stream = new TransformStream<Uint8Array, Uint8Array>(transformer, undefined, { highWaterMark: 1 })
  return {
    writable: watched(stream.writable, (error) => settle?.reject(error ?? stopped())),
    readable: stream.readable,
    context,
  }
}

function stopped(): CryptoError {
  return new CryptoError('SOURCE_FAILED', 'stream', 'the stream was ended before its header was read')
}

/**
 * The same writable side, whose failure is told whatever its cause: a transformer is not told of an aborted source or a
 * cancelled reader by every platform.
 */
function watched(
  writable: WritableStream<Uint8Array>,
  failed: (error: unknown) => void,
): WritableStream<Uint8Array> {
  const writer = writable.getWriter()
  return new WritableStream<Uint8Array>({
    start(controller) {
      writer.closed.catch((error: unknown) => {
        failed(error)
        controller.error(error)
      })
    },
    write: (bytes) => writer.write(bytes),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  })
}
