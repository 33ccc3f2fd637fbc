import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64Url } from '@sealpool/crypto'
import { needBytes } from '../encoding/argument.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { bigEndian } from '../signature/ecdsa.js'
import type { RsaPublicKey } from '../signature/rsa-pss.js'

/** The report that Azure's paravisor keeps in the vTPM's NV index 0x01400001. */
export interface HclReport {
  readonly tee: 'sev-snp' | 'tdx'
  /** The hardware's own report: an SNP report (1184 bytes) or a TDREPORT (1024 bytes). */
  readonly hardware: Uint8Array
  /** Report data inside the hardware's report. */
  readonly reportData: Uint8Array
  /** JSON text as it was hashed. */
  readonly runtimeData: Uint8Array
  /** The vTPM's attestation key, `HCLAkPub`. */
  readonly attestationKey: RsaPublicKey
}

const headerLength = 0x20
const hardwareLength = 1184
const tdReportLength = 1024
const runtimeStart = headerLength + hardwareLength

function bad(place: string, what: string): AttestError {
  return new AttestError('BAD_EVIDENCE', `hclReport${place}`, `Not an HCL report: ${what}`)
}

/**
 * Reads an HCL report (Azure paravisor, OpenHCL `igvm_attest`).
 *
 * @param bytes as read from the vTPM’s index
 * @returns its parts; nothing is verified here
 * @throws AttestError `BAD_EVIDENCE`
 */
export function parseHclReport(bytes: Uint8Array): HclReport {
  needBytes(bytes, 'hclReport')
  if (bytes.length < runtimeStart + 20 || bytes.length > 1 << 16) throw bad('', 'its length is wrong')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'HCLA')
    throw bad('.header', 'the signature is missing')
  const kind = view.getUint32(runtimeStart + 8, true)
  if (kind !== 2 && kind !== 4) throw bad('.reportType', 'neither SEV-SNP nor TDX')
  if (view.getUint32(runtimeStart + 12, true) !== 1) throw bad('.hashType', 'only SHA-256 is known')
  const length = view.getUint32(runtimeStart + 16, true)
  const start = runtimeStart + 20
  if (length > bytes.length - start) throw bad('.runtimeData', 'it reaches beyond the end')
  const runtimeData = bytes.subarray(start, start + length)
  const tee = kind === 2 ? 'sev-snp' : 'tdx'
  const hardware = bytes.subarray(
    headerLength,
    headerLength + (tee === 'tdx' ? tdReportLength : hardwareLength),
  )
  const dataStart = tee === 'tdx' ? 128 : 0x50
  return {
    tee,
    hardware,
    reportData: hardware.subarray(dataStart, dataStart + 64),
    runtimeData,
    attestationKey: attestationKey(runtimeData),
  }
}

/** Whether the hardware's report names the runtime data: its SHA-256, then zeros. */
export function bindsRuntimeData({ reportData, runtimeData }: HclReport): boolean {
  const expected = new Uint8Array(64)
  expected.set(sha256(runtimeData))
  return sameBytes(expected, reportData)
}

function attestationKey(runtimeData: Uint8Array): RsaPublicKey {
  let keys: unknown
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(runtimeData))
    keys = typeof json === 'object' && json !== null && 'keys' in json ? json.keys : undefined
  } catch {
    throw bad('.runtimeData', 'it is not JSON')
  }
  const all = (Array.isArray(keys) ? keys : []) as unknown[]
  const found = all.filter(
    (key): key is Record<string, unknown> =>
      typeof key === 'object' && key !== null && 'kid' in key && key.kid === 'HCLAkPub',
  )
  const [key] = found
  const { kty, e, n } = key ?? {}
  if (found.length !== 1 || kty !== 'RSA' || e !== 'AQAB' || typeof n !== 'string' || n.length > 1000) {
    throw bad('.runtimeData.keys', 'there is not exactly one RSA key HCLAkPub with the exponent 65537')
  }
  let modulus: Uint8Array
  try {
    modulus = decodeBase64Url(n)
  } catch {
    throw bad('.runtimeData.keys', 'the modulus is not base64url')
  }
  if (modulus.length < 256 || modulus.length > 512 || (modulus[0] ?? 0) < 0x80) {
    throw bad('.runtimeData.keys', 'the modulus is not of 2048 to 4096 bits')
  }
  return { modulus: bigEndian(modulus), size: modulus.length }
}
