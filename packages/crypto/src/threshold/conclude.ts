import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import type { Digest } from '../digest/digest.js'
import type { Address } from '../encoding/address.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { isFounded, memberIndex, readComplaint, shareOf } from './complaint.js'
import { type Deal, dealersOf } from './deal.js'
import { combination } from './discrete-log-proof.js'
import { type generator, identityElement, pointHex, scalarBytes, toScalar } from './group.js'
import { bySigner, type FaultyMember, readDeals } from './judge-dealers.js'
import { evaluateCommitments, lagrangeAtZero } from './polynomial.js'
import {
  type CommitteeMember,
  parseThresholdSession,
  requireSecret,
  type ThresholdKey,
  type ThresholdSession,
  thresholdSessionDigest,
} from './session.js'
import type { ThresholdShare } from './share.js'

/**
 * Everything that was published in a session: three rounds, each closed before the next begins (by a block number
 * of the pool's chain, say). Whoever has the same transcript comes to the same conclusion; the order within a round
 * and repeated messages make no difference.
 */
export interface SessionTranscript {
  readonly commitments: readonly unknown[]
  readonly deals: readonly unknown[]
  readonly complaints: readonly unknown[]
}

/** What came of a session. */
export interface SessionOutcome {
  /** The key, or null when too few dealers were left. */
  readonly key: ThresholdKey | null
  /** The dealers whose deals make the key, by address. */
  readonly qualified: readonly Address[]
  /** Everybody who did wrong or stayed away, with the reason. */
  readonly faults: readonly FaultyMember[]
  /** Messages that were not of this session or bore no valid signature of a member. */
  readonly ignored: number
}

/**
 * Judges a session from its public transcript alone: member or not, everybody computes the same key, the same
 * verification keys and the same list of faults.
 *
 * @param session - what the committee set out to do
 * @param transcript - the closed rounds; hostile messages are counted, not trusted
 * @returns the outcome; `key` is null when fewer dealers than the threshold (for a new key) or than the previous
 *   threshold (for a resharing) were left, or when a resharing does not lead to the previous public key
 * @throws CryptoError `SESSION_INVALID`; `TRANSCRIPT_INVALID` for a transcript that is not three rounds
 */
export function concludeSession(session: ThresholdSession, transcript: SessionTranscript): SessionOutcome {
  return conclude(session, transcript).outcome
}

/**
 * Opens a member's share of the key that came of a session.
 *
 * @param options - `session`, its `transcript`, and the member's `encryptionKey`, 32 bytes
 * @returns the share, checked against the member's verification key
 * @throws CryptoError `SESSION_INVALID` (also when the key is no member's); `SHARES_MISSING` when no key came of the
 *   session; `SHARE_INVALID` when a dealer's share is wrong and nobody complained in time
 */
export function openShare(options: {
  readonly session: ThresholdSession
  readonly transcript: SessionTranscript
  readonly encryptionKey: Uint8Array
}): ThresholdShare {
  requireOptions(options)
  const secret = requireSecret(options.encryptionKey, 'encryptionKey')
  const { outcome, session, id, deals, weights } = conclude(options.session, options.transcript)
  const index = memberIndex(session, secret)
  if (outcome.key === null) {
    throw new CryptoError(
      'SHARES_MISSING',
      'transcript',
      'no key came of the session; see its faults and begin anew under another purpose',
    )
  }
  let sum = 0n
  for (const [dealer, deal] of deals) {
    const share = shareOf(deal, { id, dealer, member: index, agreement: deal.ephemeral.multiply(secret) })
    if (share === undefined) {
      const message = `the share of dealer ${dealer} is wrong and no complaint was published in time; begin anew under another purpose`
      throw new CryptoError('SHARE_INVALID', `deals[${dealer}]`, message)
    }
    sum = toScalar(sum + share * (weights.get(dealer) ?? 0n))
  }
  return { index, secret: scalarBytes(sum), key: outcome.key }
}

function conclude(unchecked: ThresholdSession, transcript: SessionTranscript) {
  const session = parseThresholdSession(unchecked)
  const id = thresholdSessionDigest(session)
  // A round that is not there is refused by whoever reads it.
  const {
    commitments,
    deals: dealt,
    complaints,
  } = requireOptions(transcript, 'transcript', 'TRANSCRIPT_INVALID')
  const read = readDeals({ session, id, commitments, deals: dealt })
  const judged = judgeComplaints(complaints, { session, id, deals: read.deals })
  const faults = [...read.faults, ...judged.faults]
  const guilty = new Set(faults.map((fault) => fault.address))
  const dealers = dealersOf(session)
  const left = [...read.deals].filter(([dealer]) => !guilty.has(dealers[dealer - 1]?.address as Address))
  const needed = session.previous?.threshold ?? session.threshold
  // A resharing takes as many dealers as the old threshold, the lowest indices first; a new key takes everybody's.
  const deals = new Map(session.previous === null ? left : left.slice(0, needed))
  const weights = weightsOf(session, [...deals.keys()])
  const key = deals.size < needed ? null : keyOf(session, { id, deals, weights })
  const outcome: SessionOutcome = {
    key,
    qualified: key === null ? [] : [...deals.keys()].map((dealer) => dealers[dealer - 1]?.address as Address),
    faults,
    ignored: read.ignored + judged.ignored,
  }
  return { outcome, session, id, deals, weights }
}

function judgeComplaints(
  messages: readonly unknown[],
  options: {
    readonly session: ThresholdSession
    readonly id: Digest
    readonly deals: ReadonlyMap<number, Deal>
  },
): { readonly faults: readonly FaultyMember[]; readonly ignored: number } {
  const { session, id, deals } = options
  const dealers = dealersOf(session)
  const faults: FaultyMember[] = []
  const type = 'sealpool/threshold-complaint'
  const { bodies, ignored } = bySigner(messages, { session, id, type, signers: session.members })
  // By index, not by order of publication, so that every reader lists the faults alike.
  session.members.forEach((member, place) => {
    const judgedDealers = new Set<number>()
    for (const body of inOneOrder(bodies.get(member.address) ?? [])) {
      const accuser = place + 1
      try {
        const complaint = readComplaint(body, { dealers: dealers.length, accuser })
        // One for each accuser and dealer: a member must not be able to have everybody check hundreds.
        if (judgedDealers.has(complaint.dealer)) continue
        judgedDealers.add(complaint.dealer)
        const deal = deals.get(complaint.dealer)
        // A dealer that is out already needs no judgement.
        if (deal === undefined) continue
        const accused = dealers[complaint.dealer - 1]?.address as Address
        if (isFounded(complaint, { session, id, deal })) {
          faults.push({ address: accused, fault: 'SHARE_WRONG', against: member.address })
        } else {
          faults.push({ address: member.address, fault: 'COMPLAINT_UNFOUNDED', against: accused })
        }
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error
        faults.push({ address: member.address, fault: 'COMPLAINT_UNFOUNDED', against: null })
      }
    }
  })
  return { faults: unique(faults), ignored }
}

/** By their digests, so that everybody judges the same complaint of several about one dealer. */
function inOneOrder(bodies: readonly JsonObject[]): readonly JsonObject[] {
  const named = bodies.map((body) => [digestOf(body), body] as const)
  return named.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, body]) => body)
}

function weightsOf(session: ThresholdSession, dealers: readonly number[]): ReadonlyMap<number, bigint> {
  const weights = session.previous === null ? dealers.map(() => 1n) : lagrangeAtZero(dealers)
  return new Map(dealers.map((dealer, place) => [dealer, weights[place] ?? 0n]))
}

function keyOf(
  session: ThresholdSession,
  made: {
    readonly id: Digest
    readonly deals: ReadonlyMap<number, Deal>
    readonly weights: ReadonlyMap<number, bigint>
  },
): ThresholdKey | null {
  const scalars = [...made.weights.values()]
  const commitments = Array.from({ length: session.threshold }, (_, degree) =>
    combination(
      [...made.deals.values()].map((deal) => deal.commitments[degree] ?? identityElement()),
      scalars,
    ),
  )
  const [constant] = commitments as [ReturnType<typeof generator>]
  const images = session.members.map((_, place) => evaluateCommitments(commitments, place + 1))
  if (constant.is0() || images.some((image) => image.is0())) return null
  const publicKey = pointHex(constant)
  if (session.previous !== null && session.previous.publicKey !== publicKey) return null
  return {
    type: 'sealpool/threshold-key',
    version: 1,
    chainId: session.chainId,
    registry: session.registry,
    pool: session.pool,
    session: made.id,
    publicKey,
    threshold: session.threshold,
    members: session.members.map((member: CommitteeMember, place) => ({
      ...member,
      verificationKey: pointHex(images[place] as ReturnType<typeof generator>),
    })),
  }
}

/** Each fault once, in an order that no order of publication changes. */
function unique(faults: readonly FaultyMember[]): readonly FaultyMember[] {
  const named = faults.map((each) => [`${each.address} ${each.fault} ${each.against}`, each] as const)
  return [...new Map(named.sort(([left], [right]) => (left < right ? -1 : 1))).values()]
}
