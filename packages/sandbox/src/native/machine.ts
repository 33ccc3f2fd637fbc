/** The processors that programs run on. */
export type Machine = 'x86-64' | 'aarch64'

/** What the kernel and its file format call each of them. */
export const machines: Readonly<
  Record<Machine, { readonly node: string; readonly elf: number; readonly audit: number }>
> = {
  // `elf`: e_machine; `audit`: AUDIT_ARCH_* of linux/audit.h, both little-endian with 64 bits.
  'x86-64': { node: 'x64', elf: 62, audit: 0xc000_003e },
  aarch64: { node: 'arm64', elf: 183, audit: 0xc000_00b7 },
}

/**
 * The machine of a process.
 *
 * @param arch - as `process.arch` has it
 * @returns the machine, or undefined for one that programs cannot be run on
 */
export function machineOf(arch: string): Machine | undefined {
  return (['x86-64', 'aarch64'] as const).find((machine) => machines[machine].node === arch)
}
