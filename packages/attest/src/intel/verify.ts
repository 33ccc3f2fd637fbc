import { verifyP256 } from '../signature/p256.js'
import { memoryOf, rememberingSignatures, type VerifySignature } from '../signature/port.js'
import { rootClaim } from '../trust-anchor/intel.js'
import { checkList } from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import type { Verdict } from '../verdict/verdict.js'
import { checkChains } from './check-chains.js'
import { checkDocuments, checkForm } from './check-documents.js'
import { checkQuote, checkTcb } from './check-quote.js'
import { quoteClaims } from './claims.js'
import type { Collateral } from './collateral.js'
import { collateralClaim, type Parts, type Question, quoteTitles } from './parts.js'
import { collateralSource, type PreparedCollateral } from './prepared-collateral.js'
import { parseQuote } from './quote.js'

/** What {@link verifyQuote} needs to know besides the quote. */
export interface VerifyQuoteOptions {
  /** Plain, or verified beforehand by `prepareCollateral`, which leaves three signatures to check per quote. */
  readonly collateral: Collateral | PreparedCollateral
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
  /**
   * PEM of PCK certificate, PCK CA and root, for quotes that name their PCK certificate by PPID instead of carrying it
   * (certification data types 1 to 3); not looked at for others.
   */
  readonly pckCertificateChain?: string
  /** Another implementation of ECDSA P-256; by default the platform's own, where it answers at once, else a portable one. */
  readonly verifySignature?: VerifySignature
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifyQuote(bytes: Uint8Array, options: VerifyQuoteOptions): Verdict {
  const at = momentSeconds(options.at)
  const quote = parseQuote(bytes)
  const source = collateralSource(options.collateral)
  const port = options.verifySignature ?? verifyP256
  const checks = checkList(quoteTitles(quote))
  const parts: Parts = {}
  const verify = rememberingSignatures(port, memoryOf(port), source.verified)
  const question: Question = { quote, options, source, checks, parts, verify, at }
  checkForm(question)
  checkChains(question)
  checkDocuments(question)
  checkQuote(question)
  checkTcb(question)
  const root = parts.chain === undefined ? null : rootClaim(parts.chain.root)
  const { platform, chain } = parts
  return {
    ok: checks.ok(),
    tee: quote.tee,
    at: options.at.toISOString(),
    simulated: root?.vendor !== 'intel',
    tcbStatus: parts.tcb?.status ?? null,
    advisories: parts.tcb?.advisories ?? [],
    tcbDate: parts.tcb?.tcbDate ?? null,
    checks: checks.list(),
    claims: quoteClaims(quote, {
      root,
      platform:
        platform === undefined || chain === undefined
          ? null
          : { fmspc: platform.fmspc, pceId: platform.pceId, pckSerial: chain.pck.serial },
      collateral: collateralClaim(parts),
    }),
  }
}
