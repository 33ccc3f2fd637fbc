import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import type { Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { CryptoError } from '../errors.js'
import { type Deal, dealersOf, readDeal } from './deal.js'
import { isModest, namedSigner, readMessage, type ThresholdMessageType } from './message.js'
import type { ThresholdSession } from './session.js'

/** What a member of a session did wrong, in public and over its own signature. */
export type SessionFault =
  /** No commitment was published in time. */
  | 'COMMITMENT_MISSING'
  /** No deal was published in time. */
  | 'DEAL_MISSING'
  /** Two different messages of one kind bear its signature. */
  | 'EQUIVOCATION'
  /** The deal is not the one it had committed to. */
  | 'COMMITMENT_MISMATCH'
  /** The deal has not the form that the session asks for. */
  | 'DEAL_MALFORMED'
  /** A proof of knowledge in the deal does not hold. */
  | 'PROOF_REFUSED'
  /** What is dealt is not the dealer's share of the previous key. */
  | 'NOT_PREVIOUS_SHARE'
  /** A complaint proves that a member was dealt a wrong share. */
  | 'SHARE_WRONG'
  /** The member accused a dealer without ground. */
  | 'COMPLAINT_UNFOUNDED'

/** One fault: who, what, and in which part. */
export interface FaultyMember {
  readonly address: Address
  readonly fault: SessionFault
  /** The other side of a complaint, by its address. */
  readonly against: Address | null
}

/**
 * Finds the dealers whose public part is in order.
 *
 * @param options - the checked `session`, its digest `id`, and the closed rounds of `commitments` and `deals`
 * @returns the deals by the dealer's index, the faults of the others, and how many messages were nobody's (not of a
 *   dealer, not of this session, not signed): these blame nobody
 */
export function readDeals(options: {
  readonly session: ThresholdSession
  readonly id: Digest
  readonly commitments: readonly unknown[]
  readonly deals: readonly unknown[]
}): {
  readonly deals: ReadonlyMap<number, Deal>
  readonly faults: readonly FaultyMember[]
  readonly ignored: number
} {
  const { session, id } = options
  const dealers = dealersOf(session)
  const of = { session, id, signers: dealers }
  const commitments = bySigner(options.commitments, { ...of, type: 'sealpool/threshold-commitment' })
  const published = bySigner(options.deals, { ...of, type: 'sealpool/threshold-deal' })
  const deals = new Map<number, Deal>()
  const faults: FaultyMember[] = []
  dealers.forEach((dealer, place) => {
    const address = dealer.address as Address
    const judged = judge(commitments.bodies.get(address), published.bodies.get(address), {
      session,
      id,
      dealer: place + 1,
    })
    if (typeof judged === 'string') faults.push({ address, fault: judged, against: null })
    else deals.set(place + 1, judged)
  })
  return { deals, faults, ignored: commitments.ignored + published.ignored }
}

/**
 * Sorts a round's messages by who signed them; what cannot be pinned on anybody is counted and left.
 *
 * @param messages - as published
 * @param options - the `session`, its digest `id`, the wanted `type`, and the `signers` who have a say in the round
 * @returns the different bodies of each signer, and how many messages were left
 */
export function bySigner(
  messages: readonly unknown[],
  options: {
    readonly session: ThresholdSession
    readonly id: Digest
    readonly type: ThresholdMessageType
    readonly signers: readonly { readonly address: string }[]
  },
): { readonly bodies: ReadonlyMap<Address, readonly JsonObject[]>; readonly ignored: number } {
  if (!Array.isArray(messages))
    throw new CryptoError('TRANSCRIPT_INVALID', 'transcript', 'a round is an array')
  const bodies = new Map<Address, Map<Digest, JsonObject>>()
  const known = new Set(options.signers.map(({ address }) => address))
  let ignored = 0
  for (const message of messages) {
    // Before anything is hashed: whoever may write on the board must not choose how long everybody computes.
    if (!known.has(namedSigner(message)) || !isModest(message)) {
      ignored++
      continue
    }
    try {
      const { signer, body } = readMessage(message, options)
      const own = bodies.get(signer) ?? new Map<Digest, JsonObject>()
      bodies.set(signer, own.set(digestOf(body), body))
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      ignored++
    }
  }
  return { bodies: new Map([...bodies].map(([signer, own]) => [signer, [...own.values()]])), ignored }
}

function judge(
  commitments: readonly JsonObject[] = [],
  deals: readonly JsonObject[] = [],
  options: { readonly session: ThresholdSession; readonly id: Digest; readonly dealer: number },
): Deal | SessionFault {
  if (commitments.length > 1 || deals.length > 1) return 'EQUIVOCATION'
  const [commitment] = commitments
  const [deal] = deals
  if (commitment === undefined) return 'COMMITMENT_MISSING'
  if (deal === undefined) return 'DEAL_MISSING'
  if (digestOf(commitment) !== digestOf({ dealer: options.dealer, deal: digestOf(deal) }))
    return 'COMMITMENT_MISMATCH'
  try {
    return readDeal(deal, options)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return 'DEAL_MALFORMED'
  }
}
