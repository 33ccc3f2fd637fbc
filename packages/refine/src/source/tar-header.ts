/** Headers of tar archives: POSIX (`ustar` and `pax`, IEEE Std 1003.1, pax) and what GNU tar writes of its own for plain files. */
import { RefineError } from '../errors.js'
import { archiveFault } from './archive-entry.js'

/** Bytes of a header, and what everything in a tar archive is a multiple of. */
export const blockBytes = 512

/** A header. */
export interface TarHeader {
  /** One character: `0` a file, `5` a folder, `x` and `g` extended headers, `L` a long name. */
  readonly kind: string
  readonly path: string
  readonly size: number
}

/** What an extended header says that matters here. */
export interface TarExtension {
  readonly path?: string
  readonly size?: number
}

const latin1 = new TextDecoder('latin1')
/** Where the fields of a header stand (POSIX, table "ustar Header Block"). */
const fields = {
  name: [0, 100],
  size: [124, 136],
  sum: [148, 156],
  kind: [156, 157],
  magic: [257, 265],
  prefix: [345, 500],
  rest: [500, 512],
} as const

function fieldOf(block: Uint8Array, name: keyof typeof fields): Uint8Array {
  return block.subarray(...fields[name])
}

/** A number in octal digits, blanks in front, blanks or NULs behind. */
function octal(bytes: Uint8Array): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(latin1.decode(bytes))?.[1]
  return digits === undefined ? undefined : Number.parseInt(digits, 8)
}

/** GNU's form for sizes that octal digits cannot hold: the highest bit, then big-endian. */
function binary(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0x80) return undefined
  let value = 0
  for (const byte of bytes.subarray(1)) {
    value = value * 256 + byte
    if (!Number.isSafeInteger(value)) return undefined
  }
  return value
}

function decoded(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new RefineError('ENCODING_INVALID', place, 'A path is not UTF-8')
  }
}

/** Text up to a NUL, behind which nothing else may stand: readers differ in what they make of it. */
function terminated(bytes: Uint8Array, place: string): string {
  const end = bytes.indexOf(0)
  if (end < 0) return decoded(bytes, place)
  if (!isZero(bytes.subarray(end))) throw archiveFault(place, 'Something stands behind a path')
  return decoded(bytes.subarray(0, end), place)
}

/**
 * Are these bytes zeros?
 *
 * @param bytes - any
 * @returns true also for none
 */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** `posix`, `gnu`, or undefined for what is no header of either. */
function formOf(block: Uint8Array): 'posix' | 'gnu' | undefined {
  if (block.length < blockBytes) return undefined
  const magic = latin1.decode(fieldOf(block, 'magic'))
  const form = magic === 'ustar\u000000' ? 'posix' : magic === 'ustar  \u0000' ? 'gnu' : undefined
  const [from, to] = fields.sum
  let sum = 0
  for (let at = 0; at < blockBytes; at += 1) sum += at >= from && at < to ? 0x20 : (block[at] ?? 0)
  return octal(fieldOf(block, 'sum')) === sum ? form : undefined
}

/**
 * Do bytes begin with the header of a tar archive, its check sum included?
 *
 * @param head - the first bytes
 * @returns false for the form before POSIX, which nothing tells from other files
 */
export function isTarHead(head: Uint8Array): boolean {
  return formOf(head.subarray(0, blockBytes)) !== undefined
}

/**
 * Reads a header.
 *
 * @param block - 512 bytes that are not all zero
 * @param place - of the entry
 * @returns the header
 * @throws RefineError with `ARCHIVE_INVALID` or `ENCODING_INVALID`
 */
export function readTarHeader(block: Uint8Array, place: string): TarHeader {
  const form = formOf(block)
  if (form === undefined)
    throw archiveFault(place, 'A header is damaged, or of a tar older than POSIX; pack the export anew')
  const sizeField = fieldOf(block, 'size')
  const size = octal(sizeField) ?? (form === 'gnu' ? binary(sizeField) : undefined)
  if (size === undefined) throw archiveFault(place, 'A size is no number')
  const kind = latin1.decode(fieldOf(block, 'kind'))
  const name = terminated(fieldOf(block, 'name'), place)
  const prefixField = fieldOf(block, 'prefix')
  // GNU tar keeps times there, which some readers take for a path all the same.
  if (form === 'gnu' && !isZero(prefixField))
    throw archiveFault(place, 'A header of GNU tar holds more than a file; pack the export anew')
  // Schily's tar marks its headers there, whose prefix is shorter: readers that know it make another path of one and the same header.
  if (!isZero(fieldOf(block, 'rest')))
    throw archiveFault(place, 'A header holds more than POSIX has; pack the export anew, as pax or ustar')
  const prefix = form === 'gnu' ? '' : terminated(prefixField, place)
  return { kind: kind === '\u0000' ? '0' : kind, path: prefix === '' ? name : `${prefix}/${name}`, size }
}

/** Records of an extended header: `<length> <key>=<value>\n`, the length in decimal and of the whole record. */
function recordsOf(body: Uint8Array, place: string): Map<string, Uint8Array> {
  const wrong = () => archiveFault(place, 'An extended header is damaged')
  const records = new Map<string, Uint8Array>()
  for (let at = 0; at < body.length; ) {
    const written = /^([1-9]\d{0,8}) /.exec(latin1.decode(body.subarray(at, at + 10)))?.[1]
    const end = at + Number(written ?? 0)
    const equals = body.indexOf(0x3d, at)
    if (written === undefined || body[end - 1] !== 0x0a) throw wrong()
    const start = at + written.length + 1
    if (equals <= start || equals >= end) throw wrong()
    const key = decoded(body.subarray(start, equals), place)
    if (records.has(key)) throw archiveFault(place, 'An extended header says one thing twice')
    records.set(key, body.subarray(equals + 1, end - 1))
    at = end
  }
  return records
}

/** Of files with holes, whose bytes in the archive are not those of the file. */
const sparse = /^(GNU\.sparse\.|SCHILY\.(realsize|filetype|offset))/
const utf8 = 'ISO-IR 10646 2000 UTF-8'

/**
 * Reads an extended header of pax.
 *
 * @param body - its content
 * @param kind - `x` for the next file, `g` for all that follow, which may not name them
 * @param place - of the entry
 * @returns path and size, where it says them
 * @throws RefineError with `ARCHIVE_INVALID` or `ENCODING_INVALID`
 */
export function readPax(body: Uint8Array, kind: 'x' | 'g', place: string): TarExtension {
  const records = recordsOf(body, place)
  for (const key of records.keys())
    if (sparse.test(key))
      throw archiveFault(place, 'A file with holes stands in the archive; pack it without --sparse')
  const charset = records.get('hdrcharset')
  if (charset !== undefined && latin1.decode(charset) !== utf8)
    throw new RefineError('ENCODING_INVALID', place, 'A path is not UTF-8')
  const [path, size] = [records.get('path'), records.get('size')]
  if (kind === 'g' && (path !== undefined || size !== undefined || charset !== undefined))
    throw archiveFault(place, 'One path or size is given to many files')
  const number = size === undefined ? undefined : latin1.decode(size)
  if (number !== undefined && (!/^\d{1,16}$/.test(number) || !Number.isSafeInteger(Number(number))))
    throw archiveFault(place, 'A size is no number')
  return {
    ...(path === undefined ? {} : { path: decoded(path, place) }),
    ...(number === undefined ? {} : { size: Number(number) }),
  }
}

/**
 * Reads a long name of GNU tar.
 *
 * @param body - its content
 * @param place - of the entry
 * @returns the name
 * @throws RefineError with `ARCHIVE_INVALID` or `ENCODING_INVALID`
 */
export function readLongName(body: Uint8Array, place: string): TarExtension {
  return { path: terminated(body, place) }
}
