import type { VerifySignature } from '../signature/port.js'
import type { CheckList } from '../verdict/check-list.js'
import type { IntelClaims } from '../verdict/verdict.js'
import type { CollateralChains, PckChain } from './certificates.js'
import type { QeIdentity, SignedDocument, TcbInfo } from './collateral.js'
import type { PckPlatform } from './pck-extension.js'
import type { CollateralSource } from './prepared-collateral.js'
import type { Quote } from './quote.js'
import type { TcbEvaluation } from './tcb.js'
import type { VerifyQuoteOptions } from './verify.js'

/** Every question that `verifyQuote` asks, in the order of the verdict. */
export const quoteCheckTitles = {
  'quote-header': 'The quote is an ECDSA P-256 quote of Intel’s quoting enclave format',
  'trailing-bytes': 'Nothing follows the quote but padding',
  certificates: 'The certificates and revocation lists can be read',
  collateral: 'TCB info and QE identity can be read and are for this kind of TEE',
  'root-trusted': 'The chain ends in a trusted root',
  'pck-chain': 'The platform’s certificate is signed up to the root',
  'collateral-chains': 'The signers of the collateral are certified by the same root',
  'certificate-dates': 'All certificates are in date',
  'root-crl': 'The root’s revocation list is signed by the root',
  'pck-crl': 'The PCK revocation list is signed by the issuer of the platform’s certificate',
  'crl-dates': 'The revocation lists are current',
  'not-revoked': 'No certificate is revoked',
  'tcb-info-signature': 'The TCB info is signed by the TCB signing key',
  'qe-identity-signature': 'The QE identity is signed by the TCB signing key',
  'collateral-dates': 'TCB info and QE identity are current',
  'platform-match': 'The TCB info is about this platform (FMSPC and PCE id)',
  'qe-report-signature': 'The quoting enclave’s report is signed by the platform’s certificate',
  'attestation-key': 'The quoting enclave’s report vouches for the attestation key',
  'qe-identity': 'The quoting enclave is the one that the QE identity describes',
  'quote-signature': 'The quote is signed by the attestation key',
  'tdx-module': 'The TDX module is one that the TCB info describes',
  'tcb-level': 'The platform reaches a TCB level that is not revoked',
} as const

/** The questions about an SGX quote, which has no TDX module. */
const sgxTitles: Readonly<Record<string, string>> = /* @__PURE__ */ (() => {
  const { 'tdx-module': _, ...rest } = quoteCheckTitles
  return rest
})()

/** The questions about one quote, in order. */
export function quoteTitles(quote: Pick<Quote, 'tee'>): Readonly<Record<string, string>> {
  return quote.tee === 'tdx' ? quoteCheckTitles : sgxTitles
}

/** The parts that the checks hand on to each other; a part is there only once it could be read. */
export interface Parts {
  chain?: PckChain
  chains?: CollateralChains
  platform?: PckPlatform
  info?: SignedDocument<TcbInfo>
  identity?: SignedDocument<QeIdentity>
  tcb?: TcbEvaluation
}

/** What every group of checks works on. */
export interface Question {
  readonly quote: Quote
  readonly options: VerifyQuoteOptions
  readonly source: CollateralSource
  readonly checks: CheckList
  readonly parts: Parts
  readonly verify: VerifySignature
  /** Unix seconds. */
  readonly at: number
}

/** A part that an earlier, passed check has put there. */
export function need<K extends keyof Parts>(parts: Parts, name: K): NonNullable<Parts[K]> {
  const part = parts[name]
  if (part === undefined || part === null) throw new Error(`a check forgot that it needs ${name}`)
  return part
}

/** What the collateral says of its age; null until it could be read. */
export function collateralClaim({ info, identity, chains }: Parts): IntelClaims['collateral'] {
  if (info === undefined || identity === undefined || chains === undefined) return null
  const next = [
    seconds(info.value.nextUpdate),
    seconds(identity.value.nextUpdate),
    chains.rootCrl.nextUpdate,
    chains.pckCrl.nextUpdate,
  ]
  return {
    tcbEvaluationDataNumber: info.value.tcbEvaluationDataNumber,
    qeTcbEvaluationDataNumber: identity.value.tcbEvaluationDataNumber,
    issueDate: iso(Math.min(seconds(info.value.issueDate), seconds(identity.value.issueDate))),
    nextUpdate: iso(Math.min(...next)),
  }
}

/** Whether a moment lies in a document's window; all in unix seconds. */
export function windowProblem(name: string, from: number, to: number, at: number): string | undefined {
  if (at < from) return `the ${name} is from the future: it was issued at ${iso(from)}`
  if (at > to) return `the ${name} went stale at ${iso(to)}`
  return undefined
}

/** ISO text as unix seconds. */
export function seconds(date: string): number {
  return Date.parse(date) / 1000
}

/** Unix seconds as ISO text. */
export function iso(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString()
}
