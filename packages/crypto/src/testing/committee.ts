import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { sha256Digest } from '../digest/digest.js'
import { concatBytes, type Random } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import { hashParts } from '../threshold/group.js'
import {
  complain,
  concludeSession,
  type DealtShares,
  dealShares,
  memberPublicKey,
  openShare,
  type SessionTranscript,
  type ThresholdKey,
  type ThresholdSession,
  type ThresholdShare,
  thresholdSessionDigest,
} from '../threshold/index.js'

/** A member with its secrets, for tests. */
export interface TestMember {
  readonly signingKey: Uint8Array
  readonly encryptionKey: Uint8Array
}

/** A source that gives the same bytes in every run. */
export function seededRandom(seed: string): Random {
  let drawn = 0
  return (length) => {
    const blocks: Uint8Array[] = []
    for (let size = 0; size < length; size += 32) {
      blocks.push(hashParts(seed, new Uint8Array([drawn >> 16, (drawn >> 8) & 255, drawn & 255])))
      drawn++
    }
    return concatBytes(...blocks).slice(0, length)
  }
}

/** Members whose keys follow from a name. */
export function testMembers(name: string, count: number): readonly TestMember[] {
  const random = seededRandom(`members ${name}`)
  return Array.from({ length: count }, () => ({ signingKey: random(32), encryptionKey: random(32) }))
}

/** A session of these members. */
export function testSession(
  members: readonly TestMember[],
  threshold: number,
  more: Partial<ThresholdSession> = {},
): ThresholdSession {
  return {
    type: 'sealpool/threshold-session',
    version: 1,
    chainId: 31337,
    registry: `0x${'11'.repeat(20)}`,
    pool: `0x${'22'.repeat(20)}`,
    purpose: sha256Digest(new Uint8Array([1])),
    threshold,
    members: members.map(({ signingKey, encryptionKey }) => ({
      address: addressOf(signingKey),
      encryptionKey: memberPublicKey(encryptionKey),
    })),
    previous: null,
    ...more,
  }
}

/** What every dealer publishes; dealers that are `absent` (indices from 1) publish nothing. */
export function deals(
  session: ThresholdSession,
  dealers: readonly TestMember[],
  options: { readonly shares?: readonly ThresholdShare[]; readonly absent?: readonly number[] } = {},
): readonly DealtShares[] {
  const random = seededRandom(`deals ${thresholdSessionDigest(session)}`)
  return dealers.flatMap(({ signingKey }, place) =>
    options.absent?.includes(place + 1)
      ? []
      : [
          dealShares({
            session,
            signingKey,
            random,
            share: options.shares?.find(({ index }) => index === place + 1),
          }),
        ],
  )
}

/** The transcript of a session after every member looked at its shares. */
export function transcriptOf(
  session: ThresholdSession,
  members: readonly TestMember[],
  dealt: readonly { readonly commitment: unknown; readonly deal: unknown }[],
): SessionTranscript {
  const random = seededRandom('complaints')
  const commitments = dealt.map(({ commitment }) => commitment)
  const published = dealt.map(({ deal }) => deal)
  const complaints = members.flatMap((member) =>
    complain({ session, commitments, deals: published, ...member, random }),
  )
  return { commitments, deals: published, complaints }
}

/** A whole session of honest members: the key and every member's share. */
export function runSession(
  members: readonly TestMember[],
  session: ThresholdSession,
  previous?: { readonly members: readonly TestMember[]; readonly shares: readonly ThresholdShare[] },
): {
  readonly key: ThresholdKey
  readonly shares: readonly ThresholdShare[]
  readonly transcript: SessionTranscript
} {
  const dealt = deals(session, previous?.members ?? members, { shares: previous?.shares ?? [] })
  const transcript = transcriptOf(session, members, dealt)
  const { key } = concludeSession(session, transcript)
  if (key === null) throw new Error('no key came of the session')
  const shares = members.map(({ encryptionKey }) => openShare({ session, transcript, encryptionKey }))
  return { key, shares, transcript }
}

/** The same digits, but one bit. */
export function flipped(hex: unknown): Hex {
  const bytes = decodeHex(hex as string)
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
  return encodeHex(bytes)
}

/** Signs a body anew, as the liar whose message it is can. */
export function resign(message: SignedStatement, member: TestMember, body: JsonObject): SignedStatement {
  return signStatement({
    ...message,
    statement: { ...message.statement, body },
    privateKey: member.signingKey,
  })
}

/** A dealer that publishes another deal than the honest one, and commits to it. */
export function altered(
  dealt: DealtShares,
  member: TestMember,
  change: (body: JsonObject) => JsonObject,
): DealtShares {
  const body = change(dealt.deal.statement.body)
  const dealer = body['dealer'] ?? 0
  return {
    deal: resign(dealt.deal, member, body),
    commitment: resign(dealt.commitment, member, { dealer, deal: digestOf(body) }),
  }
}
