import type { Address } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { hashSet, type SignedFinding } from '../authenticity/signed-content.js'
import type { AuthenticitySource } from '../authenticity/source.js'
import { type VerificationBudget, workMeter } from '../authenticity/verification-budget.js'
import { verifySigned } from '../authenticity/verify-source.js'
import { assertFingerprintKey, contentFingerprint } from './content-fingerprint.js'

/** A file that is contributed, and the sources of authenticity that the proof declares. */
export interface ContributedFile {
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** Contributing wallet, for sources that name one. */
  readonly owner?: Address | undefined
  /** As `describePoc` gives them. */
  readonly sources: readonly AuthenticitySource[]
  /** Unix seconds, for signatures that expire. */
  readonly at?: number | undefined
  /** Most work that verifying all sources may cost; `DEFAULT_VERIFICATION_BUDGET` when absent. */
  readonly budget?: VerificationBudget | undefined
}

/**
 * Fingerprint of a contribution: of what its sources signed, in one form, and without an authentic part that of the file
 * (`contentFingerprint`). A signature leaves the bytes of a file free (unsigned headers, two ways to write base64, `s` and `n - s`, `7`
 * and `"0x7"`), so one authentic export has as many files as somebody likes to make, and this gives all of them one fingerprint.
 *
 * What counts is the payload of a token, the credential without its proof, the payload of a platform with the signer's name, the set of
 * a device's records, a claim's identifier, the picture without its manifest, and for mail the set of messages, each by `From`, the
 * header fields that the source requires, and the body.
 *
 * @param options `key`: at least 32 secret bytes, one per pool; the file
 * @returns 64 lower-case hexadecimal digits
 * @throws PocError `KEY_INVALID` when the key is shorter than 32 bytes, `OPTION_INVALID` for a budget that is none
 * @example
 * ```ts
 * import { contributionFingerprint } from '@sealpool/poc'
 * const key = new Uint8Array(32).fill(1)
 * const bytes = new TextEncoder().encode('From: a@example.org\r\n\r\nHello')
 * console.log(contributionFingerprint({ key, mediaType: 'message/rfc822', bytes, sources: [] }).length) // 64
 * ```
 */
export function contributionFingerprint(options: ContributedFile & { readonly key: Uint8Array }): string {
  const { key, mediaType, bytes, owner, sources, at } = options
  const work = workMeter(options.budget)
  const findings = sources.map((source) => verifySigned({ source, bytes, owner, at, work }))
  return signedFingerprint({ key, findings }) ?? contentFingerprint({ key, mediaType, bytes })
}

/**
 * The same of findings that are there already.
 *
 * @param options `key`; `findings` of each source
 * @returns the fingerprint, or undefined when nothing is authentic
 */
export function signedFingerprint(options: {
  readonly key: Uint8Array
  readonly findings: readonly (readonly SignedFinding[])[]
}): string | undefined {
  assertFingerprintKey(options.key)
  const signed = options.findings.flat().flatMap(({ signedContent }) => signedContent ?? [])
  if (signed.length === 0) return undefined
  return keyedFingerprint({ key: options.key, domain: 'sealpool/content/signed/1', data: hashSet(signed) })
}
