import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { canonicalize, type JsonObject } from '../canonical-json/canonicalize.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import {
  altered,
  deals,
  flipped,
  runSession,
  seededRandom,
  testMembers,
  testSession,
  transcriptOf,
} from '../testing/committee.js'
import { concludeSession, openShare, type SessionOutcome, type SessionTranscript } from './conclude.js'
import { proofContext } from './deal.js'
import { proveDiscreteLog } from './discrete-log-proof.js'
import { generator, pointHex } from './group.js'
import { combinePartialDecryptions } from './partial-decryption.js'
import { type ThresholdSession, thresholdSessionDigest } from './session.js'

// Written from docs/formats/threshold.md alone; `npm run conformance -- crypto` runs all of it, here is the part for every run.
const link = (path: string) => new URL(`../../../../${path}`, import.meta.url)
const reader = (await import(link('conformance/reader/threshold-session.mjs').href)) as {
  conclude(session: ThresholdSession, transcript: SessionTranscript): Omit<SessionOutcome, 'ignored'>
  openShare(
    session: ThresholdSession,
    transcript: SessionTranscript,
    member: { readonly member: number; readonly encryptionKey: Hex },
  ): bigint
}
interface Vectors {
  readonly session: ThresholdSession
  readonly sessions: readonly {
    readonly name: string
    readonly transcript: SessionTranscript
    readonly outcome: Pick<SessionOutcome, 'key' | 'faults' | 'qualified'>
  }[]
  readonly envelope: {
    readonly label: Hex
    readonly plaintext: Hex
    readonly envelope: Hex
    readonly partials: readonly unknown[]
  }
}
const vectors = JSON.parse(readFileSync(link('docs/formats/vectors/threshold.json'), 'utf8')) as Vectors

/** The specification gives faults no order. */
function judgement({ key, faults, qualified }: Omit<SessionOutcome, 'ignored'>) {
  const list = faults.map(({ address, fault, against }) => `${address} ${fault} ${against}`)
  return {
    key: key === null ? null : canonicalize(key as unknown as JsonObject),
    qualified,
    faults: list.sort(),
  }
}

test.each(vectors.sessions.map((each) => [each.name, each] as const))(
  'as published: %s',
  (_, { transcript, outcome }) => {
    expect(judgement(concludeSession(vectors.session, transcript))).toEqual(judgement({ ...outcome }))
    expect(judgement(reader.conclude(vectors.session, transcript))).toEqual(judgement({ ...outcome }))
  },
)

test('the published parts open the published envelope', () => {
  const { label, plaintext, envelope, partials } = vectors.envelope
  const key = vectors.sessions[0]?.outcome.key
  if (key === null || key === undefined) throw new Error('the first session made a key')
  const sealed = { label: decodeHex(label), envelope: decodeHex(envelope) }
  expect(encodeHex(combinePartialDecryptions({ key, ...sealed, partials }).plaintext)).toBe(plaintext)
})

describe('an independent reader', () => {
  const members = testMembers('independent', 3)
  const [liar] = members
  if (liar === undefined) throw new Error('there are members')
  const session = testSession(members, 2)
  const { key, shares } = runSession(members, session)
  const successors = testMembers('independent successors', 4)
  const resharing = testSession(successors, 3, { previous: key })
  const rounds = {
    'a new key': { where: session, readers: members, dealt: deals(session, members) },
    'a resharing': { where: resharing, readers: successors, dealt: deals(resharing, members, { shares }) },
  } as const
  const list = (value: unknown) => value as readonly Hex[]
  // A share that the dealer made up, well proven.
  const image = generator().multiply(5n)
  const madeUp = (where: ThresholdSession) =>
    encodeHex(
      proveDiscreteLog({
        secret: 5n,
        pairs: [{ base: generator(), image }],
        context: proofContext(thresholdSessionDigest(where), 1, 'constant'),
        random: seededRandom('made up'),
      }),
    )
  const lies: Readonly<Record<string, (body: JsonObject, where: ThresholdSession) => JsonObject>> = {
    'nothing wrong': (body) => body,
    'a member more': (body) => ({ ...body, more: 1 }),
    'another dealer’s number': (body) => ({ ...body, dealer: 2 }),
    'a commitment less': (body) => ({ ...body, commitments: list(body['commitments']).slice(1) }),
    'a share less': (body) => ({ ...body, shares: list(body['shares']).slice(1) }),
    'shares of 31 bytes': (body) => ({
      ...body,
      shares: list(body['shares']).map((each) => each.slice(0, -2)),
    }),
    'a proof that does not hold': (body) => ({ ...body, proof: flipped(body['proof']) }),
    'an ephemeral proof that does not hold': (body) => ({
      ...body,
      ephemeralProof: flipped(body['ephemeralProof']),
    }),
    'another ephemeral key': (body) => ({ ...body, ephemeralKey: list(body['commitments'])[0] ?? null }),
    'a constant that it made up': (body, where) => ({
      ...body,
      commitments: [pointHex(image), ...list(body['commitments']).slice(1)],
      proof: madeUp(where),
    }),
    'a wrong share for everybody': (body) => ({ ...body, shares: list(body['shares']).map(flipped) }),
  }

  test('leaves out the same messages for their size', () => {
    const dealt = rounds['a new key'].dealt
    const transcript = transcriptOf(session, members, dealt)
    const [first] = dealt
    if (first === undefined) throw new Error('there are deals')
    const lengthOf = (value: unknown): number => {
      if (typeof value === 'string') return value.length + 1
      if (typeof value !== 'object' || value === null) return 1
      const names = Array.isArray(value) ? [] : Object.keys(value)
      return Object.values(value).reduce<number>(
        (sum, each) => sum + lengthOf(each),
        1 + names.join('').length,
      )
    }
    const room = 65_536 - lengthOf(altered(first, liar, () => ({ dealer: 1, more: '' })).deal)
    for (const [length, fault] of [
      [room, ['EQUIVOCATION']],
      [room + 1, []],
    ] as const) {
      const { deal } = altered(first, liar, () => ({ dealer: 1, more: 'x'.repeat(length) }))
      const longer = { ...transcript, deals: [...transcript.deals, deal] }
      const ours = concludeSession(session, longer)
      expect(ours.faults.map((each) => each.fault)).toEqual(fault)
      expect(judgement(reader.conclude(session, longer))).toEqual(judgement(ours))
    }
  })

  test('leaves out the same messages whose numbers JSON text holds and JSON cannot', () => {
    const dealt = rounds['a new key'].dealt
    const transcript = transcriptOf(session, members, dealt)
    const [first] = dealt
    if (first === undefined) throw new Error('there are deals')
    const { deal } = altered(first, liar, () => ({ x: null }))
    const faultsWith = (more: typeof deal) => {
      const longer = { ...transcript, deals: [...transcript.deals, more] }
      const ours = concludeSession(session, longer)
      expect(judgement(reader.conclude(session, longer))).toEqual(judgement(ours))
      return ours.faults.map((each) => each.fault)
    }
    expect(faultsWith(deal)).toEqual(['EQUIVOCATION'])
    for (const number of ['1e400', '-1e400']) {
      const text = JSON.stringify(deal).replace('"x":null', `"x":${number}`)
      expect(text).toContain(number)
      expect(faultsWith(JSON.parse(text))).toEqual([])
    }
  })

  test.each(Object.keys(rounds).flatMap((round) => Object.keys(lies).map((lie) => [round, lie] as const)))(
    'judges %s alike: %s',
    (round, lie) => {
      const { where, readers, dealt } = rounds[round as keyof typeof rounds]
      const published = dealt.map((each, place) =>
        place > 0 ? each : altered(each, liar, (body) => lies[lie]?.(body, where) ?? {}),
      )
      const transcript = transcriptOf(where, readers, published)
      const ours = concludeSession(where, transcript)
      expect(judgement(reader.conclude(where, transcript))).toEqual(judgement(ours))
      expect(ours.faults.length > 0).toBe(lie !== 'nothing wrong')
      expect(ours.key).not.toBeNull()
      // Of everybody where all is well, else of one: each share is a whole judgement more.
      readers.slice(0, lie === 'nothing wrong' ? readers.length : 1).forEach(({ encryptionKey }, place) => {
        const { secret } = openShare({ session: where, transcript, encryptionKey })
        const member = { member: place + 1, encryptionKey: encodeHex(encryptionKey) }
        expect(reader.openShare(where, transcript, member)).toBe(BigInt(encodeHex(secret)))
      })
    },
  )
})
