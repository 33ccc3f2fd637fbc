import { bytesToHex } from '@noble/hashes/utils.js'
import { AttestError } from '../errors.js'

/** A section that the loader measures or fills, from the firmware's SEV metadata. */
export interface OvmfSection {
  readonly gpa: number
  readonly size: number
  readonly type: number
}

/** Section types of OVMF's SEV metadata. */
export const ovmfSectionType = {
  memory: 1,
  secrets: 2,
  cpuid: 3,
  svsmCallingArea: 4,
  kernelHashes: 0x10,
} as const

/** A firmware image as far as the launch digest depends on it. */
export interface Ovmf {
  /** Guest physical address of its first byte; its end is at 4 GiB. */
  readonly gpa: number
  readonly sections: readonly OvmfSection[]
  /** Where application processors start. */
  readonly resetEip: number
  /** Where the table of hashes of kernel, initrd and command line belongs; undefined when the image has no place for it. */
  readonly hashTableGpa: number | undefined
}

/** GUIDs as they stand in memory (first three groups little-endian), hex. */
const guids = {
  footer: 'de82b596b21ff745baeaa366c55a082d',
  hashTable: '1f3755723b3a044b927b1da6efa8d454',
  resetBlock: 'de71f7007e1acb4f890e68c77e2fb44e',
  metadata: '666588dc4a989847a75e5585a7bf67cc',
} as const

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_IMAGE', place, `Not an OVMF image for SEV-SNP: ${what}`)
}

/**
 * Reads the tables at the end of an OVMF image (TianoCore OvmfPkg, ResetVector).
 *
 * @param image the whole firmware file, or its last bytes when only the tables are needed
 * @throws AttestError `BAD_IMAGE`
 */
export function parseOvmf(image: Uint8Array): Ovmf {
  if (image.length < 4096 || image.length > 1 << 28) throw bad('image', 'its size is not that of a firmware')
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const entries = footerTable(image, view)
  const reset = entries.get(guids.resetBlock)
  if (reset === undefined || reset.length < 4) throw bad('resetBlock', 'the SEV-ES reset block is missing')
  const hashTable = entries.get(guids.hashTable)
  const u32 = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  return {
    gpa: 2 ** 32 - image.length,
    sections: readSections(image, view, entries.get(guids.metadata)),
    resetEip: u32(reset),
    hashTableGpa: hashTable === undefined || hashTable.length < 4 ? undefined : u32(hashTable),
  }
}

/** The table grows down from 32 bytes below the end: content, size of content and header, GUID. */
function footerTable(image: Uint8Array, view: DataView): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>()
  const headerLength = 18
  const guidAt = (end: number) => bytesToHex(image.subarray(end - 16, end))
  let end = image.length - 32
  if (guidAt(end) !== guids.footer) throw bad('footer', 'the table of GUIDs is missing')
  const start = end - view.getUint16(end - headerLength, true)
  end -= headerLength
  while (end - headerLength >= start && start >= 0) {
    const size = view.getUint16(end - headerLength, true)
    if (size < headerLength || end - size < start) throw bad('footer', 'an entry of the table is too long')
    entries.set(guidAt(end), image.subarray(end - size, end - headerLength))
    end -= size
  }
  return entries
}

function readSections(image: Uint8Array, view: DataView, entry: Uint8Array | undefined): OvmfSection[] {
  if (entry === undefined || entry.length < 4) throw bad('metadata', 'the SEV metadata are missing')
  const fromEnd = new DataView(entry.buffer, entry.byteOffset).getUint32(0, true)
  const start = image.length - fromEnd
  if (fromEnd < 16 || start < 0) throw bad('metadata', 'they lie outside the image')
  const signature = String.fromCharCode(...image.subarray(start, start + 4))
  if (signature !== 'ASEV' || view.getUint32(start + 8, true) !== 1)
    throw bad('metadata', 'they are no ASEV version 1')
  const [size, count] = [view.getUint32(start + 4, true), view.getUint32(start + 12, true)]
  if (count > 64 || start + 16 + count * 12 > image.length || size < 16 + count * 12) {
    throw bad('metadata', 'there are more sections than fit')
  }
  return Array.from({ length: count }, (_, i) => {
    const at = start + 16 + 12 * i
    return {
      gpa: view.getUint32(at, true),
      size: view.getUint32(at + 4, true),
      type: view.getUint32(at + 8, true),
    }
  })
}
