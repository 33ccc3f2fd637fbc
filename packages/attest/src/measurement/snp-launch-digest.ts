import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { AttestError } from '../errors.js'
import { type Ovmf, ovmfSectionType, parseOvmf } from './ovmf.js'
import { bootstrapEip, type SnpVmm, vmsaPage } from './vmsa.js'

/** CPUID signatures of QEMU's processor models: what `RDX` holds at start and thus part of the launch digest. */
export const vcpuSignatures: Readonly<Record<string, number>> = {
  EPYC: 0x800f12,
  'EPYC-v1': 0x800f12,
  'EPYC-v2': 0x800f12,
  'EPYC-IBPB': 0x800f12,
  'EPYC-v3': 0x800f12,
  'EPYC-v4': 0x800f12,
  'EPYC-Rome': 0x830f10,
  'EPYC-Rome-v1': 0x830f10,
  'EPYC-Rome-v2': 0x830f10,
  'EPYC-Rome-v3': 0x830f10,
  'EPYC-Milan': 0xa00f11,
  'EPYC-Milan-v1': 0xa00f11,
  'EPYC-Milan-v2': 0xa00f11,
  'EPYC-Genoa': 0xa10f10,
  'EPYC-Genoa-v1': 0xa10f10,
  'EPYC-Turin': 0xb00f00,
}

/** What a guest boots. */
export interface SnpKernel {
  readonly image: Uint8Array
  readonly initrd?: Uint8Array
  readonly commandLine?: string
}

/** SHA-256 (32 bytes) of what a guest boots; the command line's covers its closing zero byte. */
export interface SnpKernelHashes {
  readonly hashes: {
    readonly image: Uint8Array
    readonly initrd: Uint8Array
    readonly commandLine: Uint8Array
  }
}

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
  /** A key of {@link vcpuSignatures}, or the signature itself; `gce` does not use it. */
  readonly vcpu: string | number
  /** SEV_FEATURES; 1 (SNP active) when absent. */
  readonly features?: bigint
  readonly vmm?: SnpVmm
}

const pageLength = 4096
const pageType = { normal: 1, vmsa: 2, zero: 3, unmeasured: 4, secrets: 5, cpuid: 6 } as const
const vmsaGpa = 0xfffffffff000n

/** The chain of hashes that the firmware of the platform computes (SEV-SNP ABI 1.58, 8.17.2, PAGE_INFO). */
function launchContext(start: Uint8Array) {
  let digest = start
  const info = new Uint8Array(0x70)
  const view = new DataView(info.buffer)
  const add = (type: number, gpa: bigint, contents: Uint8Array) => {
    info.fill(0)
    info.set(digest)
    info.set(contents, 48)
    view.setUint16(0x60, info.length, true)
    view.setUint8(0x62, type)
    view.setBigUint64(0x68, gpa, true)
    digest = sha384(info)
  }
  const none = new Uint8Array(48)
  return {
    digest: () => digest,
    pages(gpa: number, bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; at += pageLength) {
        add(pageType.normal, BigInt(gpa + at), sha384(bytes.subarray(at, at + pageLength)))
      }
    },
    zeros(gpa: number, length: number, type: number = pageType.zero) {
      for (let at = 0; at < length; at += pageLength) add(type, BigInt(gpa + at), none)
    },
    empty: (type: number, gpa: number) => add(type, BigInt(gpa), none),
    vmsa: (page: Uint8Array) => add(pageType.vmsa, vmsaGpa, sha384(page)),
  }
}

/** GUIDs as they stand in memory, hex. */
const tableGuid = '06d63894224fc94cb479a793d411fd21'
const entryGuids = {
  kernel: '3794e74dd2ab7f42b835d5b172d2045b',
  initrd: '31f7ba442f3ad74b9af141e29169781d',
  commandLine: 'd82dd09720bd944caa78e7714d36ab2a',
} as const

function kernelHashes(kernel: SnpKernel | SnpKernelHashes): SnpKernelHashes['hashes'] {
  if ('hashes' in kernel) {
    if (Object.values(kernel.hashes).some(({ length }) => length !== 32)) {
      throw new AttestError('BAD_ARGUMENT', 'launch.kernel.hashes', 'Digests of 32 bytes are expected')
    }
    return kernel.hashes
  }
  return {
    image: sha256(kernel.image),
    initrd: sha256(kernel.initrd ?? new Uint8Array()),
    commandLine: sha256(new TextEncoder().encode(`${kernel.commandLine ?? ''}\0`)),
  }
}

/** The page with the hashes of kernel, initrd and command line (QEMU, SevHashTable). */
function hashesPage(kernel: SnpKernel | SnpKernelHashes, offset: number): Uint8Array {
  const { image, initrd, commandLine } = kernelHashes(kernel)
  const entry = (guid: string, hash: Uint8Array) => concatBytes(hexToBytes(guid), Uint8Array.of(50, 0), hash)
  const table = concatBytes(
    hexToBytes(tableGuid),
    Uint8Array.of(168, 0),
    entry(entryGuids.commandLine, commandLine),
    entry(entryGuids.initrd, initrd),
    entry(entryGuids.kernel, image),
  )
  if (offset + table.length > pageLength) {
    throw new AttestError('BAD_IMAGE', 'ovmf.hashTable', 'The table of hashes does not fit on its page')
  }
  const page = new Uint8Array(pageLength)
  page.set(table, offset)
  return page
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
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > 4096) {
    throw new AttestError('BAD_ARGUMENT', 'launch.vcpus', 'A count of processors from 1 to 4096 is expected')
  }
  if (ovmfDigest !== undefined && ovmfDigest.length !== 48) {
    throw new AttestError('BAD_ARGUMENT', 'launch.ovmfDigest', 'A digest of 48 bytes is expected')
  }
  const { vcpu } = launch
  const known = typeof vcpu === 'number' || Object.hasOwn(vcpuSignatures, vcpu)
  const signature = typeof vcpu === 'number' ? vcpu : vcpuSignatures[vcpu]
  if (!known || signature === undefined) {
    throw new AttestError(
      'BAD_ARGUMENT',
      'launch.vcpu',
      'The processor model is not known; give its signature',
    )
  }
  const { ovmf: firmware } = launch
  const ovmf = firmware instanceof Uint8Array ? parseOvmf(firmware) : firmware
  if (kernel !== undefined && !ovmf.sections.some(({ type }) => type === ovmfSectionType.kernelHashes)) {
    const text = 'A kernel is given, and the firmware has no section for kernel hashes'
    throw new AttestError('BAD_IMAGE', 'ovmf.metadata', text)
  }
  const context = launchContext(ovmfDigest ?? new Uint8Array(48))
  if (ovmfDigest === undefined) {
    if (!(firmware instanceof Uint8Array) || firmware.length % pageLength !== 0) {
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

function addSections(
  context: ReturnType<typeof launchContext>,
  ovmf: Ovmf,
  kernel: SnpLaunch['kernel'],
  vmm: SnpVmm,
): void {
  for (const { gpa, size, type } of ovmf.sections) {
    if (size % pageLength !== 0 || size > 1 << 28) {
      throw new AttestError('BAD_IMAGE', 'ovmf.metadata', 'A section is not a whole number of pages')
    }
    if (type === ovmfSectionType.memory) {
      // Google's monitor adds the firmware's working memory without measuring it.
      context.zeros(gpa, size, vmm === 'gce' ? pageType.unmeasured : pageType.zero)
    } else if (type === ovmfSectionType.svsmCallingArea) context.zeros(gpa, size)
    else if (type === ovmfSectionType.secrets) context.empty(pageType.secrets, gpa)
    else if (type === ovmfSectionType.cpuid) {
      if (vmm !== 'ec2') context.empty(pageType.cpuid, gpa)
    } else if (type === ovmfSectionType.kernelHashes) {
      if (kernel === undefined) context.zeros(gpa, size)
      else context.pages(gpa, hashesPage(kernel, (ovmf.hashTableGpa ?? 0) % pageLength))
    } else throw new AttestError('BAD_IMAGE', 'ovmf.metadata', `A section of type ${type} is not known`)
  }
  // EC2 adds the CPUID page after all others.
  if (vmm !== 'ec2') return
  for (const { gpa, type } of ovmf.sections) {
    if (type === ovmfSectionType.cpuid) context.empty(pageType.cpuid, gpa)
  }
}
