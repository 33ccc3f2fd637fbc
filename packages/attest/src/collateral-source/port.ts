import { bytesToHex } from '@noble/hashes/utils.js'
import { lineOf, reportProduct, signingKey } from '../amd/claims.js'
import { parseSnpReport } from '../amd/report.js'
import { readTcb, type SnpTcb } from '../amd/tcb-version.js'
import { AttestError } from '../errors.js'
import { certificationText, pckChain } from '../intel/certificates.js'
import type { Collateral } from '../intel/collateral.js'
import { pckPlatform } from '../intel/pck-extension.js'
import { parseQuote } from '../intel/quote.js'
import type { SnpProductLine } from '../trust-anchor/amd.js'

/** Which collateral a DCAP quote needs. */
export interface IntelRequest {
  readonly tee: 'tdx' | 'sgx'
  /** 6 bytes, lower-case hex. */
  readonly fmspc: string
  /** Which authority certified the platform. */
  readonly ca: 'platform' | 'processor'
}

/** Which certificates an SEV-SNP report needs. */
export interface AmdRequest {
  readonly line: SnpProductLine
  /** Lower-case hex: 64 bytes, 8 for Turin. A VLEK comes from the cloud provider, not from AMD. */
  readonly hwid: string
  /** The reported TCB. */
  readonly tcb: SnpTcb
}

/** Certificates and list for `verifySnpReport`. */
export interface AmdMaterial {
  /** DER of VCEK, ASK and ARK. */
  readonly certificates: readonly Uint8Array[]
  readonly crl: Uint8Array
}

/**
 * Port to wherever collateral comes from. Nothing that a source gives is believed: verification checks signatures, dates and
 * that it is about the right platform. Every method rejects with `COLLATERAL_UNAVAILABLE` when it has no answer.
 */
export interface CollateralPort {
  intel(request: IntelRequest): Promise<Collateral>
  amd(request: AmdRequest): Promise<AmdMaterial>
}

/** The error of a source without an answer. */
export function unavailable(place: string, why: string, cause?: unknown): AttestError {
  return new AttestError('COLLATERAL_UNAVAILABLE', place, `No collateral: ${why}`, { cause })
}

/**
 * What to ask a source for, from the quote itself. The quote is not verified by this.
 *
 * @param quote bytes of a DCAP quote that carries its certificates
 * @returns kind of TEE, FMSPC and authority
 * @throws AttestError `BAD_QUOTE`, `BAD_CERTIFICATE`, `BAD_PEM`, `BAD_DER` when the quote or its certificates cannot be read
 */
export function intelRequest(quote: Uint8Array): IntelRequest {
  const parsed = parseQuote(quote)
  const { pck, authority } = pckChain(certificationText(parsed))
  const ca = authority.commonName.includes('Platform') ? 'platform' : 'processor'
  return { tee: parsed.tee, fmspc: pckPlatform(pck).fmspc, ca }
}

/**
 * What to ask a source for, from an SEV-SNP report itself. The report is not verified by this.
 *
 * @param report bytes of an attestation report of version 3 or newer, which names its processor
 * @returns line of keys, chip and reported TCB
 * @throws AttestError `BAD_REPORT` when it cannot be read; `COLLATERAL_UNAVAILABLE` when it does not name a processor that is known,
 *   or was signed by another key than the chip's own (VCEK): what a cloud provider's key (VLEK) needs comes from the provider
 */
export function amdRequest(report: Uint8Array): AmdRequest {
  const parsed = parseSnpReport(report)
  const product = reportProduct(parsed)
  if (product === undefined || product === null)
    throw unavailable('report', 'it names no processor that is known')
  if (signingKey(parsed) !== 'vcek') throw unavailable('report', 'it was not signed by the chip’s own key')
  const line = lineOf(product)
  const chip = line === 'Turin' ? parsed.chipId.subarray(0, 8) : parsed.chipId
  return { line, hwid: bytesToHex(chip), tcb: readTcb(parsed.reportedTcb, line) }
}
