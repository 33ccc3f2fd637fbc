import { AttestError } from '../errors.js'

/** Virtual machine monitors whose first register values are known. */
export type SnpVmm = 'QEMU' | 'ec2' | 'gce'

/** Where a bootstrap processor starts. */
export const bootstrapEip = 0xfffffff0

/** What differs between the monitors in a processor's first state. */
const registers = {
  QEMU: {
    cs: () => 0x9b,
    ss: 0x93,
    tr: 0x8b,
    rdx: (signature: number) => signature,
    floatingPoint: true,
    pat: 0x0007040600070406n,
  },
  ec2: {
    cs: (bootstrap: boolean) => (bootstrap ? 0x9a : 0x9b),
    ss: 0x92,
    tr: 0x83,
    rdx: () => 0x600,
    floatingPoint: false,
    pat: 0x0007040600070406n,
  },
  // Google's monitor writes its own page attribute table over the default.
  gce: { cs: () => 0x9b, ss: 0x93, tr: 0x8b, rdx: () => 0x600, floatingPoint: false, pat: 0x00070106n },
} as const

/**
 * A processor's save area (VMSA, AMD APM volume 2, table B-4) as the monitor hands it to the firmware at launch: 4096 bytes of
 * which only these registers are not zero.
 *
 * @param eip where the processor starts
 * @param features SEV_FEATURES of the guest
 * @param signature CPUID signature of the virtual processor
 * @throws AttestError `BAD_ARGUMENT` for a monitor that is not known, or features that are no 64 bits
 */
export function vmsaPage(options: {
  readonly eip: number
  readonly features: bigint
  readonly signature: number
  readonly vmm: SnpVmm
}): Uint8Array {
  const { eip, features, signature, vmm } = options
  if (!Object.hasOwn(registers, vmm)) {
    const known = Object.keys(registers).join(', ')
    throw new AttestError('BAD_ARGUMENT', 'launch.vmm', `The monitor must be one of ${known}`)
  }
  if (typeof features !== 'bigint' || features < 0n || features >= 1n << 64n)
    throw new AttestError('BAD_ARGUMENT', 'launch.features', 'SEV_FEATURES must be a bigint of 64 bits')
  const page = new Uint8Array(4096)
  const view = new DataView(page.buffer)
  const first = registers[vmm]
  const segment = (offset: number, selector: number, attributes: number, base = 0) => {
    view.setUint16(offset, selector, true)
    view.setUint16(offset + 2, attributes, true)
    view.setUint32(offset + 4, 0xffff, true)
    view.setBigUint64(offset + 8, BigInt(base), true)
  }
  const u64 = (offset: number, value: bigint) => view.setBigUint64(offset, value, true)
  segment(0x00, 0, 0x93) // ES
  segment(0x10, 0xf000, first.cs(eip === bootstrapEip), (eip & 0xffff0000) >>> 0) // CS
  segment(0x20, 0, first.ss) // SS
  segment(0x30, 0, 0x93) // DS
  segment(0x40, 0, 0x93) // FS
  segment(0x50, 0, 0x93) // GS
  segment(0x60, 0, 0) // GDTR
  segment(0x70, 0, 0x82) // LDTR
  segment(0x80, 0, 0) // IDTR
  segment(0x90, 0, first.tr) // TR
  u64(0xd0, 0x1000n) // EFER.SVME
  u64(0x148, 0x40n) // CR4.MCE
  u64(0x158, 0x10n) // CR0
  u64(0x160, 0x400n) // DR7
  u64(0x168, 0xffff0ff0n) // DR6
  u64(0x170, 0x2n) // RFLAGS
  u64(0x178, BigInt(eip & 0xffff)) // RIP
  u64(0x268, first.pat) // G_PAT
  u64(0x310, BigInt(first.rdx(signature))) // RDX
  u64(0x3b0, features) // SEV_FEATURES
  u64(0x3e8, 1n) // XCR0
  if (first.floatingPoint) {
    view.setUint32(0x408, 0x1f80, true) // MXCSR
    view.setUint16(0x410, 0x37f, true) // x87 FCW
  }
  return page
}

/**
 * The save area of a processor that starts in an SVSM (COCONUT-SVSM's QEMU): 32-bit protected mode, flat segments.
 *
 * @param eip where the SVSM starts
 * @param signature CPUID signature of the virtual processor
 */
export function svsmVmsaPage(options: { readonly eip: number; readonly signature: number }): Uint8Array {
  const page = vmsaPage({ ...options, features: 1n, vmm: 'QEMU' })
  const view = new DataView(page.buffer)
  const flat = (offset: number, selector: number, attributes: number) => {
    view.setUint16(offset, selector, true)
    view.setUint16(offset + 2, attributes, true)
    view.setUint32(offset + 4, 0xffffffff, true)
    view.setBigUint64(offset + 8, 0n, true)
  }
  flat(0x00, 16, 0xc93) // ES
  flat(0x10, 8, 0xc9b) // CS
  flat(0x20, 16, 0xc93) // SS
  flat(0x30, 16, 0xc93) // DS
  flat(0x40, 16, 0xc93) // FS
  view.setBigUint64(0x158, 0x11n, true) // CR0
  view.setBigUint64(0x178, BigInt(options.eip), true) // RIP
  view.setUint16(0x410, 0, true) // x87 FCW
  return page
}
