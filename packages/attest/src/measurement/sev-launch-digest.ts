import { sha256 } from '@noble/hashes/sha2.js'
import { AttestError } from '../errors.js'
import { badImage, footerTable } from './footer-table.js'
import { hashTable, type SnpKernel, type SnpKernelHashes } from './kernel-hashes.js'
import { footerGuids } from './ovmf.js'
import { checkVcpuCount, vcpuSignature } from './vcpu.js'
import { bootstrapEip, type SnpVmm, vmsaPage } from './vmsa.js'

/** What a guest of the generations before SEV-SNP is launched from. */
export interface SevLaunch {
  /** `SEV-ES` also measures the processors' first state. */
  readonly mode: 'SEV' | 'SEV-ES'
  readonly ovmf: Uint8Array
  /** Kernel, initrd and command line for direct boot, or their hashes. */
  readonly kernel?: SnpKernel | SnpKernelHashes
  /** For `SEV-ES`. */
  readonly vcpus?: number
  /** For `SEV-ES`: a key of `vcpuSignatures`, or the signature itself. */
  readonly vcpu?: string | number
  readonly vmm?: SnpVmm
}

/**
 * The launch digest of an SEV or SEV-ES guest, for those who still have one to compare: such guests have no attestation report,
 * and a host can change their memory unnoticed. Nothing of this package accepts them as evidence.
 *
 * @param launch firmware, kernel and processors
 * @returns 32 bytes
 * @throws AttestError `BAD_IMAGE` when the firmware cannot be measured or has no place for a kernel's hashes; `BAD_ARGUMENT`
 * @see AMD 55766, SEV API specification 0.24, LAUNCH_MEASURE; QEMU target/i386/sev.c
 */
export function sevLaunchDigest(launch: SevLaunch): Uint8Array {
  const { mode, ovmf, kernel, vcpus = 1, vcpu, vmm = 'QEMU' } = launch
  if (mode !== 'SEV' && mode !== 'SEV-ES')
    throw new AttestError('BAD_ARGUMENT', 'launch.mode', 'It must be SEV or SEV-ES')
  const table = footerTable(ovmf)
  const u32 = (entry: Uint8Array | undefined) =>
    entry === undefined || entry.length < 4
      ? 0
      : new DataView(entry.buffer, entry.byteOffset).getUint32(0, true)
  const hash = sha256.create().update(ovmf)
  if (kernel !== undefined) {
    if (u32(table.get(footerGuids.hashTable)) === 0)
      throw badImage('hashTable', 'it has no place for the hashes of a kernel')
    const padded = new Uint8Array(176)
    padded.set(hashTable(kernel))
    hash.update(padded)
  }
  if (mode === 'SEV') return hash.digest()
  checkVcpuCount(vcpus)
  if (vcpu === undefined)
    throw new AttestError('BAD_ARGUMENT', 'launch.vcpu', 'SEV-ES needs the processor model')
  const resetEip = u32(table.get(footerGuids.resetBlock))
  if (resetEip === 0) throw badImage('resetBlock', 'the SEV-ES reset block is missing')
  const page = (eip: number) => vmsaPage({ eip, features: 0n, signature: vcpuSignature(vcpu), vmm })
  for (let i = 0; i < vcpus; i += 1) hash.update(page(i === 0 ? bootstrapEip : resetEip))
  return hash.digest()
}
