import { sha256 } from '@noble/hashes/sha2.js'
import { canonicalBytes, concatBytes, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { keyFromJwk } from '../../signature/public-key.js'
import { verifySignature } from '../../signature/verify-signature.js'
import {
  type AuthenticityCheck,
  failed,
  finding,
  notChecked,
  passed,
  validityCheck,
  verdictOf,
} from '../finding.js'
import { type TrustedKey, verifyJws } from '../jose/verify-jws.js'
import { isObject } from '../json-object.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'
import { decodeBase58 } from './base58.js'
import { unixSeconds } from './date-time.js'

/** A key of an issuer, with the name under which credentials refer to it. */
export interface CredentialKey extends TrustedKey {
  /** `issuer` of the credentials that it signs, for example `did:web:example.org`. */
  readonly issuer: string
  /** `verificationMethod` of its proofs, for example `did:web:example.org#key-1`; needed for Data Integrity. */
  readonly verificationMethod?: string
}

/** A finding, and the credential for the code that judges; it is private. */
export interface CredentialFinding extends SignedFinding {
  readonly credential: JsonObject | undefined
}

/**
 * Verifies a W3C verifiable credential in JWT form: `vc+jwt` of VC-JOSE-COSE (the credential is the payload) or the `vc` claim of
 * the data model 1.1. A credential with a status is not authentic, because its status cannot be asked for offline.
 *
 * @param options `token`; `keys` of trusted issuers; `at`: Unix seconds; `work`: what it costs is taken off
 * @returns the finding, and the credential when authentic, otherwise undefined; without `at`, whatever names dates of validity
 *   is not authentic
 */
export function verifyCredentialJwt(options: {
  readonly token: string
  readonly keys: readonly CredentialKey[]
  readonly at?: number | undefined
  readonly work?: WorkMeter | undefined
}): CredentialFinding {
  const jws = verifyJws({ ...options, kind: 'vc-jwt' })
  const { claims, key, ...found } = jws
  if (claims === undefined) return { ...found, credential: undefined }
  const nested = claims['vc']
  const credential = isObject(nested)
    ? { ...nested, issuer: nested['issuer'] ?? claims['iss'] ?? null }
    : claims
  const issuers = new Set([issuerOf(credential), claims['iss'] ?? issuerOf(credential)])
  const checks = [
    ...jws.checks,
    ...credentialChecks(credential, options.at),
    verdictOf('credential-issuer', issuers.size === 1 && issuers.has(key?.issuer), 'WRONG_ISSUER'),
  ]
  const result = finding('vc-jwt', checks, jws.signer)
  return {
    ...result,
    signedContent: result.authentic ? found.signedContent : undefined,
    credential: result.authentic ? credential : undefined,
  }
}

/**
 * Verifies a credential with a Data Integrity proof of the cryptosuite eddsa-jcs-2022 (W3C VC Data Integrity EdDSA, section 3.3).
 *
 * @param options `credential`: JSON; `keys` of trusted issuers; `at`: Unix seconds; `work`: what it costs is taken off
 * @returns the finding, and the credential without its proof when authentic, otherwise undefined; without `at`, whatever names
 *   dates of validity is not authentic
 */
export function verifyDataIntegrity(options: {
  readonly credential: JsonObject
  readonly keys: readonly CredentialKey[]
  readonly at?: number | undefined
  readonly work?: WorkMeter | undefined
}): CredentialFinding {
  const stop = (check: AuthenticityCheck): CredentialFinding => ({
    ...finding('data-integrity', [check], null),
    signedContent: undefined,
    credential: undefined,
  })
  const { proof, ...document } = options.credential
  if (!isObject(proof)) return stop(failed('syntax', 'NOT_SIGNED'))
  const { proofValue, ...config } = proof
  const signature =
    typeof proofValue === 'string' && proofValue.startsWith('z')
      ? decodeBase58(proofValue.slice(1))
      : undefined
  const sound =
    config['type'] === 'DataIntegrityProof' &&
    config['cryptosuite'] === 'eddsa-jcs-2022' &&
    config['proofPurpose'] === 'assertionMethod' &&
    signature?.length === 64
  if (!sound || signature === undefined) return stop(failed('syntax', 'MALFORMED_PROOF'))
  const key = options.keys.find(
    ({ verificationMethod, algorithm }) =>
      algorithm === 'EdDSA' &&
      verificationMethod !== undefined &&
      verificationMethod === config['verificationMethod'],
  )
  const publicKey = key === undefined ? undefined : keyFromJwk(key.jwk)
  if (key === undefined || publicKey === undefined) return stop(failed('key', 'UNKNOWN_KEY'))
  // The proof's context must be where the document's begins (section 3.3.2, step 3).
  const contextHolds =
    config['@context'] === undefined || startsWith(document['@context'], config['@context'])
  const hashed = hashBoth(config, document)
  options.work?.({ signatures: 1 })
  const valid =
    hashed !== undefined &&
    verifySignature({ algorithm: 'EdDSA', key: publicKey, message: hashed, signature })
  const result = finding(
    'data-integrity',
    [
      passed('syntax'),
      passed('key'),
      verdictOf('context', contextHolds, 'WRONG_CONTEXT'),
      verdictOf('signature', valid, 'SIGNATURE_INVALID'),
      ...credentialChecks(document, options.at),
      verdictOf('credential-issuer', issuerOf(document) === key.issuer, 'WRONG_ISSUER'),
      spanCheck('proof-validity', options.at, config['created'], config['expires']),
    ],
    key.name,
  )
  return {
    // Not the proof's own members: an issuer that signs the same document again makes no other document.
    ...withSignedContent(result, () => [document]),
    credential: result.authentic ? document : undefined,
  }
}

function hashBoth(config: JsonObject, document: JsonObject): Uint8Array | undefined {
  try {
    return concatBytes(sha256(canonicalBytes(config)), sha256(canonicalBytes(document)))
  } catch {
    // Too deep, or a lone surrogate: such a document has no canonical form, so nobody signed it.
    return undefined
  }
}

function startsWith(whole: JsonValue | undefined, part: JsonValue): boolean {
  const list = Array.isArray(whole) ? whole : [whole]
  const wanted = Array.isArray(part) ? part : [part]
  return wanted.every((entry, index) => JSON.stringify(entry) === JSON.stringify(list[index]))
}

function issuerOf(credential: JsonObject): JsonValue | undefined {
  const { issuer } = credential
  return isObject(issuer) ? issuer['id'] : issuer
}

function credentialChecks(credential: JsonObject, at: number | undefined): AuthenticityCheck[] {
  const { type } = credential
  const types = Array.isArray(type) ? type : [type]
  const from = credential['validFrom'] ?? credential['issuanceDate']
  const until = credential['validUntil'] ?? credential['expirationDate']
  return [
    verdictOf('credential-type', types.includes('VerifiableCredential'), 'NOT_A_CREDENTIAL'),
    verdictOf(
      'subject',
      isObject(credential['credentialSubject']) || Array.isArray(credential['credentialSubject']),
      'NO_SUBJECT',
    ),
    spanCheck('credential-validity', at, from, until),
    credential['credentialStatus'] === undefined
      ? passed('status')
      : notChecked('status', 'STATUS_NEEDS_THE_NETWORK'),
  ]
}

function spanCheck(
  name: string,
  at: number | undefined,
  from: JsonValue | undefined,
  until: JsonValue | undefined,
): AuthenticityCheck {
  const start = unixSeconds(from)
  const end = unixSeconds(until)
  if ((from !== undefined && start === undefined) || (until !== undefined && end === undefined)) {
    return failed(name, 'MALFORMED_DATES')
  }
  return { ...validityCheck(at, start, end), name }
}
