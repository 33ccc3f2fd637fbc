import type { SignedFinding } from '../authenticity/signed-content.js'
import { workMeter } from '../authenticity/verification-budget.js'
import { verificationSteps } from '../authenticity/verify-source.js'
import { PocError } from '../errors.js'
import { contentFingerprint } from '../uniqueness/content-fingerprint.js'
import type { ContentItems } from '../uniqueness/content-items.js'
import { type ContributedFile, signedFingerprint } from '../uniqueness/contribution-fingerprint.js'
import { signedStatements } from '../uniqueness/signed-statements.js'

/** Parts that are verified before others get a turn. */
const AT_ONCE = 32

/** What the sources of a contribution came to, for its fingerprint and for `runPoc`. All of it is private. */
export interface VerifiedContribution {
  /** As `contributionFingerprint` gives it. @throws PocError `KEY_INVALID` */
  readonly fingerprint: (key: Uint8Array) => string
  /**
   * What is signed, each statement an item, where the file holds as many as somebody puts into it (letters, records of a device). A
   * contribution of which the pool holds every statement is a part of what came before, also where the fingerprint is another one.
   */
  readonly statements: ContentItems | undefined
}

const known = new WeakMap<
  VerifiedContribution,
  {
    readonly findings: readonly (readonly SignedFinding[])[]
    readonly bytes: Uint8Array
    readonly about: string
  }
>()

/**
 * Verifies a contribution by all sources that its proof declares, a few parts at a time, and within one budget for all of them. Ten thousand
 * letters or records take seconds: whoever serves others meanwhile gives way in `between`.
 *
 * @param options the file, as for `contributionFingerprint`; `between`: awaited after every 32 messages or records with how many were
 *   verified so far; what it throws ends the verification and comes out here
 * @returns what was found, to be handed to `runPoc` as `facts.verified`
 * @throws PocError `OPTION_INVALID` for a budget that is none
 * @example
 * ```ts
 * import { verifyContribution } from '@sealpool/poc'
 * const bytes = new TextEncoder().encode('From: a@example.org\r\n\r\nHello')
 * const verified = await verifyContribution({ mediaType: 'message/rfc822', bytes, sources: [{ kind: 'dkim', keys: [] }] })
 * console.log(verified.fingerprint(new Uint8Array(32).fill(1)).length) // 64
 * ```
 */
export async function verifyContribution(
  options: ContributedFile & {
    readonly between?: ((done: number) => void | Promise<void>) | undefined
  },
): Promise<VerifiedContribution> {
  const { sources, bytes, mediaType, owner, at, between } = options
  const work = workMeter(options.budget)
  const findings: (readonly SignedFinding[])[] = []
  let done = 0
  for (const source of sources) {
    const steps = verificationSteps({ source, bytes, owner, at, work })
    for (;;) {
      const step = steps.next()
      if (step.done === true) {
        findings.push(step.value)
        break
      }
      done++
      if (done % AT_ONCE === 0) await between?.(done)
    }
  }
  const verified: VerifiedContribution = {
    fingerprint: (key) =>
      signedFingerprint({ key, findings }) ?? contentFingerprint({ key, mediaType, bytes }),
    statements: signedStatements(findings),
  }
  known.set(verified, { findings, bytes, about: aboutOf(options) })
  return verified
}

/**
 * The findings of a contribution that was verified.
 *
 * @param verified of {@link verifyContribution}
 * @param about what they must be of
 * @returns findings of each source
 * @throws PocError `OPTION_INVALID` when they are of another file, owner, time, or other sources
 */
export function findingsOf(
  verified: VerifiedContribution,
  about: ContributedFile,
): readonly (readonly SignedFinding[])[] {
  const found = known.get(verified)
  if (found === undefined || found.bytes !== about.bytes || found.about !== aboutOf(about)) {
    throw new PocError(
      'OPTION_INVALID',
      'facts.verified',
      'what was verified is another contribution; give what verifyContribution gave for this one',
    )
  }
  return found.findings
}

function aboutOf({ sources, mediaType, owner, at }: ContributedFile): string {
  return JSON.stringify([sources, mediaType, owner?.toLowerCase(), at])
}
