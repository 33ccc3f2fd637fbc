import { isBytes } from '../encoding/is-bytes.js'
import { AttestError } from '../errors.js'
import type { SnpKernel, SnpKernelHashes } from './kernel-hashes.js'
import { addSections, launchContext, pageLength } from './launch-context.js'
import { type Ovmf, ovmfSectionType, parseOvmf } from './ovmf.js'
import { checkVcpuCount, vcpuSignature } from './vcpu.js'
import { bootstrapEip, type SnpVmm, vmsaPage } from './vmsa.js'

/** What a guest is launched from. */
export interface SnpLaunch {
  /** The firmware file; with `ovmfDigest` its tables alone are enough. */
  readonly ovmf: Uint8Array | Ovmf
  /**
   * Launch digest after the firmware's own pages (48 bytes), when the whole file was measured elsewhere: `ovmf` then needs only
   * the end of the file, where the tables are, or what they say.
   */
  readonly ovmfDigest?: Uint8Array
  /** Kernel, initrd and command line for direct boot, or their hashes; absent: the firmware finds its own. */
  readonly kernel?: SnpKernel | SnpKernelHashes
  readonly vcpus: number
  /** A key of `vcpuSignatures`, or the signature itself; `gce` does not use it. */
  readonly vcpu: string | number
  /** SEV_FEATURES; 1 (SNP active) when absent. */
  readonly features?: bigint
  readonly vmm?: SnpVmm
}

/**
 * The launch digest (MEASUREMENT) that an SEV-SNP report shows for a guest launched like this.
 *
 * @param launch firmware, kernel and processors
 * @returns 48 bytes
 * @throws AttestError `BAD_IMAGE` when the firmware has no metadata for SEV-SNP, or none for kernel hashes and a kernel is
 *   given; `BAD_ARGUMENT` for an unknown processor, an odd count or size
 * @see SEV-SNP firmware ABI specification 1.58, 8.17.2; QEMU target/i386/sev.c
 *
 * @example
 * ```ts no-run
 * const digest = snpLaunchDigest({ ovmf, kernel: { image, initrd, commandLine: 'console=ttyS0' }, vcpus: 2, vcpu: 'EPYC-v4' })
 * ```
 */
export function snpLaunchDigest(launch: SnpLaunch): Uint8Array {
  const { vcpus, kernel, features = 1n, vmm = 'QEMU', ovmfDigest } = launch
  checkVcpuCount(vcpus)
  if (ovmfDigest !== undefined && !(isBytes(ovmfDigest) && ovmfDigest.length === 48)) {
    throw new AttestError('BAD_ARGUMENT', 'launch.ovmfDigest', 'A digest of 48 bytes is expected')
  }
  const signature = vcpuSignature(launch.vcpu)
  const { ovmf: firmware } = launch
  // What is no image must say what an image's tables say.
  const tables = Array.isArray((firmware as Partial<Ovmf> | null | undefined)?.sections)
  if (!tables && !isBytes(firmware))
    throw new AttestError('BAD_ARGUMENT', 'launch.ovmf', 'Uint8Array or its tables expected')
  const ovmf = isBytes(firmware) ? parseOvmf(firmware) : firmware
  if (kernel !== undefined && !ovmf.sections.some(({ type }) => type === ovmfSectionType.kernelHashes)) {
    const text = 'A kernel is given, and the firmware has no section for kernel hashes'
    throw new AttestError('BAD_IMAGE', 'ovmf.metadata', text)
  }
  const context = launchContext(ovmfDigest ?? new Uint8Array(48))
  if (ovmfDigest === undefined) {
    if (!isBytes(firmware) || firmware.length % pageLength !== 0) {
      throw new AttestError(
        'BAD_IMAGE',
        'ovmf',
        'The firmware is not a whole number of pages, and has no digest',
      )
    }
    context.pages(ovmf.gpa, firmware)
  }
  addSections(context, ovmf, kernel, vmm)
  const page = (eip: number) => vmsaPage({ eip, features, signature, vmm })
  context.vmsa(page(bootstrapEip))
  if (vcpus > 1) {
    const other = page(ovmf.resetEip)
    for (let i = 1; i < vcpus; i += 1) context.vmsa(other)
  }
  return context.digest()
}
