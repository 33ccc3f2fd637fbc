import { describe, expect, it } from 'vitest'
import { encodeHex } from '../encoding/hex.js'
import { deals, seededRandom, testMembers, testSession, transcriptOf } from '../testing/committee.js'
import { memberIndex, shareOf } from './complaint.js'
import { applyPad } from './deal.js'
import { generator, groupOrder, scalarBytes, toScalar } from './group.js'
import { concludeSession, dealShares, openShare, thresholdSessionDigest } from './index.js'
import { requireSecret } from './session.js'

const members = testMembers('conclude', 2)
const session = testSession(members, 2)
const id = thresholdSessionDigest(session)

/** A source whose first draws make the given scalars (1 to the order less 1). */
function scalarsFirst(scalars: readonly bigint[]) {
  const rest = seededRandom(scalars.join())
  const queue = scalars.map((scalar) => BigInt(scalar) - 1n)
  return (length: number) => {
    const next = queue.shift()
    if (next === undefined) return rest(length)
    const bytes = new Uint8Array(length)
    bytes.set(scalarBytes(next), length - 32)
    return bytes
  }
}
/** What comes of polynomials that two dealers agreed on, as dealers who conspire can. */
function concluded(polynomials: readonly (readonly [bigint, bigint])[]) {
  const dealt = members.map(({ signingKey }, place) => {
    const random = scalarsFirst(polynomials[place] ?? [])
    return dealShares({ session, signingKey, random })
  })
  return concludeSession(session, transcriptOf(session, members, dealt))
}

describe('dealers who conspire', () => {
  const [a, b, c] = [5n, 11n, 23n]

  it('get a key when nothing cancels', () => {
    const { key, faults } = concluded([
      [a, b],
      [b, c],
    ])
    expect(faults).toEqual([])
    expect(key?.publicKey).toBe(
      encodeHex(
        generator()
          .multiply(a + b)
          .toBytes(true),
      ),
    )
  })

  it('get no key of zero', () => {
    const { key, qualified } = concluded([
      [a, b],
      [groupOrder() - a, c],
    ])
    expect({ key, qualified }).toEqual({ key: null, qualified: [] })
  })

  it.each([1n, 2n])('get no key of which member %i would have a share of zero', (member) => {
    // The sum at the member's place: (a + c) + (b + slope) * member = 0.
    const slope = toScalar(-(a + c) * (member === 1n ? 1n : (groupOrder() + 1n) / 2n) - b)
    const { key } = concluded([
      [a, b],
      [c, slope],
    ])
    expect(key).toBeNull()
  })
})

describe('a transcript of unknown origin', () => {
  it.each([null, undefined, 'x', 7, [], {}, { commitments: [], deals: [] }])(
    'is three rounds: %j is none',
    (wrong) => {
      expect(() => concludeSession(session, wrong as never)).toThrow(
        expect.objectContaining({ code: 'TRANSCRIPT_INVALID' }),
      )
    },
  )
})

describe('whoever is no member', () => {
  const [stranger] = testMembers('stranger', 1) as [(typeof members)[number]]

  it('deals nothing, opens nothing and has no place', () => {
    const refused = (place: string) => expect.objectContaining({ code: 'SESSION_INVALID', place })
    expect(() => dealShares({ session, signingKey: stranger.signingKey, random: seededRandom('x') })).toThrow(
      refused('signingKey'),
    )
    const transcript = transcriptOf(session, members, deals(session, members))
    expect(() => openShare({ session, transcript, encryptionKey: stranger.encryptionKey })).toThrow(
      refused('encryptionKey'),
    )
    expect(() => memberIndex(session, requireSecret(stranger.encryptionKey, 'x'))).toThrow(
      refused('encryptionKey'),
    )
  })
})

describe('a share', () => {
  const agreement = generator().multiply(3n)
  const ephemeral = generator().multiply(9n)
  const bound = { id, dealer: 1, member: 1, agreement, ephemeral }
  const share = (bytes: Uint8Array, constant: bigint) => {
    const commitments = [generator().multiply(constant)]
    const shares = [applyPad(bytes, bound)]
    return shareOf({ commitments, ephemeral, shares } as unknown as Parameters<typeof shareOf>[0], bound)
  }

  it('fits its commitments', () => {
    expect(share(scalarBytes(4n), 4n)).toBe(4n)
    expect(share(scalarBytes(4n), 5n)).toBeUndefined()
  })

  it('of zero, of the order or more, or that is not there, is none', () => {
    expect(share(new Uint8Array(32), 4n)).toBeUndefined()
    expect(share(new Uint8Array(32).fill(255), 4n)).toBeUndefined()
    expect(share(new Uint8Array(), 4n)).toBeUndefined()
  })
})
