import type { RevocationList } from '../encoding/crl.js'
import { verifyAmdSignature } from '../signature/amd.js'
import type { VerifySignature } from '../signature/port.js'
import { amdRootClaim } from '../trust-anchor/amd.js'
import { type Check, checkList, fail, pass } from '../verdict/check-list.js'
import { momentSeconds } from '../verdict/moment.js'
import { checkChain, checkRevocation, issuerLine } from './check-chain.js'
import { need, type Parts, snpCheckTitles } from './parts.js'
import type { VekFacts } from './vek-extensions.js'

const {
  certificates,
  'root-trusted': rootTrusted,
  'vek-chain': vekChain,
  'certificate-dates': certificateDates,
  crl,
  'crl-dates': crlDates,
  'not-revoked': notRevoked,
} = snpCheckTitles

/** Every question of {@link verifyAmdMaterial}: those of a report's verification that need no report. */
export const amdMaterialCheckTitles = {
  certificates,
  'root-trusted': rootTrusted,
  'vek-chain': vekChain,
  'certificate-dates': certificateDates,
  crl,
  'crl-dates': crlDates,
  'not-revoked': notRevoked,
  product: 'Certificates and root are of one line of processors',
} as const

/** What {@link verifyAmdMaterial} found. */
export interface AmdMaterialVerdict {
  readonly ok: boolean
  /** True when the root is not AMD's pinned one. */
  readonly simulated: boolean
  readonly checks: readonly Check[]
  /** What the endorsement key's certificate says of its chip; null when it could not be read. */
  readonly facts: VekFacts | null
  /** ISO; the moment at which the revocation list goes stale or a certificate ends, null when there is no authentic list. */
  readonly nextUpdate: string | null
}

/**
 * Verifies certificates and revocation list of AMD by themselves, before there is a report; a report's verification asks all of
 * this again.
 *
 * @param material VCEK or VLEK, its issuer and the root, and the root's revocation list
 * @param options.at the moment for which the answer holds
 * @param options.trustedRoots besides AMD's, as for `verifySnpReport`
 * @param options.verifySignature another implementation of ECDSA P-384 and RSASSA-PSS
 * @returns every check, and what the endorsement key is of
 * @throws AttestError `BAD_ARGUMENT` when `at` is not a valid date
 */
export function verifyAmdMaterial(
  material: { readonly certificates: readonly Uint8Array[]; readonly crl: Uint8Array },
  options: {
    readonly at: Date
    readonly trustedRoots?: readonly `sha256:${string}`[]
    readonly verifySignature?: VerifySignature
  },
): AmdMaterialVerdict {
  const at = momentSeconds(options.at)
  const { trustedRoots, verifySignature: verify = verifyAmdSignature } = options
  const checks = checkList(amdMaterialCheckTitles)
  const parts: Parts = {}
  const given = { ...material, ...(trustedRoots === undefined ? {} : { trustedRoots }) }
  const question = { options: given, checks, parts, verify, at }
  checkChain(question)
  checkRevocation(question)
  checks.run('product', ['certificates'], () => {
    const { line, productName } = need(parts, 'facts')
    return line === issuerLine(need(parts, 'authority'), need(parts, 'root'))
      ? pass(`${productName}.`)
      : fail(`the certificate is of ${productName}, its issuers of other processors`)
  })
  return {
    ok: checks.ok(),
    simulated: parts.root === undefined || amdRootClaim(parts.root).vendor !== 'amd',
    checks: checks.list(),
    facts: parts.facts ?? null,
    nextUpdate: parts.crl === undefined ? null : new Date(1000 * earliestEnd(parts, parts.crl)).toISOString(),
  }
}

function earliestEnd({ vek, authority, root }: Parts, { nextUpdate }: RevocationList): number {
  return Math.min(nextUpdate, ...[vek, authority, root].flatMap((one) => one?.notAfter ?? []))
}
