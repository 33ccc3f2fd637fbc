import type { JsonValue } from '../canonical-json/canonicalize.js'
import type { Digest } from '../digest/digest.js'
import type { Random } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import type { SignedStatement } from '../statement/statement.js'
import { applyPad, type Deal, proofContext } from './deal.js'
import { discreteLogProofLength, proveDiscreteLog, verifyDiscreteLog } from './discrete-log-proof.js'
import { exactFields } from './exact-fields.js'
import { type GroupElement, generator, parsePoint, pointHex, scalarOf } from './group.js'
import { readDeals } from './judge-dealers.js'
import { signMessage } from './message.js'
import { evaluateCommitments } from './polynomial.js'
import {
  knownPoint,
  parseThresholdSession,
  requireSecret,
  type ThresholdSession,
  thresholdSessionDigest,
} from './session.js'

/**
 * Opens what was dealt to one member and accuses, in public, every dealer whose share does not fit its own
 * commitments. A complaint lays open the one pad of accuser and accused, with a proof that it is theirs, so anybody
 * can judge it; the shares of the other dealers stay secret.
 *
 * @param options - `session`; the closed rounds of `commitments` and `deals` (as published, of unknown origin); the
 *   member's `encryptionKey` and `signingKey`, 32 bytes each; `random`: source of random bytes
 * @returns one complaint for each wrong share, to be published; mostly none
 * @throws CryptoError `SESSION_INVALID` (also when the keys are not a member's), `KEY_INVALID`, `RANDOM_INVALID`
 */
export function complain(options: {
  readonly session: ThresholdSession
  readonly commitments: readonly unknown[]
  readonly deals: readonly unknown[]
  readonly encryptionKey: Uint8Array
  readonly signingKey: Uint8Array
  readonly random: Random
}): readonly SignedStatement[] {
  requireOptions(options)
  const { commitments, deals, signingKey, random } = options
  const session = parseThresholdSession(options.session)
  const id = thresholdSessionDigest(session)
  const secret = requireSecret(options.encryptionKey, 'encryptionKey')
  const member = memberIndex(session, secret)
  if (session.members[member - 1]?.address !== addressOf(signingKey)) {
    throw new CryptoError(
      'SESSION_INVALID',
      'signingKey',
      'signing key and encryption key are of different members',
    )
  }
  const complaints: SignedStatement[] = []
  for (const [dealer, deal] of readDeals({ session, id, commitments, deals }).deals) {
    const agreement = deal.ephemeral.multiply(secret)
    if (shareOf(deal, { id, dealer, member, agreement }) !== undefined) continue
    const proof = proveDiscreteLog({
      secret,
      pairs: agreementPairs(session, member, deal, agreement),
      context: proofContext(id, member, `complaint/${dealer}`),
      random,
    })
    const body = { dealer, accuser: member, agreement: pointHex(agreement), proof: encodeHex(proof) }
    complaints.push(signMessage({ session, id, type: 'sealpool/threshold-complaint', body, signingKey }))
  }
  return complaints
}

/** What a complaint says, once it is read. */
export interface Complaint {
  readonly dealer: number
  readonly accuser: number
  readonly agreement: GroupElement
  readonly proof: Uint8Array
}

/**
 * Reads a complaint.
 *
 * @param body - of a member's message
 * @param options - how many `dealers` the session has, and the index of the `accuser` who signed it
 * @returns what it says
 * @throws CryptoError `TRANSCRIPT_INVALID`
 */
export function readComplaint(
  body: JsonValue,
  options: { readonly dealers: number; readonly accuser: number },
): Complaint {
  const code = 'TRANSCRIPT_INVALID'
  const reader = exactFields(body, ['dealer', 'accuser', 'agreement', 'proof'], code, '$')
  return {
    dealer: reader.whole('dealer', 1, options.dealers),
    accuser: reader.whole('accuser', options.accuser, options.accuser),
    agreement: parsePoint(reader.fields['agreement'], code, '$.agreement'),
    proof: reader.bytes('proof', discreteLogProofLength),
  }
}

/**
 * Judges a complaint.
 *
 * @param complaint - what it says
 * @param options - the checked `session`, its digest `id`, and the accused `deal`
 * @returns true when the dealer is guilty; false when the accuser lies: the agreement is not theirs, or the share
 *   fits
 */
export function isFounded(
  complaint: Complaint,
  options: { readonly session: ThresholdSession; readonly id: Digest; readonly deal: Deal },
): boolean {
  const { dealer, accuser, agreement, proof } = complaint
  const { session, id, deal } = options
  const theirs = verifyDiscreteLog({
    pairs: agreementPairs(session, accuser, deal, agreement),
    context: proofContext(id, accuser, `complaint/${dealer}`),
    proof,
  })
  return theirs && shareOf(deal, { id, dealer, member: accuser, agreement }) === undefined
}

/**
 * A member's share of one deal.
 *
 * @param deal - the deal
 * @param options - session digest `id`, indices of `dealer` and `member`, and their `agreement`
 * @returns the share, or nothing when it does not fit the dealer's commitments
 */
export function shareOf(
  deal: Deal,
  options: {
    readonly id: Digest
    readonly dealer: number
    readonly member: number
    readonly agreement: GroupElement
  },
): bigint | undefined {
  const padded = deal.shares[options.member - 1] ?? new Uint8Array()
  const share = scalarOf(applyPad(padded, { ...options, ephemeral: deal.ephemeral }))
  if (share === undefined || share === 0n) return undefined
  const image = evaluateCommitments(deal.commitments, options.member)
  return generator().multiply(share).equals(image) ? share : undefined
}

/**
 * Which member an encryption key is of.
 *
 * @param session - a checked session
 * @param secret - the encryption key
 * @returns the member's index, from 1
 * @throws CryptoError `SESSION_INVALID` when it is nobody's
 */
export function memberIndex(session: ThresholdSession, secret: bigint): number {
  const own = pointHex(generator().multiply(secret))
  const place = session.members.findIndex((member) => member.encryptionKey === own)
  if (place < 0) {
    throw new CryptoError(
      'SESSION_INVALID',
      'encryptionKey',
      'the encryption key is of no member of the session',
    )
  }
  return place + 1
}

function agreementPairs(session: ThresholdSession, member: number, deal: Deal, agreement: GroupElement) {
  const key = session.members[member - 1]?.encryptionKey ?? '0x'
  return [
    { base: generator(), image: knownPoint(key) },
    { base: deal.ephemeral, image: agreement },
  ]
}
