import { badImage, footerTable, offsetFromEnd } from './footer-table.js'

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
export const footerGuids = {
  hashTable: '1f3755723b3a044b927b1da6efa8d454',
  resetBlock: 'de71f7007e1acb4f890e68c77e2fb44e',
  metadata: '666588dc4a989847a75e5585a7bf67cc',
  svsmInfo: '12a689a797054b4ca49fcbb1fe9d1ddd',
} as const

/**
 * Reads the tables at the end of an OVMF image (TianoCore OvmfPkg, ResetVector).
 *
 * @param image the whole firmware file, or its last bytes when only the tables are needed
 * @returns its sections and addresses
 * @throws AttestError `BAD_IMAGE`
 */
export function parseOvmf(image: Uint8Array): Ovmf {
  const entries = footerTable(image)
  const reset = entries.get(footerGuids.resetBlock)
  if (reset === undefined || reset.length < 4)
    throw badImage('resetBlock', 'the SEV-ES reset block is missing')
  const hashTable = entries.get(footerGuids.hashTable)
  const u32 = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  return {
    gpa: 2 ** 32 - image.length,
    sections: sevSections(image, entries.get(footerGuids.metadata)),
    resetEip: u32(reset),
    hashTableGpa: hashTable === undefined || hashTable.length < 4 ? undefined : u32(hashTable),
  }
}

/**
 * Sections of the SEV metadata.
 *
 * @throws AttestError `BAD_IMAGE`
 */
export function sevSections(image: Uint8Array, entry: Uint8Array | undefined): OvmfSection[] {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const start = offsetFromEnd(image, entry, 'metadata', 16)
  const signature = String.fromCharCode(...image.subarray(start, start + 4))
  if (signature !== 'ASEV' || view.getUint32(start + 8, true) !== 1)
    throw badImage('metadata', 'they are no ASEV version 1')
  const [size, count] = [view.getUint32(start + 4, true), view.getUint32(start + 12, true)]
  if (count > 64 || start + 16 + count * 12 > image.length || size < 16 + count * 12) {
    throw badImage('metadata', 'there are more sections than fit')
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
