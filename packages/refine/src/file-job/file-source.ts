import { type FileHandle, open } from 'node:fs/promises'
import { RefineError } from '../errors.js'
import { type RandomAccess, roomFor } from '../source/byte-source.js'

/** A file that is open. */
export interface OpenFile extends RandomAccess {
  /** When it was changed last, in milliseconds since 1970. */
  readonly modified: number
  /** Its bytes from first to last, in chunks of `chunkBytes`. @param chunkBytes - size of a chunk */
  stream(chunkBytes: number): AsyncIterable<Uint8Array>
  /** Fills memory with its bytes. @param into - memory @param offset - from which byte on @throws RefineError as {@link openFile} when it has fewer */
  readInto(into: Uint8Array, offset: number): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a regular file for reading. Links are not followed: an export that was unpacked elsewhere may hold links that point out of it.
 *
 * @param path - path
 * @returns the file
 * @throws RefineError with `ARGUMENT_INVALID` when it is no regular file or cannot be read
 */
export async function openFile(path: string): Promise<OpenFile> {
  const { O_RDONLY, O_NOFOLLOW } = (await import('node:fs')).constants
  const refuse = () =>
    new RefineError('ARGUMENT_INVALID', 'input', 'The input is no regular file that can be read')
  let file: FileHandle
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW)
  } catch {
    throw refuse()
  }
  const facts = await file.stat()
  if (!facts.isFile()) {
    await file.close()
    throw refuse()
  }
  const readInto = async (into: Uint8Array, offset: number) => {
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await file.read(into, at, into.length - at, offset + at)
      if (bytesRead === 0) throw refuse()
      at += bytesRead
    }
  }
  const read = async (offset: number, length: number) => {
    const bytes = roomFor(length)
    await readInto(bytes, offset)
    return bytes
  }
  return {
    size: facts.size,
    modified: facts.mtimeMs,
    read,
    readInto,
    async *stream(chunkBytes) {
      for (let offset = 0; offset < facts.size; offset += chunkBytes) {
        yield await read(offset, Math.min(chunkBytes, facts.size - offset))
      }
    },
    close: () => file.close(),
  }
}
