import { RefineError } from '../errors.js'
import type { FullSourceLimits } from './source-limits.js'

/** What came out of all compressed streams of one export so far. */
export interface Expansion {
  bytes: number
}

/**
 * Decompresses a stream as it is asked for.
 *
 * @param chunks - compressed bytes; what they throw is thrown
 * @param format - `gzip` (RFC 1952, with all its members) or `deflate-raw` (RFC 1951)
 * @param onRest - told what stands behind the end of what is compressed, in one call or many; what it throws is thrown
 * @returns what was compressed; it throws anything for what is damaged or ends early
 */
export type Decompress = (
  chunks: AsyncIterable<Uint8Array>,
  format: 'gzip' | 'deflate-raw',
  onRest: (rest: Uint8Array) => void,
) => AsyncIterable<Uint8Array>

/**
 * Decompression by the platform's `DecompressionStream`. By its standard it refuses all that stands behind the end, further members of
 * gzip too. Node's does not: it passes over zeros, and over everything behind them, which is why `nodeDecompress` is there.
 */
export const webDecompress: Decompress = async function* (chunks, format) {
  const stream = new DecompressionStream(format)
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const feed = async () => {
    try {
      for await (const chunk of chunks) await writer.write(Uint8Array.from(chunk))
      await writer.close()
    } catch (error) {
      await writer.abort(error)
      throw error
    }
  }
  const fed = feed()
  // What goes wrong there shows at the reader as well; here it must only not be unhandled.
  fed.catch(() => undefined)
  try {
    for (;;) {
      const next = await reader.read()
      if (next.done) break
      yield next.value
    }
    await fed
  } finally {
    // Ends the feeding too when the caller stops early.
    await reader.cancel().catch(() => undefined)
    await writer.abort().catch(() => undefined)
  }
}

/** Below this the ratio says nothing: a short text of one letter is no bomb. */
const freeBytes = 1 << 20

function damaged(): RefineError {
  return new RefineError('COMPRESSION_INVALID', 'source', 'A compressed stream is damaged or ends early')
}

/**
 * Decompresses as the bytes are asked for, so that a bomb is stopped after the limit and not after it has gone off. Behind the last member
 * of gzip may stand zeros, which tapes and blocks are filled with; anything else that is not read is refused, and not passed over.
 *
 * @param chunks - compressed bytes
 * @param format - `gzip` (RFC 1952) or `deflate-raw` (RFC 1951)
 * @param limits - `expandedBytes` over the whole export, `ratio` for this stream
 * @param expansion - counts what comes out, over all streams of the export
 * @param decompress - default {@link webDecompress}
 * @returns what was compressed
 * @throws RefineError with `COMPRESSION_INVALID` or `LIMIT_EXCEEDED`; what `chunks` throws
 */
export async function* inflate(
  chunks: AsyncIterable<Uint8Array>,
  format: 'gzip' | 'deflate-raw',
  limits: Pick<FullSourceLimits, 'expandedBytes' | 'ratio'>,
  expansion: Expansion,
  decompress: Decompress = webDecompress,
): AsyncGenerator<Uint8Array, void, undefined> {
  let taken = 0
  let given = 0
  let fault: { readonly error: unknown } | undefined
  const counted = async function* () {
    try {
      for await (const chunk of chunks) {
        taken += chunk.length
        yield chunk
      }
    } catch (error) {
      fault = { error }
      throw error
    }
  }
  const onRest = (rest: Uint8Array) => {
    if (format === 'gzip' && rest.every((byte) => byte === 0)) return
    fault = {
      error: new RefineError('COMPRESSION_INVALID', 'source', 'Something stands behind a compressed stream'),
    }
    throw fault.error
  }
  const plain = decompress(counted(), format, onRest)[Symbol.asyncIterator]()
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array, unknown>
      try {
        next = await plain.next()
      } catch {
        throw fault === undefined ? damaged() : fault.error
      }
      if (next.done === true) break
      given += next.value.length
      expansion.bytes += next.value.length
      if (expansion.bytes > limits.expandedBytes || (given > freeBytes && given > limits.ratio * taken)) {
        throw new RefineError(
          'LIMIT_EXCEEDED',
          'source',
          'A compressed stream expands to more than the limits allow',
        )
      }
      yield next.value
    }
  } finally {
    await plain.return?.()
  }
}
