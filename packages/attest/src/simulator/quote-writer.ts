import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { formatPemCertificates } from '../encoding/pem.js'
import { AttestError } from '../errors.js'
import { intelQeVendorId } from '../intel/quote.js'
import { publicKeyOf, type SimulatorCertificates, type SimulatorKeys, sign } from './test-pki.js'

/** What is wrong with a simulated quote. */
export type QuoteDefect =
  | 'debug'
  | 'foreign-attestation-key'
  | 'foreign-qe'
  | 'foreign-vendor'
  | 'out-of-date'
  | 'tampered-body'
  | 'tampered-qe-report'
  | 'tampered-signature'
  | 'trailing-bytes'
  | 'unknown-module'
  | 'unsupported-tcb'
  | 'wrong-report-data'

/** Content of a simulated TDX quote. Registers are 48 bytes; those not given are fixed patterns. */
export interface SimulatedQuote {
  /** 64 bytes. */
  readonly reportData: Uint8Array
  readonly mrTd?: Uint8Array
  readonly rtmrs?: readonly Uint8Array[]
  /** 16 bytes. */
  readonly teeTcbSvn?: Uint8Array
  /** 4 (default), or 5 with a body of type 2 (TDX 1.0), 3 (1.5) or 4 (1.5 extended). */
  readonly version?: 4 | 5
  readonly bodyType?: 2 | 3 | 4
  /** 16 bytes, for body types 3 and 4; `teeTcbSvn` when absent. */
  readonly teeTcbSvn2?: Uint8Array
  readonly defect?: QuoteDefect
}

/** SVNs of the simulated platform's TDX: module 1.5, as the simulated TCB info asks for. */
export const simulatedTeeTcbSvn: Uint8Array = /* @__PURE__ */ hexToBytes('05010200000000000000000000000000')
/** MRSIGNER of the simulated quoting enclave. */
export const simulatedQeSigner: Uint8Array = /* @__PURE__ */ new Uint8Array(32).fill(0x5e)
/** ISV SVN of the simulated quoting enclave. */
export const simulatedQeSvn = 4

/** MRTD of a quote that does not give its own. */
export const simulatedMrTd: Uint8Array = /* @__PURE__ */ new Uint8Array(48).fill(0x51)

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8)
}

function u32(value: number): Uint8Array {
  return concatBytes(u16(value & 0xffff), u16(value >>> 16))
}

function sized(
  value: Uint8Array | undefined,
  length: number,
  place: string,
  byDefault: Uint8Array,
): Uint8Array {
  const bytes = value ?? byDefault
  if (bytes.length !== length) {
    throw new AttestError('BAD_ARGUMENT', place, `${length} bytes are expected, ${bytes.length} were given`)
  }
  return bytes
}

function tdReport(quote: SimulatedQuote): Uint8Array {
  const { defect } = quote
  const svn = sized(quote.teeTcbSvn, 16, 'quote.teeTcbSvn', simulatedTeeTcbSvn).slice()
  if (defect === 'unknown-module') svn[1] = 9
  if (defect === 'out-of-date') svn[2] = 1
  if (defect === 'unsupported-tcb') svn[2] = 0
  const attributes = new Uint8Array(8)
  attributes[3] = 0x10 // SEPT_VE_DISABLE, as every ordinary Linux guest has it
  if (defect === 'debug') attributes[0] = 0x01
  const reportData = sized(quote.reportData, 64, 'quote.reportData', new Uint8Array()).slice()
  if (defect === 'wrong-report-data') reportData[0] = (reportData[0] ?? 0) ^ 0xff
  const rtmr = (i: number) => sized(quote.rtmrs?.[i], 48, `quote.rtmrs.${i}`, new Uint8Array(48).fill(i + 1))
  const zero48 = new Uint8Array(48)
  return concatBytes(
    svn,
    new Uint8Array(48).fill(0x5a), // MRSEAM
    zero48, // MRSIGNERSEAM: zero means Intel's own module
    new Uint8Array(8), // SEAMATTRIBUTES
    attributes,
    hexToBytes('e702060000000000'), // XFAM
    sized(quote.mrTd, 48, 'quote.mrTd', simulatedMrTd),
    zero48, // MRCONFIGID
    zero48, // MROWNER
    zero48, // MROWNERCONFIG
    rtmr(0),
    rtmr(1),
    rtmr(2),
    rtmr(3),
    reportData,
  )
}

function qeReport(
  attestationKey: Uint8Array,
  authenticationData: Uint8Array,
  defect?: QuoteDefect,
): Uint8Array {
  const report = new Uint8Array(384)
  report.set(hexToBytes('11000000000000000700000000000000'), 48) // ATTRIBUTES: INIT and PROVISION_KEY
  report.set(defect === 'foreign-qe' ? new Uint8Array(32).fill(0x66) : simulatedQeSigner, 128)
  report.set(u16(2), 256) // ISVPRODID of the TD quoting enclave
  report.set(u16(simulatedQeSvn), 258)
  report.set(sha256(concatBytes(attestationKey, authenticationData)), 320)
  return report
}

/**
 * Writes a TDX quote byte for byte as hardware lays it out.
 *
 * @param quote content and, if wanted, one defect
 * @param keys PCK and attestation keys sign
 * @param certificates go into the quote as the PCK chain
 * @returns the quote
 * @throws AttestError `BAD_ARGUMENT` for a field of a wrong length
 */
export function writeQuote(
  quote: SimulatedQuote,
  keys: SimulatorKeys,
  certificates: SimulatorCertificates,
): Uint8Array {
  const { defect } = quote
  const version = quote.version ?? 4
  const vendor = defect === 'foreign-vendor' ? new Uint8Array(16).fill(7) : intelQeVendorId
  const header = concatBytes(u16(version), u16(2), u32(0x81), u32(0), vendor, new Uint8Array(20))
  const td10 = tdReport(quote)
  const bodyType = version === 4 ? 2 : (quote.bodyType ?? 3)
  const td15 = concatBytes(
    td10,
    sized(quote.teeTcbSvn2, 16, 'quote.teeTcbSvn2', quote.teeTcbSvn ?? simulatedTeeTcbSvn),
    new Uint8Array(48),
  )
  const body = bodyType === 2 ? td10 : bodyType === 3 ? td15 : concatBytes(td15, new Uint8Array(885 - 648))
  const typed = version === 4 ? body : concatBytes(u16(bodyType), u32(body.length), body)
  const signed = concatBytes(header, typed)
  const signature = sign(signed, keys.attestation)
  const attestationKey = publicKeyOf(keys.attestation).subarray(1)
  const authenticationData = Uint8Array.from({ length: 32 }, (_, i) => i)
  const vouchedKey =
    defect === 'foreign-attestation-key' ? publicKeyOf(keys.root).subarray(1) : attestationKey
  const report = qeReport(vouchedKey, authenticationData, defect)
  const reportSignature = sign(report, keys.pck)
  if (defect === 'tampered-qe-report') report[60] = 0xff
  if (defect === 'tampered-signature') signature[5] = (signature[5] ?? 0) ^ 1
  const { pck, authority, root } = certificates
  const pem = new TextEncoder().encode(formatPemCertificates([pck, authority, root]))
  const inner = concatBytes(
    report,
    reportSignature,
    u16(authenticationData.length),
    authenticationData,
    u16(5),
    u32(pem.length),
    pem,
  )
  const section = concatBytes(signature, attestationKey, u16(6), u32(inner.length), inner)
  const bytes = concatBytes(signed, u32(section.length), section)
  if (defect === 'tampered-body') bytes[200] = (bytes[200] ?? 0) ^ 1
  return defect === 'trailing-bytes' ? concatBytes(bytes, Uint8Array.of(1)) : bytes
}
