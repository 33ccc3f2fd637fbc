import type { AuthenticityFact } from '../define/check.js'
import type { Evidence } from '../define/define-poc.js'
import type { AuthenticityFinding } from './finding.js'
import type { SignedFinding } from './signed-content.js'

/** Most parts whose findings the code is told one by one. */
const MOST_PARTS = 10_000

/** Findings of one source as the code that judges gets them. */
export function factOf(
  kind: AuthenticityFact['kind'],
  findings: readonly (AuthenticityFinding & Pick<SignedFinding, 'signedHeaders' | 'repeated'>)[],
): { [Name in keyof AuthenticityFact]: AuthenticityFact[Name] } {
  const signers = new Set(findings.filter(({ authentic }) => authentic).map(({ signer }) => signer))
  const [signer = null] = signers
  const repeated = findings.slice(0, MOST_PARTS).map((found) => found.repeated === true)
  return {
    kind,
    // Of parts that are repeated the first one is there.
    authentic: findings.length > 0 && findings.every((found) => found.authentic || found.repeated === true),
    signer: signers.size === 1 ? signer : null,
    parts: findings.slice(0, MOST_PARTS).map(({ authentic }) => authentic),
    // Left out where nothing is: then the code is told what it was always told.
    ...(repeated.includes(true) ? { repeated } : {}),
    ...(kind === 'dkim'
      ? { signedHeaders: findings.slice(0, MOST_PARTS).map(({ signedHeaders = [] }) => signedHeaders) }
      : {}),
  }
}

/**
 * Findings of one source as evidence: one entry for each check and reason. A check of many parts is `pass` when all passed and
 * `partial` when some did; `not-checked` is told and never taken for passing.
 *
 * @param findings of one source
 * @returns entries whose texts are this package's own
 */
export function evidenceOf(findings: readonly AuthenticityFinding[]): Evidence[] {
  const results = new Map<string, { readonly place: string; readonly results: Set<string> }>()
  for (const { kind, checks } of findings) {
    for (const { name, result, reason } of checks) {
      const check = `${kind}.${name}`
      const known = results.get(check)
      if (known === undefined) results.set(check, { place: reason, results: new Set([result]) })
      else {
        known.results.add(result)
        if (result !== 'pass' && known.place === 'OK') results.set(check, { ...known, place: reason })
      }
    }
  }
  return [...results].map(([check, { place, results: seen }]) => {
    const result = seen.has('fail')
      ? seen.has('pass')
        ? 'partial'
        : 'fail'
      : seen.has('not-checked')
        ? 'not-checked'
        : 'pass'
    return { check, result, place: place === 'OK' ? 'file' : place }
  })
}
