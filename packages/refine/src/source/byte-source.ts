import { RefineError } from '../errors.js'

/** Bytes that can be read at any place: a file, or bytes in memory. */
export interface RandomAccess {
  /** Length in bytes. */
  readonly size: number
  /** Reads a part. @param offset - from 0 @param length - bytes @returns exactly `length` bytes; the caller stays within `size` */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** An export's bytes: in memory, as they come, or readable at any place. */
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | RandomAccess

const sliceBytes = 1 << 20
/** Most bytes of a stream, or of a file of a format that cannot be read in parts, that are held in memory. */
const mostWhole = 2 ** 30

function isRandomAccess(source: ByteSource): source is RandomAccess {
  return 'size' in source && 'read' in source
}

/**
 * The bytes from first to last.
 *
 * @param source - see {@link ByteSource}
 * @returns chunks of at most 1 MiB where the source leaves the choice
 */
export async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    for (let offset = 0; offset < source.length; offset += sliceBytes) {
      yield source.subarray(offset, offset + sliceBytes)
    }
  } else if (isRandomAccess(source)) {
    for (let offset = 0; offset < source.size; offset += sliceBytes) {
      yield await source.read(offset, Math.min(sliceBytes, source.size - offset))
    }
  } else yield* source
}

/**
 * Memory for bytes that are read whole.
 *
 * @param length - how many
 * @returns zeros
 * @throws RefineError with `LIMIT_EXCEEDED` when there is no room
 */
export function roomFor(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length)
  } catch {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'source',
      `There is no room in memory for ${length} bytes of the export; split it`,
    )
  }
}

/**
 * All bytes at once, for formats that need them.
 *
 * @param source - see {@link ByteSource}
 * @param limit - most bytes; 1 GiB at most
 * @returns the bytes
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export async function wholeOf(source: ByteSource, limit: number): Promise<Uint8Array> {
  const most = Math.min(limit, mostWhole)
  const tooLarge = () =>
    new RefineError('LIMIT_EXCEEDED', 'source', `The export is larger than ${most} bytes; split it`)
  if (source instanceof Uint8Array) {
    if (source.length > most) throw tooLarge()
    return source
  }
  if (isRandomAccess(source)) {
    if (source.size > most) throw tooLarge()
    return source.read(0, source.size)
  }
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of chunksOf(source)) {
    length += part.length
    if (length > most) throw tooLarge()
    parts.push(part)
  }
  const whole = roomFor(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/**
 * Bytes that can be read at any place; a stream is read whole.
 *
 * @param source - see {@link ByteSource}
 * @param limit - most bytes
 * @returns random access
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export async function randomAccessOf(source: ByteSource, limit: number): Promise<RandomAccess> {
  if (!(source instanceof Uint8Array) && isRandomAccess(source)) {
    if (source.size > limit) {
      throw new RefineError('LIMIT_EXCEEDED', 'source', `The export is larger than ${limit} bytes; split it`)
    }
    return source
  }
  const bytes = await wholeOf(source, limit)
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) }
}

/**
 * Looks at the first bytes without losing them.
 *
 * @param source - see {@link ByteSource}
 * @param length - how many bytes
 * @returns the first bytes (fewer when there are fewer) and a source that still has all
 */
export async function peek(
  source: ByteSource,
  length: number,
): Promise<{ readonly head: Uint8Array; readonly source: ByteSource }> {
  if (source instanceof Uint8Array) return { head: source.subarray(0, length), source }
  if (isRandomAccess(source)) return { head: await source.read(0, Math.min(length, source.size)), source }
  const iterator = source[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let count = 0
  while (count < length) {
    const next = await iterator.next()
    if (next.done === true) break
    taken.push(next.value)
    count += next.value.length
  }
  const head = new Uint8Array(count)
  let offset = 0
  for (const part of taken) {
    head.set(part, offset)
    offset += part.length
  }
  async function* again(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* taken
      for (;;) {
        const next = await iterator.next()
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { head: head.subarray(0, length), source: again() }
}

/**
 * Passes bytes on until there are too many.
 *
 * @param chunks - bytes
 * @param limit - most bytes
 * @returns the same bytes
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > limit) {
      throw new RefineError('LIMIT_EXCEEDED', 'source', `The export is larger than ${limit} bytes; split it`)
    }
    yield chunk
  }
}
