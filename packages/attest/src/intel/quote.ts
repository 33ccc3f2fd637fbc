import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'
import { byteReader } from './byte-reader.js'
import { readSgxReport, readTdReport, type SgxReport, type TdReport, tdReportLength } from './report.js'

/** A DCAP quote, split into its fields; views alias the input and nothing is verified yet. */
export interface Quote {
  readonly version: 3 | 4 | 5
  readonly tee: 'tdx' | 'sgx'
  /** 1 SGX, 2 TDX 1.0, 3 TDX 1.5, 4 TDX 1.5 extended; versions 3 and 4 of the quote have only 1 and 2. */
  readonly bodyType: 1 | 2 | 3 | 4
  /** 2 is ECDSA-256 with P-256; the parser accepts any value, the verifier only 2. */
  readonly attestationKeyType: number
  /** 16 bytes that name the maker of the quoting enclave. */
  readonly qeVendorId: Uint8Array
  readonly report: SgxReport | TdReport
  /** Header and body: the bytes under the quote's signature. */
  readonly signed: Uint8Array
  /** 64 bytes, r || s, by the attestation key. */
  readonly signature: Uint8Array
  /** 65 bytes, 04 || x || y. */
  readonly attestationKey: Uint8Array
  readonly qeReport: SgxReport
  /** 64 bytes, r || s, by the PCK. */
  readonly qeReportSignature: Uint8Array
  readonly qeAuthenticationData: Uint8Array
  /** 5 is a PEM chain; 1 to 3 name the PCK by encrypted or plain PPID. */
  readonly certificationType: number
  readonly certificationData: Uint8Array
  /** Bytes after the declared end: empty, padding of a fixed buffer, or something of another layer. */
  readonly trailing: Uint8Array
}

/** Intel's QE vendor id, 939a7233-f79c-4ca9-940a-0db3957f0607. */
export const intelQeVendorId: Uint8Array = /* @__PURE__ */ Uint8Array.from([
  0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
])

const teeSgx = 0x00000000
const teeTdx = 0x00000081

const bodyLengths = {
  1: 384,
  2: tdReportLength.td10,
  3: tdReportLength.td15,
  4: tdReportLength.td15Extended,
} as const

/** Longest input looked at; QGS buffers are 8,000 bytes. */
export const maximumQuoteLength = 1 << 20

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_QUOTE', place, `Not a supported DCAP quote: ${what}`)
}

/**
 * Parses a DCAP quote: version 3 (SGX), 4 (TDX) and 5 (SGX, TDX 1.0, 1.5 and 1.5 extended). Total: any bytes give a quote or
 * a typed error in time linear in their length.
 *
 * @param bytes the quote, possibly followed by other bytes, which are returned as `trailing`
 * @returns the fields
 * @throws AttestError `BAD_QUOTE`; its `place` names the field
 */
export function parseQuote(bytes: Uint8Array): Quote {
  needBytes(bytes, 'quote')
  if (bytes.length > maximumQuoteLength) throw bad('quote', `longer than ${maximumQuoteLength} bytes`)
  const reader = byteReader(bytes, 'quote')
  const version = reader.u16('header.version')
  if (version !== 3 && version !== 4 && version !== 5) {
    throw bad('quote.header.version', 'only versions 3, 4 and 5 are known')
  }
  const attestationKeyType = reader.u16('header.attestationKeyType')
  const teeType = reader.u32('header.teeType')
  reader.take('header.svn', 4)
  const qeVendorId = reader.take('header.qeVendorId', 16)
  reader.take('header.userData', 20)
  const bodyType = readBodyType(version, teeType, reader)
  const report =
    bodyType === 1
      ? readSgxReport(reader, 'body', bytes)
      : readTdReport(reader, 'body', bytes, bodyLengths[bodyType])
  const signed = bytes.subarray(0, reader.offset)
  const signatureLength = reader.u32('signatureLength')
  const section = reader.take('signatureData', signatureLength)
  return {
    version,
    tee: bodyType === 1 ? 'sgx' : 'tdx',
    bodyType,
    attestationKeyType,
    qeVendorId,
    report,
    signed,
    ...readSignatureData(section, version),
    trailing: bytes.subarray(reader.offset),
  }
}

function readBodyType(version: 3 | 4 | 5, teeType: number, reader: ReturnType<typeof byteReader>) {
  const place = 'quote.header.teeType'
  if (version === 3) {
    // In version 3 these four bytes are reserved and zero, which is also the number of SGX.
    if (teeType !== teeSgx) throw bad(place, 'version 3 is for SGX only')
    return 1
  }
  if (teeType !== teeSgx && teeType !== teeTdx) throw bad(place, 'neither SGX nor TDX')
  // Intel's library reads enclave reports in version 4 as well.
  if (version === 4) return teeType === teeSgx ? 1 : 2
  const type = reader.u16('bodyType')
  const size = reader.u32('bodySize')
  if (type !== 1 && type !== 2 && type !== 3 && type !== 4) throw bad('quote.bodyType', 'unknown body type')
  if (size !== bodyLengths[type])
    throw bad('quote.bodySize', `body type ${type} has ${bodyLengths[type]} bytes`)
  if ((type === 1) !== (teeType === teeSgx)) throw bad('quote.bodyType', 'body type and TEE type contradict')
  return type
}

function readSignatureData(section: Uint8Array, version: 3 | 4 | 5) {
  const outer = byteReader(section, 'quote.signatureData')
  const signature = outer.take('signature', 64)
  const key = outer.take('attestationKey', 64)
  const attestationKey = new Uint8Array(65)
  attestationKey[0] = 4
  attestationKey.set(key, 1)
  let inner = outer
  let innerBytes = section
  if (version !== 3) {
    // From version 4 the QE report travels inside a certification data structure of type 6.
    if (outer.u16('certificationType') !== 6) {
      throw bad('quote.signatureData.certificationType', 'QE report certification data (type 6) is expected')
    }
    innerBytes = outer.take('certificationData', outer.u32('certificationSize'))
    if (outer.remaining !== 0) throw bad('quote.signatureData', 'bytes are left over in the signature data')
    inner = byteReader(innerBytes, 'quote.signatureData.certificationData')
  }
  const qeReport = readSgxReport(inner, 'qeReport', innerBytes)
  const qeReportSignature = inner.take('qeReportSignature', 64)
  const qeAuthenticationData = inner.take('qeAuthenticationData', inner.u16('qeAuthenticationSize'))
  const certificationType = inner.u16('innerCertificationType')
  const certificationData = inner.take('innerCertificationData', inner.u32('innerCertificationSize'))
  if (inner.remaining !== 0) throw bad('quote.signatureData', 'bytes are left over after the certificates')
  return {
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthenticationData,
    certificationType,
    certificationData,
  }
}
