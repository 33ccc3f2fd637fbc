import { aeadTagLength } from '../aead/aead.js'
import { CryptoError } from '../errors.js'
import type { SealContext } from './context.js'
import type { OpenOptions } from './file-key.js'
import { macLength, parseHeader, parsePrefix, prefixLength, truncated } from './header.js'
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
  const { source, start, end } = options
  if (!Number.isSafeInteger(source.size) || source.size < 0) {
    throw new CryptoError('SOURCE_FAILED', 'source.size', 'a size is a whole number of bytes')
  }
  const header = await readHeader(source)
  const layout = layoutOfPayload(source.size - header.payloadOffset, header.chunkSize)
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw new CryptoError('RANGE_INVALID', 'start', 'a range has 0 <= start <= end, in whole bytes')
  }
  if (end > layout.plaintextLength) {
    throw new CryptoError('RANGE_INVALID', 'end', `the plaintext has ${layout.plaintextLength} bytes`)
  }
  const { cipher } = await unlock(header, options)
  const plaintext = new Uint8Array(end - start)
  if (plaintext.length > 0) {
    const { chunkSize, payloadOffset } = header
    const step = chunkSize + aeadTagLength
    const first = Math.floor(start / chunkSize)
    const after = Math.ceil(end / chunkSize)
    const from = payloadOffset + first * step
    const sealed = await readExactly(source, from, Math.min(source.size, payloadOffset + after * step) - from)
    for (let index = first; index < after; index++) {
      const at = (index - first) * step
      const chunk = await cipher.open(index, index === layout.chunks - 1, sealed.subarray(at, at + step))
      const begin = index * chunkSize
      const part = chunk.subarray(Math.max(0, start - begin), Math.min(chunk.length, end - begin))
      plaintext.set(part, Math.max(0, begin - start))
    }
  }
  return { plaintext, context: header.context, plaintextLength: layout.plaintextLength }
}

async function readHeader(source: RangeSource) {
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
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    throw new CryptoError('SOURCE_FAILED', 'source', `a read must give exactly the ${length} bytes asked for`)
  }
  return bytes
}
