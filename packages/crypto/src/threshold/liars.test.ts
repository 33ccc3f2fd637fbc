import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToHex, sha256Digest } from '../digest/digest.js'
import { encodeHex, type Hex } from '../encoding/hex.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import {
  altered,
  deals,
  flipped,
  resign,
  runSession,
  seededRandom,
  type TestMember,
  testMembers,
  testSession,
  transcriptOf,
} from '../testing/committee.js'
import { proofContext } from './deal.js'
import { proveDiscreteLog } from './discrete-log-proof.js'
import { generator, pointHex } from './group.js'
import {
  complain,
  concludeSession,
  type DealtShares,
  dealShares,
  openShare,
  type ThresholdSession,
  type ThresholdShare,
  thresholdSessionDigest,
} from './index.js'

const random = seededRandom('liars')
const count = 5
const threshold = 3
const members = testMembers('liars', count)
const session = testSession(members, threshold)
const honest = deals(session, members)
const addresses = members.map(({ signingKey }) => addressOf(signingKey))

const withWrongShare = (dealt: DealtShares, member: TestMember, victim: number): DealtShares =>
  altered(dealt, member, (body) => ({
    ...body,
    shares: (body['shares'] as Hex[]).map((share, place) => (place + 1 === victim ? flipped(share) : share)),
  }))
const at = (place: number) => members[place] as TestMember
const dealtBy = (place: number) => honest[place] as DealtShares
/** The transcript when dealer 1 publishes something else. */
const withFirst = (first: readonly DealtShares[]) =>
  transcriptOf(session, members, [...first, ...honest.slice(1)])

describe('a dealer that does wrong', () => {
  const first = dealtBy(0)
  const cases: readonly (readonly [string, string, () => ReturnType<typeof withFirst>])[] = [
    ['stays away', 'COMMITMENT_MISSING', () => withFirst([])],
    [
      'commits and deals nothing',
      'DEAL_MISSING',
      () => ({ ...withFirst([first]), deals: honest.slice(1).map(({ deal }) => deal) }),
    ],
    [
      'deals something else than it committed to',
      'COMMITMENT_MISMATCH',
      () =>
        withFirst([{ ...first, deal: dealShares({ session, signingKey: at(0).signingKey, random }).deal }]),
    ],
    [
      'commits twice',
      'EQUIVOCATION',
      () => {
        const honestly = withFirst([first])
        const other = dealShares({ session, signingKey: at(0).signingKey, random })
        return { ...honestly, commitments: [...honestly.commitments, other.commitment] }
      },
    ],
    [
      'deals twice',
      'EQUIVOCATION',
      () => {
        const honestly = withFirst([first])
        const other = dealShares({ session, signingKey: at(0).signingKey, random })
        return { ...honestly, deals: [...honestly.deals, other.deal] }
      },
    ],
    [
      'commits to a polynomial of another degree',
      'DEAL_MALFORMED',
      () =>
        withFirst([
          altered(first, at(0), (body) => ({
            ...body,
            commitments: (body['commitments'] as Hex[]).slice(1),
          })),
        ]),
    ],
    [
      'deals to fewer members',
      'DEAL_MALFORMED',
      () =>
        withFirst([
          altered(first, at(0), (body) => ({ ...body, shares: (body['shares'] as Hex[]).slice(1) })),
        ]),
    ],
    [
      'shows a point that is none',
      'DEAL_MALFORMED',
      () =>
        withFirst([altered(first, at(0), (body) => ({ ...body, ephemeralKey: `0x02${'ff'.repeat(32)}` }))]),
    ],
    [
      'names another dealer',
      'DEAL_MALFORMED',
      () =>
        withFirst([
          {
            deal: resign(first.deal, at(0), { ...first.deal.statement.body, dealer: 2 }),
            commitment: resign(first.commitment, at(0), {
              dealer: 1,
              deal: digestOf({ ...first.deal.statement.body, dealer: 2 }),
            }),
          },
        ]),
    ],
    [
      'adds a field',
      'DEAL_MALFORMED',
      () => withFirst([altered(first, at(0), (body) => ({ ...body, note: 'x' }))]),
    ],
    [
      'shows another dealer’s commitments as its own',
      'PROOF_REFUSED',
      () =>
        withFirst([
          altered(first, at(0), (body) => {
            const { commitments, proof } = dealtBy(1).deal.statement.body
            return { ...body, commitments: commitments ?? null, proof: proof ?? null }
          }),
        ]),
    ],
    [
      'shows another dealer’s ephemeral key as its own',
      'PROOF_REFUSED',
      () =>
        withFirst([
          altered(first, at(0), (body) => {
            const { ephemeralKey, ephemeralProof } = dealtBy(1).deal.statement.body
            return { ...body, ephemeralKey: ephemeralKey ?? null, ephemeralProof: ephemeralProof ?? null }
          }),
        ]),
    ],
    ['deals a member a wrong share', 'SHARE_WRONG', () => withFirst([withWrongShare(first, at(0), 4)])],
  ]

  it.each(cases)('%s: it is named (%s) and left out, and the others make the key', (_, fault, transcript) => {
    const published = transcript()
    const outcome = concludeSession(session, published)
    expect(outcome.faults).toEqual([
      { address: addresses[0], fault, against: fault === 'SHARE_WRONG' ? addresses[3] : null },
    ])
    expect(outcome.qualified).toEqual(addresses.slice(1))
    const { key } = outcome
    expect(key).not.toBeNull()
    for (const [place, { encryptionKey }] of members.entries()) {
      expect(openShare({ session, transcript: published, encryptionKey })).toMatchObject({
        index: place + 1,
        key,
      })
    }
  })
})

describe('complaints', () => {
  const bad = withWrongShare(dealtBy(0), at(0), 4)
  const transcript = withFirst([bad])
  const [complaint] = transcript.complaints as [SignedStatement]

  it('come from the wronged member alone', () => {
    expect(transcript.complaints).toHaveLength(1)
    expect(complaint.statement.body).toMatchObject({ dealer: 1, accuser: 4 })
  })

  it('without ground name the accuser, who loses its own deal', () => {
    const published = { ...withFirst([dealtBy(0)]), complaints: [complaint] }
    const outcome = concludeSession(session, published)
    // The pad that the complaint lays open belongs to the same dealer's ephemeral key, so its proof holds; the
    // share, this time, is right.
    expect(outcome.faults).toEqual([
      { address: addresses[3], fault: 'COMPLAINT_UNFOUNDED', against: addresses[0] },
    ])
    expect(outcome.qualified).toEqual(addresses.filter((_, place) => place !== 3))
  })

  const changes: readonly (readonly [string, (body: JsonObject) => JsonObject])[] = [
    [
      'another agreement',
      (body) => ({ ...body, agreement: dealtBy(2).deal.statement.body['ephemeralKey'] ?? null }),
    ],
    ['a broken proof', (body) => ({ ...body, proof: flipped(body['proof']) })],
    ['a dealer that does not exist', (body) => ({ ...body, dealer: 9 })],
    ['another accuser', (body) => ({ ...body, accuser: 3 })],
    ['a field too many', (body) => ({ ...body, more: true })],
    ['another dealer', (body) => ({ ...body, dealer: 2 })],
  ]
  it.each(changes)('with %s convince nobody', (_, change) => {
    const changed = resign(complaint, at(3), change(complaint.statement.body))
    const outcome = concludeSession(session, { ...transcript, complaints: [changed] })
    expect(outcome.faults).toEqual([
      expect.objectContaining({ address: addresses[3], fault: 'COMPLAINT_UNFOUNDED' }),
    ])
  })

  it('that nobody made leave a member with a wrong share, which it is told', () => {
    const silent = { ...transcript, complaints: [] }
    expect(() => openShare({ session, transcript: silent, encryptionKey: at(3).encryptionKey })).toThrow(
      expect.objectContaining({ code: 'SHARE_INVALID', place: 'deals[1]' }),
    )
  })
})

describe('messages that are nobody’s', () => {
  it('of another chain, registry, pool or session, of strangers or without a valid signature blame nobody', () => {
    const good = withFirst([dealtBy(0)])
    const expected = concludeSession(session, good)
    const stranger = testMembers('stranger', 1)[0] as TestMember
    const [{ deal, commitment }] = honest as [DealtShares]
    const elsewhere = (change: object) =>
      signStatement({ ...deal, context: { ...deal.context, ...change }, privateKey: at(0).signingKey })
    const noise = [
      elsewhere({ chainId: 1 }),
      elsewhere({ registry: `0x${'33'.repeat(20)}` }),
      elsewhere({ pool: `0x${'33'.repeat(20)}` }),
      elsewhere({ subject: digestToHex(sha256Digest(new Uint8Array())) }),
      elsewhere({ nonce: '1' }),
      elsewhere({ facts: [{ type: 'bool', value: true }] }),
      resign(deal, stranger, deal.statement.body),
      { ...deal, statement: { ...deal.statement, body: { ...deal.statement.body, dealer: 2 } } },
      { ...deal, signer: addresses[1] },
      commitment,
      null,
      'x',
      {},
    ]
    const outcome = concludeSession(session, { ...good, deals: [...noise, ...good.deals], complaints: noise })
    expect(outcome).toEqual({ ...expected, ignored: 2 * noise.length })
  })

  it('in another order, or published twice, change nothing', () => {
    const good = withFirst([withWrongShare(dealtBy(0), at(0), 2)])
    const twice = (list: readonly unknown[]) => [...list, ...[...list].reverse()].reverse()
    const shuffled = {
      commitments: twice(good.commitments),
      deals: twice(good.deals),
      complaints: twice(good.complaints),
    }
    expect(concludeSession(session, shuffled)).toEqual(concludeSession(session, good))
  })
})

describe('too few dealers', () => {
  it('make no key, and say who was missing', () => {
    const outcome = concludeSession(session, transcriptOf(session, members, honest.slice(0, threshold - 1)))
    expect(outcome).toMatchObject({ key: null, qualified: [] })
    expect(outcome.faults.map(({ address }) => address)).toEqual(addresses.slice(threshold - 1))
    const transcript = transcriptOf(session, members, [])
    expect(() => openShare({ session, transcript, encryptionKey: at(0).encryptionKey })).toThrow(
      expect.objectContaining({ code: 'SHARES_MISSING' }),
    )
  })

  it('as few as the threshold do', () => {
    const outcome = concludeSession(session, transcriptOf(session, members, honest.slice(0, threshold)))
    expect(outcome.key).not.toBeNull()
  })
})

describe('a resharing', () => {
  const first = runSession(members, session)
  const next = testMembers('successors', 4)
  const reshare: ThresholdSession = testSession(next, 2, { previous: first.key })
  const shares = first.shares
  const dealt = deals(reshare, members, { shares })

  it('goes through with as many dealers as the old threshold, whoever they are', () => {
    for (const absent of [[], [1], [1, 2], [3, 5]]) {
      const left = dealt.filter((_, place) => !absent.includes(place + 1))
      const outcome = concludeSession(reshare, transcriptOf(reshare, next, left))
      expect(outcome.key?.publicKey).toBe(first.key.publicKey)
      expect(outcome.faults.map(({ address }) => address)).toEqual(
        absent.map((index) => addresses[index - 1]),
      )
    }
    const few = concludeSession(reshare, transcriptOf(reshare, next, dealt.slice(0, threshold - 1)))
    expect(few.key).toBeNull()
  })

  it('names a dealer that deals something else than its share', () => {
    const image = generator().multiply(5n)
    const context = proofContext(thresholdSessionDigest(reshare), 1, 'constant')
    const proof = proveDiscreteLog({ secret: 5n, pairs: [{ base: generator(), image }], context, random })
    const [own, ...others] = dealt as [DealtShares, ...DealtShares[]]
    const foreign = altered(own, at(0), (body) => ({
      ...body,
      commitments: [pointHex(image), ...(body['commitments'] as Hex[]).slice(1)],
      proof: encodeHex(proof),
    }))
    const outcome = concludeSession(reshare, transcriptOf(reshare, next, [foreign, ...others]))
    expect(outcome.faults).toEqual([{ address: addresses[0], fault: 'NOT_PREVIOUS_SHARE', against: null }])
    expect(outcome.key?.publicKey).toBe(first.key.publicKey)
  })

  it('makes no key when the previous one does not hang together', () => {
    const keys = first.key.members.map(({ verificationKey }) => verificationKey)
    const turned = first.key.members.map((each, place) => ({
      ...each,
      verificationKey: keys[(place + 1) % count] as Hex,
    }))
    const previous = { ...first.key, members: turned }
    const session = testSession(next, 2, { previous })
    const moved = shares.map((share) => ({
      ...share,
      key: previous,
      index: ((share.index + count - 2) % count) + 1,
    }))
    const outcome = concludeSession(
      session,
      transcriptOf(session, next, deals(session, members, { shares: moved })),
    )
    expect(outcome).toMatchObject({ key: null, qualified: [], faults: [] })
  })

  it('wants the dealer’s own share, and only then', () => {
    const signingKey = at(0).signingKey
    const refused = expect.objectContaining({ code: 'SESSION_INVALID' })
    expect(() => dealShares({ session: reshare, signingKey, random })).toThrow(refused)
    expect(() =>
      dealShares({ session: reshare, signingKey, random, share: shares[1] as ThresholdShare }),
    ).toThrow(refused)
    expect(() => dealShares({ session, signingKey, random, share: shares[0] as ThresholdShare })).toThrow(
      refused,
    )
    // Its own share, of a key that says something else than what is reshared.
    const [own] = shares as [ThresholdShare]
    for (const change of [{ threshold: 2 }, { session: first.key.session.replace(/.$/, '0') as Digest }]) {
      const share = { ...own, key: { ...own.key, ...change } }
      expect(() => dealShares({ session: reshare, signingKey, random, share })).toThrow(
        expect.objectContaining({ code: 'SESSION_INVALID', place: 'share' }),
      )
    }
    expect(() =>
      dealShares({ session: reshare, signingKey: (next[0] as TestMember).signingKey, random }),
    ).toThrow(refused)
  })
})

describe('any number of liars and absentees below the threshold', () => {
  it('are all named, and the rest make a key whose shares all fit', () => {
    const roles = fc.array(fc.constantFrom('honest', 'absent', 'wrong share', 'no deal'), {
      minLength: count,
      maxLength: count,
    })
    fc.assert(
      fc.property(roles, (played) => {
        const dishonest = played.flatMap((role, place) => (role === 'honest' ? [] : [place]))
        const dealt = honest.flatMap((each, place) => {
          if (played[place] === 'absent') return []
          return [
            played[place] === 'wrong share'
              ? withWrongShare(each, at(place), ((place + 1) % count) + 1)
              : each,
          ]
        })
        const silent = new Set(
          dealt.flatMap((each) =>
            played[addresses.indexOf(each.deal.signer)] === 'no deal' ? [each.deal] : [],
          ),
        )
        const full = transcriptOf(session, members, dealt)
        const transcript = {
          ...full,
          deals: full.deals.filter((deal) => !silent.has(deal as SignedStatement)),
        }
        const outcome = concludeSession(session, transcript)
        expect([...new Set(outcome.faults.map(({ address }) => address))].sort()).toEqual(
          dishonest.map((place) => addresses[place]).sort(),
        )
        expect(outcome.key === null).toBe(count - dishonest.length < threshold)
        if (outcome.key !== null) {
          for (const { encryptionKey } of members) openShare({ session, transcript, encryptionKey })
        }
      }),
      { numRuns: 15 },
    )
  }, 60_000)
})

describe('complain', () => {
  it('refuses keys of nobody, or of two different members', () => {
    const [one, two] = members as [TestMember, TestMember]
    const rounds = { session, commitments: [], deals: [], random }
    const refused = expect.objectContaining({ code: 'SESSION_INVALID' })
    expect(() => complain({ ...rounds, encryptionKey: random(32), signingKey: one.signingKey })).toThrow(
      refused,
    )
    expect(() =>
      complain({ ...rounds, encryptionKey: one.encryptionKey, signingKey: two.signingKey }),
    ).toThrow(refused)
    expect(() =>
      complain({ ...rounds, encryptionKey: new Uint8Array(32), signingKey: one.signingKey }),
    ).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
  })
})

describe('messages that only cost time', () => {
  const dealt = [...honest]
  const [one] = dealt as [DealtShares]
  const stranger = testMembers('a stranger on the board', 1)[0] as TestMember
  const read = (deals: readonly unknown[], complaints: readonly unknown[] = []) =>
    concludeSession(session, { commitments: dealt.map(({ commitment }) => commitment), deals, complaints })

  it('of strangers, or larger than any honest one, are counted and not looked at', () => {
    const clean = read(dealt.map(({ deal }) => deal))
    const foreign = resign(one.deal, stranger, one.deal.statement.body)
    const hostile = [
      foreign,
      // In a member's name, and never hashed: hashing would throw something else than a refusal.
      { ...one.deal, statement: { ...one.deal.statement, body: { long: 'x'.repeat(100_000) } } },
      { ...one.deal, statement: { ...one.deal.statement, body: { many: new Array(100_000).fill(0) } } },
      {
        ...one.deal,
        statement: {
          ...one.deal.statement,
          body: Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [at, 0])),
        },
      },
      { ...one.deal, signer: 7 },
      null,
    ]
    const outcome = read([...hostile, ...dealt.map(({ deal }) => deal)])
    expect(outcome).toEqual({ ...clean, ignored: clean.ignored + hostile.length })
  })

  it('of a member that complains twice about one dealer count once, whichever comes first', () => {
    const wrong = altered(one, at(0), (body) => ({
      ...body,
      shares: (body['shares'] as Hex[]).map((share, place) => (place === 1 ? flipped(share) : share)),
    }))
    const rounds = [wrong, ...dealt.slice(1)]
    const commitments = rounds.map(({ commitment }) => commitment)
    const published = rounds.map(({ deal }) => deal)
    const complaining = () =>
      complain({ session, commitments, deals: published, ...at(1), random })[0] as SignedStatement
    const founded = [complaining(), complaining(), complaining()]
    const conclude = (complaints: readonly unknown[]) =>
      concludeSession(session, { commitments, deals: published, complaints })
    expect(conclude(founded).faults).toEqual([
      { address: addresses[0], fault: 'SHARE_WRONG', against: addresses[1] },
    ])
    const lies = [1, 2, 3].map((turn) =>
      resign(founded[0] as SignedStatement, at(1), {
        ...(founded[0] as SignedStatement).statement.body,
        dealer: 3,
        agreement: pointHex(generator().multiply(BigInt(turn + 1))),
      }),
    )
    const both = conclude([...lies, ...founded])
    expect(conclude([...founded, ...lies].reverse())).toEqual(both)
    expect(both.faults.map(({ fault }) => fault)).toEqual(['SHARE_WRONG', 'COMPLAINT_UNFOUNDED'])
  })
})
