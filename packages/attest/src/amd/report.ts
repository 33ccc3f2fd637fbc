import { needBytes } from '../encoding/argument.js'
import { AttestError } from '../errors.js'

/** Length of an attestation report (SEV-SNP ABI specification 1.58, table 23). */
export const snpReportLength = 1184

/** An SEV-SNP attestation report, split into its fields; views alias the input and nothing is verified yet. */
export interface SnpReport {
  readonly version: number
  readonly guestSvn: number
  /** Guest policy: eight bytes, little-endian. */
  readonly policy: bigint
  readonly familyId: Uint8Array
  readonly imageId: Uint8Array
  readonly vmpl: number
  /** 1 is ECDSA P-384 with SHA-384. */
  readonly signatureAlgorithm: number
  readonly currentTcb: Uint8Array
  readonly platformInfo: bigint
  readonly keyInfo: number
  readonly reportData: Uint8Array
  readonly measurement: Uint8Array
  readonly hostData: Uint8Array
  readonly idKeyDigest: Uint8Array
  readonly authorKeyDigest: Uint8Array
  readonly reportId: Uint8Array
  readonly reportIdMa: Uint8Array
  readonly reportedTcb: Uint8Array
  /** CPUID family, model and stepping; there from version 3 on. */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | undefined
  /** 64 bytes; zero when the platform hides it. */
  readonly chipId: Uint8Array
  readonly committedTcb: Uint8Array
  /** Major, minor, build. */
  readonly currentFirmware: readonly [number, number, number]
  readonly committedFirmware: readonly [number, number, number]
  readonly launchTcb: Uint8Array
  /** Mitigation vectors; there from version 5 on. */
  readonly mitigations: { readonly launch: bigint; readonly current: bigint } | undefined
  /** Offsets of reserved bytes that are not zero, although they must be. */
  readonly reservedProblem: number | undefined
  /** The bytes under the signature, 0x000 to 0x29F. */
  readonly signed: Uint8Array
  /** 96 bytes, r || s big-endian; undefined when the structure holds more than that. */
  readonly signature: Uint8Array | undefined
  /** Bytes after the report. */
  readonly trailing: Uint8Array
}

const signedLength = 0x2a0
/** Reserved ranges in the signed part, by the first version in which they are in use (6: none yet). */
const reserved: readonly (readonly [from: number, to: number, usedFrom: number])[] = [
  [0x04c, 0x050, 6],
  [0x188, 0x18b, 3],
  [0x18b, 0x1a0, 6],
  [0x1eb, 0x1ec, 6],
  [0x1ef, 0x1f0, 6],
  [0x1f8, 0x208, 5],
  [0x208, 0x2a0, 6],
]

/**
 * Parses an attestation report of version 2 to 5. Total: any bytes give a report or a typed error.
 *
 * @param bytes the report, possibly followed by other bytes
 * @returns its fields; signature and meaning are not judged here
 * @throws AttestError `BAD_REPORT`; its `place` names the field
 */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  needBytes(bytes, 'report')
  if (bytes.length < snpReportLength) {
    const text = `An SEV-SNP report has ${snpReportLength} bytes, ${bytes.length} were given`
    throw new AttestError('BAD_REPORT', 'report', text)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (offset: number) => view.getUint32(offset, true)
  const u64 = (offset: number) => view.getBigUint64(offset, true)
  const take = (offset: number, length: number) => bytes.subarray(offset, offset + length)
  const octet = (offset: number) => view.getUint8(offset)
  const version = u32(0)
  if (version < 2 || version > 5) {
    throw new AttestError('BAD_REPORT', 'report.version', 'Only report versions 2, 3, 4 and 5 are known')
  }
  const firmware = (offset: number) => [octet(offset + 2), octet(offset + 1), octet(offset)] as const
  return {
    version,
    guestSvn: u32(0x004),
    policy: u64(0x008),
    familyId: take(0x010, 16),
    imageId: take(0x020, 16),
    vmpl: u32(0x030),
    signatureAlgorithm: u32(0x034),
    currentTcb: take(0x038, 8),
    platformInfo: u64(0x040),
    keyInfo: u32(0x048),
    reportData: take(0x050, 64),
    measurement: take(0x090, 48),
    hostData: take(0x0c0, 32),
    idKeyDigest: take(0x0e0, 48),
    authorKeyDigest: take(0x110, 48),
    reportId: take(0x140, 32),
    reportIdMa: take(0x160, 32),
    reportedTcb: take(0x180, 8),
    cpuid: version < 3 ? undefined : { family: octet(0x188), model: octet(0x189), stepping: octet(0x18a) },
    chipId: take(0x1a0, 64),
    committedTcb: take(0x1e0, 8),
    currentFirmware: firmware(0x1e8),
    committedFirmware: firmware(0x1ec),
    launchTcb: take(0x1f0, 8),
    mitigations: version < 5 ? undefined : { launch: u64(0x1f8), current: u64(0x200) },
    reservedProblem: reserved
      .filter(([, , usedFrom]) => version < usedFrom)
      .flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i))
      .find((offset) => octet(offset) !== 0),
    signed: take(0, signedLength),
    signature: readSignature(bytes.subarray(signedLength, snpReportLength)),
    trailing: bytes.subarray(snpReportLength),
  }
}

/** r and s are 72 bytes each, little-endian, of which P-384 fills 48; the rest of the 512 bytes is zero. */
function readSignature(structure: Uint8Array): Uint8Array | undefined {
  const signature = new Uint8Array(96)
  // `slice` of a Node Buffer shares its memory, and reversing would turn the caller's bytes around.
  signature.set(Uint8Array.from(structure.subarray(0, 48)).reverse())
  signature.set(Uint8Array.from(structure.subarray(72, 120)).reverse(), 48)
  const rest = structure.some((value, i) => value !== 0 && !(i < 48 || (i >= 72 && i < 120)))
  return rest ? undefined : signature
}
