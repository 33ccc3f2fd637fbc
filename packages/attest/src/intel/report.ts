import type { ByteReader } from './byte-reader.js'

/** An SGX enclave report body, 384 bytes (Intel SGX ECDSA quote library API, `sgx_report_body_t`). */
export interface SgxReport {
  readonly kind: 'sgx'
  readonly raw: Uint8Array
  readonly cpuSvn: Uint8Array
  readonly miscSelect: Uint8Array
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Uint8Array
}

/** A TD report body: 584 bytes (TDX 1.0), 648 (TDX 1.5) or 885 (TDX 1.5 extended). */
export interface TdReport {
  readonly kind: 'td'
  readonly raw: Uint8Array
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly xfam: Uint8Array
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  /** RTMR0 to RTMR3. */
  readonly rtmrs: readonly Uint8Array[]
  readonly reportData: Uint8Array
  /** TDX 1.5: what `teeTcbSvn` would be after a relaunch on the module that runs now. */
  readonly teeTcbSvn2: Uint8Array | undefined
  /** TDX 1.5: measurement of the service TDs bound to this TD. */
  readonly mrServiceTd: Uint8Array | undefined
}

/** Length in bytes of an SGX report body. */
const sgxReportLength = 384

/** Lengths in bytes of the TD report bodies. */
export const tdReportLength = { td10: 584, td15: 648, td15Extended: 885 } as const

/**
 * Reads one SGX report body.
 *
 * @throws AttestError `BAD_QUOTE` when fewer than 384 bytes are left
 */
export function readSgxReport(reader: ByteReader, place: string, whole: Uint8Array): SgxReport {
  const start = reader.offset
  const field = (name: string) => `${place}.${name}`
  const cpuSvn = reader.take(field('cpuSvn'), 16)
  const miscSelect = reader.take(field('miscSelect'), 4)
  reader.take(field('reserved1'), 28)
  const attributes = reader.take(field('attributes'), 16)
  const mrEnclave = reader.take(field('mrEnclave'), 32)
  reader.take(field('reserved2'), 32)
  const mrSigner = reader.take(field('mrSigner'), 32)
  reader.take(field('reserved3'), 96)
  const isvProdId = reader.u16(field('isvProdId'))
  const isvSvn = reader.u16(field('isvSvn'))
  reader.take(field('reserved4'), 60)
  const reportData = reader.take(field('reportData'), 64)
  const raw = whole.subarray(start, start + sgxReportLength)
  return {
    kind: 'sgx',
    raw,
    cpuSvn,
    miscSelect,
    attributes,
    mrEnclave,
    mrSigner,
    isvProdId,
    isvSvn,
    reportData,
  }
}

/**
 * Reads one TD report body of the given length.
 *
 * @param length one of {@link tdReportLength}
 * @throws AttestError `BAD_QUOTE` when the input is shorter
 */
export function readTdReport(reader: ByteReader, place: string, whole: Uint8Array, length: number): TdReport {
  const start = reader.offset
  const take = (name: string, size: number) => reader.take(`${place}.${name}`, size)
  const first = {
    teeTcbSvn: take('teeTcbSvn', 16),
    mrSeam: take('mrSeam', 48),
    mrSignerSeam: take('mrSignerSeam', 48),
    seamAttributes: take('seamAttributes', 8),
    tdAttributes: take('tdAttributes', 8),
    xfam: take('xfam', 8),
    mrTd: take('mrTd', 48),
    mrConfigId: take('mrConfigId', 48),
    mrOwner: take('mrOwner', 48),
    mrOwnerConfig: take('mrOwnerConfig', 48),
    rtmrs: [take('rtmr0', 48), take('rtmr1', 48), take('rtmr2', 48), take('rtmr3', 48)],
    reportData: take('reportData', 64),
  }
  const later = length > tdReportLength.td10
  const teeTcbSvn2 = later ? take('teeTcbSvn2', 16) : undefined
  const mrServiceTd = later ? take('mrServiceTd', 48) : undefined
  if (length > tdReportLength.td15) take('extension', length - tdReportLength.td15)
  return { kind: 'td', raw: whole.subarray(start, start + length), ...first, teeTcbSvn2, mrServiceTd }
}
