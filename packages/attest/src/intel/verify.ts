import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { chainProblem, validityProblem } from '../encoding/certificate-chain.js'
import { revocationListProblem } from '../encoding/crl.js'
import { sameBytes } from '../encoding/same-bytes.js'
import { AttestError } from '../errors.js'
import { rememberingP256, type VerifyP256, verifyP256 } from '../signature/p256.js'
import { rootClaim } from '../trust-anchor/intel.js'
import { checkList, fail, notChecked, pass, unless } from '../verdict/check-list.js'
import type { Verdict } from '../verdict/verdict.js'
import {
  type CollateralChains,
  collateralChains,
  intelNames,
  type PckChain,
  pckChain,
} from './certificates.js'
import { quoteClaims } from './claims.js'
import {
  type Collateral,
  parseCollateral,
  parseQeIdentity,
  parseTcbInfo,
  type QeIdentity,
  type SignedDocument,
  type TcbInfo,
} from './collateral.js'
import { enclaveIdentityProblem, tdxModuleProblem } from './enclave-identity.js'
import { type PckPlatform, pckPlatform } from './pck-extension.js'
import { intelQeVendorId, parseQuote, type Quote } from './quote.js'
import { evaluateTcb, type TcbEvaluation, tdxModuleFor } from './tcb.js'

/** What {@link verifyQuote} needs to know besides the quote. */
export interface VerifyQuoteOptions {
  readonly collateral: Collateral
  /** The moment for which the answer holds. */
  readonly at: Date
  /**
   * Roots trusted besides the pinned vendor roots: SHA-256 digests of a root certificate or of its SubjectPublicKeyInfo.
   * A verdict that ends in one of them is always `simulated`.
   */
  readonly trustedRoots?: readonly `sha256:${string}`[]
  /**
   * What to do with bytes after the quote's declared end: `zero` (default) accepts the zero padding of fixed buffers,
   * `any` accepts anything. They are never part of what is verified.
   */
  readonly trailingBytes?: 'zero' | 'any'
  /** Another implementation of ECDSA P-256, for example a native one. */
  readonly verifySignature?: VerifyP256
}

/** Every question that {@link verifyQuote} asks, in the order of the verdict. */
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

const titlesFor = (quote: Quote): Record<string, string> => {
  const { 'tdx-module': tdxModule, 'tcb-level': tcbLevel, ...rest } = quoteCheckTitles
  return { ...rest, ...(quote.tee === 'tdx' ? { 'tdx-module': tdxModule } : {}), 'tcb-level': tcbLevel }
}

/** The parts that the checks hand on to each other; a part is there only once it could be read. */
interface Parts {
  chain?: PckChain
  chains?: CollateralChains
  platform?: PckPlatform
  info?: SignedDocument<TcbInfo>
  identity?: SignedDocument<QeIdentity>
  tcb?: TcbEvaluation
}

/**
 * Verifies a DCAP quote of TDX or SGX: one call makes every check of Intel's quote verification library, and the verdict lists
 * each with its answer. It says what is proved, not whether that is good enough: give the verdict to `appraise`.
 *
 * @param bytes the quote; not retained
 * @param options collateral, time and trust
 * @returns the verdict; `ok` only when every check passed
 * @throws AttestError `BAD_QUOTE` when the bytes are not a quote at all, `BAD_ARGUMENT` when `at` is not a valid date
 * @see Intel SGX DCAP Quote Verification Library; Intel TDX DCAP quoting library API (quote version 4 and 5)
 *
 * @example
 * ```ts no-run
 * const verdict = verifyQuote(quote, { collateral, at: new Date() })
 * if (!verdict.ok) for (const check of verdict.checks) console.log(check.result, check.title, check.detail)
 * ```
 */
export function verifyQuote(bytes: Uint8Array, options: VerifyQuoteOptions): Verdict {
  const at = Math.floor(options.at.getTime() / 1000)
  if (!Number.isFinite(at))
    throw new AttestError('BAD_ARGUMENT', 'options.at', 'The time is not a valid date')
  const verify = rememberingP256(options.verifySignature ?? verifyP256)
  const quote = parseQuote(bytes)
  const checks = checkList(titlesFor(quote))
  const parts: Parts = {}
  checkForm(quote, options, checks, parts)
  checkChains(options, checks, parts, verify, at)
  checkDocuments(quote, checks, parts, verify, at)
  checkQuote(quote, checks, parts, verify)
  checkTcb(quote, checks, parts)
  const root = parts.chain === undefined ? null : rootClaim(parts.chain.root)
  return {
    ok: checks.ok(),
    tee: quote.tee,
    at: options.at.toISOString(),
    simulated: root?.vendor !== 'intel',
    tcbStatus: parts.tcb?.status ?? null,
    advisories: parts.tcb?.advisories ?? [],
    tcbDate: parts.tcb?.tcbDate ?? null,
    checks: checks.list(),
    claims: quoteClaims(quote, { root, platform: platformClaim(parts), collateral: collateralClaim(parts) }),
  }
}

type Checks = ReturnType<typeof checkList>

/** A part that an earlier, passed check has put there. */
function need<K extends keyof Parts>(parts: Parts, name: K): NonNullable<Parts[K]> {
  const part = parts[name]
  if (part === undefined || part === null) throw new Error(`a check forgot that it needs ${name}`)
  return part
}

function checkForm(quote: Quote, options: VerifyQuoteOptions, checks: Checks, parts: Parts): void {
  checks.run('quote-header', [], () => {
    if (quote.attestationKeyType !== 2)
      return fail(`attestation key type ${quote.attestationKeyType} is unknown`)
    if (!sameBytes(quote.qeVendorId, intelQeVendorId)) return fail('the quoting enclave is of another vendor')
    return pass(`Version ${quote.version} ${quote.tee.toUpperCase()} quote, ECDSA P-256.`)
  })
  checks.run('trailing-bytes', [], () => {
    if (quote.trailing.length === 0) return pass('The quote ends where it says.')
    const zero = quote.trailing.every((octet) => octet === 0)
    if (!zero && options.trailingBytes !== 'any') {
      return fail(`${quote.trailing.length} bytes that are not zero follow the quote`)
    }
    return pass(`${quote.trailing.length} bytes of ${zero ? 'zero padding' : 'another layer'} are ignored.`)
  })
  checks.run('certificates', [], () => {
    if (quote.certificationType !== 5) {
      const text = 'it names its PCK certificate by PPID instead of carrying the chain'
      return notChecked(`Certification data type ${quote.certificationType}: ${text}.`)
    }
    const collateral = parseCollateral(options.collateral)
    parts.chain = pckChain(quote)
    parts.platform = pckPlatform(parts.chain.pck)
    parts.chains = collateralChains(collateral)
    return pass('PCK chain, signer chains and revocation lists are canonical.')
  })
  checks.run('collateral', [], () => {
    const collateral = parseCollateral(options.collateral)
    const info = parseTcbInfo(collateral.tcbInfo)
    const identity = parseQeIdentity(collateral.qeIdentity)
    const wanted = quote.tee === 'tdx' ? { info: 'TDX', identity: 'TD_QE' } : { info: 'SGX', identity: 'QE' }
    if (info.value.id !== wanted.info)
      return fail(`the TCB info is for ${info.value.id}, the quote ${wanted.info}`)
    if (identity.value.id !== wanted.identity) {
      return fail(`the identity is of another enclave than ${wanted.identity}`)
    }
    parts.info = info
    parts.identity = identity
    const { version, tcbEvaluationDataNumber } = info.value
    return pass(`TCB info version ${version}, evaluation data number ${tcbEvaluationDataNumber}.`)
  })
}

function checkChains(
  options: VerifyQuoteOptions,
  checks: Checks,
  parts: Parts,
  verify: VerifyP256,
  at: number,
): void {
  checks.run('root-trusted', ['certificates'], () => {
    const root = rootClaim(need(parts, 'chain').root)
    if (root.vendor === 'intel') return pass('The root is Intel’s pinned key.')
    const trusted = options.trustedRoots ?? []
    if (trusted.includes(root.certificate) || trusted.includes(root.publicKey)) {
      return pass(`NOT A VENDOR ROOT: “${root.commonName}” is trusted only because the caller named it.`)
    }
    return fail(`the root “${root.commonName}” is neither a vendor’s pinned root nor named as trusted`)
  })
  checks.run('pck-chain', ['certificates'], () => {
    const { pck, authority, root } = need(parts, 'chain')
    if (pck.commonName !== intelNames.pck) return fail('the leaf is not a PCK certificate by its name')
    if (!intelNames.authorities.some((name) => name === authority.commonName)) {
      return fail(
        'the issuer of the PCK certificate is neither the Platform nor the Processor CA by its name',
      )
    }
    const problem = chainProblem([pck, authority, root], verify)
    return unless(problem, `${pck.commonName} ← ${authority.commonName} ← ${root.commonName}`)
  })
  checks.run('collateral-chains', ['certificates'], () => {
    const { root, authority } = need(parts, 'chain')
    const { tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    for (const chain of [tcbInfo, qeIdentity, pckCrlIssuer]) {
      const same = sameBytes(chain.root.spki, root.spki) && sameBytes(chain.root.subject, root.subject)
      if (!same) return fail(`${chain.signer.commonName} ends in another root than the quote`)
      const problem = chainProblem([chain.signer, chain.root], verify)
      if (problem !== undefined) return fail(problem)
    }
    for (const { signer } of [tcbInfo, qeIdentity]) {
      const may = signer.keyUsage?.digitalSignature === true && !signer.authority.ca
      if (signer.commonName !== intelNames.tcbSigning || !may) {
        return fail(`${signer.commonName} is not a TCB signing certificate`)
      }
    }
    const issuer = pckCrlIssuer.signer
    if (!sameBytes(issuer.spki, authority.spki) || !sameBytes(issuer.subject, authority.subject)) {
      return fail(`the PCK revocation list is of ${issuer.commonName}, the PCK of ${authority.commonName}`)
    }
    return pass('TCB signing certificates and CRL issuer are certified by the quote’s root.')
  })
  checks.run('certificate-dates', ['certificates'], () => {
    const { pck, authority, root } = need(parts, 'chain')
    const { tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    const signers = [tcbInfo, qeIdentity, pckCrlIssuer].flatMap((chain) => [chain.signer, chain.root])
    return unless(validityProblem([pck, authority, root, ...signers], at), 'All certificates are in date.')
  })
  checks.run('root-crl', ['certificates'], () => {
    const list = need(parts, 'chains').rootCrl
    const problem = revocationListProblem(list, need(parts, 'chain').root, verify)
    return unless(problem, `It is authentic and lists ${list.revoked.size} certificates.`)
  })
  checks.run('pck-crl', ['certificates'], () => {
    const list = need(parts, 'chains').pckCrl
    const problem = revocationListProblem(list, need(parts, 'chain').authority, verify)
    return unless(problem, `It is authentic and lists ${list.revoked.size} certificates.`)
  })
  checks.run('crl-dates', ['certificates'], () => {
    const { rootCrl, pckCrl } = need(parts, 'chains')
    const problem =
      windowProblem('root revocation list', rootCrl.thisUpdate, rootCrl.nextUpdate, at) ??
      windowProblem('PCK revocation list', pckCrl.thisUpdate, pckCrl.nextUpdate, at)
    return unless(problem, `Current until ${iso(Math.min(rootCrl.nextUpdate, pckCrl.nextUpdate))}.`)
  })
  checks.run('not-revoked', ['root-crl', 'pck-crl'], () => {
    const { pck, authority } = need(parts, 'chain')
    const { rootCrl, pckCrl, tcbInfo, qeIdentity, pckCrlIssuer } = need(parts, 'chains')
    if (pckCrl.revoked.has(pck.serial)) return fail('the platform’s PCK certificate is revoked')
    for (const certificate of [authority, pckCrlIssuer.signer, tcbInfo.signer, qeIdentity.signer]) {
      if (rootCrl.revoked.has(certificate.serial)) return fail(`${certificate.commonName} is revoked`)
    }
    return pass('Neither the platform’s certificate nor an authority is on a list.')
  })
}

function checkDocuments(quote: Quote, checks: Checks, parts: Parts, verify: VerifyP256, at: number): void {
  checks.run('tcb-info-signature', ['certificates', 'collateral'], () => {
    const { signed, signature } = need(parts, 'info')
    const { signer } = need(parts, 'chains').tcbInfo
    return verify(signer.publicKey, signed, signature)
      ? pass('The signature verifies over the document as served.')
      : fail('the signature over the TCB info does not verify')
  })
  checks.run('qe-identity-signature', ['certificates', 'collateral'], () => {
    const { signed, signature } = need(parts, 'identity')
    const { signer } = need(parts, 'chains').qeIdentity
    return verify(signer.publicKey, signed, signature)
      ? pass('The signature verifies over the document as served.')
      : fail('the signature over the QE identity does not verify')
  })
  checks.run('collateral-dates', ['collateral'], () => {
    const [info, identity] = [need(parts, 'info').value, need(parts, 'identity').value]
    const problem =
      windowProblem('TCB info', seconds(info.issueDate), seconds(info.nextUpdate), at) ??
      windowProblem('QE identity', seconds(identity.issueDate), seconds(identity.nextUpdate), at)
    return unless(problem, `Current until ${[info.nextUpdate, identity.nextUpdate].sort()[0]}.`)
  })
  checks.run('platform-match', ['certificates', 'collateral'], () => {
    const platform = need(parts, 'platform')
    const info = need(parts, 'info').value
    if (platform.fmspc !== info.fmspc) {
      return fail(`the platform’s FMSPC is ${platform.fmspc}, the TCB info is for ${info.fmspc}`)
    }
    if (platform.pceId !== info.pceId) {
      return fail(`the platform’s PCE id is ${platform.pceId}, the TCB info is for ${info.pceId}`)
    }
    return pass(
      `FMSPC ${platform.fmspc}, PCE id ${platform.pceId}, as the ${quote.tee.toUpperCase()} TCB info.`,
    )
  })
}

function checkQuote(quote: Quote, checks: Checks, parts: Parts, verify: VerifyP256): void {
  checks.run('qe-report-signature', ['certificates'], () => {
    const { pck } = need(parts, 'chain')
    return verify(pck.publicKey, quote.qeReport.raw, quote.qeReportSignature)
      ? pass('The signature verifies with the PCK certificate’s key.')
      : fail('the signature over the quoting enclave’s report does not verify')
  })
  checks.run('attestation-key', [], () => {
    const digest = sha256(concatBytes(quote.attestationKey.subarray(1), quote.qeAuthenticationData))
    const { reportData } = quote.qeReport
    const matches = sameBytes(reportData.subarray(0, 32), digest)
    if (!matches) return fail('the quoting enclave’s report is about another attestation key')
    if (reportData.subarray(32).some((octet) => octet !== 0)) {
      return fail('the quoting enclave’s report data does not end in zeros')
    }
    return pass('SHA-256 of key and authentication data is in the report.')
  })
  checks.run('qe-identity', ['collateral'], () => {
    const problem = enclaveIdentityProblem(quote.qeReport, need(parts, 'identity').value)
    return unless(problem, 'MRSIGNER, product, attributes and MISCSELECT agree.')
  })
  checks.run('quote-signature', [], () =>
    verify(quote.attestationKey, quote.signed, quote.signature)
      ? pass('The signature verifies over header and body.')
      : fail('the quote’s signature does not verify: header or body were changed'),
  )
}

function checkTcb(quote: Quote, checks: Checks, parts: Parts): void {
  const { report } = quote
  if (report.kind === 'td') {
    checks.run('tdx-module', ['collateral'], () => {
      const module = tdxModuleFor(need(parts, 'info').value, report.teeTcbSvn)
      return unless(tdxModuleProblem(report, module), 'Its signer and attributes agree.')
    })
  }
  // A status is told only when all it rests on is authentic and in date; otherwise it would be somebody's claim.
  const others = Object.keys(titlesFor(quote)).filter((id) => id !== 'tcb-level' && id !== 'trailing-bytes')
  checks.run('tcb-level', others, () => {
    const tcb = evaluateTcb({
      info: need(parts, 'info').value,
      identity: need(parts, 'identity').value,
      platform: need(parts, 'platform'),
      qeIsvSvn: quote.qeReport.isvSvn,
      teeTcbSvn: report.kind === 'td' ? report.teeTcbSvn : undefined,
      teeTcbSvn2: report.kind === 'td' ? report.teeTcbSvn2 : undefined,
    })
    parts.tcb = tcb
    const detail = [
      `TCB status ${tcb.status}`,
      ...(tcb.tcbDate === undefined ? [] : [`TCB date ${tcb.tcbDate.slice(0, 10)}`]),
      ...tcb.shortfall,
      ...(tcb.advisories.length === 0 ? [] : [`advisories ${tcb.advisories.join(', ')}`]),
    ].join('; ')
    return tcb.status === 'TCB_NOT_SUPPORTED' || tcb.status === 'Revoked' ? fail(detail) : pass(`${detail}.`)
  })
}

function platformClaim({ platform, chain }: Parts) {
  if (platform === undefined || chain === undefined) return null
  return { fmspc: platform.fmspc, pceId: platform.pceId, pckSerial: chain.pck.serial }
}

function collateralClaim({ info, identity, chains }: Parts) {
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

function windowProblem(name: string, from: number, to: number, at: number): string | undefined {
  if (at < from) return `the ${name} is from the future: it was issued at ${iso(from)}`
  if (at > to) return `the ${name} went stale at ${iso(to)}`
  return undefined
}

function seconds(date: string): number {
  return Date.parse(date) / 1000
}

function iso(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString()
}
