import { sha384 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { isBytes } from '../encoding/is-bytes.js'
import { AttestError } from '../errors.js'
import { replayRegister } from '../event-log/replay.js'

/** Digests of the three blobs of ACPI tables that QEMU generates for a machine; no file of an image holds them. */
export interface AcpiDigests {
  /** `etc/table-loader`, 48 bytes. */
  readonly loader: Uint8Array
  /** `etc/acpi/rsdp`, 48 bytes. */
  readonly rsdp: Uint8Array
  /** `etc/acpi/tables`, 48 bytes. */
  readonly tables: Uint8Array
}

/** What an OVMF firmware extends into RTMR0 while it boots a kernel that QEMU gave it. All digests are SHA-384. */
export interface FirmwareEvents {
  /** See `tdHobDigest`. */
  readonly tdHob: Uint8Array
  /** See `configurationVolumeDigest`. */
  readonly configurationVolume: Uint8Array
  readonly acpi: AcpiDigests
  /** Of the variable `BootOrder`; that of a single first option when absent. */
  readonly bootOrder?: Uint8Array
  /** Of the variable `Boot0000`; that of OVMF before edk2-stable202505 when absent. */
  readonly bootOption?: Uint8Array
}

/** What is booted. All digests are SHA-384. */
export interface KernelEvents {
  /** See `authenticodeDigest`. */
  readonly kernel: Uint8Array
  readonly initrd: Uint8Array
  /** The command line as the kernel gets it (OVMF adds ` initrd=initrd`), or its digest. */
  readonly commandLine: string | Uint8Array
}

/** GUIDs of EFI variables as they stand in memory, hex. */
const globalVariable = '61dfe48bca93d211aa0d00e098032b8c'
const imageSecurity = 'cbb219d73a3d9645a3bcdad00e67656f'
/** Variables that say how Secure Boot is set up; a firmware without it measures them empty. */
const secureBootVariables = [
  [globalVariable, 'SecureBoot'],
  [globalVariable, 'PK'],
  [globalVariable, 'KEK'],
  [imageSecurity, 'db'],
  [imageSecurity, 'dbx'],
] as const
/** OVMF's UiApp as the first boot option, as firmware before edk2-stable202505 writes it (dstack-mr). */
const uiAppOption =
  '23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298'

const utf8 = (text: string) => new TextEncoder().encode(text)

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < text.length; i += 1) view.setUint16(2 * i, text.charCodeAt(i), true)
  return bytes
}

/** UEFI_VARIABLE_DATA of a variable that is not set. */
function emptyVariable(guid: string, name: string): Uint8Array {
  const lengths = new Uint8Array(16)
  new DataView(lengths.buffer).setBigUint64(0, BigInt(name.length), true)
  return sha384(concatBytes(hexToBytes(guid), lengths, utf16(name)))
}

function digest(value: Uint8Array, place: string): Uint8Array {
  if (!isBytes(value) || value.length !== 48)
    throw new AttestError('BAD_ARGUMENT', place, 'A SHA-384 digest of 48 bytes is expected')
  return value
}

const separator = /* @__PURE__ */ new Uint8Array(4)

/**
 * RTMR0 of a guest that OVMF boots under QEMU: configuration. The digests of ACPI tables and boot options are the caller's: take
 * them from a source that you trust, since whoever takes them from the guest's own log believes the guest.
 *
 * @param events what the firmware measures
 * @returns 48 bytes
 * @throws AttestError `BAD_ARGUMENT` when a digest has another length
 * @see TianoCore SecurityPkg, TdTcg2Dxe; Dstack-TEE/dstack, dstack-mr
 */
export function tdxConfigurationRegister(events: FirmwareEvents): Uint8Array {
  const { tdHob, configurationVolume, acpi, bootOrder, bootOption } = events
  return replayRegister([
    digest(tdHob, 'events.tdHob'),
    digest(configurationVolume, 'events.configurationVolume'),
    ...secureBootVariables.map(([guid, name]) => emptyVariable(guid, name)),
    sha384(separator),
    digest(acpi.loader, 'events.acpi.loader'),
    digest(acpi.rsdp, 'events.acpi.rsdp'),
    digest(acpi.tables, 'events.acpi.tables'),
    bootOrder === undefined ? sha384(new Uint8Array(2)) : digest(bootOrder, 'events.bootOrder'),
    bootOption === undefined ? hexToBytes(uiAppOption) : digest(bootOption, 'events.bootOption'),
  ])
}

/**
 * RTMR1 and RTMR2 of a guest that OVMF boots from kernel, initrd and command line.
 *
 * @param events what firmware and kernel measure
 * @returns 48 bytes each
 * @throws AttestError `BAD_ARGUMENT` when a digest has another length
 */
export function tdxKernelRegisters(events: KernelEvents): {
  readonly rtmr1: Uint8Array
  readonly rtmr2: Uint8Array
} {
  const { kernel, initrd, commandLine } = events
  const line =
    typeof commandLine === 'string'
      ? sha384(utf16(`${commandLine}\0`))
      : digest(commandLine, 'events.commandLine')
  return {
    rtmr1: replayRegister([
      digest(kernel, 'events.kernel'),
      sha384(utf8('Calling EFI Application from Boot Option')),
      sha384(separator),
      sha384(utf8('Exit Boot Services Invocation')),
      sha384(utf8('Exit Boot Services Returned with Success')),
    ]),
    rtmr2: replayRegister([line, digest(initrd, 'events.initrd')]),
  }
}
