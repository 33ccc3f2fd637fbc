import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, drawRandom, isBytes, type Random } from '../encoding/bytes.js'
import {
  type GroupElement,
  groupOrder,
  hashParts,
  hashToScalar,
  pointBytes,
  scalarBytes,
  scalarOf,
  toScalar,
} from './group.js'

/** One base point and the point that the secret makes of it. */
export interface DiscreteLogPair {
  readonly base: GroupElement
  readonly image: GroupElement
}

/** Bytes of a proof: challenge and response. */
export const discreteLogProofLength = 64

/**
 * Proves that one and the same secret leads from every base to its image, and that the prover knows it: Schnorr's
 * proof for one pair, Chaum and Pedersen's proof of equal discrete logarithms (DLEQ) for two; made non-interactive
 * by hashing the statement, the context and the commitments (strong Fiat-Shamir).
 *
 * @param options - `secret`: the scalar; `pairs`: at least one; `context`: what the proof is bound to; `random`:
 *   source of random bytes. The nonce hashes the secret and the statement too, so a weak source does not give the
 *   secret away.
 * @returns challenge and response, 64 bytes
 * @throws CryptoError `RANDOM_INVALID`
 */
export function proveDiscreteLog(options: {
  readonly secret: bigint
  readonly pairs: readonly DiscreteLogPair[]
  readonly context: Uint8Array
  readonly random: Random
}): Uint8Array {
  const { secret, pairs, context, random } = options
  const statement = statementOf(pairs, context)
  const nonce =
    1n + (hashToScalar('nonce', scalarBytes(secret), drawRandom(random, 32), statement) % (groupOrder() - 1n))
  const challenge = challengeOf(
    statement,
    pairs.map(({ base }) => base.multiply(nonce)),
  )
  return concatBytes(scalarBytes(challenge), scalarBytes(toScalar(nonce + challenge * secret)))
}

/**
 * Checks such a proof.
 *
 * @param options - the `pairs` and the `context` of the proof, and the `proof`; hostile proofs give `false`
 * @returns whether it holds
 */
export function verifyDiscreteLog(options: {
  readonly pairs: readonly DiscreteLogPair[]
  readonly context: Uint8Array
  readonly proof: Uint8Array
}): boolean {
  const { pairs, context, proof } = options
  // Its length is held by the two scalars: each is of 32 bytes or none.
  if (!isBytes(proof)) return false
  const challenge = scalarOf(proof.subarray(0, 32))
  const response = scalarOf(proof.subarray(32))
  if (challenge === undefined || response === undefined) return false
  const commitments = pairs.map(({ base, image }) =>
    combination([base, image], [response, toScalar(-challenge)]),
  )
  if (commitments.some((point) => point.is0())) return false
  return challengeOf(statementOf(pairs, context), commitments) === challenge
}

/**
 * A sum of multiples of public points; its time tells the scalars.
 *
 * @param points - points
 * @param scalars - as many public scalars
 * @returns the sum
 */
export function combination(points: readonly GroupElement[], scalars: readonly bigint[]): GroupElement {
  return mulAddUnsafe(secp256k1.Point, [...points], [...scalars])
}

function statementOf(pairs: readonly DiscreteLogPair[], context: Uint8Array): Uint8Array {
  return hashParts(
    'statement',
    context,
    ...pairs.flatMap(({ base, image }) => [pointBytes(base), pointBytes(image)]),
  )
}

function challengeOf(statement: Uint8Array, commitments: readonly GroupElement[]): bigint {
  return hashToScalar('challenge', statement, ...commitments.map(pointBytes))
}
