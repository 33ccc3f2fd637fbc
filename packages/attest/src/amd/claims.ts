import { bytesToHex } from '../encoding/hex.js'
import type { SnpProductLine } from '../trust-anchor/amd.js'
import type { Hex, RootClaim } from '../verdict/verdict.js'
import type { SnpReport } from './report.js'
import { readTcb, type SnpTcb } from './tcb-version.js'
import type { VekFacts } from './vek-extensions.js'

/** Products as reports name them by CPUID; Bergamo and Siena share their numbers and Genoa's keys. */
export type SnpProduct = 'Milan' | 'Genoa' | 'Bergamo-Siena' | 'Turin'

/** Every {@link SnpProduct}. */
export const snpProducts = [
  'Milan',
  'Genoa',
  'Bergamo-Siena',
  'Turin',
] as const satisfies readonly SnpProduct[]

/** What the guest's owner allowed the host (SEV-SNP ABI 1.58, table 9). */
export interface SnpGuestPolicy {
  readonly raw: Hex
  readonly abiMajor: number
  readonly abiMinor: number
  readonly smt: boolean
  readonly migrationAgent: boolean
  readonly debug: boolean
  readonly singleSocket: boolean
  readonly cxl: boolean
  readonly memoryAes256Xts: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHiding: boolean
  readonly pageSwapDisabled: boolean
}

/** How the platform is set up (SEV-SNP ABI 1.58, table 24). */
export interface SnpPlatformInfo {
  readonly raw: Hex
  readonly smt: boolean
  readonly tsme: boolean
  readonly ecc: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHiding: boolean
  /** The firmware looked for memory that answers under two addresses (CVE-2024-21944, “BadRAM”) and found none. */
  readonly aliasCheckComplete: boolean
  readonly tio: boolean
}

/** What an SEV-SNP report says. */
export interface SnpClaims {
  readonly tee: 'sev-snp'
  readonly reportVersion: number
  /** Null until the certificates could be read, for reports of version 2, which do not name it. */
  readonly product: SnpProduct | null
  /** The certificate's own word, for example `Milan-B0`. */
  readonly productName: string | null
  readonly debug: boolean
  readonly reportData: Hex
  readonly measurement: Hex
  readonly hostData: Hex
  readonly idKeyDigest: Hex
  readonly authorKeyDigest: Hex
  readonly reportId: Hex
  readonly reportIdMigrationAgent: Hex
  readonly familyId: Hex
  readonly imageId: Hex
  readonly guestSvn: number
  readonly vmpl: number
  readonly guestPolicy: SnpGuestPolicy
  readonly platformInfo: SnpPlatformInfo
  readonly signingKey: 'vcek' | 'vlek' | 'none' | 'unknown'
  readonly authorKeyEnabled: boolean
  readonly chipKeyMasked: boolean
  /** Null when the platform hides it. */
  readonly chipId: Hex | null
  /** Cloud provider of a VLEK. */
  readonly cspId: string | null
  /** Null until the product is known, which decides how the bytes are read. */
  readonly tcb: Readonly<Record<'current' | 'reported' | 'committed' | 'launch', SnpTcb>> | null
  /** `major.minor.build`. */
  readonly firmware: { readonly current: string; readonly committed: string }
  /** Mitigations in effect at launch and now; reports of version 5. */
  readonly mitigations: { readonly launch: Hex; readonly current: Hex } | null
  /** ISO; when the revocation list goes stale; null without one. */
  readonly crlNextUpdate: string | null
  readonly root: RootClaim | null
}

const hex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(16, '0')}`
const bit = (value: bigint, place: number) => ((value >> BigInt(place)) & 1n) === 1n

/**
 * The product that a report names by CPUID family and model.
 *
 * @returns undefined for version 2, which does not name it; null for one that is not known
 */
export function reportProduct(report: SnpReport): SnpProduct | null | undefined {
  if (report.cpuid === undefined) return undefined
  const { family, model } = report.cpuid
  if (family === 0x19 && model <= 0x0f) return 'Milan'
  if (family === 0x19 && model >= 0x10 && model <= 0x1f) return 'Genoa'
  if (family === 0x19 && model >= 0xa0 && model <= 0xaf) return 'Bergamo-Siena'
  if (family === 0x1a && model <= 0x11) return 'Turin'
  return null
}

/** The line of keys that certifies a product. */
export function lineOf(product: SnpProduct): SnpProductLine {
  return product === 'Bergamo-Siena' ? 'Genoa' : product
}

/** Guest policy bits that have a meaning; all others must be zero, and bit 17 must be one. */
export const knownPolicyBits = 0x3ffffffn

/** Which key signed, as KEY_INFO says. */
export function signingKey(report: SnpReport): SnpClaims['signingKey'] {
  const kind = (report.keyInfo >> 2) & 7
  return kind === 0 ? 'vcek' : kind === 1 ? 'vlek' : kind === 7 ? 'none' : 'unknown'
}

/**
 * What the report says, whether or not it can be believed.
 *
 * @param context what certificates and revocation list say, null while unread
 */
export function snpClaims(
  report: SnpReport,
  context: {
    readonly vek: VekFacts | null
    readonly crlNextUpdate: string | null
    readonly root: RootClaim | null
  },
): SnpClaims {
  const { policy, platformInfo, mitigations } = report
  const { vek, crlNextUpdate, root } = context
  const product = reportProduct(report) ?? vek?.line ?? null
  // By the same word as `product`, and not the certificate's: where the two differ, that check fails, and claims stay in one form.
  const line = product === null ? null : lineOf(product)
  const tcb = (bytes: Uint8Array) => readTcb(bytes, line ?? 'Milan')
  const masked = report.chipId.every((octet) => octet === 0)
  return {
    tee: 'sev-snp',
    reportVersion: report.version,
    product,
    productName: vek?.productName ?? null,
    debug: bit(policy, 19),
    reportData: hex(report.reportData),
    measurement: hex(report.measurement),
    hostData: hex(report.hostData),
    idKeyDigest: hex(report.idKeyDigest),
    authorKeyDigest: hex(report.authorKeyDigest),
    reportId: hex(report.reportId),
    reportIdMigrationAgent: hex(report.reportIdMa),
    familyId: hex(report.familyId),
    imageId: hex(report.imageId),
    guestSvn: report.guestSvn,
    vmpl: report.vmpl,
    guestPolicy: {
      raw: word(policy),
      abiMajor: Number((policy >> 8n) & 0xffn),
      abiMinor: Number(policy & 0xffn),
      smt: bit(policy, 16),
      migrationAgent: bit(policy, 18),
      debug: bit(policy, 19),
      singleSocket: bit(policy, 20),
      cxl: bit(policy, 21),
      memoryAes256Xts: bit(policy, 22),
      raplDisabled: bit(policy, 23),
      ciphertextHiding: bit(policy, 24),
      pageSwapDisabled: bit(policy, 25),
    },
    platformInfo: {
      raw: word(platformInfo),
      smt: bit(platformInfo, 0),
      tsme: bit(platformInfo, 1),
      ecc: bit(platformInfo, 2),
      raplDisabled: bit(platformInfo, 3),
      ciphertextHiding: bit(platformInfo, 4),
      aliasCheckComplete: bit(platformInfo, 5),
      tio: bit(platformInfo, 7),
    },
    signingKey: signingKey(report),
    authorKeyEnabled: (report.keyInfo & 1) !== 0,
    chipKeyMasked: (report.keyInfo & 2) !== 0,
    chipId: masked ? null : hex(report.chipId),
    cspId: vek?.cspId ?? null,
    tcb:
      line === null
        ? null
        : {
            current: tcb(report.currentTcb),
            reported: tcb(report.reportedTcb),
            committed: tcb(report.committedTcb),
            launch: tcb(report.launchTcb),
          },
    firmware: { current: report.currentFirmware.join('.'), committed: report.committedFirmware.join('.') },
    mitigations:
      mitigations === undefined
        ? null
        : { launch: word(mitigations.launch), current: word(mitigations.current) },
    crlNextUpdate,
    root,
  }
}
