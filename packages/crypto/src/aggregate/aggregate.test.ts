import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes, sha256Digest } from '../digest/digest.js'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import {
  generator,
  hashParts,
  hashToScalar,
  identityElement,
  parsePoint,
  pointBytes,
  scalarBytes,
  toScalar,
} from '../threshold/group.js'
import type { ThresholdShare } from '../threshold/index.js'
import { bitsOf, parseAggregateDefinition, weightsOf } from './definition.js'
import { smallDiscreteLogs } from './discrete-log.js'
import {
  type AggregateDefinition,
  type AggregateMeasure,
  type AggregatePart,
  aggregateDigest,
  claimInputs,
  claimQuorum,
  combineAggregateParts,
  combineInputs,
  decryptTotalsPartially,
  encryptInput,
  verifyTranscript,
} from './index.js'
import { checkProofs, inputsAtOnce, readInput, wrongOf } from './input.js'

const random = seededRandom('aggregate')
const members = testMembers('aggregate', 3)
const session = testSession(members, 2)
const { key, shares, transcript } = runSession(members, session)
const people = testMembers('contributors', 5).map(({ signingKey }) => signingKey)
const define = (measure: AggregateMeasure, more: Partial<AggregateDefinition> = {}): AggregateDefinition => ({
  type: 'sealpool/aggregate',
  version: 1,
  chainId: 31337,
  registry: session.registry,
  pool: session.pool,
  publicKey: key.publicKey,
  session: key.session,
  question: sha256Digest(new Uint8Array([9])),
  measure,
  contributors: null,
  minimumCohort: 3,
  maximumCohort: 1000,
  ...more,
})
const believed = ({ publicKey, session: own, chainId, registry, pool }: AggregateDefinition) => {
  return { ...key, publicKey, session: own, chainId, registry, pool }
}
/** Inputs to any question, as contributors would make them who take the definition's word for its committee. */
const inputsFor = (definition: AggregateDefinition, values: readonly number[]) =>
  values.map((value, place) =>
    encryptInput({
      key: believed(definition),
      definition,
      value,
      signingKey: people[place] as Uint8Array,
      random,
    }),
  )
/** A member's memory of what it decrypted. */
const memory = () => {
  const roots = new Map<Digest, Digest>()
  return (definition: Digest, root: Digest) => {
    if (!roots.has(definition)) roots.set(definition, root)
    return roots.get(definition) === root
  }
}
/** What every member of a committee claims, each with a memory of its own. */
const claimsOf = (
  definition: AggregateDefinition,
  inputs: readonly unknown[],
  committee = { key, members },
): Promise<readonly SignedStatement[]> =>
  Promise.all(
    committee.members.map(({ signingKey }) =>
      claimInputs({ key: committee.key, definition, inputs, signingKey, claim: memory() }),
    ),
  )
const partsOf = async (
  definition: AggregateDefinition,
  inputs: readonly unknown[],
  some: readonly ThresholdShare[] = shares.slice(0, 2),
  committee = { key, members },
) => {
  const claims = await claimsOf(definition, inputs, committee)
  return Promise.all(
    some.map((share) => decryptTotalsPartially({ share, definition, inputs, claims, random })),
  )
}
const totalsRoot = (some: readonly unknown[]) => combineInputs(sum, some).inputsRoot
const resign = (input: SignedStatement, signingKey: Uint8Array, body: JsonObject): SignedStatement =>
  signStatement({ ...input, statement: { ...input.statement, body }, privateKey: signingKey })

/** A bit under a secret of one's choice, rightly proven: what the library draws at random, an attacker picks. */
const chosenBit = (
  id: Digest,
  {
    signingKey,
    place,
    bit,
    secret,
  }: {
    readonly signingKey: Uint8Array
    readonly place: number
    readonly bit: 0 | 1
    readonly secret: bigint
  },
): Hex => {
  const publicKey = parsePoint(key.publicKey, 'KEY_INVALID', '$')
  const contributor = decodeHex(addressOf(signingKey))
  const context = hashParts('aggregate-bit', digestToBytes(id), contributor, new Uint8Array([0, place]))
  const masked = publicKey.multiply(secret)
  const [first, second] = [generator().multiply(secret), bit === 1 ? masked.add(generator()) : masked]
  const [nonce, fakeChallenge, fakeResponse] = [5n, 7n, 11n]
  const honest = [generator().multiply(nonce), publicKey.multiply(nonce)] as const
  const other = bit === 1 ? second : second.subtract(generator())
  const pretended = [
    generator().multiply(fakeResponse).subtract(first.multiply(fakeChallenge)),
    publicKey.multiply(fakeResponse).subtract(other.multiply(fakeChallenge)),
  ] as const
  const points = [first, second, ...(bit === 0 ? [...honest, ...pretended] : [...pretended, ...honest])]
  const whole = hashToScalar('bit', context, ...[publicKey, ...points].map(pointBytes))
  const challenge = toScalar(whole - fakeChallenge)
  const response = toScalar(nonce + challenge * secret)
  const scalars = bit === 0 ? [challenge, response, fakeResponse] : [fakeChallenge, fakeResponse, response]
  return encodeHex(concatBytes(...points.map(pointBytes), ...scalars.map(scalarBytes)))
}

const sum = define({ kind: 'sum', minimum: -3, maximum: 10 })
const values = [-3, 10, 0, 4, 9]
const inputs = inputsFor(sum, values)

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

describe('an input', () => {
  const [input] = inputs as [SignedStatement]
  const [signingKey, otherKey] = people as [Uint8Array, Uint8Array]
  const refusedFor = (value: unknown, definition: AggregateDefinition = sum): string => {
    const rest = definition === sum ? inputs.slice(1) : inputsFor(definition, [0, 0, 0, 0]).slice(1)
    return combineInputs(definition, [...rest, value])
      .refused.map(({ reason }) => reason)
      .join()
  }

  it('with any bit of a ciphertext or proof flipped is refused', () => {
    const bits = input.statement.body['bits'] as Hex[]
    const [first] = bits as [Hex]
    for (let place = 0; place < 294; place += 7) {
      const bytes = decodeHex(first)
      bytes[place] = (bytes[place] ?? 0) ^ (1 << (place % 8))
      const changed = resign(input, signingKey, {
        ...input.statement.body,
        bits: [encodeHex(bytes), ...bits.slice(1)],
      })
      expect(refusedFor(changed), `byte ${place}`).toContain('not proven to be 0 or 1')
    }
  })

  const changes: readonly (readonly [string, (body: JsonObject) => JsonObject, string])[] = [
    [
      'bits in another order',
      (body) => ({ ...body, bits: [...(body['bits'] as Hex[])].reverse() }),
      'not proven',
    ],
    ['a bit too few', (body) => ({ ...body, bits: (body['bits'] as Hex[]).slice(1) }), 'items'],
    ['a proof it does not need', (body) => ({ ...body, one: `0x${'00'.repeat(64)}` }), 'no such proof'],
    ['a field too many', (body) => ({ ...body, more: 1 }), 'exactly the fields'],
    [
      'a bit of no length',
      (body) => ({ ...body, bits: (body['bits'] as Hex[]).map(() => '0x') }),
      'expected 294 bytes',
    ],
  ]
  it.each(changes)('with %s is refused', (_, change, reason) => {
    expect(refusedFor(resign(input, signingKey, change(input.statement.body)))).toContain(reason)
  })

  it('copied by somebody else is refused, under the old name and under the own', () => {
    expect(refusedFor(resign(input, otherKey, input.statement.body))).toContain('signed by somebody else')
    const strangers = testMembers('copyist', 1)[0]?.signingKey as Uint8Array
    const renamed =
      encryptInput({ key, definition: sum, value: 0, signingKey: strangers, random }).statement.body[
        'contributor'
      ] ?? null
    expect(refusedFor(resign(input, strangers, { ...input.statement.body, contributor: renamed }))).toContain(
      'not proven',
    )
  })

  it('under a signature that its signer never gave is refused', () => {
    const forged = signStatement({ ...input, privateKey: otherKey })
    expect(refusedFor({ ...forged, signer: input.signer })).toContain('not its signer’s')
    expect(refusedFor({ ...input, signature: forged.signature })).toContain('not its signer’s')
  })

  it('that is another kind of statement, or of another version, is refused however well it is signed', () => {
    for (const other of [{ type: 'sealpool/aggregate-claim' }, { version: 2 }]) {
      const statement = { ...input.statement, ...other }
      expect(refusedFor(signStatement({ ...input, statement, privateKey: signingKey }))).toContain(
        'expected sealpool/aggregate-input, version 1',
      )
    }
  })

  it('that claims facts for a contract is refused', () => {
    const context = { ...input.context, facts: [{ type: 'uint256' as const, value: '1' }] }
    expect(refusedFor(signStatement({ ...input, context, privateKey: signingKey }))).toContain(
      'another question',
    )
  })

  it('to another question, pool or chain is refused', () => {
    for (const change of [
      { chainId: 1 },
      { pool: `0x${'33'.repeat(20)}` as Hex },
      { question: sha256Digest(new Uint8Array()) },
    ]) {
      const other = define(sum.measure, change)
      const [foreign] = inputsFor(other, [1]) as [SignedStatement]
      expect(refusedFor(foreign)).toContain('another question')
      const moved = signStatement({ ...foreign, context: input.context, privateKey: signingKey })
      expect(refusedFor(moved)).toContain('not proven')
    }
  })

  it('of a histogram that names no bin or two is refused, although each bit is proven', () => {
    const histogram = define({ kind: 'histogram', bins: 3 })
    const [vote, other] = inputsFor(histogram, [0, 1]) as [SignedStatement, SignedStatement]
    expect(
      refusedFor(
        resign(vote, signingKey, { ...vote.statement.body, one: other.statement.body['one'] ?? null }),
        histogram,
      ),
    ).toContain('exactly one bin')
    const again = encryptInput({ key, definition: histogram, value: 1, signingKey, random })
    const mixed = [
      (vote.statement.body['bits'] as Hex[])[0],
      ...(again.statement.body['bits'] as Hex[]).slice(1),
    ] as Hex[]
    expect(
      refusedFor(resign(vote, signingKey, { ...vote.statement.body, bits: mixed }), histogram),
    ).toContain('exactly one bin')
  })

  it('is made for the committee that the contributor knows alone, whatever point the question names', () => {
    const own = pointBytes(generator().multiply(7n))
    for (const [name, value] of [
      ['publicKey', encodeHex(own)],
      ['session', sha256Digest(own)],
      ['chainId', 1],
      ['registry', `0x${'ab'.repeat(20)}`],
      ['pool', `0x${'ab'.repeat(20)}`],
    ] as const) {
      const definition = define(sum.measure, { [name]: value })
      expect(() => encryptInput({ key, definition, value: 4, signingKey, random })).toThrow(
        expect.objectContaining({ code: 'AGGREGATE_INVALID', place: `$.${name}` }),
      )
    }
    const missing = undefined as never
    expect(() => encryptInput({ key: missing, definition: sum, value: 4, signingKey, random })).toThrow(
      expect.objectContaining({ code: 'SESSION_INVALID' }),
    )
  })

  it('of a value out of bounds is not made, and the error does not tell the value', () => {
    for (const value of [-4, 11, 0.5, Number.NaN, 123_456_789]) {
      const attempt = () => encryptInput({ key, definition: sum, value, signingKey, random })
      expect(attempt).toThrow(expect.objectContaining({ code: 'AGGREGATE_INVALID', place: 'value' }))
      expect(attempt).not.toThrow(/123456789/)
    }
  })

  it('tells nothing when the source of random bytes repeats itself: no two of its points are the same', () => {
    const constant = (length: number) => new Uint8Array(length).fill(7)
    const { bits } = encryptInput({ key, definition: sum, value: 4, signingKey, random: constant }).statement
      .body as { bits: Hex[] }
    const points = bits.flatMap((bit) => [bit.slice(2, 68), bit.slice(68, 134)])
    expect(new Set(points).size).toBe(points.length)
  })

  it('is another each time, also of the same value', () => {
    const [again] = inputsFor(sum, values) as [SignedStatement]
    expect(again.statement.body['bits']).not.toEqual(input.statement.body['bits'])
  })
})

describe('the bits of a sum', () => {
  it('reach exactly the numbers within bounds, whatever the bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 300 }), (minimum, range) => {
        const measure: AggregateMeasure = { kind: 'sum', minimum, maximum: minimum + range }
        const weights = weightsOf(measure)
        expect(weights.reduce((total, weight) => total + weight, 0)).toBe(range)
        expect(weights.length).toBe(Math.ceil(Math.log2(range + 1)))
        for (let value = minimum; value <= minimum + range; value++) {
          const bits = bitsOf(measure, value)
          expect(
            bits.reduce<number>((total, bit, place) => total + bit * (weights[place] ?? 0), minimum),
          ).toBe(value)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('small discrete logarithms', () => {
  it('are found up to the bound and not beyond', () => {
    const points = [0, 1, 2, 99, 100, 5000].map((value) =>
      value === 0 ? identityElement() : generator().multiply(BigInt(value)),
    )
    expect(smallDiscreteLogs(points, 5000)).toEqual([0, 1, 2, 99, 100, 5000])
    for (const beyond of [101n, 5000n, 2n ** 200n]) {
      expect(() => smallDiscreteLogs([generator().multiply(beyond)], 100)).toThrow(
        expect.objectContaining({ code: 'AGGREGATE_INVALID' }),
      )
    }
    expect(smallDiscreteLogs([generator().multiply(40_000_000n)], 40_000_001)).toEqual([40_000_000])
  })
})

describe('the transcript of an aggregate', () => {
  const expecting = (definition: AggregateDefinition) => ({
    expect: { definition: aggregateDigest(definition) },
  })

  it('is checked whole, and every part of it that is changed is found', async () => {
    const claims = await claimsOf(sum, inputs)
    const parts = await partsOf(sum, inputs)
    const { result } = combineAggregateParts({ key, definition: sum, inputs, parts })
    const whole = { sessions: [{ session, transcript }], definition: sum, inputs, claims, parts, result }
    expect(verifyTranscript(whole, expecting(sum))).toEqual({ ok: true, failed: null, reason: null })
    const judge = (change: object) => verifyTranscript({ ...whole, ...change }, expecting(sum)).failed
    for (const hostile of [
      { sessions: [] },
      { sessions: null },
      { sessions: [null] },
      { sessions: [{ session, transcript: null }] },
      { sessions: [{ session: null, transcript }] },
      { more: 1 },
      { sessions: [{ session, transcript: { ...transcript, complaints: 7 } }] },
      { sessions: [{ session, transcript: { ...transcript, deals: [] } }] },
      { sessions: [{ session, transcript: { ...transcript, more: [] } }] },
      { sessions: [{ session, transcript, more: [] }] },
      { sessions: [...whole.sessions, ...whole.sessions] },
      { sessions: [{ session: { ...session, threshold: 3 }, transcript }] },
    ]) {
      expect(judge(hostile)).toBe('key')
    }
    for (const hostile of [
      { definition: null },
      { definition: { ...sum, pool: `0x${'9'.repeat(40)}` } },
      { definition: { ...sum, minimumCohort: 2 } },
    ]) {
      expect(judge(hostile)).toBe('definition')
    }
    expect(judge({ inputs: null })).toBe('inputs')
    expect(judge({ inputs: inputs.slice(0, 2) })).toBe('inputs')
    expect(judge({ inputs: inputs.slice(1) })).toBe('claims')
    expect(judge({ claims: null })).toBe('claims')
    expect(judge({ claims: claims.slice(1) })).toBe('claims')
    expect(judge({ parts: null })).toBe('parts')
    expect(judge({ parts: parts.slice(1) })).toBe('parts')
    const failed = { session, transcript: { commitments: [], deals: [], complaints: [] } }
    expect(judge({ sessions: [failed] })).toBe('key')
    expect(judge({ sessions: [failed, { session, transcript }] })).toBe('key')
    for (const hostile of [
      null,
      [],
      { ...result, values: [21] },
      { ...result, values: [20, 0] },
      { ...result, values: ['20'] },
      { ...result, values: [20.5] },
      { ...result, values: [2 ** 60] },
      { ...result, values: [-16] },
      { ...result, contributors: 6 },
      { ...result, inputsRoot: result.definition },
      { ...result, definition: result.inputsRoot },
      { ...result, more: 1 },
    ]) {
      expect(judge({ result: hostile }), JSON.stringify(hostile)).toBe('result')
    }
  })

  it('of another question than the reader asked is refused, and so is one of another committee', async () => {
    const parts = await partsOf(sum, inputs)
    const claims = await claimsOf(sum, inputs)
    const { result } = combineAggregateParts({ key, definition: sum, inputs, parts })
    const whole = { sessions: [{ session, transcript }], definition: sum, inputs, claims, parts, result }
    const other = define(sum.measure, { minimumCohort: 4 })
    expect(verifyTranscript(whole, expecting(other)).failed).toBe('definition')
    for (const change of [
      { pool: `0x${'33'.repeat(20)}` as const },
      { registry: `0x${'33'.repeat(20)}` as const },
      { chainId: 1 },
      { session: sha256Digest(new Uint8Array()) },
    ]) {
      const elsewhere = define(sum.measure, change)
      const verdict = verifyTranscript({ ...whole, definition: elsewhere }, expecting(elsewhere))
      expect(verdict).toMatchObject({
        failed: 'definition',
        reason: expect.stringContaining('another committee'),
      })
    }
    const refusals = [
      ['OPTION_INVALID', [undefined, {}, { expect: null }]],
      ['DIGEST_INVALID', [{ expect: {} }, { expect: { definition: 'x' } }]],
    ] as const
    for (const [code, nothing] of refusals) {
      for (const each of nothing) {
        expect(() => verifyTranscript(whole, each as never)).toThrow(expect.objectContaining({ code }))
      }
    }
  })

  it('holds across a resharing, for what was asked of the new committee', async () => {
    const next = testMembers('reshared', 2)
    const resharing = testSession(next, 2, { previous: key })
    const moved = runSession(next, resharing, { members, shares })
    const question = define(sum.measure, { session: moved.key.session })
    const answers = inputsFor(question, values)
    const committee = { key: moved.key, members: next }
    const claims = await claimsOf(question, answers, committee)
    const parts = await partsOf(question, answers, moved.shares, committee)
    const { result } = combineAggregateParts({ key: moved.key, definition: question, inputs: answers, parts })
    const sessions = [
      { session, transcript },
      { session: resharing, transcript: moved.transcript },
    ]
    const whole = { sessions, definition: question, inputs: answers, claims, parts, result }
    expect(verifyTranscript(whole, expecting(question)).ok).toBe(true)
    expect(verifyTranscript({ ...whole, sessions: sessions.slice(1) }, expecting(question)).failed).toBe(
      'key',
    )
  })
})

describe('a definition of unknown origin', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['$.type', { type: 'x' }],
    ['$.type', { version: 2 }],
    ['$.publicKey', { publicKey: '0x' }],
    ['$.session', { session: 'x' }],
    ['$.question', { question: 'x' }],
    ['$.measure.kind', { measure: { kind: 'mean' } }],
    ['$.measure.kind', { measure: null }],
    ['$.measure.kind', { measure: [] }],
    ['$.measure', { measure: { kind: 'sum', minimum: 0, maximum: 1, more: 1 } }],
    ['$.measure.maximum', { measure: { kind: 'sum', minimum: 1, maximum: 1 } }],
    ['$.measure.maximum', { measure: { kind: 'sum', minimum: 0, maximum: 2 ** 32 } }],
    ['$.measure.bins', { measure: { kind: 'histogram', bins: 257 } }],
    ['$.contributors', { contributors: [] }],
    ['$.contributors', { contributors: 7 }],
    ['$.contributors[0]', { contributors: ['0x1', '0x2'] }],
    ['$.contributors[1]', { contributors: [`0x${'2'.repeat(40)}`, `0x${'1'.repeat(40)}`] }],
    ['$.contributors[1]', { contributors: [`0x${'2'.repeat(40)}`, `0x${'2'.repeat(40)}`] }],
    [
      '$.maximumCohort',
      { measure: { kind: 'sum', minimum: 2 ** 40, maximum: 2 ** 40 + 1 }, maximumCohort: 10_000 },
    ],
    ['$.minimumCohort', { minimumCohort: 1 }],
    ['$.maximumCohort', { maximumCohort: 2 }],
    ['$.maximumCohort', { measure: { kind: 'sum', minimum: 0, maximum: 2 ** 30 } }],
    ['$', { more: 1 }],
  ]
  it.each(cases)('is refused at %s for %o', (place, change) => {
    const value = { ...sum, ...change } as unknown as Parameters<typeof parseAggregateDefinition>[0]
    expect(() => parseAggregateDefinition(value)).toThrow(
      expect.objectContaining({ code: 'AGGREGATE_INVALID', place }),
    )
  })

  it('has a digest that every field changes', () => {
    expect(aggregateDigest(sum)).not.toBe(aggregateDigest({ ...sum, minimumCohort: 4 }))
  })
})
