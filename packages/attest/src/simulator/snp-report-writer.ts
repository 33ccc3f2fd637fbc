import { hexToBytes } from '@noble/hashes/utils.js'
import type { SnpProduct } from '../amd/claims.js'
import { lineOf } from '../amd/claims.js'
import { snpReportLength } from '../amd/report.js'
import { AttestError } from '../errors.js'
import { sign } from './test-pki.js'

/** What is wrong with a simulated SEV-SNP report. */
export type SnpReportDefect =
  | 'debug'
  | 'migration-agent'
  | 'missing-alias-check'
  | 'other-chip'
  | 'other-tcb'
  | 'masked-chip-id'
  | 'provisional-firmware'
  | 'reserved-byte'
  | 'signature-padding'
  | 'tampered-body'
  | 'tampered-signature'
  | 'tcb-order'
  | 'trailing-bytes'
  | 'unknown-policy-bit'
  | 'unknown-product'
  | 'unsigned'
  | 'wrong-algorithm'
  | 'wrong-key-kind'

/** Content of a simulated SEV-SNP report; what is not given is a fixed pattern. */
export interface SimulatedSnpReport {
  /** 64 bytes. */
  readonly reportData: Uint8Array
  /** 48 bytes. */
  readonly measurement?: Uint8Array
  /** 32 bytes. */
  readonly hostData?: Uint8Array
  /** 2 to 5; 5 when absent. */
  readonly version?: 2 | 3 | 4 | 5
  readonly vmpl?: number
  readonly defect?: SnpReportDefect
}

/** TCB_VERSION of the simulated platforms, eight bytes, by the order of its line. */
export const simulatedTcb = {
  Milan: hexToBytes('04000000000018db'),
  Genoa: hexToBytes('0a00000000001754'),
  Turin: hexToBytes('0101010400000051'),
} as const

const cpuid: Readonly<Record<SnpProduct, readonly [number, number, number]>> = {
  Milan: [0x19, 0x01, 1],
  Genoa: [0x19, 0x11, 1],
  'Bergamo-Siena': [0x19, 0xa0, 2],
  Turin: [0x1a, 0x02, 1],
}

function place(report: Uint8Array, offset: number, value: Uint8Array, length: number, name: string): void {
  if (value.length !== length) {
    throw new AttestError('BAD_ARGUMENT', `report.${name}`, `${length} bytes are expected`)
  }
  report.set(value, offset)
}

/**
 * Writes an SEV-SNP report byte for byte as firmware lays it out.
 *
 * @param content what it says and, if wanted, one defect
 * @param platform product, chip and keys
 * @throws AttestError `BAD_ARGUMENT` for a field of a wrong length
 */
export function writeSnpReport(
  content: SimulatedSnpReport,
  platform: {
    readonly product: SnpProduct
    /** 64 bytes. */
    readonly chipId: Uint8Array
    readonly kind: 'vcek' | 'vlek'
    readonly privateKey: Uint8Array
  },
): Uint8Array {
  const { defect, version = 5, vmpl = 0 } = content
  const report = new Uint8Array(snpReportLength)
  const view = new DataView(report.buffer)
  const tcb = simulatedTcb[lineOf(platform.product)]
  view.setUint32(0, version, true)
  let policy = 0x30000n
  if (defect === 'debug') policy |= 1n << 19n
  if (defect === 'migration-agent') policy |= 1n << 18n
  if (defect === 'unknown-policy-bit') policy |= 1n << 40n
  view.setBigUint64(0x008, policy, true)
  view.setUint32(0x030, vmpl, true)
  view.setUint32(0x034, defect === 'wrong-algorithm' ? 0 : 1, true)
  report.set(tcb, 0x038)
  view.setBigUint64(0x040, defect === 'missing-alias-check' ? 0x05n : 0x25n, true)
  const kinds = { vcek: 0, vlek: 1 } as const
  const named =
    defect === 'unsigned' ? 7 : defect === 'wrong-key-kind' ? 1 - kinds[platform.kind] : kinds[platform.kind]
  view.setUint32(0x048, named << 2, true)
  place(report, 0x050, content.reportData, 64, 'reportData')
  place(report, 0x090, content.measurement ?? new Uint8Array(48).fill(0x51), 48, 'measurement')
  place(report, 0x0c0, content.hostData ?? new Uint8Array(32), 32, 'hostData')
  report.set(tcb, 0x180)
  if (version >= 3) report.set(defect === 'unknown-product' ? [0x1b, 0, 0] : cpuid[platform.product], 0x188)
  if (platform.kind === 'vcek' && defect !== 'masked-chip-id') report.set(platform.chipId, 0x1a0)
  report.set(tcb, 0x1e0)
  report.set([40, 55, 1], 0x1e8)
  report.set([defect === 'provisional-firmware' ? 39 : 40, 55, 1], 0x1ec)
  report.set(tcb, 0x1f0)
  if (defect === 'other-chip') report[0x1a0] = (report[0x1a0] ?? 0) ^ 1
  if (defect === 'other-tcb') report[0x187] = (report[0x187] ?? 0) - 1
  if (defect === 'tcb-order') report[0x03f] = (report[0x03f] ?? 0) - 1
  if (defect === 'reserved-byte') report[0x290] = 1
  const signature = sign(report.subarray(0, 0x2a0), platform.privateKey, 'p384')
  report.set(signature.slice(0, 48).reverse(), 0x2a0)
  report.set(signature.slice(48).reverse(), 0x2a0 + 72)
  if (defect === 'tampered-body') report[0x0a0] = (report[0x0a0] ?? 0) ^ 1
  if (defect === 'tampered-signature') report[0x2a1] = (report[0x2a1] ?? 0) ^ 1
  if (defect === 'signature-padding') report[snpReportLength - 1] = 1
  return defect === 'trailing-bytes' ? Uint8Array.from([...report, 1]) : report
}
