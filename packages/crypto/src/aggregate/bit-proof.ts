import { concatBytes, drawRandom, type Random } from '../encoding/bytes.js'
import { combination } from '../threshold/discrete-log-proof.js'
import {
  type GroupElement,
  generator,
  groupOrder,
  hashToScalar,
  pointBytes,
  pointOf,
  scalarBytes,
  scalarOf,
  toScalar,
} from '../threshold/group.js'

/** A bit under exponential ElGamal: `first` is r times the generator, `second` is r times the key plus the bit. */
export interface EncryptedBit {
  readonly first: GroupElement
  readonly second: GroupElement
}

/** Bytes of an encrypted bit with its proof: two points, two challenges, two responses. */
export const provenBitLength = 2 * 33 + 4 * 32

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
  const ordered = bit === 0 ? [...honest, ...pretended] : [...pretended, ...honest]
  const challenge = toScalar(challengeOf(context, { publicKey, encrypted }, ordered) - simulated.challenge)
  const response = toScalar(nonce + challenge * secret)
  const branches = bit === 0 ? [{ challenge, response }, simulated] : [simulated, { challenge, response }]
  const bytes = concatBytes(
    pointBytes(encrypted.first),
    pointBytes(encrypted.second),
    ...branches.map((branch) => scalarBytes(branch.challenge)),
    ...branches.map((branch) => scalarBytes(branch.response)),
  )
  return { bytes, encrypted, secret }
}

/**
 * Reads an encrypted bit and checks its proof.
 *
 * @param bytes - of unknown origin
 * @param options - `publicKey`; the `context` to which the proof must be bound
 * @returns the ciphertext, or nothing when it is malformed or not proven to be of 0 or 1
 */
export function readBit(
  bytes: Uint8Array,
  options: { readonly publicKey: GroupElement; readonly context: Uint8Array },
): EncryptedBit | undefined {
  if (bytes.length !== provenBitLength) return undefined
  const first = pointOf(bytes.subarray(0, 33))
  const second = pointOf(bytes.subarray(33, 66))
  const [challenge0, challenge1, response0, response1] = [66, 98, 130, 162].map((at) =>
    scalarOf(bytes.subarray(at, at + 32)),
  )
  if (first === undefined || second === undefined) return undefined
  if (challenge0 === undefined || challenge1 === undefined) return undefined
  if (response0 === undefined || response1 === undefined) return undefined
  const encrypted = { first, second }
  const { publicKey, context } = options
  const commitments = [
    ...commitmentsOf(0, { publicKey, encrypted, challenge: challenge0, response: response0 }),
    ...commitmentsOf(1, { publicKey, encrypted, challenge: challenge1, response: response1 }),
  ]
  if (commitments.some((point) => point.is0())) return undefined
  const challenge = challengeOf(context, { publicKey, encrypted }, commitments)
  return challenge === toScalar(challenge0 + challenge1) ? encrypted : undefined
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

function challengeOf(
  context: Uint8Array,
  statement: { readonly publicKey: GroupElement; readonly encrypted: EncryptedBit },
  commitments: readonly GroupElement[],
): bigint {
  const { publicKey, encrypted } = statement
  const points = [publicKey, encrypted.first, encrypted.second, ...commitments]
  return hashToScalar('bit', context, ...points.map(pointBytes))
}
