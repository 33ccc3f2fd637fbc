import { sha384 } from '@noble/hashes/sha2.js'
import { needBytes } from '../encoding/argument.js'
import { authenticodeDigest, qemuLoadedKernel } from './linux-kernel.js'
import { tdHobDigest, tdHobLayout } from './td-hob.js'
import { configurationVolumeDigest, tdxLaunchMeasurement } from './tdvf.js'
import { type AcpiDigests, tdxConfigurationRegister, tdxKernelRegisters } from './tdx-registers.js'

/** What a TDX guest is launched from: OVMF, kernel, initrd and command line under QEMU. */
export interface TdxLaunch {
  /** The whole firmware file. */
  readonly firmware: Uint8Array
  readonly kernel: Uint8Array
  readonly initrd: Uint8Array
  /** As it is given to QEMU: the firmware's own ` initrd=initrd` is added here. */
  readonly commandLine: string
  readonly memoryBytes: number
  /** See `tdxLaunchMeasurement`. */
  readonly pageOrder: 'single-pass' | 'two-pass'
  /** What QEMU generates for this machine; without it there is no RTMR0. */
  readonly acpi?: AcpiDigests
  readonly bootOrder?: Uint8Array
  readonly bootOption?: Uint8Array
  /** Whether the firmware undoes what QEMU writes into the kernel's setup header before it measures; absent: no. */
  readonly setupHeaderRestored?: boolean
}

/** Registers of a TDX guest, 48 bytes each. */
export interface TdxLaunchRegisters {
  readonly mrTd: Uint8Array
  /** Undefined without digests of ACPI tables. */
  readonly rtmr0: Uint8Array | undefined
  readonly rtmr1: Uint8Array
  readonly rtmr2: Uint8Array
}

/**
 * The registers that a quote must show for a guest launched like this. MRTD, RTMR1 and RTMR2 follow from the files; RTMR0 also
 * needs the digests of ACPI tables, which only the monitor can make. RTMR3 belongs to what runs in the guest.
 *
 * @param launch firmware, kernel and machine
 * @returns the registers of a guest launched like this
 * @throws AttestError `BAD_IMAGE` when a file cannot be measured, `BAD_ARGUMENT`
 *
 * @example
 * ```ts no-run
 * const { mrTd, rtmr1, rtmr2 } = tdxLaunchRegisters({ firmware, kernel, initrd, commandLine, memoryBytes: 2 ** 31, pageOrder: 'single-pass' })
 * ```
 */
export function tdxLaunchRegisters(launch: TdxLaunch): TdxLaunchRegisters {
  const { firmware, kernel, initrd, commandLine, memoryBytes, acpi, bootOrder, bootOption } = launch
  needBytes(initrd, 'launch.initrd')
  const loaded =
    launch.setupHeaderRestored === true
      ? kernel
      : qemuLoadedKernel(kernel, { initrdLength: initrd.length, memoryBytes })
  return {
    mrTd: tdxLaunchMeasurement(firmware, launch),
    rtmr0:
      acpi &&
      tdxConfigurationRegister({
        tdHob: tdHobDigest(tdHobLayout(firmware), memoryBytes),
        configurationVolume: configurationVolumeDigest(firmware),
        acpi,
        ...(bootOrder && { bootOrder }),
        ...(bootOption && { bootOption }),
      }),
    ...tdxKernelRegisters({
      kernel: authenticodeDigest(loaded),
      initrd: sha384(initrd),
      commandLine: `${commandLine} initrd=initrd`,
    }),
  }
}
