import { Gunzip } from 'fflate'
import { snappyUncompress } from 'hyparquet'
import { crc32 } from '../source/crc-32.js'
import { unpackLz4 } from './unpack-lz4.js'

/**
 * Undoes what a page is packed by.
 *
 * @param packed - the page
 * @param length - how many bytes come out, as the page's head says
 * @returns exactly so many bytes
 * @throws anything for a page that is damaged, or of another length
 */
export type UnpackPage = (packed: Uint8Array, length: number) => Uint8Array<ArrayBuffer>

/** Largest page packed by gzip, Zstandard or LZ4, packed or not: DuckDB's are 100 MB at most, others' about one. */
const largestPage = 2 ** 27
/** Bytes of gzip at once, which become 16 MiB at most before they are counted. */
const gzipStep = 2 ** 14

function unpackSnappy(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(length)
  snappyUncompress(packed, output)
  return output
}

/** All members of gzip (RFC 1952), each with its check sum and length, which fflate passes over. */
function unpackGzip(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  requirePage(packed, length)
  const output = new Uint8Array(length)
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  let [start, end] = [0, 0]
  const endMember = (at: number) => {
    const member = output.subarray(start, end)
    if (view.getUint32(at - 8, true) !== crc32(member) || view.getUint32(at - 4, true) !== member.length)
      throw new RangeError('gzip: check sum')
    start = end
  }
  const stream = new Gunzip((chunk) => {
    if (chunk.length > length - end) throw new RangeError('gzip: longer than the page')
    output.set(chunk, end)
    end += chunk.length
  })
  stream.onmember = endMember
  for (let at = 0; at < packed.length; at += gzipStep)
    stream.push(packed.subarray(at, at + gzipStep), at + gzipStep >= packed.length)
  endMember(packed.length)
  if (end !== length) throw new RangeError('gzip: shorter than the page')
  return output
}

function requirePage(packed: Uint8Array, length: number): void {
  if (packed.length > largestPage || length > largestPage) throw new RangeError('too large a page')
}

function unpackLz4Page(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  requirePage(packed, length)
  return unpackLz4(packed, length)
}

/** The Zstandard project's own decoder in WebAssembly, loaded for the first file that needs it. */
async function loadZstd(): Promise<UnpackPage> {
  const { ZSTDDecoder } = await import('zstddec')
  const decoder = new ZSTDDecoder()
  await decoder.init()
  return (packed, length) => {
    requirePage(packed, length)
    // It takes 0 for a length that is not known.
    const output = length === 0 ? new Uint8Array() : Uint8Array.from(decoder.decode(packed, length))
    if (output.length !== length) throw new RangeError('zstd: not a page of this length')
    return output
  }
}

/**
 * What undoes the methods of packing that a file names and that are read.
 *
 * @param codecs - as the footer has them
 * @returns by method: of Snappy, gzip, Zstandard and LZ4 (LZ4_RAW) those that are named; others have none
 * @throws whatever the platform throws where WebAssembly does not run and the file needs it
 */
export async function pageUnpackers(
  codecs: ReadonlySet<string>,
): Promise<{ readonly [codec in 'SNAPPY' | 'GZIP' | 'ZSTD' | 'LZ4_RAW']?: UnpackPage }> {
  return {
    ...(codecs.has('SNAPPY') ? { SNAPPY: unpackSnappy } : {}),
    ...(codecs.has('GZIP') ? { GZIP: unpackGzip } : {}),
    ...(codecs.has('LZ4_RAW') ? { LZ4_RAW: unpackLz4Page } : {}),
    ...(codecs.has('ZSTD') ? { ZSTD: await loadZstd() } : {}),
  }
}
