import { sha384 } from '@noble/hashes/sha2.js'
import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'

function bad(what: string): AttestError {
  return new AttestError('BAD_IMAGE', 'kernel', `Not a kernel image that can be measured: ${what}`)
}

/** Bytes that QEMU's q35 machine keeps for ACPI tables below the end of low memory. */
const acpiReserve = 0x28000

/**
 * The Authenticode digest of a PE image (a Linux kernel with EFI stub, a boot loader), under which UEFI firmware extends
 * what it starts: the file without its checksum, without the entry of its certificate table and without the certificates.
 *
 * @param image the file
 * @returns SHA-384, 48 bytes
 * @throws AttestError `BAD_IMAGE` when it is no PE image or contradicts itself
 * @see Microsoft, Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash"
 */
export function authenticodeDigest(image: Uint8Array): Uint8Array {
  needBytes(image, 'kernel')
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  const at = (offset: number, size: number) => {
    if (offset + size > image.length) throw bad('it ends within its headers')
    return offset
  }
  const u16 = (offset: number) => view.getUint16(at(offset, 2), true)
  const u32 = (offset: number) => view.getUint32(at(offset, 4), true)
  const pe = u32(0x3c)
  if (u32(pe) !== 0x4550) throw bad('it has no PE header')
  const sectionCount = u16(pe + 6)
  const optional = pe + 24
  const magic = u16(optional)
  if (magic !== 0x10b && magic !== 0x20b) throw bad('its optional header is of no known kind')
  const directories = optional + (magic === 0x20b ? 112 : 96)
  const certificates = directories + 4 * 8
  if (u32(directories - 4) < 5) throw bad('it has no entry for certificates')
  const [checksum, headers] = [optional + 64, u32(optional + 60)]
  if (headers < certificates + 8 || headers > image.length) throw bad('the size of its headers cannot be')
  const [certificateStart, certificateLength] = [u32(certificates), u32(certificates + 4)]
  const hash = sha384.create()
  hash.update(image.subarray(0, checksum))
  hash.update(image.subarray(checksum + 4, certificates))
  hash.update(image.subarray(certificates + 8, headers))
  const table = optional + u16(pe + 20)
  const sections = Array.from({ length: sectionCount }, (_, i) => ({
    length: u32(table + 40 * i + 16),
    start: u32(table + 40 * i + 20),
  }))
  let end = headers
  for (const { start, length } of sections
    .filter((one) => one.length > 0)
    .sort((a, b) => a.start - b.start)) {
    // Gaps would be hashed twice or not at all, depending on who reads them.
    if (start !== end || start + length > image.length)
      throw bad('its sections do not follow each other within the file')
    hash.update(image.subarray(start, start + length))
    end += length
  }
  // What follows the sections counts too, up to the certificates, which stand at the end.
  const rest = image.length - certificateLength
  if (certificateLength > 0 && (certificateStart < end || certificateStart !== rest))
    throw bad('its certificates do not stand at its end')
  hash.update(image.subarray(end, rest))
  return hash.digest()
}

/**
 * A kernel as QEMU gives it to the firmware: QEMU writes boot loader, heap, command line and the place of the initrd into
 * the setup header (Linux/x86 boot protocol), and this is what firmware measures unless it undoes it. A video mode on the
 * command line (`vga=`) would be written as well; it is not looked at here.
 *
 * @param kernel bzImage of boot protocol 2.02 or later
 * @param options length of the initrd and memory of the machine, both in bytes
 * @param options.initrdLength bytes of the initrd
 * @param options.memoryBytes the guest's memory, which decides where the initrd goes when it is below 2.75 GiB
 * @returns a copy
 * @throws AttestError `BAD_IMAGE`, `BAD_ARGUMENT`
 * @see Linux Documentation/arch/x86/boot.rst; QEMU hw/i386/x86-common.c, x86_load_linux
 */
export function qemuLoadedKernel(
  kernel: Uint8Array,
  options: { readonly initrdLength: number; readonly memoryBytes: number },
): Uint8Array {
  needBytes(kernel, 'kernel')
  const { initrdLength, memoryBytes } = options
  for (const [name, value] of Object.entries({ initrdLength, memoryBytes })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new AttestError('BAD_ARGUMENT', `options.${name}`, 'A number of bytes is expected')
  }
  if (kernel.length < 4096) throw bad('it is too short')
  // Not `slice`, which for a Node Buffer would be the caller's own memory, and that of what lies around it.
  const copy = Uint8Array.from(kernel)
  const view = new DataView(copy.buffer)
  const protocol = view.getUint16(0x206, true)
  if (view.getUint32(0x202, true) !== 0x53726448 || protocol < 0x202)
    throw bad('its boot protocol is none, or older than 2.02')
  if ((view.getUint8(0x211) & 1) === 0) throw bad('it is loaded low (zImage)')
  view.setUint8(0x210, 0xb0) // the loader: QEMU
  view.setUint8(0x211, view.getUint8(0x211) | 0x80) // the heap may be used
  view.setUint32(0x224, 0xfe00, true) // its end
  view.setUint32(0x228, 0x20000, true) // the command line
  if (initrdLength === 0) return copy
  const anywhere = protocol >= 0x20c && (view.getUint16(0x236, true) & 0x40) !== 0
  let maximum = anywhere ? 0xffffffff : protocol >= 0x203 ? view.getUint32(0x22c, true) : 0x37ffffff
  const low = memoryBytes < 0xb000_0000 ? memoryBytes : 0x8000_0000
  if (low <= acpiReserve)
    throw new AttestError('BAD_ARGUMENT', 'options.memoryBytes', 'There is too little memory')
  if (maximum >= low - acpiReserve) maximum = low - acpiReserve - 1
  if (initrdLength >= maximum) throw bad('the initrd is too large for this memory')
  view.setUint32(0x218, Math.floor((maximum - initrdLength) / 4096) * 4096, true)
  view.setUint32(0x21c, initrdLength, true)
  return copy
}
