import type { Address } from '@sealpool/crypto'
import { verifyC2pa } from './c2pa/verify-c2pa.js'
import { verifyCredentialJwt, verifyDataIntegrity } from './credential/verify-credential.js'
import { deviceSteps } from './device/verify-device-records.js'
import { splitMailbox } from './dkim/mbox.js'
import { latin1 } from './dkim/message.js'
import { verifyDkim } from './dkim/verify-dkim.js'
import { type AuthenticityCheck, type AuthenticityFinding, failed, finding } from './finding.js'
import { verifyJws } from './jose/verify-jws.js'
import { parseObject } from './json-object.js'
import { answerFor } from './oauth/oauth-read-back.js'
import { verifyReadBack } from './oauth/verify-read-back.js'
import { onceEach } from './once-each.js'
import { verifyPlatformSignature } from './platform/verify-platform-signature.js'
import { verifyReclaim } from './reclaim/verify-reclaim.js'
import { runSteps } from './run-steps.js'
import type { SignedFinding } from './signed-content.js'
import type { AuthenticitySource } from './source.js'
import { inspectPresentation } from './tlsnotary/inspect-presentation.js'
import { TooMuchWork, type VerificationBudget, type WorkMeter, workMeter } from './verification-budget.js'

/**
 * Verifies a file by one source. It needs no network and no clock: keys, roots and the time are arguments, and what a provider answered about
 * the bytes of `oauthReadBack` was asked before.
 *
 * @param options `source`: whose word counts; `bytes`: the file, hostile; `owner`: the contributing wallet, for sources that name
 *   one; `at`: Unix seconds; `budget`: most work, `DEFAULT_VERIFICATION_BUDGET` when absent
 * @returns a finding for each part: for every message of a mailbox, else one. A part that says what an earlier one says under a signature
 *   is not authentic (`REPEATED`). No finding holds a value of the file. It is total: what would break a verifier is
 *   `TOO_DEEP_OR_TOO_LONG`, and what takes more than the budget `TOO_MUCH_WORK`, so that one contribution never stops the others of a batch
 * @throws PocError `OPTION_INVALID` for a budget that is none
 * @example
 * ```ts
 * import { verifySource } from '@sealpool/poc/authenticity'
 * const bytes = new TextEncoder().encode('From: a@example.org\r\n\r\nHello')
 * const [finding] = verifySource({ source: { kind: 'dkim', keys: [] }, bytes })
 * console.log(finding?.authentic, finding?.checks[0]?.reason) // false NOT_SIGNED
 * ```
 */
export function verifySource(
  options: SourceToVerify & { readonly budget?: VerificationBudget },
): readonly AuthenticityFinding[] {
  return verifySigned({ ...options, work: workMeter(options.budget) }).map(
    ({ kind, authentic, checks, signer }) => ({ kind, authentic, checks, signer }),
  )
}

/** One file and one source. */
export interface SourceToVerify {
  readonly source: AuthenticitySource
  readonly bytes: Uint8Array
  readonly owner?: Address | undefined
  readonly at?: number | undefined
}

/**
 * The same with what is signed, which is private: for the keyed fingerprint and the facts of the code that judges.
 *
 * @param options as of {@link verifySource}; `work`: what it costs is taken off
 * @returns a finding for each part
 */
export function verifySigned(options: MeteredSource): readonly SignedFinding[] {
  return runSteps(verificationSteps(options))
}

interface MeteredSource extends SourceToVerify {
  readonly work: WorkMeter
}

/** The same a message or a record at a time, for whoever has other things to do meanwhile. */
export function* verificationSteps(options: MeteredSource): Generator<void, readonly SignedFinding[]> {
  try {
    return onceEach(yield* verify(options))
  } catch (error) {
    const reason = error instanceof TooMuchWork ? 'TOO_MUCH_WORK' : 'TOO_DEEP_OR_TOO_LONG'
    return [unsigned(options.source.kind, failed(reason === 'TOO_MUCH_WORK' ? 'work' : 'syntax', reason))]
  }
}

function unsigned(kind: AuthenticitySource['kind'], check: AuthenticityCheck): SignedFinding {
  return { ...finding(kind, [check], null), signedContent: undefined }
}

function* verify(options: MeteredSource): Generator<void, readonly SignedFinding[]> {
  const { source, bytes, owner, at, work } = options
  work({ bytes: bytes.length })
  switch (source.kind) {
    case 'dkim': {
      const messages = splitMailbox(bytes)
      if (messages === undefined) return [unsigned('dkim', failed('mailbox', 'TOO_MANY_MESSAGES'))]
      const findings: SignedFinding[] = []
      for (const message of messages) {
        findings.push(verifyDkim({ message, keys: source.keys, require: source.require, at, work }))
        yield
      }
      return findings
    }
    case 'jws':
      return [verifyJws({ token: latin1(bytes), keys: source.keys, expect: source.expect, at, work })]
    case 'vc-jwt':
      return [verifyCredentialJwt({ token: latin1(bytes), keys: source.keys, at, work })]
    case 'tlsnotary':
    case 'data-integrity':
    case 'platform-signature':
    case 'device-record':
    case 'reclaim': {
      const file = parseObject(bytes)
      if (file === undefined) return [unsigned(source.kind, failed('syntax', 'NOT_JSON'))]
      // Never authentic, so there is nothing signed.
      if (source.kind === 'tlsnotary') return [{ ...inspectPresentation({ file }), signedContent: undefined }]
      if (source.kind === 'platform-signature')
        return [verifyPlatformSignature({ file, keys: source.keys, work })]
      if (source.kind === 'device-record') return [yield* deviceSteps({ file, source, work })]
      if (source.kind === 'reclaim') return [verifyReclaim({ proof: file, source, owner, at, work })]
      return [verifyDataIntegrity({ credential: file, keys: source.keys, at, work })]
    }
    case 'c2pa':
      return [verifyC2pa({ bytes, roots: source.roots, at, work })]
    case 'oauth-read-back':
      return [verifyReadBack({ declared: source, answer: answerFor(bytes), export: bytes, at })]
  }
}
