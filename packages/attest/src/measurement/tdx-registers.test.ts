import { sha384 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { testKernel } from '../testing/kernel-image.js'
import { testFirmware } from '../testing/tdx-firmware.js'
import { authenticodeDigest } from './linux-kernel.js'
import { tdHobDigest, tdHobLayout } from './td-hob.js'
import { configurationVolumeDigest, tdxLaunchMeasurement } from './tdvf.js'
import { tdxLaunchRegisters } from './tdx-launch.js'
import { type KernelEvents, tdxConfigurationRegister, tdxKernelRegisters } from './tdx-registers.js'

const digest = (fill: number) => new Uint8Array(48).fill(fill)
const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

describe('tdxKernelRegisters', () => {
  // Published: Dstack-TEE/dstack, dstack-mr/src/tdx.rs, tests of the command line's digest and of RTMR2.
  const commandLine = `console=ttyS0 init=/init panic=1 dstack.rootfs_hash=${'11'.repeat(32)} dstack.rootfs_size=4096 initrd=initrd`
  const lineDigest =
    'bb4154e6e429e184bc63d544ae5720f868e5859b378b13bab69860e1fc65c09f1b67277bba010841fbe8bc3619e58d58'
  const rtmr2 =
    '2fb6d31492cd2f073fe8fdaa9dbdff4dfdde92bf07f9a16c2b7123ae7be5090007974d33bfe8807ac56974160f8f2948'

  it('gives the published RTMR2, from the command line and from its digest', () => {
    for (const given of [commandLine, hexToBytes(lineDigest)]) {
      const registers = tdxKernelRegisters({ kernel: digest(1), initrd: digest(0x33), commandLine: given })
      expect(bytesToHex(registers.rtmr2)).toBe(rtmr2)
    }
  })

  it('puts the kernel into RTMR1 only', () => {
    const ask = (events: Partial<KernelEvents>) =>
      tdxKernelRegisters({ kernel: digest(1), initrd: digest(2), commandLine: 'a', ...events })
    expect(ask({ kernel: digest(9) }).rtmr1).not.toEqual(ask({}).rtmr1)
    expect(ask({ kernel: digest(9) }).rtmr2).toEqual(ask({}).rtmr2)
    expect(ask({ initrd: digest(9), commandLine: 'b' }).rtmr1).toEqual(ask({}).rtmr1)
  })

  it('refuses digests of another length', () => {
    const events = { kernel: digest(1), initrd: digest(2), commandLine: 'a' }
    const short = new Uint8Array(32)
    expect(code(() => tdxKernelRegisters({ ...events, kernel: short }))).toBe('BAD_ARGUMENT events.kernel')
    expect(code(() => tdxKernelRegisters({ ...events, initrd: short }))).toBe('BAD_ARGUMENT events.initrd')
    expect(code(() => tdxKernelRegisters({ ...events, commandLine: short }))).toBe(
      'BAD_ARGUMENT events.commandLine',
    )
  })
})

describe('tdxConfigurationRegister', () => {
  const acpi = { loader: digest(3), rsdp: digest(4), tables: digest(5) }
  const events = { tdHob: digest(1), configurationVolume: digest(2), acpi }

  it('depends on every event', () => {
    const variants = [
      events,
      { ...events, tdHob: digest(9) },
      { ...events, configurationVolume: digest(9) },
      { ...events, acpi: { ...acpi, loader: digest(9) } },
      { ...events, acpi: { ...acpi, rsdp: digest(9) } },
      { ...events, acpi: { ...acpi, tables: digest(9) } },
      { ...events, bootOrder: digest(9) },
      { ...events, bootOption: digest(9) },
    ]
    const registers = variants.map((variant) => bytesToHex(tdxConfigurationRegister(variant)))
    expect(new Set(registers).size).toBe(variants.length)
  })

  it.each([
    ['events.tdHob', { ...events, tdHob: digest(1).slice(1) }],
    ['events.configurationVolume', { ...events, configurationVolume: new Uint8Array() }],
    ['events.acpi.loader', { ...events, acpi: { ...acpi, loader: new Uint8Array(32) } }],
    ['events.acpi.rsdp', { ...events, acpi: { ...acpi, rsdp: new Uint8Array(32) } }],
    ['events.acpi.tables', { ...events, acpi: { ...acpi, tables: new Uint8Array(32) } }],
    ['events.bootOrder', { ...events, bootOrder: new Uint8Array(2) }],
    ['events.bootOption', { ...events, bootOption: new Uint8Array(2) }],
  ])('refuses another length: %s', (place, given) => {
    expect(code(() => tdxConfigurationRegister(given))).toBe(`BAD_ARGUMENT ${place}`)
  })
})

describe('tdxLaunchRegisters', () => {
  const acpi = { loader: digest(3), rsdp: digest(4), tables: digest(5) }
  const launch = {
    firmware: testFirmware(),
    kernel: testKernel(),
    initrd: new Uint8Array(5000).fill(7),
    commandLine: 'console=ttyS0',
    memoryBytes: 2 ** 31,
    pageOrder: 'two-pass',
    acpi,
  } as const

  it('puts the parts together', () => {
    const { firmware, kernel, initrd, memoryBytes } = launch
    const registers = tdxLaunchRegisters({ ...launch, setupHeaderRestored: true })
    expect(registers).toEqual({
      mrTd: tdxLaunchMeasurement(firmware, { pageOrder: 'two-pass' }),
      rtmr0: tdxConfigurationRegister({
        tdHob: tdHobDigest(tdHobLayout(firmware), memoryBytes),
        configurationVolume: configurationVolumeDigest(firmware),
        acpi,
      }),
      ...tdxKernelRegisters({
        kernel: authenticodeDigest(kernel),
        initrd: sha384(initrd),
        commandLine: 'console=ttyS0 initrd=initrd',
      }),
    })
  })

  it('measures the kernel as QEMU changes it, unless the firmware undoes that', () => {
    const plain = tdxLaunchRegisters(launch)
    expect(plain.rtmr1).not.toEqual(tdxLaunchRegisters({ ...launch, setupHeaderRestored: true }).rtmr1)
    expect(plain.rtmr1).not.toEqual(tdxLaunchRegisters({ ...launch, memoryBytes: 2 ** 30 }).rtmr1)
  })

  it('has no RTMR0 without ACPI tables, and another one with other boot options', () => {
    const { acpi: _, ...without } = launch
    expect(tdxLaunchRegisters(without).rtmr0).toBeUndefined()
    const { rtmr0 } = tdxLaunchRegisters(launch)
    expect(tdxLaunchRegisters({ ...launch, bootOrder: digest(1) }).rtmr0).not.toEqual(rtmr0)
    expect(tdxLaunchRegisters({ ...launch, bootOption: digest(1) }).rtmr0).not.toEqual(rtmr0)
  })
})
