/**
 * Tar archives, read as a stream: what two readers would take for two exports is refused, as in a ZIP archive. Read are files and folders
 * in the POSIX forms and in GNU tar's own; links, devices, files with holes, parts of several volumes and incremental backups are not.
 */
import { RefineError } from '../errors.js'
import { type ArchiveEntry, archiveFault, createEntryPaths, pathFault } from './archive-entry.js'
import type { Expansion } from './inflate.js'
import type { FullSourceLimits } from './source-limits.js'
import {
  blockBytes,
  isZero,
  readLongName,
  readPax,
  readTarHeader,
  type TarExtension,
  type TarHeader,
} from './tar-header.js'

/** Most bytes of an extended header or a long name. */
const extensionBytes = 1 << 20
/** The largest size that eleven octal digits hold; a larger one stands in an extended header alone. */
const largestOctal = 8 ** 11 - 1

/** Bytes of a stream, taken as many as are wanted. */
interface ByteReader {
  /** Some of the next bytes. @param most - how many at most @returns none only at the end */
  some(most: number): Promise<Uint8Array>
  /** Exactly so many. @param count - how many @returns the bytes; undefined when the stream ends before */
  exactly(count: number): Promise<Uint8Array | undefined>
}

function readerOf(chunks: AsyncIterator<Uint8Array>): ByteReader {
  let held = new Uint8Array()
  const some = async (most: number) => {
    while (held.length === 0) {
      const next = await chunks.next()
      if (next.done === true) return held
      held = new Uint8Array(next.value.buffer as ArrayBuffer, next.value.byteOffset, next.value.length)
    }
    const taken = held.subarray(0, most)
    held = held.subarray(taken.length)
    return taken
  }
  return {
    some,
    async exactly(count) {
      const bytes = new Uint8Array(count)
      for (let at = 0; at < count; ) {
        const part = await some(count - at)
        if (part.length === 0) return undefined
        bytes.set(part, at)
        at += part.length
      }
      return bytes
    },
  }
}

const cutOff = (place: string) => archiveFault(place, 'The archive is cut off')

/** What stands behind a member up to the next block. */
async function takePadding(reader: ByteReader, size: number, place: string): Promise<void> {
  const padding = await reader.exactly((blockBytes - (size % blockBytes)) % blockBytes)
  if (padding === undefined) throw cutOff(place)
  if (!isZero(padding)) throw archiveFault(place, 'Something stands behind a file')
}

/** The second block of the end, and zeros up to the end of the stream. */
async function checkEnd(reader: ByteReader): Promise<void> {
  const second = await reader.exactly(blockBytes)
  if (second === undefined || !isZero(second)) throw archiveFault('archive', 'The archive has half an end')
  for (;;) {
    const rest = await reader.some(1 << 16)
    if (rest.length === 0) return
    if (!isZero(rest)) throw archiveFault('archive', 'Something stands behind the end of the archive')
  }
}

/** Path and size of a member out of its header and what stood in front of it. */
function memberOf(
  header: TarHeader,
  extension: TarExtension,
  place: string,
): { readonly path: string; readonly size: number; readonly folder: boolean } {
  const { size = header.size } = extension
  if (size !== header.size && size <= largestOctal) throw archiveFault(place, 'A file has two sizes')
  const folder = header.kind === '5'
  if (folder && size !== 0) throw archiveFault(place, 'A folder has content')
  const written = extension.path ?? header.path
  if (!folder && written.endsWith('/')) throw archiveFault(place, 'A file has the name of a folder')
  // `tar c .` writes the folder that it packs, and every path below it.
  const path = written.replace(/^\.(\/|$)/, '').replace(/\/$/, '')
  return { path, size, folder }
}

/**
 * Gives an archive's files as they come. What may be known of a file without its bytes is checked before it is given; that nothing stands
 * behind the last one, at the end.
 *
 * @param chunks - the archive
 * @param limits - `entries`, `expandedBytes`, `depth` (parts of a path)
 * @param expansion - counts what comes out of the archive when its files are read
 * @returns files in the order of the archive; what is not read of one is passed over
 * @throws RefineError with `ARCHIVE_INVALID`, `ENCODING_INVALID` or `LIMIT_EXCEEDED`; `place` is an entry's number, not its path
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  limits: FullSourceLimits,
  expansion: Expansion = { bytes: 0 },
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  const reader = readerOf(iterator)
  const paths = createEntryPaths(limits)
  let entries = 0
  let declared = 0
  let extension: TarExtension | undefined
  try {
    for (;;) {
      const place = `entry ${entries + 1}`
      const block = await reader.exactly(blockBytes)
      if (block === undefined) throw cutOff('archive')
      if (isZero(block)) {
        if (extension !== undefined) throw archiveFault(place, 'A header is that of no file')
        await checkEnd(reader)
        return
      }
      const header = readTarHeader(block, place)
      const { kind } = header
      if (kind === 'x' || kind === 'g' || kind === 'L') {
        const given = await readExtension(reader, header, place)
        if (extension !== undefined) throw archiveFault(place, 'A file has several headers of one kind')
        if (kind === 'g') entries += 1
        else extension = given
      } else if (kind === '0' || kind === '5') {
        const { path, size, folder } = memberOf(header, extension ?? {}, place)
        extension = undefined
        entries += 1
        declared += size
        if (declared > limits.expandedBytes)
          throw new RefineError('LIMIT_EXCEEDED', place, 'The archive holds more than the limits allow')
        // The folder that was packed has no name of its own.
        if (!(folder && path === '')) {
          const fault = pathFault(path)
          if (fault !== undefined) throw archiveFault(place, fault)
          paths.add(path, folder ? 'folder' : 'file', place)
        }
        if (!folder) yield* oneFile(reader, { path, size, place, limits, expansion })
      } else throw archiveFault(place, 'A link, a device or part of a backup stands in the archive')
      if (entries > limits.entries) {
        throw new RefineError(
          'LIMIT_EXCEEDED',
          'archive',
          `The archive has more than ${limits.entries} entries; split it`,
        )
      }
    }
  } finally {
    await iterator.return?.()
  }
}

async function readExtension(
  reader: ByteReader,
  { kind, size }: TarHeader,
  place: string,
): Promise<TarExtension> {
  if (size > extensionBytes)
    throw new RefineError(
      'LIMIT_EXCEEDED',
      place,
      `An extended header is longer than ${extensionBytes} bytes`,
    )
  const body = await reader.exactly(size)
  if (body === undefined) throw cutOff(place)
  await takePadding(reader, size, place)
  return kind === 'L' ? readLongName(body, place) : readPax(body, kind === 'x' ? 'x' : 'g', place)
}

/** Gives a file, and passes over what was not read of it. */
async function* oneFile(
  reader: ByteReader,
  file: {
    readonly path: string
    readonly size: number
    readonly place: string
    readonly limits: FullSourceLimits
    readonly expansion: Expansion
  },
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const { path, size, place, limits, expansion } = file
  let left = size
  let opened = false
  const next = async () => {
    const chunk = await reader.some(Math.min(left, 1 << 16))
    if (chunk.length === 0) throw cutOff(place)
    left -= chunk.length
    return chunk
  }
  async function* content() {
    if (opened) throw archiveFault(place, 'A file of a stream is read once, and before the next one')
    opened = true
    for (let given = 0; given < size; ) {
      const chunk = await next()
      given += chunk.length
      expansion.bytes += chunk.length
      if (expansion.bytes > limits.expandedBytes)
        throw new RefineError('LIMIT_EXCEEDED', place, 'The archive holds more than the limits allow')
      yield chunk
    }
  }
  yield { path, size, open: content }
  opened = true
  while (left > 0) await next()
  await takePadding(reader, size, place)
}
