import { concatBytes, drawRandom, type Random } from '../encoding/bytes.js'
import { combination } from '../threshold/discrete-log-proof.js'
import {
  type GroupElement,
  generator,
  groupOrder,
  hashParts,
  hashToScalar,
  pointBytes,
  pointOf,
  scalarBytes,
  scalarOf,
  toScalar,
} from '../threshold/group.js'
import { multiScalarProduct, type ScaledPoint } from './multi-scalar.js'

/** A bit under exponential ElGamal: `first` is r times the generator, `second` is r times the key plus the bit. */
export interface EncryptedBit {
  readonly first: GroupElement
  readonly second: GroupElement
}

/** A bit with its proof as it was received; {@link areBits} says whether the proof holds. */
export interface ClaimedBit extends EncryptedBit {
  /** For the values 0 and 1: what the prover committed to, its challenge and its response. */
  readonly branches: readonly [ProofBranch, ProofBranch]
  /** What the two challenges add up to. */
  readonly challenge: bigint
}

/** One side of the disjunction. */
export interface ProofBranch {
  readonly commitments: readonly [GroupElement, GroupElement]
  readonly challenge: bigint
  readonly response: bigint
}

/** Bytes of an encrypted bit with its proof: six points, one challenge, two responses. */
export const provenBitLength = 6 * 33 + 3 * 32

/**
 * Encrypts a bit and proves that it is 0 or 1 without telling which: the disjunction of Cramer, Damgård and
 * Schoenmakers (1994) over two proofs of equal discrete logarithms, one of which is simulated.
 *
 * @param options - `publicKey`; `bit`; `context`: what the proof is bound to; `random`
 * @returns the bytes that are published, the ciphertext, and the secret with which it was made
 * @throws CryptoError `RANDOM_INVALID`
 */
export function encryptBit(options: {
  readonly publicKey: GroupElement
  readonly bit: 0 | 1
  readonly context: Uint8Array
  readonly random: Random
}): { readonly bytes: Uint8Array; readonly encrypted: EncryptedBit; readonly secret: bigint } {
  const { publicKey, bit, context, random } = options
  // Hashed with bit and place: a source that repeats itself gives no two ciphertexts the same secret.
  const hedged = (use: string) =>
    1n + (hashToScalar(use, drawRandom(random, 48), context, new Uint8Array([bit])) % (groupOrder() - 1n))
  const secret = hedged('bit-secret')
  const first = generator().multiply(secret)
  const masked = publicKey.multiply(secret)
  const encrypted = { first, second: bit === 1 ? masked.add(generator()) : masked }
  const nonce = hedged('bit-nonce')
  const simulated = { challenge: hedged('bit-challenge'), response: hedged('bit-response') }
  const honest = [generator().multiply(nonce), publicKey.multiply(nonce)] as const
  const pretended = commitmentsOf(1 - bit, { publicKey, encrypted, ...simulated })
  const points = [
    first,
    encrypted.second,
    ...(bit === 0 ? [...honest, ...pretended] : [...pretended, ...honest]),
  ]
  const challenge = toScalar(challengeOf(context, publicKey, points) - simulated.challenge)
  const own = { challenge, response: toScalar(nonce + challenge * secret) }
  const [zero, one] = bit === 0 ? [own, simulated] : [simulated, own]
  const scalars = [zero.challenge, zero.response, one.response]
  return { bytes: concatBytes(...points.map(pointBytes), ...scalars.map(scalarBytes)), encrypted, secret }
}

/**
 * Reads an encrypted bit with its proof, and does not judge it yet.
 *
 * @param bytes - of unknown origin
 * @param options - `publicKey`; the `context` to which the proof must be bound
 * @returns what is claimed, or nothing when it is malformed
 */
export function readBit(
  bytes: Uint8Array,
  options: { readonly publicKey: GroupElement; readonly context: Uint8Array },
): ClaimedBit | undefined {
  if (bytes.length !== provenBitLength) return undefined
  const points: GroupElement[] = []
  for (let at = 0; at < 6 * 33; at += 33) {
    const point = pointOf(bytes.subarray(at, at + 33))
    if (point === undefined) return undefined
    points.push(point)
  }
  const [first, second, a0, b0, a1, b1] = points as [
    GroupElement,
    GroupElement,
    GroupElement,
    GroupElement,
    GroupElement,
    GroupElement,
  ]
  const [challenge0, response0, response1] = [198, 230, 262].map((at) =>
    scalarOf(bytes.subarray(at, at + 32)),
  )
  if (challenge0 === undefined || response0 === undefined || response1 === undefined) return undefined
  const challenge = challengeOf(options.context, options.publicKey, points)
  return {
    first,
    second,
    challenge,
    branches: [
      { commitments: [a0, b0], challenge: challenge0, response: response0 },
      { commitments: [a1, b1], challenge: toScalar(challenge - challenge0), response: response1 },
    ],
  }
}

/**
 * Whether all of some encrypted bits are proven to be 0 or 1. The four equations of each proof are added up under weights of
 * 128 bits that nobody can know before all of the proofs are made (they hash them all): a sum with a wrong equation in it is
 * neutral with a chance of 2^-128 (Bellare, Garay and Rabin 1998, small exponents).
 *
 * @param bits - of {@link readBit}, under one key
 * @param publicKey - the key
 * @returns true only when every proof holds
 */
export function areBits(bits: readonly ClaimedBit[], publicKey: GroupElement): boolean {
  const seed = hashParts(
    'bit-batch',
    ...bits.flatMap(({ challenge, branches: [zero, one] }) =>
      [challenge, zero.challenge, zero.response, one.response].map(scalarBytes),
    ),
  )
  const terms: ScaledPoint[] = []
  let [ofGenerator, ofKey] = [0n, 0n]
  bits.forEach(({ first, second, branches }, place) => {
    let [ofFirst, ofSecond] = [0n, 0n]
    branches.forEach(({ commitments, challenge, response }, value) => {
      // response G = a + challenge A, and response Y = b + challenge (B - value G)
      const hash = hashToScalar('bit-weight', seed, new Uint8Array(Uint32Array.of(place, value).buffer))
      const [one, two] = [hash >> 128n, hash & (2n ** 128n - 1n)]
      terms.push({ point: commitments[0], scalar: one }, { point: commitments[1], scalar: two })
      ofFirst += one * challenge
      ofSecond += two * challenge
      ofGenerator -= one * response + (value === 1 ? two * challenge : 0n)
      ofKey -= two * response
    })
    terms.push({ point: first, scalar: toScalar(ofFirst) }, { point: second, scalar: toScalar(ofSecond) })
  })
  terms.push(
    { point: generator(), scalar: toScalar(ofGenerator) },
    { point: publicKey, scalar: toScalar(ofKey) },
  )
  return multiScalarProduct(terms).is0()
}

function commitmentsOf(
  bit: number,
  branch: {
    readonly publicKey: GroupElement
    readonly encrypted: EncryptedBit
    readonly challenge: bigint
    readonly response: bigint
  },
): readonly [GroupElement, GroupElement] {
  const { publicKey, encrypted, challenge, response } = branch
  const minus = toScalar(-challenge)
  return [
    combination([generator(), encrypted.first], [response, minus]),
    combination([publicKey, encrypted.second, generator()], [response, minus, bit === 1 ? challenge : 0n]),
  ]
}

function challengeOf(context: Uint8Array, publicKey: GroupElement, points: readonly GroupElement[]): bigint {
  return hashToScalar('bit', context, ...[publicKey, ...points].map(pointBytes))
}
