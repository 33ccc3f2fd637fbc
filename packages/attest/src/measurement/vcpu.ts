import { AttestError } from '../errors.js'

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

/**
 * The signature of a processor model.
 *
 * @param vcpu a key of {@link vcpuSignatures}, or the signature itself
 * @throws AttestError `BAD_ARGUMENT` for a model that is not known
 */
export function vcpuSignature(vcpu: string | number): number {
  const known = typeof vcpu === 'string' && Object.hasOwn(vcpuSignatures, vcpu) ? vcpuSignatures[vcpu] : vcpu
  if (typeof known !== 'number' || !Number.isInteger(known) || known < 0 || known > 0xffffffff) {
    const text = 'The processor model is not known; give its CPUID signature'
    throw new AttestError('BAD_ARGUMENT', 'launch.vcpu', text)
  }
  return known
}

/**
 * Refuses a count of processors that no guest has.
 *
 * @throws AttestError `BAD_ARGUMENT`
 */
export function checkVcpuCount(vcpus: number): void {
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > 4096) {
    throw new AttestError('BAD_ARGUMENT', 'launch.vcpus', 'A count of processors from 1 to 4096 is expected')
  }
}
