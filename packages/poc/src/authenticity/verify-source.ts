import type { Address } from '@sealpool/crypto'
import { verifyC2pa } from './c2pa/verify-c2pa.js'
import { verifyCredentialJwt, verifyDataIntegrity } from './credential/verify-credential.js'
import { verifyDeviceRecords } from './device/verify-device-records.js'
import { splitMailbox } from './dkim/mbox.js'
import { latin1 } from './dkim/message.js'
import { verifyDkim } from './dkim/verify-dkim.js'
import { type AuthenticityFinding, failed, finding } from './finding.js'
import { verifyJws } from './jose/verify-jws.js'
import { parseObject } from './json-object.js'
import { verifyPlatformSignature } from './platform/verify-platform-signature.js'
import { verifyReclaim } from './reclaim/verify-reclaim.js'
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
  try {
    return verify(options)
  } catch {
    return [finding(options.source.kind, [failed('syntax', 'TOO_DEEP_OR_TOO_LONG')], null)]
  }
}

function verify(options: Parameters<typeof verifySource>[0]): readonly AuthenticityFinding[] {
  const { source, bytes, owner, at } = options
  switch (source.kind) {
    case 'dkim': {
      const messages = splitMailbox(bytes)
      if (messages === undefined) return [finding('dkim', [failed('mailbox', 'TOO_MANY_MESSAGES')], null)]
      return messages.map((message) => verifyDkim({ message, keys: source.keys, at }))
    }
    case 'jws': {
      const { kind, authentic, checks, signer } = verifyJws({
        token: latin1(bytes),
        keys: source.keys,
        expect: source.expect,
        at,
      })
      return [{ kind, authentic, checks, signer }]
    }
    case 'vc-jwt': {
      const { credential: _, ...rest } = verifyCredentialJwt({ token: latin1(bytes), keys: source.keys, at })
      return [{ kind: rest.kind, authentic: rest.authentic, checks: rest.checks, signer: rest.signer }]
    }
    case 'tlsnotary':
    case 'data-integrity':
    case 'platform-signature':
    case 'device-record':
    case 'reclaim': {
      const file = parseObject(bytes)
      if (file === undefined) return [finding(source.kind, [failed('syntax', 'NOT_JSON')], null)]
      if (source.kind === 'tlsnotary') return [inspectPresentation({ file })]
      if (source.kind === 'platform-signature') return [verifyPlatformSignature({ file, keys: source.keys })]
      if (source.kind === 'device-record') return [verifyDeviceRecords({ file, source })]
      if (source.kind === 'reclaim') return [verifyReclaim({ proof: file, source, owner, at })]
      const { credential: _, ...rest } = verifyDataIntegrity({ credential: file, keys: source.keys, at })
      return [rest]
    }
    case 'c2pa':
      return [verifyC2pa({ bytes, roots: source.roots, at })]
  }
}
