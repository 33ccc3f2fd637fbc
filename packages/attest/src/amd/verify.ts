import { verifyAmdSignature } from '../signature/amd.js'
import type { VerifySignature } from '../signature/port.js'
import { amdRootClaim } from '../trust-anchor/amd.js'
import { checkList, fail, pass } from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import type { Verdict } from '../verdict/verdict.js'
import { checkChain, checkRevocation } from './check-chain.js'
import { checkReport } from './check-report.js'
import { knownPolicyBits, type SnpClaims, snpClaims } from './claims.js'
import { type Parts, type Question, snpCheckTitles } from './parts.js'
import { parseSnpReport } from './report.js'

/** What {@link verifySnpReport} needs to know besides the report. */
export interface VerifySnpReportOptions {
  /** VCEK or VLEK, its issuer (ASK or ASVK) and the root (ARK) in any order: PEM text, or DER of each. */
  readonly certificates: string | readonly Uint8Array[]
  /** DER of the revocation list that the ARK signs; without it the verdict is not ok. */
  readonly crl?: Uint8Array
  /** The moment for which the answer holds. */
  readonly at: Date
  /** Roots trusted besides AMD's: SHA-256 digests of a root certificate or of its SubjectPublicKeyInfo. Always `simulated`. */
  readonly trustedRoots?: readonly `sha256:${string}`[]
  /** What to do with bytes after the report: `zero` (default) accepts zero padding, `any` accepts anything. */
  readonly trailingBytes?: 'zero' | 'any'
  /** Another implementation of ECDSA P-384 and RSASSA-PSS; by default the platform's own, else a portable one. */
  readonly verifySignature?: VerifySignature
}

/** The verification itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function verifySnpReport(
  bytes: Uint8Array,
  options: VerifySnpReportOptions,
): Verdict & { readonly claims: SnpClaims } {
  const at = momentSeconds(options.at)
  const report = parseSnpReport(bytes)
  const checks = checkList(snpCheckTitles)
  const parts: Parts = {}
  const verify = options.verifySignature ?? verifyAmdSignature
  const question: Question = { report, options, checks, parts, verify, at }
  checkForm(question)
  checkChain(question)
  checkRevocation(question)
  checkReport(question)
  const root = parts.root === undefined ? null : amdRootClaim(parts.root)
  const crlNextUpdate = parts.crl === undefined ? null : new Date(parts.crl.nextUpdate * 1000).toISOString()
  return {
    ok: checks.ok(),
    tee: 'sev-snp',
    at: options.at.toISOString(),
    simulated: root?.vendor !== 'amd',
    tcbStatus: null,
    advisories: [],
    tcbDate: null,
    checks: checks.list(),
    claims: snpClaims(report, { vek: parts.facts ?? null, crlNextUpdate, root }),
  }
}

function checkForm({ report, options, checks }: Question): void {
  checks.run('report-form', [], () => {
    if (report.signatureAlgorithm !== 1) {
      return fail(`signature algorithm ${report.signatureAlgorithm} is not ECDSA P-384 with SHA-384 (1)`)
    }
    if ((report.policy & ~knownPolicyBits) !== 0n) return fail('the guest policy has bits that are not known')
    if (((report.policy >> 17n) & 1n) !== 1n) return fail('bit 17 of the guest policy must be one')
    if (report.reservedProblem !== undefined) {
      return fail(`the reserved byte ${report.reservedProblem} is not zero`)
    }
    if (report.signature === undefined)
      return fail('the signature structure holds more than a P-384 signature')
    return pass(`Version ${report.version}, ECDSA P-384 with SHA-384.`)
  })
  checks.run('trailing-bytes', [], () => {
    if (report.trailing.length === 0) return pass('The report ends where it should.')
    const zero = report.trailing.every((octet) => octet === 0)
    if (!zero && options.trailingBytes !== 'any') {
      return fail(`${report.trailing.length} bytes that are not zero follow the report`)
    }
    return pass(`${report.trailing.length} bytes of ${zero ? 'zero padding' : 'another layer'} are ignored.`)
  })
}
