import { sha384 } from '@noble/hashes/sha2.js'
import { AttestError } from '../errors.js'
import { hashesPage, type SnpKernel, type SnpKernelHashes } from './kernel-hashes.js'
import { type Ovmf, ovmfSectionType } from './ovmf.js'
import type { SnpVmm } from './vmsa.js'

/** Bytes of a page of guest memory. */
export const pageLength = 4096
const pageType = { normal: 1, vmsa: 2, zero: 3, unmeasured: 4, secrets: 5, cpuid: 6 } as const
const vmsaGpa = 0xfffffffff000n

/** The chain of hashes that the firmware of the platform computes (SEV-SNP ABI 1.58, 8.17.2, PAGE_INFO). */
export function launchContext(start: Uint8Array) {
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

/** Adds the pages that a firmware's metadata name, in their order. */
export function addSections(
  context: ReturnType<typeof launchContext>,
  ovmf: Ovmf,
  kernel: SnpKernel | SnpKernelHashes | undefined,
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
