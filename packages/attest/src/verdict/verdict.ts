import type { SnpClaims } from '../amd/claims.js'
import type { VerdictTcbStatus } from '../intel/tcb-status.js'
import type { Check } from './check-list.js'

/** Bytes as 0x and lower-case hex. */
export type Hex = `0x${string}`

/** The certificate at the end of the chain. */
export interface RootClaim {
  readonly commonName: string
  /** SHA-256 of the certificate's DER. */
  readonly certificate: `sha256:${string}`
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly publicKey: `sha256:${string}`
  /** The vendor whose pinned key it is; null for every other root. */
  readonly vendor: 'intel' | 'amd' | null
}

/** What both kinds of Intel evidence say. */
export interface IntelClaims {
  readonly quoteVersion: number
  readonly debug: boolean
  readonly reportData: Hex
  /** Null until the certificates could be read. */
  readonly platform: { readonly fmspc: string; readonly pceId: string; readonly pckSerial: string } | null
  /** Null until the collateral could be read. */
  readonly collateral: {
    readonly tcbEvaluationDataNumber: number
    readonly qeTcbEvaluationDataNumber: number
    /** ISO; the older issue date of TCB info and QE identity. */
    readonly issueDate: string
    /** ISO; the earliest moment at which a part of the collateral, CRLs included, goes stale. */
    readonly nextUpdate: string
  } | null
  readonly root: RootClaim | null
}

/** What a TDX quote says. */
export interface TdxClaims extends IntelClaims {
  readonly tee: 'tdx'
  readonly mrTd: Hex
  /** RTMR0 to RTMR3. */
  readonly rtmrs: readonly [Hex, Hex, Hex, Hex]
  readonly mrSeam: Hex
  readonly mrSignerSeam: Hex
  readonly mrConfigId: Hex
  readonly mrOwner: Hex
  readonly mrOwnerConfig: Hex
  readonly mrServiceTd: Hex | null
  readonly tdAttributes: Hex
  readonly seamAttributes: Hex
  readonly xfam: Hex
  readonly teeTcbSvn: Hex
  readonly teeTcbSvn2: Hex | null
}

/** What an SGX quote says. */
export interface SgxClaims extends IntelClaims {
  readonly tee: 'sgx'
  readonly mrEnclave: Hex
  readonly mrSigner: Hex
  readonly isvProdId: number
  readonly isvSvn: number
  readonly attributes: Hex
}

/** Everything that the evidence says about itself; worth something only when the verdict is ok. */
export type Claims = TdxClaims | SgxClaims | SnpClaims

/**
 * The answer of a verifier: what was checked, how, and what follows. Whether that is good enough is for a policy to say
 * (see `appraise`).
 */
export interface Verdict {
  /** True only when every check passed; a check that was not made makes it false. */
  readonly ok: boolean
  readonly tee: 'tdx' | 'sgx' | 'sev-snp'
  /** ISO; the moment for which the answer holds. */
  readonly at: string
  /** True whenever the chain does not end in a pinned vendor root. */
  readonly simulated: boolean
  /** Null when an authenticity check did not pass, so that no status can be told; always null for SEV-SNP, as AMD has none. */
  readonly tcbStatus: VerdictTcbStatus | null
  readonly advisories: readonly string[]
  /** ISO; the oldest TCB date among platform, quoting enclave and module. */
  readonly tcbDate: string | null
  readonly checks: readonly Check[]
  readonly claims: Claims
}
