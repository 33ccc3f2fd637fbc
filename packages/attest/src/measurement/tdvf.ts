import { sha384 } from '@noble/hashes/sha2.js'
import { AttestError } from '../errors.js'
import { badImage, footerTable, offsetFromEnd } from './footer-table.js'

/** A section of a TDX firmware (Intel TDX Virtual Firmware Design Guide, TDVF descriptor). */
export interface TdvfSection {
  /** Where its bytes begin in the file. */
  readonly dataOffset: number
  readonly dataSize: number
  /** Guest physical address, a whole number of pages. */
  readonly gpa: number
  /** Bytes of guest memory, a whole number of pages. */
  readonly memorySize: number
  /** 0 boot firmware volume, 1 configuration volume, 2 TD HOB, 3 temporary memory, 4 permanent memory, 5 payload. */
  readonly type: number
  /** Bit 0: the contents are measured into MRTD; bit 1: the pages are added later and not measured. */
  readonly attributes: number
}

/** What a firmware file says about its launch under TDX. */
export interface Tdvf {
  readonly sections: readonly TdvfSection[]
}

/** Types of {@link TdvfSection} that measurements look at. */
export const tdvfSectionType = { configuration: 1, tdHob: 2, temporaryMemory: 3 } as const

const metadataGuid = '35657ae44a989847865e4685a7bf8ec2'
const [measured, augmented] = [1, 2]
const pageLength = 4096
const chunkLength = 256
const maximumSections = 64
/** More memory than any firmware has the monitor add page by page. */
const maximumMemory = 1 << 28

/**
 * Reads the TDX metadata of an OVMF or TDVF image.
 *
 * @param image the whole firmware file
 * @returns its sections
 * @throws AttestError `BAD_IMAGE` when there are none, or none that hang together; its `place` names the section
 * @see Intel TDX Virtual Firmware Design Guide, section 11; TianoCore OvmfPkg, OvmfTdxMetadata
 */
export function parseTdvf(image: Uint8Array): Tdvf {
  const start = offsetFromEnd(image, footerTable(image).get(metadataGuid), 'tdxMetadata', 16)
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const u32 = (offset: number) => view.getUint32(offset, true)
  const signature = String.fromCharCode(...image.subarray(start, start + 4))
  if (signature !== 'TDVF' || u32(start + 8) !== 1)
    throw badImage('tdxMetadata', 'they are no TDVF version 1')
  const count = u32(start + 12)
  if (count === 0 || count > maximumSections || start + 16 + 32 * count > image.length)
    throw badImage('tdxMetadata', 'there are no sections, or more than fit')
  const sections = Array.from({ length: count }, (_, i): TdvfSection => {
    const at = start + 16 + 32 * i
    const [gpa, memorySize] = [view.getBigUint64(at + 8, true), view.getBigUint64(at + 16, true)]
    if (gpa + memorySize > 1n << 52n) throw badImage(`tdxMetadata.${i}`, 'it lies beyond any memory')
    return {
      dataOffset: u32(at),
      dataSize: u32(at + 4),
      gpa: Number(gpa),
      memorySize: Number(memorySize),
      type: u32(at + 24),
      attributes: u32(at + 28),
    }
  })
  for (const [i, section] of sections.entries()) checkSection(section, `tdxMetadata.${i}`, image.length)
  return { sections }
}

function checkSection(section: TdvfSection, place: string, length: number): void {
  const { dataOffset, dataSize, gpa, memorySize, attributes } = section
  if (gpa % pageLength !== 0 || memorySize % pageLength !== 0) throw badImage(place, 'it has no whole pages')
  if (memorySize > maximumMemory || dataSize > memorySize) throw badImage(place, 'its sizes cannot be')
  const read = (attributes & measured) === 0 ? dataSize : memorySize
  if (dataOffset + read > length) throw badImage(place, 'its contents lie outside the image')
}

/**
 * MRTD: the measurement of a TD's initial contents, as the TDX module computes it for a firmware that a monitor loads. Monitors
 * differ in one thing only: whether a section's pages are all added before any of them is measured (`two-pass`: QEMU before
 * version 9) or each is measured as it is added (`single-pass`: QEMU from version 9 on, and others).
 *
 * @param image the whole firmware file (code and variables)
 * @param options the order in which the monitor adds and measures pages
 * @param options.pageOrder see above
 * @returns 48 bytes
 * @throws AttestError `BAD_IMAGE`
 * @see Intel TDX Module ABI specification, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND
 *
 * @example
 * ```ts no-run
 * const candidates = (['single-pass', 'two-pass'] as const).map((pageOrder) => tdxLaunchMeasurement(image, { pageOrder }))
 * ```
 */
export function tdxLaunchMeasurement(
  image: Uint8Array,
  options: { readonly pageOrder: 'single-pass' | 'two-pass' },
): Uint8Array {
  const { pageOrder } = options
  if (pageOrder !== 'single-pass' && pageOrder !== 'two-pass') {
    throw new AttestError('BAD_ARGUMENT', 'options.pageOrder', 'It must be single-pass or two-pass')
  }
  const hash = sha384.create()
  const operation = (name: string, gpa: number) => {
    const block = new Uint8Array(128)
    for (let i = 0; i < name.length; i += 1) block[i] = name.charCodeAt(i)
    new DataView(block.buffer).setBigUint64(16, BigInt(gpa), true)
    hash.update(block)
  }
  for (const { dataOffset, gpa, memorySize, attributes } of parseTdvf(image).sections) {
    const add = (page: number) => {
      if ((attributes & augmented) === 0) operation('MEM.PAGE.ADD', gpa + page)
    }
    const extend = (page: number) => {
      if ((attributes & measured) === 0) return
      for (let at = page; at < page + pageLength; at += chunkLength) {
        operation('MR.EXTEND', gpa + at)
        hash.update(image.subarray(dataOffset + at, dataOffset + at + chunkLength))
      }
    }
    for (let page = 0; page < memorySize; page += pageLength) {
      add(page)
      if (pageOrder === 'single-pass') extend(page)
    }
    for (let page = 0; pageOrder === 'two-pass' && page < memorySize; page += pageLength) extend(page)
  }
  return hash.digest()
}

/**
 * The digest under which a firmware's configuration volume (its variables) is extended into RTMR0.
 *
 * @param image the whole firmware file
 * @returns SHA-384 of the volume, 48 bytes
 * @throws AttestError `BAD_IMAGE` when the image has none
 */
export function configurationVolumeDigest(image: Uint8Array): Uint8Array {
  const volume = parseTdvf(image).sections.find(({ type }) => type === tdvfSectionType.configuration)
  if (volume === undefined) throw badImage('tdxMetadata', 'there is no configuration volume')
  return sha384(image.subarray(volume.dataOffset, volume.dataOffset + volume.dataSize))
}
