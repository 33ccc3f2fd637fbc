import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { derTag, parseDer } from '../encoding/der.js'
import { type Certificate, parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import type { Hex } from '../verdict/verdict.js'

const arc = '1.3.6.1.4.1.62397.1.'
/** Extension in which newer guests put their whole container of evidence; it is not read here. */
export const raTlsAttestationOid = `${arc}8`

/** What an RA-TLS certificate of dstack carries. */
export interface RaTlsCertificate {
  readonly certificate: Certificate
  /** Undefined when the evidence is elsewhere. */
  readonly quote: Uint8Array | undefined
  /** JSON text of the event log, as it stands; possibly compressed. */
  readonly eventLog: Uint8Array | undefined
  /** The app's id as the certificate's issuer wrote it; the quote does not vouch for it. */
  readonly appId: Uint8Array | undefined
  /** The 64 bytes that the quote's report data must be. */
  readonly reportData: Uint8Array
}

function reportDataOf(spki: Uint8Array): Uint8Array {
  return sha512(concatBytes(new TextEncoder().encode('ratls-cert:'), spki))
}

/**
 * What a quote's report data must be to vouch for a key.
 *
 * @param spki SubjectPublicKeyInfo as 0x and hex; undefined when a kept verdict has none
 * @returns 64 bytes; undefined when that is no hex
 */
export function raTlsReportData(spki: string | undefined): Hex | undefined {
  if (typeof spki !== 'string' || !/^0x(?:[0-9a-f]{2})+$/.test(spki)) return undefined
  return `0x${bytesToHex(reportDataOf(hexToBytes(spki.slice(2))))}`
}

/**
 * Reads an RA-TLS certificate. It is not verified: verify the quote, compare its report data with
 * {@link RaTlsCertificate.reportData}, and take the key from nowhere else.
 *
 * @param der the certificate
 * @returns what the certificate carries; nothing is verified here
 * @throws AttestError `BAD_CERTIFICATE`, `BAD_DER`
 */
export function parseRaTlsCertificate(der: Uint8Array): RaTlsCertificate {
  const certificate = parseCertificate(der)
  const extension = (name: string) => {
    const value = certificate.extensions.get(arc + name)
    if (value === undefined) return undefined
    const { tag, content } = parseDer(value)
    if (tag !== derTag.octetString) {
      throw new AttestError('BAD_CERTIFICATE', `extensions.${arc}${name}`, 'An OCTET STRING is expected')
    }
    return content
  }
  return {
    certificate,
    quote: extension('1'),
    eventLog: extension('2'),
    appId: extension('3'),
    reportData: reportDataOf(certificate.spki),
  }
}
