import { hexToBytes } from '@noble/hashes/utils.js'
import { bytesToHex } from '../encoding/hex.js'
import type { QeIdentity, TdxModule } from './collateral.js'
import type { SgxReport, TdReport } from './report.js'

function masked(value: Uint8Array, mask: string): string {
  const bits = hexToBytes(mask)
  return bytesToHex(value.map((octet, i) => octet & (bits[i] ?? 0)))
}

/**
 * Whether a quoting enclave's report is that of the enclave which Intel describes.
 *
 * @returns undefined when it is, else what differs
 */
export function enclaveIdentityProblem(report: SgxReport, identity: QeIdentity): string | undefined {
  if (masked(report.miscSelect, identity.miscSelectMask) !== identity.miscSelect) {
    return 'the quoting enclave has another MISCSELECT than Intel describes'
  }
  if (masked(report.attributes, identity.attributesMask) !== identity.attributes) {
    return 'the quoting enclave has other ATTRIBUTES than Intel describes'
  }
  if (bytesToHex(report.mrSigner) !== identity.mrSigner) {
    return 'the quoting enclave is not signed by the signer that Intel describes'
  }
  if (report.isvProdId !== identity.isvProdId) {
    return `the quoting enclave is product ${report.isvProdId}, Intel describes product ${identity.isvProdId}`
  }
  return undefined
}

/**
 * Whether the TDX module is the one that Intel describes: signer equal, attributes equal under the mask, and zero, since
 * nonzero SEAM attributes mean a debug module.
 *
 * @returns undefined when it is, else what differs
 */
export function tdxModuleProblem(report: TdReport, module: TdxModule | undefined): string | undefined {
  if (module === undefined) {
    return `Intel's TCB info describes no TDX module of major version ${report.teeTcbSvn[1] ?? 0}`
  }
  if (bytesToHex(report.mrSignerSeam) !== module.mrSigner) {
    return 'the TDX module has another signer than Intel describes'
  }
  if (masked(report.seamAttributes, module.attributesMask) !== module.attributes) {
    return 'the TDX module has other attributes than Intel describes'
  }
  if (report.seamAttributes.some((octet) => octet !== 0)) return 'the TDX module has attributes set'
  return undefined
}
