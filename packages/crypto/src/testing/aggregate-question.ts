import {
  type AggregateDefinition,
  type AggregateMeasure,
  claimInputs,
  combineInputs,
  decryptTotalsPartially,
  encryptInput,
} from '../aggregate/index.js'
import type { JsonObject } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes, sha256Digest } from '../digest/digest.js'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import {
  generator,
  hashParts,
  hashToScalar,
  parsePoint,
  pointBytes,
  scalarBytes,
  toScalar,
} from '../threshold/group.js'
import type { ThresholdShare } from '../threshold/index.js'
import { runSession, seededRandom, testMembers, testSession } from './committee.js'

/** A source that repeats itself in every run. */
export const random = seededRandom('aggregate')
/** The committee. */
export const members = testMembers('aggregate', 3)
/** The session of the committee. */
export const session = testSession(members, 2)
/** Its key, its members’ shares, what was published. */
export const { key, shares, transcript } = runSession(members, session)
/** Secret keys of contributors. */
export const people = testMembers('contributors', 5).map(({ signingKey }) => signingKey)
/** A question to this committee. */
export const define = (
  measure: AggregateMeasure,
  more: Partial<AggregateDefinition> = {},
): AggregateDefinition => ({
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
/** The key that a question claims for its committee. */
export const believed = ({ publicKey, session: own, chainId, registry, pool }: AggregateDefinition) => {
  return { ...key, publicKey, session: own, chainId, registry, pool }
}
/** Inputs to any question, as contributors would make them who take the definition's word for its committee. */
export const inputsFor = (definition: AggregateDefinition, values: readonly number[]) =>
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
export const memory = () => {
  const roots = new Map<Digest, Digest>()
  return (definition: Digest, root: Digest) => {
    if (!roots.has(definition)) roots.set(definition, root)
    return roots.get(definition) === root
  }
}
/** What every member of a committee claims, each with a memory of its own. */
export const claimsOf = (
  definition: AggregateDefinition,
  inputs: readonly unknown[],
  committee = { key, members },
): Promise<readonly SignedStatement[]> =>
  Promise.all(
    committee.members.map(({ signingKey }) =>
      claimInputs({ key: committee.key, definition, inputs, signingKey, claim: memory() }),
    ),
  )
/** Parts of the totals, from some of the members. */
export const partsOf = async (
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
/** The root of what counts. */
export const totalsRoot = (some: readonly unknown[]) => combineInputs(sum, some).inputsRoot
/** Signs another body in the place of an input’s. */
export const resign = (input: SignedStatement, signingKey: Uint8Array, body: JsonObject): SignedStatement =>
  signStatement({ ...input, statement: { ...input.statement, body }, privateKey: signingKey })

/** A bit under a secret of one's choice, rightly proven: what the library draws at random, an attacker picks. */
export const chosenBit = (
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

/** A sum of answers from -3 to 10. */
export const sum = define({ kind: 'sum', minimum: -3, maximum: 10 })
/** Answers to it. */
export const values = [-3, 10, 0, 4, 9]
/** The same, encrypted. */
export const inputs = inputsFor(sum, values)
