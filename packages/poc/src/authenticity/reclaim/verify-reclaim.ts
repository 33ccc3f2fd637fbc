import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, encodeHex, type JsonObject } from '@sealpool/crypto'
import { personalMessageHash, recoverSigner } from '../../signature/ethereum.js'
import { beyondReach, failed, finding, passed, validityCheck, verdictOf } from '../finding.js'
import { isObject } from '../json-object.js'
import { type SignedFinding, withSignedContent } from '../signed-content.js'
import type { WorkMeter } from '../verification-budget.js'

/** Whose word on a TLS session counts, and on what. */
export interface ReclaimSource {
  /** Witnesses (attestors) that are trusted. */
  readonly witnesses: readonly Address[]
  /** How many different ones must have signed; 1 when absent. */
  readonly threshold?: number
  /** Provider of the claim, for example `http`. */
  readonly provider: string
  /**
   * Exact parameters (their JSON text) that count. They say which page was read and what had to match; without this anyone
   * claims anything that any page says.
   */
  readonly parameters: readonly string[]
  /** Oldest claim that counts, in seconds before the time that is given. */
  readonly maximumAgeSeconds?: number
}

/**
 * Verifies a Reclaim claim: its identifier is the hash of provider, parameters and context, and enough trusted witnesses signed
 * identifier, owner, time and epoch (EIP-191).
 *
 * Members that no witness signed are refused, because code would take them for signed: `extractedParameterValues`, `witnesses` and the
 * like are to be dropped before the proof is contributed.
 *
 * What it cannot say: that the TLS session took place as the witnesses say. They saw it, this code did not; the finding says so.
 *
 * @param options `proof`: JSON with `claimData` (or the claim itself) and `signatures`; `source`; `owner`: the contributing wallet
 *   that the claim must name; `at`: Unix seconds; `work`: what it costs is taken off
 * @returns the finding; without `owner` any owner passes, without `at` no claim is authentic whose age `source` limits
 */
export function verifyReclaim(options: {
  readonly proof: JsonObject
  readonly source: ReclaimSource
  readonly owner?: Address | undefined
  readonly at?: number | undefined
  readonly work?: WorkMeter | undefined
}): SignedFinding {
  const { source, at } = options
  const stop = (reason: string): SignedFinding => ({
    ...finding('reclaim', [failed('syntax', reason)], null),
    signedContent: undefined,
  })
  const { signatures, ...rest } = options.proof
  const nested = Object.hasOwn(rest, 'claimData')
  const claimData = nested ? rest['claimData'] : rest
  const claim = isObject(claimData) ? readClaim(claimData) : undefined
  if (claim === undefined || !Array.isArray(signatures) || signatures.length > 100) {
    return stop('MALFORMED_CLAIM')
  }
  const isSigned = Object.keys(claimData as JsonObject).every((name) => CLAIM_MEMBERS.has(name))
  if (!isSigned || (nested && Object.keys(rest).length > 1)) return stop('UNSIGNED_MEMBERS')
  const identifier = encodeHex(
    keccak_256(new TextEncoder().encode(`${claim.provider}\n${claim.parameters}\n${claim.context}`)),
  )
  const message = `${identifier}\n${claim.owner}\n${claim.timestampS}\n${claim.epoch}`
  const hash = personalMessageHash(message)
  const trusted = new Set(source.witnesses.map((address) => address.toLowerCase()))
  // A set: the same witness twice is one witness.
  const signed = new Set<string>()
  for (const signature of signatures) {
    options.work?.({ signatures: 1 })
    const signer = recoverSigner(hash, signature)
    if (signer !== undefined && trusted.has(signer)) signed.add(signer)
  }
  const { maximumAgeSeconds } = source
  const until = maximumAgeSeconds === undefined ? undefined : claim.timestampS + maximumAgeSeconds
  const found = finding(
    'reclaim',
    [
      passed('syntax'),
      verdictOf('identifier', claim.identifier.toLowerCase() === identifier, 'IDENTIFIER_MISMATCH'),
      verdictOf('provider', claim.provider === source.provider, 'WRONG_PROVIDER'),
      verdictOf('parameters', source.parameters.includes(claim.parameters), 'WRONG_PARAMETERS'),
      verdictOf(
        'owner',
        options.owner === undefined || claim.owner === options.owner.toLowerCase(),
        'WRONG_OWNER',
      ),
      verdictOf('witnesses', signed.size >= (source.threshold ?? 1) && signed.size > 0, 'TOO_FEW_WITNESSES'),
      validityCheck(at, until === undefined ? undefined : claim.timestampS, until),
      beyondReach('tls-session', 'SEEN_BY_WITNESSES_ONLY'),
    ],
    'witnesses',
  )
  return withSignedContent(found, () => [identifier])
}

const CLAIM_MEMBERS = new Set([
  'provider',
  'parameters',
  'context',
  'identifier',
  'owner',
  'timestampS',
  'epoch',
])

interface Claim {
  readonly provider: string
  readonly parameters: string
  readonly context: string
  readonly identifier: string
  readonly owner: string
  readonly timestampS: number
  readonly epoch: number
}

function readClaim(value: JsonObject): Claim | undefined {
  const { provider, parameters, context = '', identifier, owner, timestampS, epoch } = value
  // Line feeds separate the parts that are hashed: one inside a part would let two claims share an identifier.
  const parts = [provider, parameters, context]
  if (!parts.every((part) => typeof part === 'string' && !part.includes('\n'))) return undefined
  if (typeof identifier !== 'string' || typeof owner !== 'string') return undefined
  if (!Number.isSafeInteger(timestampS) || !Number.isSafeInteger(epoch)) return undefined
  return {
    provider: String(provider),
    parameters: String(parameters),
    context: String(context),
    identifier,
    owner: owner.toLowerCase(),
    timestampS: Number(timestampS),
    epoch: Number(epoch),
  }
}
