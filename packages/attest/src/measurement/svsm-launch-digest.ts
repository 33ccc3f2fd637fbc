import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { badImage, footerTable } from './footer-table.js'
import { addSections, launchContext, pageLength } from './launch-context.js'
import { footerGuids, type Ovmf, sevSections } from './ovmf.js'
import { checkVcpuCount, vcpuSignature } from './vcpu.js'
import { svsmVmsaPage } from './vmsa.js'

/** What a guest with a Secure VM Service Module (COCONUT-SVSM) is launched from, under QEMU. */
export interface SvsmLaunch {
  /** The firmware's code, a whole number of pages. */
  readonly ovmf: Uint8Array
  /** Bytes that the firmware's variables take below its code; not measured. */
  readonly ovmfVariablesLength: number
  /** The SVSM's image, a whole number of pages; it lies below the firmware's variables. */
  readonly svsm: Uint8Array
  readonly vcpus: number
  /** A key of `vcpuSignatures`, or the signature itself. */
  readonly vcpu: string | number
}

/**
 * The launch digest of an SEV-SNP guest whose first code is an SVSM: firmware, SVSM, the pages that the SVSM's metadata name, and
 * processors that all start in the SVSM.
 *
 * @param launch firmware, SVSM and processors
 * @returns 48 bytes
 * @throws AttestError `BAD_IMAGE` when an image cannot be measured, `BAD_ARGUMENT`
 * @see COCONUT-SVSM's QEMU, target/i386/sev.c
 */
export function svsmLaunchDigest(launch: SvsmLaunch): Uint8Array {
  const { ovmf, ovmfVariablesLength, svsm, vcpus } = launch
  checkVcpuCount(vcpus)
  const signature = vcpuSignature(launch.vcpu)
  const pages = (value: number) => Number.isSafeInteger(value) && value >= 0 && value % pageLength === 0
  if (!pages(ovmfVariablesLength) || ovmfVariablesLength > 1 << 28)
    throw new AttestError('BAD_ARGUMENT', 'launch.ovmfVariablesLength', 'A whole number of pages is expected')
  needBytes(ovmf, 'launch.ovmf')
  needBytes(svsm, 'launch.svsm')
  if (!pages(ovmf.length) || !pages(svsm.length)) throw badImage('image', 'it is not a whole number of pages')
  // The firmware must be one, although none of its tables is used: the SVSM reads its metadata when it runs.
  footerTable(ovmf)
  const firmwareGpa = 2 ** 32 - ovmf.length
  const gpa = firmwareGpa - ovmfVariablesLength - svsm.length
  const table = footerTable(svsm)
  const entry = table.get(footerGuids.svsmInfo)
  if (entry === undefined || entry.length < 4) throw badImage('svsmInfo', 'it does not say where it starts')
  const start = gpa + new DataView(entry.buffer, entry.byteOffset).getUint32(0, true)
  if (start >= firmwareGpa) throw badImage('svsmInfo', 'it starts outside itself')
  const tables: Ovmf = {
    gpa,
    sections: sevSections(svsm, table.get(footerGuids.metadata)),
    resetEip: start,
    hashTableGpa: undefined,
  }
  const context = launchContext(new Uint8Array(48))
  context.pages(firmwareGpa, ovmf)
  context.pages(gpa, svsm)
  addSections(context, tables, undefined, 'QEMU')
  const page = svsmVmsaPage({ eip: start, signature })
  for (let i = 0; i < vcpus; i += 1) context.vmsa(page)
  return context.digest()
}
