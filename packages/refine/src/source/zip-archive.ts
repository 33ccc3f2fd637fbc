/**
 * ZIP archives, read by their central directory and held against their local headers: an archive that says two things is
 * refused, because two readers would see two exports. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
 */
import { RefineError } from '../errors.js'
import { type ArchiveEntry, archiveFault, createEntryPaths, pathFault } from './archive-entry.js'
import type { RandomAccess } from './byte-source.js'
import { crc32 } from './crc-32.js'
import { type Decompress, type Expansion, inflate } from './inflate.js'
import type { FullSourceLimits } from './source-limits.js'
import { zipPath } from './zip-path.js'

interface CentralEntry {
  readonly path: string
  /** A folder has a header and no content. */
  readonly folder: boolean
  readonly nameBytes: Uint8Array
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly headerOffset: number
}

const signature = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
  descriptor: 0x08074b50,
}
/** Bit 3 of the flags: the file was written as a stream, its figures stand behind it. */
const streamed = 8
const none32 = 0xffffffff
const none16 = 0xffff
const endBytes = 22

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function uint64(view: DataView, offset: number): number {
  const value = view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32
  if (!Number.isSafeInteger(value)) throw archiveFault('archive', 'A length or offset is out of range')
  return value
}

interface Directory {
  readonly offset: number
  readonly bytes: number
  readonly entries: number
}

async function findDirectory(archive: RandomAccess): Promise<Directory> {
  if (archive.size < endBytes) throw archiveFault('archive', 'Too short for a ZIP archive')
  const tailBytes = Math.min(archive.size, endBytes + none16)
  const tail = await archive.read(archive.size - tailBytes, tailBytes)
  const view = viewOf(tail)
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== signature.end) continue
    // The comment must end where the archive ends, so that there is one end only.
    if (at + endBytes + view.getUint16(at + 20, true) !== tail.length) continue
    const endOffset = archive.size - tailBytes + at
    const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)]
    const counts = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
    const bytes = view.getUint32(at + 12, true)
    const offset = view.getUint32(at + 16, true)
    // Info-ZIP writes the ZIP64 record beside figures that fit, when it did not know the size beforehand. Other readers look for it always.
    const beside = await hasLocator(archive, endOffset)
    if (counts[1] === none16 || bytes === none32 || offset === none32 || beside)
      return directory64(archive, endOffset, { entries: counts[1] ?? 0, bytes, offset })
    if (disks[0] !== 0 || disks[1] !== 0 || counts[0] !== counts[1]) {
      throw archiveFault('archive', 'The archive is spread over several files')
    }
    if (offset + bytes !== endOffset)
      throw archiveFault('archive', 'Something stands between directory and end, or in front')
    return { offset, bytes, entries: counts[1] ?? 0 }
  }
  throw archiveFault('archive', 'The archive has no end record, or bytes behind it')
}

async function hasLocator(archive: RandomAccess, endOffset: number): Promise<boolean> {
  if (endOffset < 20 + 56) return false
  return viewOf(await archive.read(endOffset - 20, 4)).getUint32(0, true) === signature.locator
}

/** The directory by its ZIP64 record; what the old record tells as well, `told`, must be the same. */
async function directory64(archive: RandomAccess, endOffset: number, told: Directory): Promise<Directory> {
  if (endOffset < 20 + 56) throw archiveFault('archive', 'The ZIP64 end record is missing')
  const locator = viewOf(await archive.read(endOffset - 20, 20))
  if (locator.getUint32(0, true) !== signature.locator)
    throw archiveFault('archive', 'The ZIP64 locator is missing')
  const at = uint64(locator, 8)
  if (at !== endOffset - 20 - 56) throw archiveFault('archive', 'The ZIP64 end record stands elsewhere')
  const end = viewOf(await archive.read(at, 56))
  if (end.getUint32(0, true) !== signature.end64)
    throw archiveFault('archive', 'The ZIP64 end record is missing')
  const entries = uint64(end, 32)
  if (uint64(end, 24) !== entries || end.getUint32(16, true) !== 0 || end.getUint32(20, true) !== 0) {
    throw archiveFault('archive', 'The archive is spread over several files')
  }
  const bytes = uint64(end, 40)
  const offset = uint64(end, 48)
  if (offset + bytes !== at)
    throw archiveFault('archive', 'Something stands between directory and end, or in front')
  const same =
    [entries, none16].includes(told.entries) &&
    [bytes, none32].includes(told.bytes) &&
    [offset, none32].includes(told.offset)
  if (!same) throw archiveFault('archive', 'The two end records say different things')
  return { offset, bytes, entries }
}

/** Sizes and offset of ZIP64's extra field, where the entry says that they stand there. */
function extended(extra: Uint8Array, place: string, given: readonly number[]): number[] {
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = view.getUint16(at, true)
    const length = view.getUint16(at + 2, true)
    if (at + 4 + length > extra.length) throw archiveFault(place, 'An extra field is cut off')
    if (id === 1) {
      let from = at + 4
      return given.map((value) => {
        if (value !== none32) return value
        if (from + 8 > at + 4 + length) throw archiveFault(place, 'The ZIP64 field lacks a value')
        from += 8
        return uint64(view, from - 8)
      })
    }
    at += 4 + length
  }
  if (given.includes(none32)) throw archiveFault(place, 'The ZIP64 field is missing')
  return [...given]
}

function centralEntry(view: DataView, bytes: Uint8Array, at: number, index: number): [CentralEntry, number] {
  const place = `entry ${index + 1}`
  if (at + 46 > bytes.length || view.getUint32(at, true) !== signature.central) {
    throw archiveFault(place, 'The directory is cut off')
  }
  const nameLength = view.getUint16(at + 28, true)
  const extraLength = view.getUint16(at + 30, true)
  const end = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
  if (end > bytes.length) throw archiveFault(place, 'The directory is cut off')
  const flags = view.getUint16(at + 8, true)
  const method = view.getUint16(at + 10, true)
  if ((flags & 0x2041) !== 0) throw archiveFault(place, 'A file is encrypted; export it without a password')
  const nameBytes = bytes.subarray(at + 46, at + 46 + nameLength)
  const name = zipPath(nameBytes, flags)
  if (name === undefined) throw new RefineError('ENCODING_INVALID', place, 'A path is not UTF-8')
  const directory = name.endsWith('/')
  const path = directory ? name.slice(0, -1) : name
  const fault = pathFault(path)
  if (fault !== undefined) throw archiveFault(place, fault)
  // Upper half of the external attributes: st_mode of Unix. Links, devices and pipes are no part of an export.
  const kind = (view.getUint32(at + 38, true) >>> 28) & 0xf
  if (kind !== 0 && kind !== 8 && kind !== 4)
    throw archiveFault(place, 'A link or a device stands in the archive')
  const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
  const [size = 0, compressed = 0, headerOffset = 0] = extended(extra, place, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ])
  if (directory && size !== 0) throw archiveFault(place, 'A folder has content')
  if (method !== 0 && method !== 8)
    throw archiveFault(place, 'A file is packed by another method than store and deflate')
  if (method === 0 && size !== compressed) throw archiveFault(place, 'A stored file has two sizes')
  return [
    {
      path,
      folder: directory,
      nameBytes,
      flags,
      method,
      crc: view.getUint32(at + 16, true),
      compressed,
      size,
      headerOffset,
    },
    end,
  ]
}

/** Where the entry's bytes begin, after its local header was held against the directory. */
async function dataOffset(
  archive: RandomAccess,
  entry: CentralEntry,
  place: string,
  end: number,
): Promise<number> {
  if (entry.headerOffset + 30 > end) throw archiveFault(place, 'A local header stands outside of the archive')
  const head = viewOf(await archive.read(entry.headerOffset, 30))
  if (head.getUint32(0, true) !== signature.local) throw archiveFault(place, 'A local header is missing')
  const nameLength = head.getUint16(26, true)
  const offset = entry.headerOffset + 30 + nameLength + head.getUint16(28, true)
  if (offset + entry.compressed > end) throw archiveFault(place, 'A file reaches out of the archive')
  const name = await archive.read(entry.headerOffset + 30, nameLength)
  const same =
    name.length === entry.nameBytes.length &&
    name.every((byte, index) => byte === entry.nameBytes[index]) &&
    head.getUint16(8, true) === entry.method &&
    head.getUint16(6, true) === entry.flags
  const extra = await archive.read(entry.headerOffset + 30 + nameLength, head.getUint16(28, true))
  const [size, compressed] = extended(extra, place, [head.getUint32(22, true), head.getUint32(18, true)])
  // With bit 3 the three figures follow the data and may be zero here.
  const told = (found: number | undefined, value: number) =>
    found === value || (found === 0 && (entry.flags & streamed) !== 0)
  if (
    !same ||
    !told(head.getUint32(14, true), entry.crc) ||
    !told(size, entry.size) ||
    !told(compressed, entry.compressed)
  ) {
    throw archiveFault(place, 'A local header and the directory say different things')
  }
  return offset
}

/**
 * Bytes of the data descriptor behind an entry's data (APPNOTE 4.3.9): check sum and both sizes, which have 4 or 8 bytes each, with a
 * signature or without one. What stands there must be all of it.
 */
async function checkDescriptor(
  archive: RandomAccess,
  entry: CentralEntry,
  place: string,
  [start, end]: readonly [start: number, end: number],
): Promise<void> {
  const wrong = () => archiveFault(place, 'What follows a file is not its figures')
  if (![12, 16, 20, 24].includes(end - start)) throw wrong()
  const view = viewOf(await archive.read(start, end - start))
  const signed = view.byteLength % 8 === 0
  if (signed && view.getUint32(0, true) !== signature.descriptor) throw wrong()
  const at = signed ? 4 : 0
  const sizes =
    view.byteLength - at === 12
      ? [view.getUint32(at + 4, true), view.getUint32(at + 8, true)]
      : [uint64(view, at + 4), uint64(view, at + 12)]
  if (view.getUint32(at, true) !== entry.crc || sizes[0] !== entry.compressed || sizes[1] !== entry.size)
    throw wrong()
}

/**
 * Refuses an archive that is anything besides its entries, one behind the other from the first byte to the directory: a reader of the
 * stream would see what the directory does not name.
 */
async function checkParts(
  archive: RandomAccess,
  found: readonly { readonly entry: CentralEntry; readonly place: string; readonly start: number }[],
  end: number,
): Promise<void> {
  const ordered = [...found].sort((a, b) => a.entry.headerOffset - b.entry.headerOffset)
  let cursor = 0
  for (const [index, { entry, place, start }] of ordered.entries()) {
    if (entry.headerOffset !== cursor)
      throw archiveFault(place, 'Something stands in front of a file that is no file of the archive')
    cursor = start + entry.compressed
    const after = ordered[index + 1]?.entry.headerOffset ?? end
    if (cursor > after) throw archiveFault(place, 'Two files share bytes')
    if ((entry.flags & streamed) === 0) continue
    await checkDescriptor(archive, entry, place, [cursor, after])
    cursor = after
  }
  if (cursor !== end) throw archiveFault('archive', 'Something stands in front of the directory')
}

/**
 * Lists an archive's files, after everything that can be known without expanding was checked: one directory, no encryption,
 * links, devices, absolute or climbing paths, no path twice (also not in other case), no file as a folder, no overlaps,
 * nothing between its parts, declared sizes within the limits.
 *
 * @param archive - the archive
 * @param limits - `entries`, `expandedBytes`, `ratio`, `depth` (parts of a path)
 * @param expansion - counts what comes out of the archive when its files are read
 * @param decompress - see `inflate`
 * @returns files in the order of their paths
 * @throws RefineError with `ARCHIVE_INVALID`, `ENCODING_INVALID` or `LIMIT_EXCEEDED`; reading a file throws
 *   `COMPRESSION_INVALID`, `ARCHIVE_INVALID` (size or check sum) or `LIMIT_EXCEEDED`. `place` is an entry's number, not its path.
 */
export async function readZip(
  archive: RandomAccess,
  limits: FullSourceLimits,
  expansion: Expansion = { bytes: 0 },
  decompress?: Decompress,
): Promise<readonly ArchiveEntry[]> {
  const directory = await findDirectory(archive)
  if (directory.entries > limits.entries) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'archive',
      `The archive has more than ${limits.entries} entries; split it`,
    )
  }
  if (directory.bytes > directory.entries * (46 + 3 * none16))
    throw archiveFault('archive', 'The directory is too long')
  const bytes = await archive.read(directory.offset, directory.bytes)
  const view = viewOf(bytes)
  const found: { entry: CentralEntry; place: string; start: number }[] = []
  const paths = createEntryPaths(limits)
  let at = 0
  let declared = 0
  for (let index = 0; index < directory.entries; index += 1) {
    const [entry, next] = centralEntry(view, bytes, at, index)
    at = next
    const place = `entry ${index + 1}`
    found.push({ entry, place, start: await dataOffset(archive, entry, place, directory.offset) })
    declared += entry.size
    if (
      declared > limits.expandedBytes ||
      (entry.size > 1 << 20 && entry.size > limits.ratio * entry.compressed)
    ) {
      throw new RefineError('LIMIT_EXCEEDED', place, 'The archive expands to more than the limits allow')
    }
    paths.add(entry.path, entry.folder ? 'folder' : 'file', place)
  }
  if (at !== bytes.length) throw archiveFault('archive', 'The directory holds more than its entries')
  await checkParts(archive, found, directory.offset)
  return found
    .filter(({ entry }) => !entry.folder)
    .map(({ entry, place, start }) => ({
      path: entry.path,
      size: entry.size,
      open: () => entryBytes(archive, entry, { place, start, limits, expansion, decompress }),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function* entryBytes(
  archive: RandomAccess,
  entry: CentralEntry,
  where: {
    place: string
    start: number
    limits: FullSourceLimits
    expansion: Expansion
    decompress: Decompress | undefined
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { place, start, limits, expansion, decompress } = where
  async function* packed() {
    for (let offset = 0; offset < entry.compressed; offset += 1 << 16) {
      yield await archive.read(start + offset, Math.min(1 << 16, entry.compressed - offset))
    }
  }
  async function* stored() {
    for await (const chunk of packed()) {
      expansion.bytes += chunk.length
      if (expansion.bytes > limits.expandedBytes) {
        throw new RefineError('LIMIT_EXCEEDED', place, 'The archive holds more than the limits allow')
      }
      yield chunk
    }
  }
  let size = 0
  let sum = 0
  for await (const chunk of entry.method === 0
    ? stored()
    : inflate(packed(), 'deflate-raw', limits, expansion, decompress)) {
    size += chunk.length
    if (size > entry.size) throw archiveFault(place, 'A file is longer than its entry says')
    sum = crc32(chunk, sum)
    yield chunk
  }
  if (size !== entry.size || sum !== entry.crc)
    throw archiveFault(place, "A file's size or check sum is not its entry's")
}
