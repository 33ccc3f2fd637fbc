import { RefineError } from '../errors.js'
import type { FullSourceLimits } from './source-limits.js'

/** What came out of all compressed streams of one export so far. */
export interface Expansion {
  bytes: number
}

/** Below this the ratio says nothing: a short text of one letter is no bomb. */
const freeBytes = 1 << 20

/**
 * Decompresses as the bytes are asked for, so that a bomb is stopped after the limit and not after it has gone off.
 *
 * @param chunks - compressed bytes
 * @param format - `gzip` (RFC 1952) or `deflate-raw` (RFC 1951)
 * @param limits - `expandedBytes` over the whole export, `ratio` for this stream
 * @param expansion - counts what comes out, over all streams of the export
 * @returns what was compressed
 * @throws RefineError with `COMPRESSION_INVALID` or `LIMIT_EXCEEDED`
 */
export async function* inflate(
  chunks: AsyncIterable<Uint8Array>,
  format: 'gzip' | 'deflate-raw',
  limits: Pick<FullSourceLimits, 'expandedBytes' | 'ratio'>,
  expansion: Expansion,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = new DecompressionStream(format)
  const writer = stream.writable.getWriter()
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let taken = 0
  let given = 0
  let sourceFault: unknown
  const pump = (async () => {
    try {
      for await (const chunk of chunks) {
        taken += chunk.length
        await writer.write(Uint8Array.from(chunk))
      }
    } catch (error) {
      sourceFault = error
      await writer.abort(error)
      return
    }
    await writer.close()
  })()
  // What goes wrong there shows at the reader; here it must only not be unhandled.
  pump.catch(() => undefined)
  try {
    for (;;) {
      let next: { done: boolean; value?: Uint8Array | undefined }
      try {
        next = await reader.read()
      } catch {
        if (sourceFault instanceof RefineError) throw sourceFault
        throw new RefineError('COMPRESSION_INVALID', 'source', 'A compressed stream is damaged or ends early')
      }
      if (next.done || next.value === undefined) break
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
    // Ends the pump too when the caller stops early.
    await reader.cancel().catch(() => undefined)
    await writer.abort().catch(() => undefined)
  }
}
