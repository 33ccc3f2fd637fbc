import { aeadTagLength } from '../aead/aead.js'
import { isBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { chunksAtOnce, inOrder } from '../pipeline/pipeline.js'
import type { SealContext } from './context.js'
import { type OpenOptions, ownOpening, requireOpening } from './file-key.js'
import { macLength, type ParsedHeader, parseHeader, parsePrefix, prefixLength, truncated } from './header.js'
import { unlock } from './open.js'
import { layoutOfPayload } from './payload.js'

/** A sealed file that can be read in parts: a file handle, an HTTP server that answers ranges. */
export interface RangeSource {
  /** Length of the sealed file in bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array> | Uint8Array
}

/** What {@link openRange} takes. */
export interface OpenRangeOptions extends OpenOptions {
  readonly source: RangeSource
  /** First byte of the plaintext that is wanted, from 0. */
  readonly start: number
  /** The byte after the last one that is wanted. */
  readonly end: number
}

/** A sealed file whose header was authenticated, for reading parts of the plaintext. */
export interface SealedReader {
  readonly context: SealContext
  /** Length of the whole plaintext as the source's size has it. */
  readonly plaintextLength: number
  /**
   * A part of the plaintext, with one read of exactly the chunks in which it lies.
   *
   * @param start - first byte that is wanted, from 0
   * @param end - the byte after the last one that is wanted
   * @returns the bytes, authentic at their place
   * @throws CryptoError `RANGE_INVALID`, `SOURCE_FAILED`, `CHUNK_REFUSED`
   */
  read(start: number, end: number): Promise<Uint8Array>
}

/**
 * Opens a sealed file for reading parts of it: two reads for the header now, one for each part later.
 *
 * @param options - as for opening, and the `source`
 * @returns the reader
 * @throws CryptoError `SOURCE_FAILED`, and as `openBytes` up to the payload
 * @example
 * ```ts
 * import { derivePoolKey, hpkeIdentity, hpkeRecipient, sealBytes, sealedReader } from '@sealpool/crypto'
 * const scope = {
 *   chainId: 1,
 *   pool: `0x${'ab'.repeat(20)}`,
 *   policyDigest: `sha256:${'cd'.repeat(32)}`,
 *   epoch: 1,
 * } as const
 * const key = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope })
 * const sealed = await sealBytes(new Uint8Array(1_000_000), {
 *   recipients: [hpkeRecipient(key)],
 *   context: { ...scope, mediaType: 'application/octet-stream' },
 * })
 * const source = { size: sealed.length, read: (at: number, length: number) => sealed.slice(at, at + length) }
 * const reader = await sealedReader({ source, identities: [hpkeIdentity(key)] })
 * console.log((await reader.read(999_990, 1_000_000)).length) // 10
 * ```
 */
export async function sealedReader(
  options: OpenOptions & { readonly source: RangeSource },
): Promise<SealedReader> {
  requireOpening(options, ['source'])
  return readerOf(options)
}

async function readerOf(options: OpenOptions & { readonly source: RangeSource }): Promise<SealedReader> {
  const { source } = options
  const own = ownOpening(options)
  const header = await readHeader(source)
  const layout = layoutOfPayload(source.size - header.payloadOffset, header.chunkSize)
  const { cipher } = await unlock(header, own)
  return {
    context: header.context,
    plaintextLength: layout.plaintextLength,
    async read(start, end) {
      requireRange(start, end, layout.plaintextLength)
      if (start === end) return new Uint8Array()
      const { chunkSize, payloadOffset } = header
      const step = chunkSize + aeadTagLength
      const first = Math.floor(start / chunkSize)
      const after = Math.ceil(end / chunkSize)
      const from = payloadOffset + first * step
      const sealed = await readExactly(
        source,
        from,
        Math.min(source.size, payloadOffset + after * step) - from,
      )
      // Not before the bytes are here: a source can claim any size.
      const plaintext = new Uint8Array(end - start)
      await inOrder({
        count: after - first,
        limit: chunksAtOnce(chunkSize),
        start(at) {
          const index = first + at
          return cipher.open(index, index === layout.chunks - 1, sealed.subarray(at * step, (at + 1) * step))
        },
        deliver(chunk, at) {
          const begin = (first + at) * chunkSize
          const part = chunk.subarray(Math.max(0, start - begin), Math.min(chunk.length, end - begin))
          plaintext.set(part, Math.max(0, begin - start))
        },
      })
      return plaintext
    },
  }
}

/**
 * Opens a part of a sealed file and reads no more than the header and the chunks in which the part lies (three
 * reads). The bytes returned are authentic at their place; whether the file goes on after them as sealed is known
 * only when the range reaches its last chunk.
 *
 * @param options - see {@link OpenRangeOptions}
 * @returns the bytes, the context, and the length of the whole plaintext as the source's size has it
 * @throws CryptoError `RANGE_INVALID`, `SOURCE_FAILED`, and as `openBytes`
 */
export async function openRange(options: OpenRangeOptions): Promise<{
  readonly plaintext: Uint8Array
  readonly context: SealContext
  readonly plaintextLength: number
}> {
  requireOpening(options, ['source', 'start', 'end'])
  const { start, end } = options
  const reader = await readerOf(options)
  const { context, plaintextLength } = reader
  return { plaintext: await reader.read(start, end), context, plaintextLength }
}

function requireRange(start: number, end: number, length: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw new CryptoError('RANGE_INVALID', 'start', 'a range has 0 <= start <= end, in whole bytes')
  }
  if (end > length) throw new CryptoError('RANGE_INVALID', 'end', `the plaintext has ${length} bytes`)
}

/**
 * Reads a sealed file's header from a source, in two reads that go no further.
 *
 * @param source - the file
 * @returns the header, not authenticated yet
 * @throws CryptoError `SOURCE_FAILED`, and as `parseHeader`
 */
export async function readHeader(source: RangeSource): Promise<ParsedHeader> {
  if (typeof source?.read !== 'function') {
    throw new CryptoError('OPTION_INVALID', 'source', 'expected a source with size and read')
  }
  if (!Number.isSafeInteger(source.size) || source.size < 0) {
    throw new CryptoError('SOURCE_FAILED', 'source.size', 'a size is a whole number of bytes')
  }
  const prefix = await readExactly(source, 0, Math.min(prefixLength, source.size))
  const length = prefixLength + parsePrefix(prefix) + macLength
  if (length > source.size) throw truncated()
  const header = new Uint8Array(length)
  header.set(prefix)
  header.set(await readExactly(source, prefixLength, length - prefixLength), prefixLength)
  return parseHeader(header)
}

async function readExactly(source: RangeSource, offset: number, length: number): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await source.read(offset, length)
  } catch (error) {
    throw new CryptoError('SOURCE_FAILED', 'source', 'reading the sealed file failed; try again', {
      cause: error,
    })
  }
  if (!isBytes(bytes) || bytes.length !== length) {
    throw new CryptoError('SOURCE_FAILED', 'source', `a read must give exactly the ${length} bytes asked for`)
  }
  return bytes
}
