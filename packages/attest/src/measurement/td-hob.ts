import { sha384 } from '@noble/hashes/sha2.js'
import { AttestError } from '../errors.js'
import { badImage } from './footer-table.js'
import { parseTdvf, tdvfSectionType } from './tdvf.js'

/** Memory that a firmware's metadata name, in bytes. */
export interface MemoryRange {
  readonly start: number
  readonly length: number
}

/** What the list of hand-off blocks depends on besides the size of memory. */
export interface TdHobLayout {
  /** Where the list is put. */
  readonly address: number
  /** Memory that is accepted before the firmware runs: the TD HOB section and temporary memory. */
  readonly accepted: readonly MemoryRange[]
}

const pageLength = 4096
const maximumRanges = 64
/** The q35 machine keeps 2 GiB below 4 GiB as soon as there is this much memory. */
const splitAt = 0xb000_0000
const lowMemory = 0x8000_0000
const aboveFourGiB = 0x1_0000_0000
const resource = { systemMemory: 0, unacceptedMemory: 7 } as const

/**
 * The layout that a firmware file asks for.
 *
 * @param image the firmware file
 * @returns where the list of hand-off blocks is put, and which memory is accepted before the firmware runs
 * @throws AttestError `BAD_IMAGE` when it has no TD HOB section
 */
export function tdHobLayout(image: Uint8Array): TdHobLayout {
  const { sections } = parseTdvf(image)
  const types: readonly number[] = [tdvfSectionType.tdHob, tdvfSectionType.temporaryMemory]
  const hob = sections.find(({ type }) => type === tdvfSectionType.tdHob)
  if (hob === undefined) throw badImage('tdxMetadata', 'there is no TD HOB section')
  return {
    address: hob.gpa,
    accepted: sections
      .filter(({ type }) => types.includes(type))
      .map(({ gpa, memorySize }) => ({ start: gpa, length: memorySize })),
  }
}

/**
 * Digest of the list of hand-off blocks (TD HOB) that QEMU's q35 machine gives to a firmware, the first event of RTMR0: a
 * hand-off table, then a resource descriptor for each stretch of memory, accepted or not.
 *
 * @param layout of the firmware
 * @param memoryBytes the guest's memory, whole pages up to 2^46
 * @returns SHA-384 of the list, 48 bytes
 * @throws AttestError `BAD_ARGUMENT` when memory is no whole pages or the ranges lie outside it, overlap or are too many
 * @see UEFI Platform Initialization specification 1.7, volume 3, section 5; QEMU hw/i386/tdvf-hob.c
 */
export function tdHobDigest(layout: TdHobLayout, memoryBytes: number): Uint8Array {
  const stretches = memoryStretches(layout, memoryBytes)
  const list = new Uint8Array(56 + 48 * stretches.length)
  const view = new DataView(list.buffer)
  view.setUint16(0, 1, true) // EFI_HOB_TYPE_HANDOFF
  view.setUint16(2, 56, true)
  view.setUint32(8, 9, true) // version
  view.setBigUint64(48, BigInt(layout.address + list.length + 8), true) // end of the list, its closing block included
  for (const [i, { start, length, type }] of stretches.entries()) {
    const at = 56 + 48 * i
    view.setUint16(at, 3, true) // EFI_HOB_TYPE_RESOURCE_DESCRIPTOR
    view.setUint16(at + 2, 48, true)
    view.setUint32(at + 24, type, true)
    view.setUint32(at + 28, 7, true) // present, initialized, tested
    view.setBigUint64(at + 32, BigInt(start), true)
    view.setBigUint64(at + 40, BigInt(length), true)
  }
  return sha384(list)
}

interface Stretch extends MemoryRange {
  readonly type: number
}

/** Accepted ranges and what lies between them, then the last stretch, split around the hole below 4 GiB. */
function memoryStretches({ address, accepted }: TdHobLayout, memoryBytes: number): Stretch[] {
  const bad = (place: string, what: string) => new AttestError('BAD_ARGUMENT', place, what)
  const whole = (value: number) => Number.isSafeInteger(value) && value >= 0 && value % pageLength === 0
  if (!whole(memoryBytes) || memoryBytes === 0 || memoryBytes > 2 ** 46)
    throw bad('memoryBytes', 'Memory of whole pages, up to 2^46 bytes, is expected')
  if (accepted.length === 0 || accepted.length > maximumRanges || !whole(address))
    throw bad('layout', 'From 1 to 64 accepted ranges and the address of a page are expected')
  const stretches: Stretch[] = []
  let position = 0
  for (const { start, length } of [...accepted].sort((a, b) => a.start - b.start)) {
    if (!whole(start) || !whole(length) || length === 0 || start < position)
      throw bad('layout.accepted', 'A range is empty, has no whole pages or overlaps another')
    if (start > position)
      stretches.push({ start: position, length: start - position, type: resource.unacceptedMemory })
    stretches.push({ start, length, type: resource.systemMemory })
    position = start + length
  }
  // Ranges that reach the split would need rules of their own; no firmware has any there.
  if (position >= Math.min(memoryBytes, lowMemory))
    throw bad('layout.accepted', 'The ranges do not lie within low memory')
  const type = resource.unacceptedMemory
  if (memoryBytes < splitAt) return [...stretches, { start: position, length: memoryBytes - position, type }]
  return [
    ...stretches,
    { start: position, length: lowMemory - position, type },
    { start: aboveFourGiB, length: memoryBytes - lowMemory, type },
  ]
}
