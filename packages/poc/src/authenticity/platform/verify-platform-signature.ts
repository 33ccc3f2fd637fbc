import type { JsonObject } from '@sealpool/crypto'
import { keyFromJwk } from '../../signature/public-key.js'
import { verifySignature } from '../../signature/verify-signature.js'
import { decodeBase64, decodeUrlSafe } from '../base64.js'
import { type AuthenticityCheck, failed, finding, passed, verdictOf } from '../finding.js'
import type { TrustedKey } from '../jose/verify-jws.js'
import { canonicalText } from '../json-object.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'

/**
 * Verifies an export that a platform signed: a JSON object of exactly `payload`, `issuer` (the key's name) and `signature`
 * (base64 or base64url) over the RFC 8785 form of the payload. Ed25519, ECDSA (raw or DER) and RSA (PKCS #1 v1.5 or PSS).
 *
 * @param options `file`: the parsed export; `keys`: trusted keys, several may share a name; `work`: what it costs is taken off
 * @returns the finding; `signer` is the key's name when authentic, otherwise null. Dates in the payload are not looked at
 */
export function verifyPlatformSignature(options: {
  readonly file: JsonObject
  readonly keys: readonly TrustedKey[]
  readonly work?: WorkMeter | undefined
}): SignedFinding {
  const stop = (check: AuthenticityCheck): SignedFinding => ({
    ...finding('platform-signature', [check], null),
    signedContent: undefined,
  })
  const { payload, issuer, signature, ...others } = options.file
  const mark =
    typeof signature === 'string' ? (decodeUrlSafe(signature) ?? decodeBase64(signature)) : undefined
  if (payload === undefined || mark === undefined || Object.keys(others).length > 0) {
    return stop(failed('syntax', 'NOT_SIGNED'))
  }
  const candidates = options.keys.filter(({ name }) => name === issuer)
  const [first] = candidates
  if (first === undefined) return stop(failed('key', 'UNKNOWN_KEY'))
  const text = canonicalText(payload)
  const message = text === undefined ? undefined : new TextEncoder().encode(text)
  const valid =
    message !== undefined &&
    candidates.some(({ algorithm, jwk }) => {
      const key = keyFromJwk(jwk)
      if (key === undefined) return false
      const own = { algorithm, key, message, signature: mark }
      options.work?.({ signatures: 1, bytes: message.length })
      return (
        verifySignature(own) || (algorithm.startsWith('ES') && verifySignature({ ...own, format: 'der' }))
      )
    })
  const checks = [passed('syntax'), passed('key'), verdictOf('signature', valid, 'SIGNATURE_INVALID')]
  return withSignedContent(finding('platform-signature', checks, first.name), () => [first.name, payload])
}
