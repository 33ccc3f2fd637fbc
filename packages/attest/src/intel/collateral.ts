import { type Reader, record, type Schema, schema, text } from '../shape/shape.js'
import type { TcbStatus } from './tcb-status.js'

/**
 * What a verifier needs besides the quote, as plain JSON: Intel's signed documents byte for byte as served, their issuer
 * chains as PEM, and the two revocation lists as hex of DER.
 */
export interface Collateral {
  /** `{"tcbInfo":{...},"signature":"..."}` as served by PCS; re-serialising breaks the signature. */
  readonly tcbInfo: string
  /** PEM: TCB signing certificate, root. */
  readonly tcbInfoIssuerChain: string
  /** `{"enclaveIdentity":{...},"signature":"..."}` as served by PCS. */
  readonly qeIdentity: string
  /** PEM: TCB signing certificate, root. */
  readonly qeIdentityIssuerChain: string
  /** DER of the root's revocation list, 0x and lower-case hex. */
  readonly rootCaCrl: `0x${string}`
  /** DER of the PCK CA's revocation list, 0x and lower-case hex. */
  readonly pckCrl: `0x${string}`
  /** PEM: PCK CA, root. */
  readonly pckCrlIssuerChain: string
}

const document = /* @__PURE__ */ (() => text({ max: 1 << 20 }))()
/** Reader of DER as hex. */
export const hexBytes: Reader<`0x${string}`> = /* @__PURE__ */ (() =>
  text({
    max: 1 << 22,
    pattern: /^0x(?:[0-9a-f]{2})*$/,
    what: '0x and lower-case hex',
  }))()

/** Reader of {@link Collateral} inside other documents. */
export const collateralReader: Reader<Collateral> = /* @__PURE__ */ (() =>
  record<Collateral>({
    tcbInfo: document,
    tcbInfoIssuerChain: document,
    qeIdentity: document,
    qeIdentityIssuerChain: document,
    rootCaCrl: hexBytes,
    pckCrl: hexBytes,
    pckCrlIssuerChain: document,
  }))()

/** Schema of {@link Collateral}; unknown fields are refused. */
export const collateralSchema: Schema<Collateral> = /* @__PURE__ */ schema(
  'BAD_COLLATERAL',
  'collateral',
  'Unusable collateral',
  collateralReader,
)

/**
 * Reads a collateral bundle of unknown origin; its documents are not looked into yet.
 *
 * @param json any JSON value
 * @returns the bundle, its texts as they were
 * @throws AttestError `BAD_COLLATERAL` with the first offending field
 */
export function parseCollateral(json: unknown): Collateral {
  return collateralSchema.parse(json)
}

/** One TCB level of a platform. */
export interface TcbLevel {
  readonly sgxComponents: readonly number[]
  /** Empty for SGX. */
  readonly tdxComponents: readonly number[]
  readonly pceSvn: number
  readonly status: TcbStatus
  /** ISO time as Intel wrote it. */
  readonly tcbDate: string
  readonly advisories: readonly string[]
}

/** One TCB level of an enclave or of a TDX module. */
export interface IsvLevel {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly tcbDate: string
  readonly advisories: readonly string[]
}

/** What a TDX module must look like. */
export interface TdxModule {
  /** `TDX_03` and the like; empty for the base module of module version 0. */
  readonly id: string
  readonly mrSigner: string
  readonly attributes: string
  readonly attributesMask: string
  readonly levels: readonly IsvLevel[]
}

/** TCB info, version 2 (SGX) or 3 (SGX, TDX). */
export interface TcbInfo {
  readonly id: 'SGX' | 'TDX'
  readonly version: 2 | 3
  readonly issueDate: string
  readonly nextUpdate: string
  readonly fmspc: string
  readonly pceId: string
  readonly tcbEvaluationDataNumber: number
  readonly baseModule: TdxModule | undefined
  readonly modules: readonly TdxModule[]
  readonly levels: readonly TcbLevel[]
}

/** Identity of a quoting enclave. */
export interface QeIdentity {
  readonly id: string
  readonly issueDate: string
  readonly nextUpdate: string
  readonly tcbEvaluationDataNumber: number
  readonly miscSelect: string
  readonly miscSelectMask: string
  readonly attributes: string
  readonly attributesMask: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly levels: readonly IsvLevel[]
}

/** A signed document: its value, the exact bytes under the signature, and the signature. */
export interface SignedDocument<T> {
  readonly value: T
  readonly signed: Uint8Array
  /** 64 bytes, r || s. */
  readonly signature: Uint8Array
}
