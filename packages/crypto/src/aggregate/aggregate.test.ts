import { describe, expect, it } from 'vitest'
import type { Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import {
  chosenBit,
  claimsOf,
  define,
  inputs,
  inputsFor,
  key,
  members,
  memory,
  partsOf,
  people,
  random,
  resign,
  shares,
  sum,
  totalsRoot,
  values,
} from '../testing/aggregate-question.js'
import { runSession, testMembers, testSession } from '../testing/committee.js'
import { identityElement, toScalar } from '../threshold/group.js'
import type { ThresholdShare } from '../threshold/index.js'
import { parseAggregateDefinition } from './definition.js'
import {
  type AggregatePart,
  aggregateDigest,
  claimInputs,
  claimQuorum,
  combineAggregateParts,
  combineInputs,
  decryptTotalsPartially,
  encryptInput,
} from './index.js'
import { checkProofs, inputsAtOnce, readInput, wrongOf } from './input.js'

describe('an encrypted aggregate', () => {
  it('gives the sum of all answers, and only with t members', async () => {
    const parts = await partsOf(sum, inputs)
    const { result, wrong, refused } = combineAggregateParts({ key, definition: sum, inputs, parts })
    expect(result).toMatchObject({ contributors: 5, values: [20] })
    expect([wrong, refused]).toEqual([[], []])
    expect(() => combineAggregateParts({ key, definition: sum, inputs, parts: parts.slice(1) })).toThrow(
      expect.objectContaining({ code: 'SHARES_MISSING' }),
    )
  })

  it('counts votes by bin', async () => {
    const histogram = define({ kind: 'histogram', bins: 4 })
    const votes = inputsFor(histogram, [0, 3, 3, 1, 3])
    const parts = await partsOf(histogram, votes, [shares[2], shares[0]] as readonly ThresholdShare[])
    expect(combineAggregateParts({ key, definition: histogram, inputs: votes, parts }).result.values).toEqual(
      [1, 1, 0, 3],
    )
  })

  it('is the same whatever the order of the inputs, and junk among them is named and left out', () => {
    const expected = combineInputs(sum, inputs)
    const [one, two] = inputs as [SignedStatement, SignedStatement]
    const junk = [null, 'x', {}, { ...one, signature: two.signature }, one]
    const combined = combineInputs(sum, [...[...inputs].reverse(), ...junk])
    expect(combined.inputsRoot).toBe(expected.inputsRoot)
    expect(
      combined.totals.every(({ first }, place) =>
        first.equals(expected.totals[place]?.first ?? identityElement()),
      ),
    ).toBe(true)
    expect(combined.refused.map(({ place }) => place)).toEqual([5, 6, 7, 8, 9])
    expect(combined.refused.at(-1)?.reason).toBe('published before')
  })

  it('counts no contributor who answers twice', () => {
    const [first] = people as [Uint8Array]
    const second = encryptInput({ key, definition: sum, value: 1, signingKey: first, random })
    const combined = combineInputs(sum, [...inputs, second])
    expect(combined.contributors).toBe(4)
    expect(combined.refused.map(({ place }) => place)).toEqual([0, 5])
    expect(combineInputs(sum, [second, ...inputs]).inputsRoot).toBe(combined.inputsRoot)
  })

  it('of fewer contributors than the cohort, or more than allowed, is decrypted by nobody', async () => {
    const refused = expect.objectContaining({ code: 'COHORT_REFUSED' })
    await expect(partsOf(sum, inputs.slice(0, 2))).rejects.toThrow(refused)
    await expect(partsOf(sum, [...inputs.slice(0, 2), ...inputs.slice(0, 2)])).rejects.toThrow(refused)
    const small = define(sum.measure, { maximumCohort: 4 })
    await expect(partsOf(small, inputsFor(small, values))).rejects.toThrow(refused)
  })

  it('is claimed by a member for one set of inputs only: a second set would tell the difference', async () => {
    const claim = memory()
    const [{ signingKey }] = members as [(typeof members)[0]]
    const claimed = (some: readonly unknown[]) =>
      claimInputs({ key, definition: sum, inputs: some, signingKey, claim })
    const once = await claimed(inputs)
    await expect(claimed(inputs.slice(1))).rejects.toThrow(
      expect.objectContaining({ code: 'DECRYPTION_CLAIMED' }),
    )
    expect(await claimed([...inputs].reverse())).toEqual(once)
    const yes = (async () => 'yes') as unknown as () => Promise<boolean>
    await expect(claimInputs({ key, definition: sum, inputs, signingKey, claim: yes })).rejects.toThrow(
      expect.objectContaining({ code: 'DECRYPTION_CLAIMED' }),
    )
    const [stranger] = people as [Uint8Array]
    await expect(
      claimInputs({ key, definition: sum, inputs, signingKey: stranger, claim: memory() }),
    ).rejects.toThrow(expect.objectContaining({ code: 'SESSION_INVALID', place: 'signingKey' }))
  })

  it('is decrypted by nobody for inputs that no quorum claims', async () => {
    const [share] = shares as [(typeof shares)[0]]
    const claims = await claimsOf(sum, inputs)
    const [one, two, three] = claims as [SignedStatement, SignedStatement, SignedStatement]
    const [{ signingKey }] = members as [(typeof members)[0]]
    const give = (some: unknown, of: readonly unknown[] = inputs) =>
      decryptTotalsPartially({
        share,
        definition: sum,
        inputs: of,
        claims: some as readonly unknown[],
        random,
      })
    expect(await give(claims)).toMatchObject({ member: 1 })
    expect(await give([null, 'x', {}, ...claims])).toMatchObject({ member: 1 })
    const body = one.statement.body
    const resigned = (change: object, place: object = {}) =>
      signStatement({
        statement: {
          ...one.statement,
          ...('body' in change ? { body: { ...body, ...(change.body as object) } } : change),
        },
        context: { ...one.context, ...place },
        privateKey: signingKey,
      })
    const wrong: readonly unknown[] = [
      null,
      7,
      {},
      [],
      [one, two],
      [one, two, two],
      [one, two, { ...three, signature: two.signature }],
      ...[
        resigned({ body: { member: 2 } }),
        resigned({ body: { inputsRoot: totalsRoot(inputs.slice(1)) } }),
        resigned({ body: { definition: key.session } }),
        resigned({ body: { more: 1 } }),
        resigned({ type: 'sealpool/other' }),
        resigned({ version: 2 }),
        resigned({}, { pool: `0x${'44'.repeat(20)}` }),
        resigned({}, { chainId: 1 }),
        resigned({}, { nonce: '1' }),
        resigned({}, { facts: [{ type: 'bool', value: true }] }),
        { ...one, statement: { ...one.statement, body: { ...body, long: 'x'.repeat(100_000) } } },
      ].map((claim) => [claim, two, three]),
    ]
    for (const some of wrong) {
      await expect(give(some), JSON.stringify(some)?.slice(0, 200)).rejects.toThrow(
        expect.objectContaining({ code: 'CLAIMS_MISSING' }),
      )
    }
    await expect(give(claims, inputs.slice(1))).rejects.toThrow(
      expect.objectContaining({ code: 'CLAIMS_MISSING' }),
    )
  })

  it('needs so many claims that two sets of inputs cannot both be claimed, whatever t - 1 members do', () => {
    for (let n = 2; n <= 40; n++) {
      for (let t = 2; t <= n; t++) {
        const quorum = claimQuorum({
          threshold: t,
          members: Array.from({ length: n }, () => key.members[0] as never),
        })
        expect(2 * quorum - n).toBeGreaterThan(t - 1)
        expect(2 * (quorum - 1) - n).toBeLessThanOrEqual(t - 1)
        expect(quorum).toBeLessThanOrEqual(n)
        if (n >= 3 * t - 2) expect(quorum).toBeLessThanOrEqual(n - (t - 1))
      }
    }
  })

  it('names wrong parts and goes on without them', async () => {
    const [one, two, three] = (await partsOf(sum, inputs, shares)) as [
      AggregatePart,
      AggregatePart,
      AggregatePart,
    ]
    const other = await partsOf(sum, inputs.slice(1))
    const swapped = { ...one, points: two.points }
    const parts = [swapped, null, { ...one, member: 9 }, { ...one, points: [] }, other[0], two, three]
    const { result, wrong } = combineAggregateParts({ key, definition: sum, inputs, parts })
    expect(result.values).toEqual([20])
    expect(wrong).toEqual([0, 1, 2, 3, 4])
  })

  it('takes no part that names another question or other inputs, whatever its points', async () => {
    const [one, two, three] = (await partsOf(sum, inputs, shares)) as [
      AggregatePart,
      AggregatePart,
      AggregatePart,
    ]
    const renamed = [
      { ...one, definition: one.inputsRoot },
      { ...one, inputsRoot: one.definition },
    ]
    const { wrong } = combineAggregateParts({ key, definition: sum, inputs, parts: [...renamed, two, three] })
    expect(wrong).toEqual([0, 1])
  })

  it('takes no input of another kind of statement, or that its contributor did not sign', () => {
    const [input, second] = inputs as [SignedStatement, SignedStatement]
    const signedAs = (statement: object) =>
      signStatement({
        ...input,
        statement: { ...input.statement, ...statement },
        privateKey: people[0] as Uint8Array,
      })
    const refusedFor = (value: unknown) => combineInputs(sum, [value, ...inputs.slice(1)]).refused
    expect(refusedFor(signedAs({})).length).toBe(0)
    for (const other of [{ type: 'sealpool/aggregate-claim' }, { version: 2 }]) {
      expect(refusedFor(signedAs(other))).toEqual([
        { place: 0, reason: expect.stringContaining('version 1') },
      ])
    }
    expect(refusedFor({ ...input, signature: second.signature })).toEqual([
      { place: 0, reason: expect.stringContaining('signature') },
    ])
  })

  it('does not hide an error that is not of its making', () => {
    const broken = {
      get signer() {
        throw new RangeError('broken')
      },
    }
    expect(() => combineInputs(sum, [broken, ...inputs])).toThrow(RangeError)
  })

  it('counts, when the question lists its contributors, nobody else: throwaway addresses fill no cohort', () => {
    const listed = people.map((signingKey) => addressOf(signingKey)).sort()
    const few = define(sum.measure, { contributors: listed.slice(0, 4), minimumCohort: 4 })
    const combined = combineInputs(few, inputsFor(few, values))
    expect(combined.contributors).toBe(4)
    expect(combined.refused.map(({ reason }) => reason)).toEqual([expect.stringContaining('not on the list')])
    // One of the four stays away; the fifth, who is not listed, does not fill in.
    expect(() => combineInputs(few, inputsFor(few, values).slice(1))).toThrow(
      expect.objectContaining({ code: 'COHORT_REFUSED' }),
    )
    expect(() => parseAggregateDefinition({ ...few, contributors: listed.slice(0, 3) })).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_INVALID', place: '$.contributors' }),
    )
  })

  it('is decrypted by no committee of which two halves claim two sets of inputs', async () => {
    const four = testMembers('half', 4)
    const half = runSession(four, testSession(four, 2))
    const question = define(sum.measure, { publicKey: half.key.publicKey, session: half.key.session })
    const answers = inputsFor(question, values)
    const [share] = half.shares as [(typeof half.shares)[0]]
    const some = { key: half.key, members: four.slice(0, 2) }
    const claims = await claimsOf(question, answers, some)
    await expect(
      decryptTotalsPartially({ share, definition: question, inputs: answers, claims, random }),
    ).rejects.toThrow(expect.objectContaining({ code: 'CLAIMS_MISSING' }))
    const more = await claimsOf(question, answers, { key: half.key, members: four.slice(1) })
    expect(
      await decryptTotalsPartially({ share, definition: question, inputs: answers, claims: more, random }),
    ).toMatchObject({ member: 1 })
  })

  it('is claimed by nobody who has no memory of it', async () => {
    const [{ signingKey }] = members as [(typeof members)[0]]
    await expect(
      claimInputs({ key, definition: sum, inputs, signingKey, claim: undefined as never }),
    ).rejects.toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place: 'claim' }))
  })

  it('ends with its committee: whoever took over the key does not know what was decrypted', async () => {
    const next = testMembers('after', 2)
    const resharing = testSession(next, 2, { previous: key })
    const moved = runSession(next, resharing, { members, shares })
    const refused = expect.objectContaining({ code: 'AGGREGATE_INVALID', place: '$.session' })
    const [{ signingKey }] = next as [(typeof next)[0]]
    await expect(
      claimInputs({ key: moved.key, definition: sum, inputs, signingKey, claim: memory() }),
    ).rejects.toThrow(refused)
    const [share] = moved.shares as [(typeof moved.shares)[0]]
    const claims = await claimsOf(sum, inputs)
    await expect(decryptTotalsPartially({ share, definition: sum, inputs, claims, random })).rejects.toThrow(
      refused,
    )
    const parts = await partsOf(sum, inputs)
    expect(() => combineAggregateParts({ key: moved.key, definition: sum, inputs, parts })).toThrow(refused)
  })

  it('costs no proofs for what is repeated, contradicted or not of the one size', () => {
    const [first] = inputs as [SignedStatement]
    const body = first.statement.body
    const [signingKey] = people as [Uint8Array]
    const long = resign(first, signingKey, {
      ...body,
      bits: Array.from({ length: 5000 }, () => (body['bits'] as Hex[])[0] as Hex),
    })
    const wide = { ...first, context: { ...first.context, subject: `0x${'1'.repeat(100_000)}` } }
    // The proofs of these are wrong, and that is not what they are refused for.
    const unproven = [1, 2, 3].map((at) => {
      const bits = [...(body['bits'] as Hex[])]
      bits[0] = `${(bits[0] as Hex).slice(0, -at)}${'0'.repeat(at)}` as Hex
      return resign(first, signingKey, { ...body, bits })
    })
    const combined = combineInputs(sum, [...inputs, long, wide, ...unproven, first])
    expect(combined.contributors).toBe(4)
    expect(combined.refused.map(({ place, reason }) => [place, reason.replace(/ \(at.*/, '')])).toEqual([
      [0, 'the contributor published another input as well'],
      [5, 'expected an array of 4 to 4 items'],
      [6, 'longer than any honest one'],
      [7, 'the contributor published another input as well'],
      [8, 'the contributor published another input as well'],
      [9, 'the contributor published another input as well'],
      [10, 'the contributor published another input as well'],
    ])
  })

  it('whose ciphertexts cancel each other is refused, for there would be nothing to decrypt', () => {
    const one = define({ kind: 'sum', minimum: 0, maximum: 1 }, { minimumCohort: 2 })
    const id = aggregateDigest(one)
    const inputOf = (signingKey: Uint8Array, secret: bigint) => {
      const bits = [chosenBit(id, { signingKey, place: 0, bit: 0, secret })]
      const honest = encryptInput({ key, definition: one, value: 0, signingKey, random })
      return resign(honest, signingKey, { ...honest.statement.body, bits })
    }
    const [alice, bob] = people as [Uint8Array, Uint8Array]
    expect(combineInputs(one, [inputOf(alice, 3n), inputOf(bob, 4n)]).contributors).toBe(2)
    expect(() => combineInputs(one, [inputOf(alice, 3n), inputOf(bob, toScalar(-3n))])).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_INVALID', place: 'inputs' }),
    )
  })

  it('of a histogram whose bits cancel each other is refused: a proof about the neutral element says nothing', () => {
    const two = define({ kind: 'histogram', bins: 2 }, { minimumCohort: 2 })
    const id = aggregateDigest(two)
    const [alice, bob] = people as [Uint8Array, Uint8Array]
    const honest = encryptInput({ key, definition: two, value: 1, signingKey: alice, random })
    const bits = [
      chosenBit(id, { signingKey: alice, place: 0, bit: 0, secret: 3n }),
      chosenBit(id, { signingKey: alice, place: 1, bit: 1, secret: toScalar(-3n) }),
    ]
    const forged = resign(honest, alice, { ...honest.statement.body, bits })
    const others = [bob, people[2] as Uint8Array].map((signingKey) =>
      encryptInput({ key, definition: two, value: 0, signingKey, random }),
    )
    const { contributors, refused } = combineInputs(two, [forged, ...others])
    expect(contributors).toBe(2)
    expect(refused).toMatchObject([
      { place: 0, reason: expect.stringContaining('exactly one bin (at $.one)') },
    ])
  })

  it('of more contributors than allowed is refused also where their proofs are checked in several batches', () => {
    const wide = define({ kind: 'sum', minimum: 0, maximum: 2 ** 32 - 1 }, { maximumCohort: 8 })
    const crowd = testMembers('crowd', 9).map(({ signingKey }, value) =>
      encryptInput({ key, definition: wide, value, signingKey, random }),
    )
    expect(inputsAtOnce(wide)).toBe(8)
    expect(inputsAtOnce(define({ kind: 'histogram', bins: 256 }))).toBe(1)
    expect(() => combineInputs(wide, crowd)).toThrow(expect.objectContaining({ code: 'COHORT_REFUSED' }))
  })

  it.each([[[0]], [[1]], [[4]], [[2, 3]], [[0, 4]], [[1, 2, 3, 4]], [[0, 1, 2, 3, 4]]])(
    'finds the wrong proofs among many, at %j',
    (wrong) => {
      const histogram = define({ kind: 'histogram', bins: 4 })
      const id = aggregateDigest(histogram)
      const votes = inputsFor(histogram, [0, 3, 3, 1, 3]).map((vote, place) => {
        if (!wrong.includes(place)) return vote
        const bits = [...(vote.statement.body['bits'] as Hex[])]
        const last = bits[3] as Hex
        bits[3] = `${last.slice(0, -2)}${last.endsWith('00') ? '01' : '00'}` as Hex
        return resign(vote, people[place] as Uint8Array, { ...vote.statement.body, bits })
      })
      const signed = votes.map((vote) => readInput(vote, { definition: histogram, id }))
      const results = checkProofs(signed, { definition: histogram, id })
      expect(results.flatMap((each, place) => (each instanceof CryptoError ? [place] : []))).toEqual(wrong)
      if (wrong.length > 2) return
      const { refused } = combineInputs(histogram, votes)
      expect(refused).toEqual(
        wrong.map((place) => ({ place, reason: expect.stringContaining('not proven to be 0 or 1') })),
      )
    },
  )

  it('of which one in many has a wrong proof does not cost as much as each of them alone', () => {
    const items = Array.from({ length: 32 }, (_, at) => at)
    const costOf = (wrong: readonly number[]) => {
      let cost = 0
      const found = wrongOf(items, (some) => {
        cost += some.length
        return !some.some((each) => wrong.includes(each))
      })
      expect(found).toEqual(wrong)
      return cost
    }
    for (const at of items) expect(costOf([at])).toBeLessThan(64)
    expect(costOf(items)).toBe(64)
    expect(costOf([0, 31])).toBe(64)
    expect(costOf([0, 1])).toBe(16 + 16 + 8 + 8 + 4 + 4 + 2 + 2 + 1 + 1 + 2)
  })

  it('under another key is not decrypted', async () => {
    const strangers = testMembers('strangers', 2)
    const other = runSession(strangers, testSession(strangers, 2))
    const [share] = other.shares as [(typeof shares)[0]]
    await expect(
      decryptTotalsPartially({ share, definition: sum, inputs, claims: await claimsOf(sum, inputs), random }),
    ).rejects.toThrow(expect.objectContaining({ code: 'AGGREGATE_INVALID', place: '$.publicKey' }))
  })
})
