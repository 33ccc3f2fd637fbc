import { bytesToHex } from '@noble/hashes/utils.js'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'

/** GUID of the table's footer as it stands in memory (first three groups little-endian), hex. */
const footerGuid = 'de82b596b21ff745baeaa366c55a082d'
const headerLength = 18

/** An error about a firmware image. */
export function badImage(place: string, what: string): AttestError {
  return new AttestError('BAD_IMAGE', place, `Not a firmware image that can be measured: ${what}`)
}

/**
 * Reads the table of GUIDs at the end of an OVMF image (TianoCore OvmfPkg, ResetVector): it grows down from 32 bytes below the
 * end; each entry is content, size of content and header, GUID.
 *
 * @param image the whole firmware file, or its last bytes
 * @returns contents by GUID (in memory order, hex)
 * @throws AttestError `BAD_IMAGE`
 */
export function footerTable(image: Uint8Array): Map<string, Uint8Array> {
  needBytes(image, 'image')
  if (image.length < 4096 || image.length > 1 << 28)
    throw badImage('image', 'its size is not that of a firmware')
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const entries = new Map<string, Uint8Array>()
  const guidAt = (end: number) => bytesToHex(image.subarray(end - 16, end))
  let end = image.length - 32
  if (guidAt(end) !== footerGuid) throw badImage('footer', 'the table of GUIDs is missing')
  const start = end - view.getUint16(end - headerLength, true)
  end -= headerLength
  while (end - headerLength >= start && start >= 0) {
    const size = view.getUint16(end - headerLength, true)
    if (size < headerLength || end - size < start)
      throw badImage('footer', 'an entry of the table is too long')
    entries.set(guidAt(end), image.subarray(end - size, end - headerLength))
    end -= size
  }
  return entries
}

/**
 * Where the data begin that an entry of the table points to, counted from the image's end.
 *
 * @param least bytes that must be there at least
 * @throws AttestError `BAD_IMAGE`
 */
export function offsetFromEnd(
  image: Uint8Array,
  entry: Uint8Array | undefined,
  place: string,
  least: number,
): number {
  if (entry === undefined || entry.length < 4) throw badImage(place, 'they are missing')
  const fromEnd = new DataView(entry.buffer, entry.byteOffset).getUint32(0, true)
  if (fromEnd < least || fromEnd > image.length) throw badImage(place, 'they lie outside the image')
  return image.length - fromEnd
}
