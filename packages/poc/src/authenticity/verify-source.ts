import type { Address } from '@sealpool/crypto'
import { verifyC2pa } from './c2pa/verify-c2pa.js'
import { verifyCredentialJwt, verifyDataIntegrity } from './credential/verify-credential.js'
import { verifyDeviceRecords } from './device/verify-device-records.js'
import { splitMailbox } from './dkim/mbox.js'
import { latin1 } from './dkim/message.js'
import { verifyDkim } from './dkim/verify-dkim.js'
import { type AuthenticityCheck, type AuthenticityFinding, failed, finding } from './finding.js'
import { verifyJws } from './jose/verify-jws.js'
import { parseObject } from './json-object.js'
import { verifyPlatformSignature } from './platform/verify-platform-signature.js'
import { verifyReclaim } from './reclaim/verify-reclaim.js'
import type { SignedFinding } from './signed-content.js'
import type { AuthenticitySource } from './source.js'
import { inspectPresentation } from './tlsnotary/inspect-presentation.js'

/**
 * Verifies a file by one source. It needs no network and no clock: keys, roots and the time are arguments.
 *
 * @param options `source`: whose word counts; `bytes`: the file, hostile; `owner`: the contributing wallet, for sources that name
 *   one; `at`: Unix seconds
 * @returns a finding for each part: for every message of a mailbox, else one. No finding holds a value of the file. It is total: what
 *   would break a verifier is `TOO_DEEP_OR_TOO_LONG`, so that one contribution never stops the others of a batch
 * @example
 * ```ts
 * import { verifySource } from '@sealpool/poc/authenticity'
 * const bytes = new TextEncoder().encode('From: a@example.org\r\n\r\nHello')
 * const [finding] = verifySource({ source: { kind: 'dkim', keys: [] }, bytes })
 * console.log(finding?.authentic, finding?.checks[0]?.reason) // false NOT_SIGNED
 * ```
 */
export function verifySource(options: {
  readonly source: AuthenticitySource
  readonly bytes: Uint8Array
  readonly owner?: Address | undefined
  readonly at?: number | undefined
}): readonly AuthenticityFinding[] {
  return verifySigned(options).map(({ kind, authentic, checks, signer }) => ({
    kind,
    authentic,
    checks,
    signer,
  }))
}

/**
 * The same with what is signed, which is private: for the keyed fingerprint and the facts of the code that judges.
 *
 * @param options as of {@link verifySource}
 * @returns a finding for each part
 */
export function verifySigned(options: Parameters<typeof verifySource>[0]): readonly SignedFinding[] {
  try {
    return verify(options)
  } catch {
    return [unsigned(options.source.kind, failed('syntax', 'TOO_DEEP_OR_TOO_LONG'))]
  }
}

function unsigned(kind: AuthenticitySource['kind'], check: AuthenticityCheck): SignedFinding {
  return { ...finding(kind, [check], null), signedContent: undefined }
}

function verify(options: Parameters<typeof verifySource>[0]): readonly SignedFinding[] {
  const { source, bytes, owner, at } = options
  switch (source.kind) {
    case 'dkim': {
      const messages = splitMailbox(bytes)
      if (messages === undefined) return [unsigned('dkim', failed('mailbox', 'TOO_MANY_MESSAGES'))]
      return messages.map((message) =>
        verifyDkim({ message, keys: source.keys, require: source.require, at }),
      )
    }
    case 'jws':
      return [verifyJws({ token: latin1(bytes), keys: source.keys, expect: source.expect, at })]
    case 'vc-jwt':
      return [verifyCredentialJwt({ token: latin1(bytes), keys: source.keys, at })]
    case 'tlsnotary':
    case 'data-integrity':
    case 'platform-signature':
    case 'device-record':
    case 'reclaim': {
      const file = parseObject(bytes)
      if (file === undefined) return [unsigned(source.kind, failed('syntax', 'NOT_JSON'))]
      // Never authentic, so there is nothing signed.
      if (source.kind === 'tlsnotary') return [{ ...inspectPresentation({ file }), signedContent: undefined }]
      if (source.kind === 'platform-signature') return [verifyPlatformSignature({ file, keys: source.keys })]
      if (source.kind === 'device-record') return [verifyDeviceRecords({ file, source })]
      if (source.kind === 'reclaim') return [verifyReclaim({ proof: file, source, owner, at })]
      return [verifyDataIntegrity({ credential: file, keys: source.keys, at })]
    }
    case 'c2pa':
      return [verifyC2pa({ bytes, roots: source.roots, at })]
  }
}
